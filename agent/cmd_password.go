package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/term"
)

// cmdPassword keeps the password of a recorder, sealed, and has it tried once
// at the next look; or, without a recorder, the one with which the pages open from
// the network. It is read from stdin: an argument is seen by every user of the
// machine.
func cmdPassword(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	who := f.String("user", "", "user name on the recorder")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 && *who == "" {
		return c.setLANPassword(ctx)
	}
	if len(words) == 0 || *who == "" {
		return misuse("give the recorder's ID and -user NAME; \"anagrafe-agent cameras\" lists what needs a password")
	}
	password, err := c.secretLine(bufio.NewReader(io.LimitReader(c.in, maxSecret)), "Password: ")
	if err != nil {
		return err
	}
	in := map[string]string{"device": words[0], "user": *who, "password": password}
	return c.withAgent(ctx, func(cl client) error {
		if err := cl.do(ctx, http.MethodPost, "/credentials", in, nil); err != nil {
			return err
		}
		return cl.do(ctx, http.MethodPost, "/scan", nil, nil)
	})
}

// maxSecret bounds what is read of stdin for passwords, in bytes.
const maxSecret = 1024

// setLANPassword asks twice for the password with which the pages open from the
// network.
func (c *call) setLANPassword(ctx context.Context) error {
	in := bufio.NewReader(io.LimitReader(c.in, maxSecret))
	password, err := c.secretLine(in, "Password for opening the pages from the network (at least 12 characters): ")
	if err != nil {
		return err
	}
	again, err := c.secretLine(in, "Again: ")
	if err != nil {
		return err
	}
	if password != again {
		return errors.New("the two passwords differ: nothing was changed. Give the same one in two lines")
	}
	var answer struct {
		On bool `json:"on"`
	}
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/lan", map[string]string{"password": password}, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintln(c.out, "done: the password is set")
	if !answer.On {
		fmt.Fprintln(c.err, "The pages open from the network once agent.toml has listen_lan = \"0.0.0.0:8481\" (or run -listen-lan) and the agent was started again.")
	}
	return nil
}

// secretLine reads one line: without echo from a terminal, which is told what is
// asked.
func (c *call) secretLine(in *bufio.Reader, ask string) (string, error) {
	if f, ok := c.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.err, ask)
		line, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.err)
		if err != nil {
			return "", fmt.Errorf("reading what was typed: %w", err)
		}
		return string(line), nil
	}
	line, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading stdin: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

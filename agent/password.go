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
)

// cmdPassword keeps the password of a recorder, sealed, and has it tried once
// at the next look. It is read from stdin: an argument is seen by every user
// of the machine.
func cmdPassword(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	who := f.String("user", "", "user name on the recorder")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 || *who == "" {
		return misuse("give the recorder's ID and -user NAME; \"anagrafe-agent cameras\" lists what needs a password")
	}
	if f, ok := c.in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprint(c.err, "Password (shown as you type): ")
		}
	}
	line, err := bufio.NewReader(io.LimitReader(c.in, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the password from stdin: %w", err)
	}
	in := map[string]string{"device": words[0], "user": *who, "password": strings.TrimRight(line, "\r\n")}
	return c.withSite(ctx, func(cl client) error {
		if err := cl.do(ctx, http.MethodPost, "/credentials", in, nil); err != nil {
			return err
		}
		return cl.do(ctx, http.MethodPost, "/scan", nil, nil)
	})
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxAnswer bounds what the command line reads of one answer: 512 cameras and
// all messages kept are far below.
const maxAnswer = 64 << 20

// client speaks to the handlers of the local pages over DIR/control.sock.
type client struct{ http *http.Client }

// refusal is an error that the handlers answered with.
type refusal struct {
	Status int    `json:"-"`
	What   string `json:"error"`
	Field  string `json:"field"`
	Hint   string `json:"hint"`
}

func (r refusal) Error() string {
	text := r.What
	if r.Field != "" {
		text = r.Field + ": " + text
	}
	if r.Hint != "" {
		text += " (" + r.Hint + ")"
	}
	return text
}

// withSite calls do with a client of the running agent; where none runs, this
// process takes the lock and answers itself, by the same handlers.
func (c *call) withSite(ctx context.Context, do func(client) error) error {
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return err
	}
	s, err := openSite(ctx, c.dir, config, c.log)
	if errors.Is(err, errDaemon) {
		return do(dial(c.dir))
	}
	if err != nil {
		return err
	}
	listener, err := s.control()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- serve(serving, listener, s.review.Control()) }()
	err = do(dial(c.dir))
	stop()
	return errors.Join(err, <-served, s.Close()) // closing the listener removed the socket
}

func dial(dir string) client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket(dir))
		},
		DisableKeepAlives: true,
	}}}
}

// do sends one request; in is the JSON body or nil, out gets the answer's JSON.
func (cl client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		return fmt.Errorf("asking the running agent: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the agent's answer: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		r := refusal{Status: resp.StatusCode}
		if json.Unmarshal(answer, &r) != nil || r.What == "" {
			r.What = http.StatusText(resp.StatusCode)
		}
		return r
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the agent's answer to %s %s: %w", method, path, err)
	}
	return nil
}

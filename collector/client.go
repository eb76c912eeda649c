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
	"path/filepath"
	"syscall"
	"time"
)

const (
	// maxAnswer bounds what the command line reads of one JSON answer.
	maxAnswer = 64 << 20
	// patience is how long a command waits for the holder of the lock to answer: a
	// collector that is starting, or another command that is about to end.
	patience = 5 * time.Second
)

// client speaks to the handlers of the pages: over DIR/control.sock for the
// operator of this host, or over the network with a credential.
type client struct {
	http   *http.Client
	server string // scheme and host
	secret string // of a credential file; "" on the control socket
}

// refusal is an error that the handlers answered with.
type refusal struct {
	What  string `json:"error"`
	Field string `json:"field"`
	Hint  string `json:"hint"`
	// Each wrong field, of a question that cannot be understood.
	Errors []struct {
		Field      string   `json:"field"`
		Error      string   `json:"error"`
		Detail     string   `json:"detail"`
		Candidates []string `json:"candidates"` // what a time may have meant
		Places     []struct {
			Name string  `json:"name"`
			Lon  float64 `json:"lon"`
			Lat  float64 `json:"lat"`
		} `json:"places"` // what a place may have meant
	} `json:"errors"`
	status int // of HTTP
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

func socket(dir string) string { return filepath.Join(dir, "control.sock") }

func dial(dir string) client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return client{server: "http://localhost", http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket(dir))
		},
		DisableKeepAlives: true,
	}}}
}

// do sends one request; in is the JSON body or nil, out gets the answer's JSON.
func (cl client) do(ctx context.Context, method, path string, in, out any) error {
	answer, err := cl.ask(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer answer.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(answer, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the collector's answer to %s %s: %w", method, path, err)
	}
	return nil
}

// ask sends in as JSON, or nothing when it is nil, and gives the answer's body to
// read.
func (cl client) ask(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	if in == nil {
		return cl.send(ctx, method, path, "", nil)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return cl.send(ctx, method, path, "application/json", bytes.NewReader(b))
}

// send returns the answer's body to read; a refusal is an error.
func (cl client) send(ctx context.Context, method, path, kind string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, cl.server+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Language", "en") // as the command line's own words
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if cl.secret != "" {
		req.Header.Set("Authorization", "Bearer "+cl.secret)
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the collector: %w", err)
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var r refusal
	if err != nil || json.Unmarshal(answer, &r) != nil || r.What == "" {
		r.What = "the collector answered " + resp.Status
	}
	r.status = resp.StatusCode
	return nil, r
}

// withCollector calls do with a client of the running collector; where none runs,
// this process takes the lock and answers itself, by the same handlers.
func (c *call) withCollector(ctx context.Context, do func(client) error) error {
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; {
		o, err := openRegister(ctx, c.dir, config.offline(), c.log)
		if err == nil {
			if err = o.makePages(); err == nil {
				err = c.within(ctx, o, do)
			}
			return errors.Join(err, o.Close())
		}
		if !errors.Is(err, errDaemon) {
			return err
		}
		err = do(dial(c.dir))
		// Nobody answered, so nothing was done.
		silent := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
		if !silent || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// within answers do from a collector of this process.
func (c *call) within(ctx context.Context, o *collector, do func(client) error) error {
	listener, err := o.listenControl()
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- o.serveControl(serving, listener) }()
	err = do(dial(c.dir))
	stop()
	return errors.Join(err, <-served)
}

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
	"time"
)

// maxAnswer bounds what the command line reads of one JSON answer.
const maxAnswer = 64 << 20

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
	var body io.Reader
	kind := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	answer, err := cl.send(ctx, method, path, kind, body)
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

// send gives the answer's body to read; a refusal is an error.
func (cl client) send(ctx context.Context, method, path, kind string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, cl.server+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
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
	if resp.StatusCode < http.StatusBadRequest {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var r refusal
	if err != nil || json.Unmarshal(answer, &r) != nil || r.What == "" {
		r.What = "the collector answered " + resp.Status
	}
	return nil, r
}

// withOffice calls do with a client of the running collector; where none runs,
// this process takes the lock and answers itself, by the same handlers.
func (c *call) withOffice(ctx context.Context, do func(client) error) error {
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return err
	}
	o, err := openOffice(ctx, c.dir, config, c.log)
	if errors.Is(err, errDaemon) {
		return do(dial(c.dir))
	}
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served, err := o.serveControl(serving)
	if err == nil {
		err = do(dial(c.dir))
	}
	stop()
	if served != nil {
		err = errors.Join(err, <-served)
	}
	return errors.Join(err, o.Close())
}

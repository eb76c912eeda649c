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
	"net/url"
	"time"
)

// maxAnswer bounds what the command line reads of one answer: 512 cameras and
// all messages kept are far below.
const maxAnswer = 64 << 20

// client speaks to the handlers of the local pages, over the control socket or in
// this process.
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

// How long to wait for the lock of another command, which answers nobody else.
const (
	lockWait = 10 * time.Second
	lockPoll = 50 * time.Millisecond
)

// withAgent calls do with a client of the running agent; where none runs, this
// process takes the lock and answers itself, by the same handlers. While another
// command holds the lock, do is called in vain: it asks before anything else.
func (c *call) withAgent(ctx context.Context, do func(client) error) error {
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return err
	}
	waited, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		s, err := openAgent(ctx, c.dir, config, c.log)
		if err == nil {
			return errors.Join(c.within(ctx, s, do), s.Close())
		}
		if !errors.Is(err, errDaemon) {
			return err
		}
		if err = do(dial(c.dir)); !noneAnswers(err) {
			return err
		}
		select {
		case <-waited.Done():
			return fmt.Errorf("%w: another process holds %s/lock, but does not answer", err, c.dir)
		case <-time.After(lockPoll):
		}
	}
}

// within answers do from a site of this process, and delivers meanwhile what do waits
// to see delivered.
func (c *call) within(ctx context.Context, s *agent, do func(client) error) error {
	own := client{&http.Client{Transport: inProcess{s.review.Control()}}}
	if !c.delivers {
		return do(own)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.link.run(running) }()
	err := do(own)
	stop()
	return errors.Join(err, <-ended)
}

func dial(dir string) client {
	return client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			return dialControl(ctx, dir)
		},
		DisableKeepAlives: true,
	}}}
}

// inProcess has a handler answer without any connection.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody // as a server gives it
	}
	defer r.Body.Close()
	w := &written{header: http.Header{}, status: http.StatusOK}
	p.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r}, nil
}

// written is the answer of a handler.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }

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
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // its address is made up
	}
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

package cameratest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// maxRequest is how much of a request is read.
const maxRequest = 1 << 20

// A Device is a camera or recorder that answers until it is closed. Its methods
// may be called at any time, also after Close.
type Device struct {
	c       *Conversation
	o       Options
	answers []Answer // the conversation's and Profile G's
	paths   map[string]bool
	gate    *gate
	address netip.AddrPort

	server   *http.Server
	stop     context.CancelFunc
	running  sync.WaitGroup // server, responder, handlers
	closers  []func()
	closeOne sync.Once

	mu       sync.Mutex
	closed   bool
	requests []Request
	probes   []string
	news     chan struct{} // closed and made anew when requests grows
}

// A Request is one that a device received over HTTP.
type Request struct {
	At                   time.Time
	From                 netip.AddrPort
	Path                 string
	Namespace, Operation string // "" if it could not be read
	// Scheme is what credentials it carried: "", "token", "digest", or "other";
	// User is whose, as it was claimed.
	Scheme, User string
	// Refused: it was answered with a refusal for want of right credentials.
	// With a Scheme this is a wrong attempt, without a call that needed one.
	Refused bool
	// Status is the HTTP status of the answer, File the recorded answer, "" if
	// another was given.
	Status int
	File   string
}

// Start makes a live device of a conversation. The caller must Close it.
func Start(c *Conversation, o Options) (*Device, error) {
	o = o.or(c.Defaults)
	if o.Name == "" {
		o.Name = c.Name
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("start device %s: %w", o.Name, err)
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start device %s: %w", o.Name, err)
	}
	d := &Device{c: c, o: o, answers: c.Answers, paths: c.paths(), gate: newGate(o), address: address, news: make(chan struct{})}
	if o.ProfileG != nil {
		d.addProfileG()
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	d.running.Go(func() { _ = d.server.Serve(listener) }) // ends with ErrServerClosed at Close
	if err := errors.Join(d.respond(ctx), d.announce()); err != nil {
		d.Close()
		return nil, fmt.Errorf("start device %s: %w", o.Name, err)
	}
	return d, nil
}

// addProfileG appends the answers for which the conversation has none.
func (d *Device) addProfileG() {
	d.answers = append([]Answer(nil), d.c.Answers...)
	for _, a := range d.o.ProfileG.Answers {
		if _, have := find(d.c.Answers, call{namespace: a.Namespace, operation: a.Operation}); have == unknownOperation {
			d.answers = append(d.answers, a)
		}
	}
}

// Close ends the device and waits until nothing of it runs any more.
func (d *Device) Close() error {
	d.closeOne.Do(func() {
		d.mu.Lock()
		d.closed = true
		d.mu.Unlock()
		d.stop()
		_ = d.server.Close() // closes the listener and every connection
		for _, f := range d.closers {
			f()
		}
		d.running.Wait()
	})
	return nil
}

// enter counts a handler as running, unless the device is being closed.
func (d *Device) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.running.Add(1)
	return true
}

// URL is the address of the device service.
func (d *Device) URL() string { return "http://" + d.address.String() + "/onvif/device_service" }

// Address is where it answers HTTP.
func (d *Device) Address() netip.AddrPort { return d.address }

// Options are those it runs with, defaults included.
func (d *Device) Options() Options { return d.o }

// Conversation is what it plays.
func (d *Device) Conversation() *Conversation { return d.c }

// Credential is what this device's owner would type for it; not asked where it
// wants none, or where no password is right.
func (d *Device) Credential() (user, password string, asked bool) {
	if d.o.Auth == AuthNone || d.c.refuses() {
		return "", "", false
	}
	return d.o.User, d.o.Password, true
}

// Now is the time by the device's clock.
func (d *Device) Now() time.Time { return time.Now().Add(d.o.ClockOffset) }

// Requests are all that came over HTTP until now, in the order of their answers.
func (d *Device) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Request(nil), d.requests...)
}

// Await returns when the device has received n requests over HTTP, or with ctx's
// error.
func (d *Device) Await(ctx context.Context, n int) error {
	for {
		d.mu.Lock()
		have, news := len(d.requests), d.news
		d.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// note adds a request to those that were received.
func (d *Device) note(r Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
	close(d.news)
	d.news = make(chan struct{})
}

// WrongAttempts counts the requests that carried credentials and were refused.
func (d *Device) WrongAttempts() int {
	n := 0
	for _, r := range d.Requests() {
		if r.Refused && r.Scheme != "" {
			n++
		}
	}
	return n
}

// Probes are the types of all WS-Discovery probes that reached the device, also
// of those it does not answer: ProbeNVT, ProbeDevice, ProbeUntyped or a name
// that is none of them.
func (d *Device) Probes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.probes...)
}

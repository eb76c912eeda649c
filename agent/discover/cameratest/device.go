package cameratest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxRequest is how much of a request is read.
const maxRequest = 1 << 20

// A Device is a camera or recorder that answers until it is closed. Its methods
// may be called at any time, also after Close.
type Device struct {
	c       *Conversation
	o       Options
	answers []Answer        // the conversation's and Profile G's
	paths   map[string]bool // of ONVIF; nil without it
	gate    *gate
	web     *web // nil without a web interface
	address netip.AddrPort

	voice   *net.UDPConn // answers probes; nil without an interface
	group   net.UDPAddr  // where Hello and Bye go
	flooded atomic.Bool

	certificate atomic.Pointer[tls.Certificate] // nil without HTTPS

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
	At   time.Time
	From netip.AddrPort
	// Method, Path and Query are of its request line, Query as it was sent.
	Method, Path, Query  string
	Namespace, Operation string // "" if it could not be read
	// Scheme is which credentials it carried: "", "token", "digest", "basic",
	// "session" for a login (not for what follows it), or "other"; User is whose,
	// as it was claimed.
	Scheme, User string
	// Refused: it was answered with a refusal for want of right credentials.
	// With a Scheme this is a wrong attempt, without a call that needed one.
	Refused bool
	// Stale: it answered a Digest challenge of the web interface that is no longer
	// good, and was challenged anew, which is no wrong attempt.
	Stale bool
	// Status is the HTTP status of the answer, File the recorded answer, or that
	// of the web interface, "" if another was given.
	Status int
	File   string
}

// Start makes a live device of a conversation. The caller must Close it.
func Start(c *Conversation, o Options) (*Device, error) {
	asked := o.Auth
	o = o.or(c.Defaults)
	if o.Name == "" {
		o.Name = c.Name
	}
	if c.bad != nil {
		return nil, fmt.Errorf("start device %s: %w", o.Name, c.bad)
	}
	d := &Device{c: c, o: o, answers: c.Answers, gate: newGate(o), news: make(chan struct{})}
	var err error
	if d.web, err = newWeb(c.web, o, asked, d.gate.tally); err != nil {
		return nil, fmt.Errorf("start device %s: %w", o.Name, err)
	}
	if len(c.Answers) > 0 {
		d.paths = c.paths()
		d.paths[media2Path] = o.Quirks.Services.Media2First
		d.paths["/"] = o.Quirks.Services.XAddrs == XAddrsNoPath || o.Quirks.Discovery.XAddrs == XAddrsNoPath
	}
	if o.ProfileG != nil {
		d.addProfileG()
	}
	if o.HTTPS {
		if err := d.ChangeCertificate(); err != nil {
			return nil, fmt.Errorf("start device: %w", err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	d.stop = stop
	// HTTP/1.1 alone, as cameras speak it.
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	for _, part := range []func() error{d.serve, func() error { return d.respond(ctx) }, d.announce, d.answerSearches} {
		if err := part(); err != nil {
			return nil, errors.Join(fmt.Errorf("start device %s: %w", o.Name, err), d.Close())
		}
	}
	return d, nil
}

// serve listens on the device's address, and on that of its other interface.
func (d *Device) serve() error {
	port := d.o.Port
	for _, host := range []string{d.o.Host, d.o.Quirks.Discovery.From} {
		if host == "" {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		if d.address.Port() == 0 {
			d.address, port = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), int(at.Port())
			if a, err := netip.ParseAddr(host); err == nil && a.Zone() != "" {
				d.address = netip.AddrPortFrom(a, at.Port()) // a listener may not tell its zone
			}
		}
		if d.o.HTTPS {
			l = d.secure(l)
		}
		d.running.Go(func() { _ = d.server.Serve(l) }) // ends with ErrServerClosed at Close
	}
	return nil
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

// URL is the address of the ONVIF device service, for callers on the same host: a
// link-local address has its zone. A device without ONVIF answers 404 there; its
// web interface is at Address.
func (d *Device) URL() string { return d.service(d.address) }

// service is the URL of the device service at an address.
func (d *Device) service(at netip.AddrPort) string {
	path := "/onvif/device_service"
	if d.o.Quirks.Discovery.XAddrs == XAddrsNoPath {
		path = ""
	}
	u := url.URL{Scheme: d.scheme(), Host: at.String(), Path: path}
	return u.String() // a zone comes out as %25
}

// told is the address as the device itself tells it: a zone means nothing to
// others.
func (d *Device) told() netip.AddrPort {
	return netip.AddrPortFrom(d.address.Addr().WithZone(""), d.address.Port())
}

func (d *Device) scheme() string {
	if d.o.HTTPS {
		return "https"
	}
	return "http"
}

// Address is where it answers HTTP.
func (d *Device) Address() netip.AddrPort { return d.address }

// Options are those it runs with, defaults included.
func (d *Device) Options() Options { return d.o }

// conversation is what it plays.
func (d *Device) conversation() *Conversation { return d.c }

// Credential is what this device's owner would type for it; not asked where it
// wants none, or where no password is right.
func (d *Device) Credential() (user, password string, asked bool) {
	if d.web != nil && d.web.gate.o.Auth != AuthNone {
		return d.o.User, d.o.Password, true
	}
	if d.o.Auth == AuthNone || d.paths == nil || d.c.refuses() {
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

// await returns when the device has received n requests over HTTP, or with ctx's
// error.
func (d *Device) await(ctx context.Context, n int) error {
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
		if r.Refused && r.Scheme != "" && !r.Stale {
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

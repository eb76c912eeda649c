package interrogate

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/use-go/onvif/networking"
)

// Limits of one device: it may be slow, lying or broken, and
// costs no more than this.
const (
	maxAnswer    = 1 << 20
	maxHeaders   = 64 << 10
	deviceTime   = 30 * time.Second
	callTime     = 8 * time.Second
	connections  = 2
	maxSilent    = 2  // calls in a row without an answer, then no more
	maxDropped   = 12 // calls in a row that it hung up on (onvif_srvd does for each operation that it does not know)
	maxForbidden = 2  // calls in a row refused to a user who was let in before
	maxDoubts    = 2  // signed calls that fail in no known way before any was accepted
)

// conversation is what is said with one device. ask may be called by several
// goroutines at a time, once base and manner are settled.
type conversation struct {
	subject
	base      *url.URL // of the device service; host and port are the ones that answered
	manner    manner
	client    *http.Transport
	auth      *authenticator
	envelopes envelopes

	mu      sync.Mutex
	heard   bool // it has given any SOAP answer
	silent  int  // calls in a row without any answer
	dropped int  // calls in a row on which it hung up
}

func newConversation(of subject, l envelopes) *conversation {
	auth := newAuthenticator(of, DoorONVIF, func() bool { return false })
	return &conversation{subject: of, base: of.sighting.Service(), auth: auth, envelopes: l, client: &http.Transport{
		Proxy:                  nil, // the device is on this network
		MaxConnsPerHost:        connections,
		MaxIdleConnsPerHost:    connections,
		MaxResponseHeaderBytes: maxHeaders,
		DisableCompression:     true, // a small answer may not unpack into a large one
		// Devices certify themselves: trust holds them to that.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: of.trust.verify},
	}}
}

func (c *conversation) close() { c.client.CloseIdleConnections() }

// at gives the address of a service from what the device says it is: only its
// path is taken, since the host in it may be wrong or reachable only from
// elsewhere.
func (c *conversation) at(xaddr string) *url.URL {
	u := *c.base
	given, err := url.Parse(strings.TrimSpace(xaddr))
	if err != nil || given.Path == "" || !strings.HasPrefix(given.Path, "/") {
		return &u
	}
	u.Path, u.RawPath, u.RawQuery = given.Path, given.RawPath, given.RawQuery
	return &u
}

// timing is when a request left and its answer began, by our clock.
type timing struct{ sent, received time.Time }

// ask puts one question. It goes without credentials until the device has
// refused one, then with them.
//
// The error says in words what went wrong, free of secrets.
func ask[T any](ctx context.Context, c *conversation, to *url.URL, operation string, request any) (T, error) {
	value, _, err := askTimed[T](ctx, c, to, operation, request)
	return value, err
}

func askTimed[T any](ctx context.Context, c *conversation, to *url.URL, operation string, request any) (none T, when timing, err error) {
	if c.gone() {
		return none, when, errSilent
	}
	held, letGo := false, func() {}
	hold := func() error {
		if !held {
			release, err := c.auth.takeTurn(ctx)
			if err != nil {
				return c.why(ctx, err)
			}
			held, letGo = true, release
		}
		return nil
	}
	defer func() { letGo() }()
	sign, turns := c.auth.begins()
	if sign && turns {
		if err := hold(); err != nil {
			return none, when, err
		}
		sign, _ = c.auth.begins() // it may have been refused meanwhile
	}
	// Without credentials, with them, once more when what is stale is the challenge
	// and not the password; and again when a device that knows these credentials
	// closed an idle connection meanwhile, of which there may be two.
	broken := 0
	for range 3 + connections {
		value, when, refused, err := attempt[T](ctx, c, to, operation, request, sign)
		if errors.Is(err, errBroken) && sign && broken < connections && c.auth.works() {
			broken++
			continue
		}
		if refused == nil || err != nil {
			if _, other := errors.AsType[*unsupportedError](err); sign && err != nil && !other && ctx.Err() == nil {
				c.auth.unclear(ctx)
			}
			return value, when, err
		}
		if err := hold(); err != nil {
			return none, when, err
		}
		if again, err := c.auth.refused(ctx, refused); !again {
			return none, when, err
		}
		sign = true
	}
	return none, when, c.auth.refusedAgain(ctx, &refusal{signed: true})
}

// refusal is an answer that asks for credentials, or for other ones.
type refusal struct {
	header http.Header // with the challenges
	words  string
	signed bool // the request had credentials
	soap   bool // the answer was SOAP
}

func attempt[T any](ctx context.Context, c *conversation, to *url.URL, operation string, request any, sign bool) (none T, when timing, r *refusal, err error) {
	status, header, body, when, err := c.post(ctx, to, operation, request, sign)
	if err != nil {
		c.count(err)
		return none, when, nil, c.why(ctx, err)
	}
	value, f, err := readAnswer[T](operation, body)
	c.log.Debug("asked a device", "operation", operation, "status", status, "signed", sign, "bytes", len(body), "took", when.received.Sub(when.sent))
	c.answered(err == nil)
	switch {
	case f == nil && (status == http.StatusUnauthorized || sign && status == http.StatusForbidden),
		header.Get("WWW-Authenticate") != "" && status == http.StatusUnauthorized,
		f != nil && f.refused(): // GyeongHoKim/onvif-simulator sends every fault as 401
		words := http.StatusText(status)
		if f != nil {
			words = f.words()
		}
		return none, when, &refusal{header: header, words: c.auth.words(words), signed: sign, soap: err == nil}, nil
	case status >= 300 && status < 400:
		return none, when, nil, moved(to, header)
	case f != nil && f.unsupported():
		return none, when, nil, &unsupportedError{c.auth.words(f.words())}
	case f != nil:
		return none, when, nil, &faultError{c.auth.words(f.words())}
	case len(bytes.TrimSpace(body)) == 0 && status == http.StatusOK:
		return none, when, nil, &notSOAPError{status, true, "its answer is empty"}
	case err != nil && status != http.StatusOK:
		return none, when, nil, &notSOAPError{status, len(body) == 0, fmt.Sprintf("it answered %d %s", status, http.StatusText(status))}
	case err != nil:
		return none, when, nil, &notSOAPError{status, false, "its answer cannot be read: " + c.auth.words(err.Error())}
	}
	if sign {
		c.auth.accepted()
	}
	return value, when, nil, nil
}

// answered notes that something came back, and whether it was SOAP.
func (c *conversation) answered(soap bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent, c.dropped = 0, 0
	c.heard = c.heard || soap
}

// count notes a call without an answer. One that spoke before and hangs up at
// once does not know the operation, or ended an idle connection.
func (c *conversation) count(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, errTooLong) {
		return
	}
	if c.heard && hungUp(err) {
		c.dropped++
		return
	}
	c.silent++
}

// gone tells that it makes no sense to ask on.
func (c *conversation) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.silent >= maxSilent || c.dropped >= maxDropped
}

// goOn tells whether further questions make sense.
func (c *conversation) goOn(ctx context.Context) bool {
	return ctx.Err() == nil && !c.gone() && !c.auth.ended()
}

func (c *conversation) spoke() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard
}

// post sends one request and reads the answer, within the limits.
func (c *conversation) post(ctx context.Context, to *url.URL, operation string, request any, sign bool) (int, http.Header, []byte, timing, error) {
	ctx, cancel := context.WithTimeout(ctx, c.callTime)
	defer cancel()
	var sent, received atomic.Pointer[time.Time] // the hooks may outlive a call that failed
	mark := func(p *atomic.Pointer[time.Time]) { t := c.now(); p.Store(&t) }
	mark(&sent)
	when := func() timing { return timing{*sent.Load(), *received.Load()} }
	fail := func(err error) (int, http.Header, []byte, timing, error) {
		return 0, nil, nil, timing{}, err
	}
	security, authorization := "", ""
	if sign {
		var err error
		if security, authorization, err = c.auth.sign(http.MethodPost, to); err != nil {
			return fail(err)
		}
	}
	message, namespace, err := c.envelopes.write(request, security, c.manner.soap11)
	if err != nil {
		return fail(err)
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { mark(&sent) }, // waiting for a free connection is not the device's doing
		GotFirstResponseByte: func() { mark(&received) },
	})
	// SendSoap knows neither contexts nor headers: the transport adds them.
	client := &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.WithContext(ctx)
			c.manner.set(r.Header, namespace, operation)
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			if !sign {
				// Every request only reads: it may be sent again when the device closed an
				// idle connection on it. An empty value is not sent. What is signed may not:
				// a nonce counts once, and a wrong password twice.
				r.Header["Idempotency-Key"] = nil
			}
			return c.client.RoundTrip(r)
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := networking.SendSoap(client, to.String(), message)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	if received.Load() == nil {
		mark(&received)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(body) > maxAnswer {
		return fail(errTooLong)
	}
	if err != nil {
		return fail(err)
	}
	return resp.StatusCode, resp.Header, body, when(), nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

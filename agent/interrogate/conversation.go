package interrogate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/use-go/onvif/networking"
)

// Limits of one device (DESIGN 11b, 12): it may be slow, lying or broken, and
// costs no more than this.
const (
	maxAnswer    = 1 << 20
	maxHeaders   = 64 << 10
	deviceTime   = 30 * time.Second
	callTime     = 8 * time.Second
	connections  = 2
	maxSilent    = 2 // calls in a row without an answer, then no more
	maxForbidden = 2 // calls in a row refused to a user who was let in before
)

var (
	errTooLong   = errors.New("the answer is longer than 1 MiB")
	errRedirect  = errors.New("it redirects, which is not followed")
	errSilent    = errors.New("it no longer answers")
	errStopped   = errors.New("not asked, since it refused the password")
	errForbidden = errors.New("this user may not read it")
)

// conversation is what is said with one device. It is used by one goroutine.
type conversation struct {
	base   *url.URL // of the device service; host and port are the ones that answered
	client *http.Transport
	auth   *authenticator
	log    *slog.Logger
	heard  bool // it has given any SOAP answer
	silent int  // calls in a row without one

	callTime       time.Duration
	sent, received time.Time // of the last call, by our clock
}

func newConversation(base *url.URL, auth *authenticator, log *slog.Logger, callTime time.Duration) *conversation {
	return &conversation{base: base, auth: auth, log: log, callTime: callTime, client: &http.Transport{
		Proxy:                  nil, // the device is on this network
		MaxConnsPerHost:        connections,
		MaxIdleConnsPerHost:    connections,
		MaxResponseHeaderBytes: maxHeaders,
		DisableCompression:     true, // a small answer may not unpack into a large one
		// Devices certify themselves. Nothing that is sent needs secrecy: no
		// password travels but as a digest.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
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

// ask puts one question. It goes without credentials until the device has
// refused one, then with them.
//
// The error says in words what went wrong, free of secrets; a *refusal is among
// them when the device wants credentials.
func ask[T any](ctx context.Context, c *conversation, to *url.URL, operation string, request any) (T, error) {
	var none T
	if c.silent >= maxSilent {
		return none, errSilent
	}
	value, refused, err := attempt[T](ctx, c, to, operation, request, c.auth.known())
	if refused == nil || err != nil {
		return value, err
	}
	again, err := c.auth.refused(ctx, refused)
	if !again {
		return none, err
	}
	value, refused, err = attempt[T](ctx, c, to, operation, request, true)
	if refused == nil || err != nil {
		return value, err
	}
	// At most one more: when what is stale is the challenge, not the password.
	again, err = c.auth.refused(ctx, refused)
	if !again {
		return none, err
	}
	value, refused, err = attempt[T](ctx, c, to, operation, request, true)
	if refused != nil {
		return none, c.auth.giveUp(ctx, refused)
	}
	return value, err
}

// refusal is an answer that asks for credentials, or for other ones.
type refusal struct {
	header http.Header // with the challenges
	words  string
	signed bool // the request had credentials
}

func attempt[T any](ctx context.Context, c *conversation, to *url.URL, operation string, request any, sign bool) (T, *refusal, error) {
	var none T
	status, header, body, err := c.post(ctx, to, request, sign)
	if err != nil {
		c.silent++
		return none, nil, c.why(ctx, err)
	}
	value, f, err := readAnswer[T](operation, body)
	c.log.Debug("asked a device", "operation", operation, "status", status, "signed", sign, "bytes", len(body), "took", c.received.Sub(c.sent))
	if err == nil {
		c.heard, c.silent = true, 0
	}
	switch {
	case status == http.StatusUnauthorized, sign && status == http.StatusForbidden, f != nil && f.refused():
		c.silent = 0
		words := http.StatusText(status)
		if f != nil {
			words = f.words()
		}
		return none, &refusal{header: header, words: c.auth.words(words), signed: sign}, nil
	case status >= 300 && status < 400:
		return none, nil, errRedirect
	case f != nil && f.unsupported():
		return none, nil, &unsupportedError{c.auth.words(f.words())}
	case f != nil:
		return none, nil, fmt.Errorf("it answered with a fault: %s", c.auth.words(f.words()))
	case err != nil && status != http.StatusOK:
		return none, nil, &notSOAPError{fmt.Sprintf("it answered %d %s", status, http.StatusText(status))}
	case err != nil:
		return none, nil, &notSOAPError{"its answer cannot be read: " + c.auth.words(err.Error())}
	}
	if sign {
		c.auth.accepted()
	}
	return value, nil, nil
}

// unsupportedError: the device does not know the operation.
type unsupportedError struct{ words string }

func (e *unsupportedError) Error() string { return "it does not offer this: " + e.words }

// notSOAPError: something answered, but no ONVIF service.
type notSOAPError struct{ words string }

func (e *notSOAPError) Error() string { return e.words }

// post sends one request and reads the answer, within the limits.
func (c *conversation) post(ctx context.Context, to *url.URL, request any, sign bool) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.callTime)
	defer cancel()
	security, authorization := "", ""
	if sign {
		var err error
		if security, authorization, err = c.auth.sign(to); err != nil {
			return 0, nil, nil, err
		}
	}
	message, err := envelope(request, security)
	if err != nil {
		return 0, nil, nil, err
	}
	// SendSoap knows neither contexts nor headers: the transport adds them.
	client := &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.WithContext(ctx)
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			return c.client.RoundTrip(r)
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.sent = c.auth.now()
	resp, err := networking.SendSoap(client, to.String(), message)
	c.received = c.auth.now()
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(body) > maxAnswer {
		return 0, nil, nil, errTooLong
	}
	if err != nil {
		return 0, nil, nil, err
	}
	return resp.StatusCode, resp.Header, body, nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// why says what a failed call means. The address is left out: whoever reads
// the report knows it, and the report may be handed on.
func (c *conversation) why(ctx context.Context, err error) error {
	var netErr net.Error
	switch {
	case errors.Is(err, errTooLong):
		return errTooLong
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New("the search was ended")
	case ctx.Err() != nil:
		return fmt.Errorf("it took longer than the time allowed for one device")
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", c.callTime)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("no connection: %s", c.auth.words(op.Err.Error()))
	}
	return errors.New("the connection broke before the answer was complete")
}

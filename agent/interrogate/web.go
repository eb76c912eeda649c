package interrogate

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"anagrafe/agent/discover"
)

// Limits of a maker's own interface, within those of the device.
const (
	probeTime = 3 * time.Second  // for one request that only recognises
	ownTime   = 18 * time.Second // for all of it, so that ONVIF has its turn
	byeTime   = 3 * time.Second  // for a logout, which also an ended look sends
)

// web is what is said with a device over its maker's own interface: HTTP
// requests that only read, one after the other. Drivers speak through it alone,
// so that the limits, the rule of the one wrong password and the pinned
// certificate hold for all of them. It is used by one goroutine.
type web struct {
	subject
	base     url.URL // scheme and host of the interface; drivers give paths
	client   *http.Transport
	auth     *authenticator
	silent   int
	loggedIn bool // by a message of the family's own: see login

	header  http.Header // of every request: a session's token
	query   url.Values  // the same for families that want it in the address
	closers []func(context.Context)

	// denies tells that an answer refuses the password though its status is not 401,
	// in families that have such; nil: there are none.
	denies func(answer) bool
	// locks tells that an answer to a signed request says that the account is locked;
	// nil: the family has no words for that.
	locks func(answer) bool
}

func newWeb(base url.URL, of subject) *web {
	w := &web{subject: of, base: base, header: http.Header{}, query: url.Values{}, client: &http.Transport{
		Proxy:                  nil, // the device is on this network
		MaxConnsPerHost:        1,
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: maxHeaders,
		DisableCompression:     true, // a small answer may not unpack into a large one
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true, VerifyConnection: of.trust.verify},
	}}
	w.auth = newAuthenticator(of, DoorOwn, w.private)
	return w
}

// private tells that nobody on the network can read what is sent.
func (w *web) private() bool {
	at, err := netip.ParseAddr(w.base.Hostname())
	return w.base.Scheme == "https" || err == nil && at.Unmap().IsLoopback()
}

// close logs out of what was opened, also after ctx has ended, and ends the
// connection.
func (w *web) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	w.silent = 0 // what was opened is closed also where questions got no answer
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i](ctx)
	}
	w.closers = nil
	w.client.CloseIdleConnections()
}

// closing has f called when all was read: a driver that has logged in logs out.
func (w *web) closing(f func(context.Context)) { w.closers = append(w.closers, f) }

// hide keeps a session's token out of logs and of the words of errors: many devices
// repeat what they were sent.
func (w *web) hide(token string) {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	w.auth.add(token)
}

// meet sends one request without credentials, to recognise a family by, and once
// more where the host leads from HTTP over to TLS.
func (w *web) meet(ctx context.Context, c call) (answer, error) {
	a, err := w.try(ctx, c)
	if err == nil && a.status >= 300 && a.status < 400 && w.follow(ctx, a.header) == nil {
		return w.try(ctx, c)
	}
	return a, err
}

// call is one request of a driver.
type call struct {
	method string // GET if ""
	path   string // with its leading slash, escaped
	query  string // encoded, in the order that the device wants
	body   string
	kind   string      // Content-Type of the body
	header http.Header // besides
}

// from names a call for Fact.From: without its query's values of a session.
func (c call) from() string {
	method, query := c.method, ""
	if method == "" {
		method = http.MethodGet
	}
	if c.query != "" {
		query = "?" + c.query
	}
	return method + " " + c.path + query
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	when   timing
	from   string // see call.from
}

// statusError is an answer that is no success; drivers know some by status or body.
type statusError struct {
	answer
	words string
}

func (e *statusError) Error() string { return e.words }

// statusOf gives the HTTP status that made err, 0 if none did.
func statusOf(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	return 0
}

// jsonOf reads the body of an answer. Fields that hold secrets are not in the types
// that drivers read into.
func jsonOf[T any](a answer) (v T, err error) {
	if err := json.Unmarshal(a.body, &v); err != nil {
		return v, errors.New("its answer cannot be read as JSON")
	}
	return v, nil
}

// xmlOf reads the body of an answer by local names; see discover.UnmarshalAny.
func xmlOf[T any](a answer) (v T, err error) {
	if err := discover.UnmarshalAny(a.body, &v); err != nil {
		return v, errors.New("its answer cannot be read as XML")
	}
	return v, nil
}

// get asks for a path; query is encoded already.
func (w *web) get(ctx context.Context, path, query string) (answer, error) {
	return w.do(ctx, call{path: path, query: query})
}

// do sends one request, without credentials until the device has refused one,
// then with them (Digest, or Basic where nobody can read it). Any answer but 2xx
// is an error: errForbidden where the user was let in and may not read this,
// else a *statusError. The error says in words what went wrong, free of secrets.
func (w *web) do(ctx context.Context, c call) (answer, error) {
	release := func() {}
	defer func() { release() }()
	signed, _ := w.auth.begins()
	if signed && !w.auth.works() {
		letGo, err := w.auth.takeTurn(ctx)
		if err != nil {
			return answer{}, w.why(ctx, err)
		}
		release = letGo
		signed, _ = w.auth.begins()
	}
	moved, broken := false, false
	for range 5 {
		a, err := w.send(ctx, c, signed)
		if err != nil {
			if signed && !broken && errors.Is(err, errBroken) && w.auth.works() {
				broken = true // it closed an idle connection meanwhile
				continue
			}
			if signed {
				w.noVerdict(ctx, a, err)
			}
			return a, err
		}
		if signed && w.denies != nil && w.denies(a) {
			return a, w.auth.refusedAgain(ctx, &refusal{signed: true})
		}
		switch {
		case a.status >= 200 && a.status < 300:
			if signed {
				w.auth.accepted()
			}
			return a, nil
		case a.status >= 300 && a.status < 400 && !moved:
			moved = true
			if signed {
				w.noVerdict(ctx, a, errRedirect) // often to the page on which one logs in
			}
			if err := w.follow(ctx, a.header); err != nil {
				return a, err
			}
			if signed, _ = w.auth.begins(); signed {
				if err := w.trust.keep(ctx); err != nil {
					return a, err
				}
			}
			continue
		case a.status == http.StatusUnauthorized && !w.loggedIn:
			if !signed {
				letGo, err := w.auth.takeTurn(ctx) // until this question is answered
				if err != nil {
					return a, w.why(ctx, err)
				}
				release = letGo
			}
			if again, err := w.auth.refused(ctx, &refusal{header: a.header, signed: signed}); !again {
				return a, err
			}
			signed = true
			continue
		}
		if signed && (a.status >= 300 && a.status < 400 || a.status >= 500 && a.status <= http.StatusGatewayTimeout) {
			w.noVerdict(ctx, a, nil)
		}
		return a, w.failure(ctx, a, signed)
	}
	return answer{}, w.auth.refusedAgain(ctx, &refusal{signed: true})
}

// noVerdict notes a signed question whose answer is neither success nor a refusal.
// A look that was ended shows nothing of the password, which is not sent again in
// it; nor does what was not even sent, or an answer that broke off after its status.
func (w *web) noVerdict(ctx context.Context, a answer, err error) {
	switch {
	case a.status >= 200 && a.status < 300:
		w.auth.accepted()
	case w.auth.works(), errors.Is(err, errSilent):
	case ctx.Err() != nil:
		w.auth.note(leftAlone)
	default:
		w.auth.unclear(ctx)
	}
}

// failure makes an error of an answer that is neither success nor a challenge.
// A signed request that gets 403 before any was accepted may mean an account that
// is locked: the password is not sent again in this look.
func (w *web) failure(ctx context.Context, a answer, signed bool) error {
	switch refused := a.status == http.StatusForbidden || a.status == http.StatusUnauthorized; {
	case refused && (w.loggedIn || signed && w.auth.works()):
		return errForbidden
	case refused && signed && w.locks != nil && w.locks(a):
		w.auth.note(leftAlone)
	case refused && signed:
		w.auth.halt(ctx)
	}
	return &statusError{a, fmt.Sprintf("it answered %d %s", a.status, http.StatusText(a.status))}
}

// follow goes over to TLS on the same host, where the device redirects there.
func (w *web) follow(ctx context.Context, h http.Header) error {
	err := moved(&w.base, h)
	to, ok := errors.AsType[*movedError](err)
	if !ok {
		return err
	}
	w.base.Scheme, w.base.Host = to.to.Scheme, to.to.Host
	w.trust.recall(ctx)
	return nil
}

// try sends one request without credentials and gives whatever answer comes: to
// recognise a family by, and for the messages of a login.
func (w *web) try(ctx context.Context, c call) (answer, error) {
	return w.send(ctx, c, false)
}

// send sends one request within the limits. Its errors are in words.
func (w *web) send(ctx context.Context, c call, signed bool) (a answer, err error) {
	a.from = c.from()
	if w.silent >= maxSilent {
		return a, errSilent
	}
	limited, cancel := context.WithTimeout(ctx, w.callTime)
	defer cancel()
	var begin, end atomic.Pointer[time.Time] // the hooks may outlive a call that failed
	mark := func(p *atomic.Pointer[time.Time]) { t := w.now(); p.Store(&t) }
	mark(&begin)
	r, err := w.request(httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { mark(&begin) },
		GotFirstResponseByte: func() { mark(&end) },
	}), c, signed)
	if err != nil {
		return a, err
	}
	resp, err := w.client.RoundTrip(r)
	if err != nil {
		w.silent++
		return a, w.why(ctx, err)
	}
	defer resp.Body.Close()
	if end.Load() == nil {
		mark(&end)
	}
	a.status, a.header, a.when = resp.StatusCode, resp.Header, timing{*begin.Load(), *end.Load()}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if len(a.body) > maxAnswer {
		a.body, err = nil, errTooLong
	}
	if err != nil {
		return a, w.why(ctx, err)
	}
	w.silent = 0
	w.log.Debug("asked a recorder", "path", w.auth.words(c.path), "status", a.status, "signed", signed, "bytes", len(a.body), "took", a.when.received.Sub(a.when.sent))
	return a, nil
}

// request makes the HTTP request of a call.
func (w *web) request(ctx context.Context, c call, signed bool) (*http.Request, error) {
	to, err := w.base.Parse(c.path)
	if err != nil || to.Host != w.base.Host {
		return nil, errors.New("the path of a request is no path")
	}
	to.RawQuery = c.query
	if extra := w.query.Encode(); extra != "" {
		to.RawQuery = strings.Trim(to.RawQuery+"&"+extra, "&")
	}
	method := c.method
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader([]byte(c.body)))
	if err != nil {
		return nil, errors.New("the request cannot be written")
	}
	for _, h := range []http.Header{w.header, c.header} {
		for k, v := range h {
			r.Header[k] = v
		}
	}
	if c.kind != "" {
		r.Header.Set("Content-Type", c.kind)
	}
	r.Header.Set("User-Agent", "anagrafe-agent")
	if !signed {
		// It only reads: it may be sent again when the device closed an idle
		// connection on it. What carries a password may not.
		if c.method == "" || c.method == http.MethodGet {
			r.Header["Idempotency-Key"] = nil
		}
		return r, nil
	}
	if method == http.MethodGet && c.body == "" {
		// A body that cannot be had again, though it is empty: else a GET is sent
		// anew, password and all, by the transport itself when a device hangs up on it.
		r.Body, r.GetBody = io.NopCloser(strings.NewReader("")), nil
	}
	_, authorization, err := w.auth.sign(method, to)
	r.Header.Set("Authorization", authorization)
	return r, err
}

// why says what a failed request means.
func (w *web) why(ctx context.Context, err error) error {
	return explain(ctx, err, w.trust, w.auth, w.callTime)
}

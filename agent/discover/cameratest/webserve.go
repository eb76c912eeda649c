package cameratest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// web is the web interface of a device that runs.
type web struct {
	*website
	gate *gate // nil where sessions are asked for

	mu       sync.Mutex
	bodies   map[string]webBody
	sessions map[string]bool // given and alive (true) or ended
}

// newWeb prepares the interface; nil where the conversation has none. asked is
// what the caller's own Options say of authentication.
func newWeb(site *website, o Options, asked Auth, t *tally) (*web, error) {
	if site == nil {
		return nil, nil
	}
	w := &web{website: site, bodies: maps.Clone(site.bodies), sessions: map[string]bool{}}
	switch site.file.Challenge {
	case challengeDigest:
		o.Auth = AuthDigest
	case challengeBasic:
		o.Auth = AuthBasic
	case challengeNone:
		o.Auth = AuthNone
	case "":
		if o.Auth == AuthToken {
			return nil, fmt.Errorf("its Auth is %s, of which HTTP knows nothing: name a challenge in web.json", AuthToken)
		}
	}
	if asked != AuthDefault && asked != AuthToken {
		o.Auth = asked
	}
	if site.file.Challenge == challengeSession && asked != AuthNone {
		o.Auth = authSession
	}
	w.gate = &gate{o: o, realm: cmp.Or(site.file.Realm, defaultRealm), tally: t, fresh: true}
	return w, nil
}

// authSession is an Auth of web interfaces alone: a login opens a session.
const authSession Auth = "session"

// serveWeb answers a request to the web interface, and notes in seen who asked.
func (d *Device) serveWeb(r *http.Request, body []byte, seen *Request) reply {
	w, f := d.web, &d.web.file
	seen.Scheme = scheme(r)
	if f.Login != nil && f.Login.fits(r, body, "") {
		return d.login(r, body, seen)
	}
	listed := f.find(r, body)
	if listed != nil && listed.Open {
		return d.say(&listed.webReply, "", r.URL.Query(), nil)
	}
	if listed == nil && strings.HasPrefix(r.URL.Path, "/onvif/") {
		return reply{status: http.StatusNotFound, kind: plainText} // who looks for ONVIF learns that there is none
	}
	session, refusal := d.admit(r, body, seen)
	switch {
	case refusal != nil:
		return *refusal
	case f.Logout != nil && f.Logout.fits(r, body, session):
		w.end(session)
		return d.say(&f.Logout.webReply, session, nil, nil)
	}
	if found := d.findFootage(r, body); found != nil {
		return *found
	}
	if shown := d.picture(r); shown != nil {
		return *shown
	}
	if listed != nil {
		return d.say(&listed.webReply, session, r.URL.Query(), nil)
	}
	return d.say(&f.Otherwise, session, nil, nil)
}

// find returns the first answer that fits, nil if there is none.
func (f *webFile) find(r *http.Request, body []byte) *webAnswer {
	for i := range f.Answers {
		if f.Answers[i].fits(r, body, "") {
			return &f.Answers[i]
		}
	}
	return nil
}

// fits reports whether a request is meant. session is the request's own.
func (m *webMatch) fits(r *http.Request, body []byte, session string) bool {
	method := m.Method
	if method == "" {
		method = http.MethodGet
	}
	if r.Method != method || r.URL.Path != strings.ReplaceAll(m.Path, "{{.Session}}", session) {
		return false
	}
	query := r.URL.Query()
	for name, value := range m.Query {
		if !query.Has(name) || query.Get(name) != value {
			return false
		}
	}
	for _, part := range m.Body {
		if !bytes.Contains(body, []byte(part)) {
			return false
		}
	}
	return true
}

// admit returns the live session of a request ("" where none is asked for), or
// what it is refused with.
func (d *Device) admit(r *http.Request, body []byte, seen *Request) (string, *reply) {
	w, f := d.web, &d.web.file
	if w.gate.o.Auth == authSession {
		session := taken(f.Session, r, body)
		if w.live(session) {
			return session, nil
		}
		seen.Scheme, seen.Refused = "", true // a dead session is no attempt at a password
		return "", d.refusal(&f.Refused, nil)
	}
	v := w.gate.check(r, call{}, d.Now())
	seen.Scheme, seen.User, seen.Refused, seen.Stale = v.scheme, v.user, !v.pass, v.stale
	switch {
	case v.pass:
		return taken(f.Session, r, body), nil
	case v.locked:
		return "", d.refusal(&f.Locked, v.challenges)
	case v.tried:
		return "", d.refusal(&f.Wrong, v.challenges)
	}
	return "", d.refusal(&f.Refused, v.challenges)
}

// refusal is a reply with challenges, where its status is that of a challenge.
func (d *Device) refusal(a *webReply, challenges []string) *reply {
	if a.Status != http.StatusUnauthorized {
		challenges = nil
	}
	out := d.say(a, "", nil, challenges)
	return &out
}

// login checks what a login says, and opens a session.
func (d *Device) login(r *http.Request, body []byte, seen *Request) reply {
	w, f := d.web, &d.web.file
	seen.Scheme, seen.User = "session", taken(f.Login.User, r, body)
	right, locked := w.gate.login(seen.User, taken(f.Login.Password, r, body))
	seen.Refused = !right || locked
	switch {
	case locked:
		return d.say(&f.Locked, "", nil, nil)
	case !right:
		return d.say(&f.Login.Wrong, "", nil, nil)
	}
	session := rand.Text()
	w.mu.Lock()
	w.sessions[session] = true
	w.mu.Unlock()
	return d.say(&f.Login.webReply, session, nil, nil)
}

func (w *web) live(session string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[session]
}

func (w *web) end(session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sessions[session] {
		w.sessions[session] = false
	}
}

// say fills in the templates of a reply. An error in them is answered with 500:
// it can only come of Change.
func (d *Device) say(a *webReply, session string, query url.Values, challenges []string) reply {
	out := reply{status: a.Status, kind: a.Type, challenges: challenges, file: a.File, headers: map[string]string{}}
	d.web.mu.Lock()
	b := d.web.bodies[a.File]
	d.web.mu.Unlock()
	f := filling{now: d.Now(), zone: d.c.wallZone(), host: d.told().String(), query: query, Session: session}
	out.body = b.content
	var err error
	if !b.verbatim {
		if out.body, err = f.fill(a.File, string(b.content)); err != nil {
			return reply{status: http.StatusInternalServerError, kind: plainText, body: []byte(err.Error())}
		}
	}
	for name, text := range a.Headers {
		value, err := f.fill(name, text)
		if err != nil {
			return reply{status: http.StatusInternalServerError, kind: plainText, body: []byte(err.Error())}
		}
		out.headers[name] = string(value)
	}
	return out
}

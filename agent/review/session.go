package review

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	linkLife    = 15 * time.Minute
	sessionLife = 12 * time.Hour
	maxOpen     = 64 // links, and sessions, at a time: the oldest gives way
)

// role says whose hands hold a session; see rights.go.
type role int

const (
	roleOwner role = iota
	roleTechnician
)

// session is what one browser was let in with.
type session struct {
	role   role
	id     string // names it where the owner closes it; it opens nothing
	hash   [32]byte
	from   browser
	opened time.Time
	until  time.Time

	mu      sync.Mutex
	devices map[string]bool // see typed
	acts    []act           // of a technician
}

// act is something that a technician's session changed.
type act struct {
	At    time.Time
	Route string // e.g. "POST /credentials"
}

// maxActs bounds what is told of one session.
const maxActs = 200

func (s *session) did(a act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acts) < maxActs {
		s.acts = append(s.acts, a)
	}
}

func (s *session) done() []act {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acts)
}

// browser is what a session is bound to: a cookie that was copied elsewhere opens
// nothing there.
type browser struct {
	lan     bool       // it came by the listener that the network reaches
	address netip.Addr // on loopback always the same one: a name may lead to either
	agent   string     // as it names itself: it ties no attacker, but a copied file
}

func browserOf(r *http.Request, lan bool) browser {
	b := browser{lan: lan, agent: r.UserAgent()}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && lan {
		b.address = at.Addr().Unmap()
	}
	return b
}

type sessionKey struct{}

// sessionOf is the session that a request came with. It is nil on the command
// line's socket, which may do all and is shown no pictures.
func sessionOf(r *http.Request) *session {
	s, _ := r.Context().Value(sessionKey{}).(*session)
	return s
}

func withSession(r *http.Request, s *session) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
}

// typed reports whether this session's person typed that device's password, and it
// was right. A caller without a session did not.
func (s *session) typed(deviceID string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devices[deviceID]
}

func (s *session) notePassword(deviceID string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.devices == nil {
		s.devices = map[string]bool{}
	}
	s.devices[deviceID] = true
}

// link is a one-time link that nobody has used yet.
type link struct {
	id    string // names it where the owner takes it back; it opens nothing
	hash  [32]byte
	role  role
	made  time.Time
	until time.Time
}

// sessions are the links that were not used yet and the sessions that they
// opened. Of secrets only hashes are kept, and only in memory: both end with the
// program.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	links []link
	open  []*session
}

// newLink makes the secret of a link.
func (s *sessions) newLink(to role, life time.Duration) string {
	secret := rand.Text() // 130 bits
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if len(s.links) >= maxOpen {
		s.links = slices.Delete(s.links, 0, 1)
	}
	s.links = append(s.links, link{rand.Text(), sha256.Sum256([]byte(secret)), to, s.now(), s.now().Add(life)})
	return secret
}

// sweep drops what has ended.
func (s *sessions) sweep() {
	now := s.now()
	s.links = slices.DeleteFunc(s.links, func(l link) bool { return now.After(l.until) })
	s.open = slices.DeleteFunc(s.open, func(o *session) bool { return now.After(o.until) })
}

// opens reports whether secret is that of a link that can still be used.
func (s *sessions) opens(secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLink(secret) >= 0
}

func (s *sessions) findLink(secret string) int {
	s.sweep()
	hash := sha256.Sum256([]byte(secret))
	// Hashes of random secrets: the time a comparison takes tells nothing.
	return slices.IndexFunc(s.links, func(l link) bool { return l.hash == hash })
}

// use uses a link up for the one browser that it now belongs to, and gives the
// secret of its session, for the cookie; "" where it was used before.
func (s *sessions) use(secret string, from browser) (cookie string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.findLink(secret)
	if i < 0 {
		return "", time.Time{}
	}
	l := s.links[i]
	s.links = slices.Delete(s.links, i, i+1)
	until = s.now().Add(sessionLife)
	if l.role == roleTechnician && l.until.Before(until) {
		until = l.until // what was lent for a day is not longer for being used late
	}
	return s.begin(l.role, from, until), until
}

// enter opens a session of the owner without a link.
func (s *sessions) enter(from browser) (cookie string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	until = s.now().Add(sessionLife)
	return s.begin(roleOwner, from, until), until
}

// all returns the links that nobody has used and the sessions that are open.
func (s *sessions) all() ([]link, []*session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	return slices.Clone(s.links), slices.Clone(s.open)
}

// close ends the sessions, and takes back the links, that are to end.
func (s *sessions) close(theLink func(link) bool, theSession func(*session) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.links) + len(s.open)
	s.links = slices.DeleteFunc(s.links, theLink)
	s.open = slices.DeleteFunc(s.open, theSession)
	return before - len(s.links) - len(s.open)
}

// begin opens a session; the caller holds mu.
func (s *sessions) begin(to role, from browser, until time.Time) (cookie string) {
	cookie = rand.Text()
	if len(s.open) >= maxOpen {
		s.open = slices.Delete(s.open, 0, 1)
	}
	s.open = append(s.open, &session{role: to, id: rand.Text(), hash: sha256.Sum256([]byte(cookie)), from: from, opened: s.now(), until: until})
	return cookie
}

// of returns the session of a cookie, in the browser that it was given to; nil in
// any other.
func (s *sessions) of(cookie string, from browser) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	hash := sha256.Sum256([]byte(cookie))
	i := slices.IndexFunc(s.open, func(o *session) bool { return o.hash == hash && o.from == from })
	if i < 0 {
		return nil
	}
	return s.open[i]
}

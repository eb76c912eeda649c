package review

import (
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"anagrafe/protocol/pages"
)

const (
	cookieName  = "anagrafe_agent"
	linkLife    = 15 * time.Minute
	sessionLife = 12 * time.Hour
	maxOpen     = 64 // links, and sessions, at a time: the oldest gives way
)

// sessions are the links that were not used yet and the sessions that they
// opened. Only hashes are kept, and only in memory.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	links []token
	open  []token
}

type token struct {
	hash  [32]byte
	until time.Time
}

// add makes a random secret and keeps its hash.
func (s *sessions) add(to *[]token, life time.Duration) string {
	secret := rand.Text() // 130 bits
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	*to = slices.DeleteFunc(*to, func(t token) bool { return now.After(t.until) })
	if len(*to) >= maxOpen {
		*to = slices.Delete(*to, 0, 1)
	}
	*to = append(*to, token{sha256.Sum256([]byte(secret)), now.Add(life)})
	return secret
}

// find tells whether secret is kept in from, and takes it out when consume is set.
func (s *sessions) find(from *[]token, secret string, consume bool) bool {
	hash := sha256.Sum256([]byte(secret))
	s.mu.Lock()
	defer s.mu.Unlock()
	// Hashes of random secrets: the time a comparison takes tells nothing.
	i := slices.IndexFunc(*from, func(t token) bool { return t.hash == hash })
	if i < 0 || s.now().After((*from)[i].until) {
		return false
	}
	if consume {
		*from = slices.Delete(*from, i, i+1)
	}
	return true
}

// NewLink gives the address of the pages with a token that opens one session,
// within a quarter of an hour.
func (v *Review) NewLink() string {
	return "http://" + v.Addr + "/open?token=" + v.sessions.add(&v.sessions.links, linkLife)
}

// Pages answers the owner's browser.
func (v *Review) Pages() http.Handler {
	open := http.NewServeMux()
	open.Handle("GET "+pages.Prefix, pages.Assets())
	notices := pages.Notices(pages.FaceAgent, v.Log)
	open.Handle("GET /privacy", notices)
	open.Handle("GET /accessibility", notices)
	open.Handle("POST "+pages.ReportPath, pages.Reports(v.Log))
	open.Handle("GET /open", v.serve(v.linkOpened))
	open.HandleFunc("POST /open", v.useLink)
	open.Handle("/", v.signedIn(v.routes()))

	guarded := http.NewCrossOriginProtection()
	guarded.SetDenyHandler(v.serve(func(*http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusForbidden, key: "error.origin", What: "the request comes from another page than this program's"}
	}))
	return v.ownHost(guarded.Handler(open))
}

// ownHost refuses requests for any other name than this listener's own, so
// that no stranger's name can be pointed at it (DNS rebinding).
func (v *Review) ownHost(next http.Handler) http.Handler {
	own := []string{v.Addr}
	if _, port, err := net.SplitHostPort(v.Addr); err == nil {
		for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
			own = append(own, net.JoinHostPort(host, port))
		}
	}
	for _, host := range own {
		if bare, ok := strings.CutSuffix(host, ":80"); ok { // browsers leave it out
			own = append(own, bare)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(own, r.Host) {
			pages.SecureHeaders(w.Header())
			http.Error(w, "This is the address of a program on this computer. Open http://"+v.Addr, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// signedIn lets through who came by a one-time link.
func (v *Review) signedIn(next http.Handler) http.Handler {
	refused := v.serve(func(r *http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title",
			What: "these pages open with a one-time link", Hint: "run \"anagrafe-agent open\""}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName)
		if err != nil || !v.sessions.find(&v.sessions.open, c.Value, false) {
			refused.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// linkOpened shows the button that uses the link up.
func (v *Review) linkOpened(r *http.Request) (answer, error) {
	secret := r.URL.Query().Get("token")
	if !v.sessions.find(&v.sessions.links, secret, false) {
		return answer{}, badLink()
	}
	return page("open.html", "open.title", secret), nil
}

// useLink opens a session and sets its cookie.
func (v *Review) useLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if !v.sessions.find(&v.sessions.links, r.PostFormValue("token"), true) {
		v.serve(func(*http.Request) (answer, error) { return answer{}, badLink() }).ServeHTTP(w, r)
		return
	}
	// Not Secure: the pages are on loopback, without TLS, and nowhere else.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: v.sessions.add(&v.sessions.open, sessionLife),
		Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(sessionLife / time.Second)})
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func badLink() problem {
	return problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title", key: "closed.used",
		What: "this link was used or has expired", Hint: "run \"anagrafe-agent open\" for a new one"}
}

package review

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol/pages"
)

const (
	cookieName    = "anagrafe_agent"
	lanCookieName = "__Host-anagrafe_agent" // Secure, of this host alone, for "/"

	// readWithin is how long who has no session may take to read an answer: else silent
	// readers would hold all the connections that the network may have.
	readWithin = time.Minute
)

// LAN is the listener for the site's network. It uses TLS, and admits by the owner's
// password or a one-time link.
type LAN struct {
	// Addr is where it listens, host:port.
	Addr string
	// Names are those that it answers to, in lower case, beside the address at which
	// a connection came in; the first one stands in links.
	Names []string
	// Fingerprint is the SHA-256 of its certificate.
	Fingerprint string
	// Check tells whether a password is the one that was set.
	Check func(password string) (bool, error)
}

// URL is the address to show, without a path.
func (l *LAN) URL() string {
	host, port, err := net.SplitHostPort(l.Addr)
	if err != nil {
		return "https://" + l.Addr
	}
	if len(l.Names) > 0 {
		host = l.Names[0]
	}
	return strings.TrimSuffix("https://"+net.JoinHostPort(host, port), ":443")
}

// door is one listener of the pages.
type door struct {
	v   *Review
	lan *LAN // nil: loopback
}

// Pages answers the owner's browser on this computer.
func (v *Review) Pages() http.Handler { return door{v: v}.handler() }

// LANPages answers browsers of the network, where LAN is set.
func (v *Review) LANPages() http.Handler { return door{v, v.LAN}.handler() }

func (d door) handler() http.Handler {
	v := d.v
	open := http.NewServeMux()
	open.Handle("GET "+pages.Prefix, pages.Assets())
	statements := pages.Statements(pages.FaceAgent, v.Log)
	open.Handle("GET /privacy", statements)
	open.Handle("GET /accessibility", statements)
	open.Handle("POST "+pages.ReportPath, pages.Reports(v.Log))
	open.Handle("GET /open", v.serve(d.linkOpened))
	open.HandleFunc("POST /open", d.useLink)
	if d.lan != nil {
		open.Handle("GET /login", v.serve(d.askLogin))
		open.HandleFunc("POST /login", d.login)
	}
	open.Handle("/", d.signedIn(v.routes()))

	guarded := http.NewCrossOriginProtection()
	guarded.SetDenyHandler(v.serve(func(*http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusForbidden, key: "error.origin", What: "the request comes from another page than this program's"}
	}))
	return d.ownHost(guarded.Handler(open))
}

// ownHost refuses requests for any other name than this listener's own, so
// that no stranger's name can be pointed at it (DNS rebinding).
func (d door) ownHost(next http.Handler) http.Handler {
	own, where := d.hosts(), "http://"+d.v.Addr
	if d.lan != nil {
		where = d.lan.URL()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(w.Header()) // of every answer, the refusals of net/http too
		answerBy(w, time.Now().Add(readWithin))
		if host := strings.ToLower(r.Host); !slices.Contains(own, host) && !(d.lan != nil && host == reached(r)) {
			http.Error(w, "Qui risponde un programma della tua rete, ma non a questo nome: apri "+where+
				"\nThis is the address of a program on this computer. Open "+where, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hosts are the values of a Host header that lead to this listener.
func (d door) hosts() (own []string) {
	addr, names, usual := d.v.Addr, []string{"localhost", "127.0.0.1", "::1"}, ":80"
	if d.lan != nil {
		addr, names, usual = d.lan.Addr, d.lan.Names, ":443"
	} else {
		own = append(own, addr)
	}
	if _, port, err := net.SplitHostPort(addr); err == nil {
		for _, host := range names {
			own = append(own, net.JoinHostPort(host, port))
		}
	}
	for _, host := range own {
		if bare, ok := strings.CutSuffix(host, usual); ok { // browsers leave it out
			own = append(own, bare)
		}
	}
	return own
}

// reached is the address of this machine that a connection came in at, as a Host
// header names it.
func reached(r *http.Request) string {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(at.String(), ":443")
}

// signedIn lets through who came by a one-time link or the password, in the
// browser that did.
func (d door) signedIn(next http.Handler) http.Handler {
	refused := d.v.serve(func(r *http.Request) (answer, error) {
		if d.lan != nil && r.Method == http.MethodGet && !wantsJSON(r) {
			to := "/login"
			if r.URL.Query().Get("done") == "closed" {
				to += "?done=closed"
			}
			return answer{to: to}, nil
		}
		return answer{}, problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title",
			What: "these pages open with a one-time link, in the browser that used it", Hint: "run \"anagrafe-agent open\""}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := d.session(r)
		if s == nil {
			refused.ServeHTTP(w, r)
			return
		}
		answerBy(w, time.Time{}) // a search takes minutes
		next.ServeHTTP(w, withSession(r, s))
	})
}

// answerBy closes the connection when its answer is not read until then; zero: never. The
// recorders of tests cannot.
func answerBy(w http.ResponseWriter, until time.Time) {
	_ = http.NewResponseController(w).SetWriteDeadline(until)
}

func (d door) session(r *http.Request) *session {
	c, err := r.Cookie(d.cookie())
	if err != nil {
		return nil
	}
	return d.v.sessions.of(c.Value, browserOf(r, d.lan != nil))
}

func (d door) cookie() string {
	if d.lan != nil {
		return lanCookieName
	}
	return cookieName
}

// let gives a browser the cookie of its session and sends it home.
func (d door) let(w http.ResponseWriter, r *http.Request, cookie string, until time.Time) {
	// On loopback not Secure: there is no TLS there.
	http.SetCookie(w, &http.Cookie{Name: d.cookie(), Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: d.lan != nil, MaxAge: int(until.Sub(d.v.sessions.now()) / time.Second)})
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// NewLink returns the address of the pages with a token that opens one session of the
// owner, within a quarter of an hour.
func (v *Review) NewLink() string { return v.loopbackLink(v.sessions.newLink(roleOwner, linkLife)) }

func (v *Review) loopbackLink(secret string) string {
	return "http://" + v.Addr + "/open?token=" + secret
}

// lanLink is the same link for browsers of the network; "" without LAN.
func (v *Review) lanLink(secret string) string {
	if v.LAN == nil {
		return ""
	}
	return v.LAN.URL() + "/open?token=" + secret
}

// given is the link that the command line is given.
type given struct {
	URL         string `json:"url"`
	LANURL      string `json:"lan_url,omitempty"` // the same link, from the network
	Fingerprint string `json:"fingerprint,omitempty"`
}

func (v *Review) giveLink(*http.Request) (answer, error) {
	secret := v.sessions.newLink(roleOwner, linkLife)
	g := given{URL: v.loopbackLink(secret), LANURL: v.lanLink(secret)}
	if v.LAN != nil {
		g.Fingerprint = v.LAN.Fingerprint
	}
	return answer{json: g}, nil
}

// linkOpened shows the button that uses the link up.
func (d door) linkOpened(r *http.Request) (answer, error) {
	secret := r.URL.Query().Get("token")
	if !d.v.sessions.opens(secret) {
		return answer{}, d.badLink(r)
	}
	return page("open.html", "open.title", secret), nil
}

// useLink opens a session and sets its cookie.
func (d door) useLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	cookie, until := d.v.sessions.use(r.PostFormValue("token"), browserOf(r, d.lan != nil))
	if cookie == "" {
		d.v.serve(func(*http.Request) (answer, error) { return answer{}, d.badLink(r) }).ServeHTTP(w, r)
		return
	}
	d.let(w, r, cookie, until)
}

// badLink refuses a link that leads nowhere. A client that opens many waits; a link that is
// right is never refused for it, or a stranger's page could keep the owner out.
func (d door) badLink(r *http.Request) problem {
	if wait := d.v.badLinks.try(network(r.RemoteAddr)); wait > 0 {
		return problem{status: http.StatusTooManyRequests, page: "closed.html", title: "closed.title", key: "closed.many",
			What: "too many links that lead nowhere were opened", Hint: "run \"anagrafe-agent open\" for a new one"}
	}
	return problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title", key: "closed.used",
		What: "this link was used or has expired", Hint: "run \"anagrafe-agent open\" for a new one"}
}

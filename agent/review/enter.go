package review

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol/pages"
)

const cookieName = "anagrafe_agent"

// NewLink gives the address of the pages with a token that opens one session,
// within a quarter of an hour.
func (v *Review) NewLink() string {
	return "http://" + v.Addr + "/open?token=" + v.sessions.newLink(roleOwner, linkLife)
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

// signedIn lets through who came by a one-time link, in the browser that used it.
func (v *Review) signedIn(next http.Handler) http.Handler {
	refused := v.serve(func(r *http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title",
			What: "these pages open with a one-time link", Hint: "run \"anagrafe-agent open\""}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(cookieName)
		if err != nil {
			refused.ServeHTTP(w, r)
			return
		}
		s := v.sessions.of(c.Value, browserOf(r, false))
		if s == nil {
			refused.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, withSession(r, s))
	})
}

// linkOpened shows the button that uses the link up.
func (v *Review) linkOpened(r *http.Request) (answer, error) {
	secret := r.URL.Query().Get("token")
	if !v.sessions.leads(secret) {
		return answer{}, badLink()
	}
	return page("open.html", "open.title", secret), nil
}

// useLink opens a session and sets its cookie.
func (v *Review) useLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	cookie, until := v.sessions.use(r.PostFormValue("token"), browserOf(r, false))
	if cookie == "" {
		v.serve(func(*http.Request) (answer, error) { return answer{}, badLink() }).ServeHTTP(w, r)
		return
	}
	// Not Secure: the pages are on loopback, without TLS, and nowhere else.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: int(until.Sub(v.sessions.now()) / time.Second)})
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func badLink() problem {
	return problem{status: http.StatusUnauthorized, page: "closed.html", title: "closed.title", key: "closed.used",
		What: "this link was used or has expired", Hint: "run \"anagrafe-agent open\" for a new one"}
}

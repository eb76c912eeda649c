package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"anagrafe/protocol/pages"
)

// defaultBody is the largest request body, in bytes, of a route that names none.
const defaultBody = 64 << 10

// Route is one address of a face, and the roles that may use it.
type Route struct {
	Pattern string   // of http.ServeMux: "POST /invite"
	Roles   []string // who may; each must be accepted by the listener
	Open    bool     // anybody may, without a session: login and what it needs
	MaxBody int64    // bytes of the request body; 0: 64 KiB
	ByPage  bool     // a page calls it by itself, again and again: its session is not used by that
	Handler http.Handler

	unfinished bool // also for who still has to make a passkey
}

// own are the routes that every listener has.
func (w *Web) own() []Route {
	return append(w.signingIn(), []Route{
		{Pattern: "GET " + pages.Prefix, Open: true, Handler: pages.Assets()},
		{Pattern: "POST " + pages.ReportPath, Open: true, Handler: pages.Reports(w.Log)},
		// What nobody names: where people sign in, a stranger is not even told that
		// it is not there.
		{Pattern: "/", Roles: w.Roles, Open: len(w.Roles) == 0, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.fail(rw, r, http.StatusNotFound, "missing")
		})},
	}...)
}

// signingIn are the routes of a listener that accepts roles.
func (w *Web) signingIn() []Route {
	if len(w.Roles) == 0 {
		return nil
	}
	open := func(pattern string, h http.HandlerFunc) Route {
		return Route{Pattern: pattern, Open: true, Handler: h}
	}
	routes := append(w.account(),
		open("GET /login", w.loginPage),
		open("POST /login/passkey/begin", w.beginPasskey),
		open("POST /login/passkey", w.passkey),
		open("GET /login/link", w.linkPage),
		open("POST /login/link", w.link),
		open("POST /logout", w.logout),
	)
	if w.OIDC != nil {
		routes = append(routes, open("GET "+oidcPath, w.beginOIDC), open("GET "+callbackPath, w.callback))
	}
	return routes
}

// Routes returns all routes of a listener with these faces, its own included,
// after checking that each has a rule.
func (w *Web) Routes(faces ...[]Route) ([]Route, error) {
	all := w.own()
	seen := map[string]bool{}
	for _, r := range all {
		seen[r.Pattern] = true
	}
	for _, face := range faces {
		for _, r := range face {
			switch {
			case r.Handler == nil:
				return nil, fmt.Errorf("route %q has no handler", r.Pattern)
			case seen[r.Pattern]:
				return nil, fmt.Errorf("route %q is there twice", r.Pattern)
			case len(r.Roles) == 0 && !r.Open:
				return nil, fmt.Errorf("route %q names no roles: say who may use it, or that it is open", r.Pattern)
			case len(r.Roles) > 0 && r.Open:
				return nil, fmt.Errorf("route %q names roles and is open: it cannot be both", r.Pattern)
			}
			if i := slices.IndexFunc(r.Roles, func(role string) bool { return !w.accepts(role) }); i >= 0 {
				return nil, fmt.Errorf("route %q is for role %q, which this listener does not accept", r.Pattern, r.Roles[i])
			}
			seen[r.Pattern] = true
			all = append(all, r)
		}
	}
	// What every footer leads to, where no face has more to say.
	statements := pages.Statements(w.Face, w.Log)
	for _, pattern := range []string{"GET /privacy", "GET /accessibility"} {
		if !seen[pattern] {
			all = append(all, Route{Pattern: pattern, Open: true, Handler: statements})
		}
	}
	return all, nil
}

// paths are those that GET answers: what the public pages' links may lead to.
func paths(routes []Route) (all []string) {
	for _, r := range routes {
		if path, ok := strings.CutPrefix(r.Pattern, "GET "); ok {
			all = append(all, strings.TrimSuffix(path, "{$}"))
		}
	}
	return all
}

// Handler serves the faces behind their rules, with login, headers and limits.
func (w *Web) Handler(faces ...[]Route) (http.Handler, error) {
	routes, err := w.Routes(faces...)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range routes {
		h := r.Handler
		if !r.Open {
			h = w.require(r)
		}
		if err := register(mux, r.Pattern, http.MaxBytesHandler(h, max(r.MaxBody, defaultBody))); err != nil {
			return nil, err
		}
	}
	h := w.Secure(mux)
	if w.Face == pages.FacePublic {
		h = pages.InShell(w.Body, paths(routes), h)
	}
	return identified(h), nil
}

// register turns what ServeMux panics with (a malformed pattern, or two that
// contradict each other) into an error.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(fmt.Errorf("route %q", pattern), fmt.Errorf("%v", p))
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

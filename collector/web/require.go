package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"anagrafe/collector/registry"
)

type userKey struct{}

// User returns the signed-in user, inside a handler of a route that names roles.
func User(ctx context.Context) (registry.User, bool) {
	u, ok := ctx.Value(userKey{}).(registry.User)
	return u, ok
}

// WithUser gives handlers a user where there is no session: the control socket.
func WithUser(ctx context.Context, u registry.User) context.Context {
	return context.WithValue(ctx, userKey{}, u)
}

const hostID = "control-socket"

// Host is the user for whom the control socket stands, in the role
// that the command needs.
func Host(role string) registry.User {
	return registry.User{ID: hostID, Name: "control socket", Role: role}
}

// OnHost reports whether a request came over the control socket.
func OnHost(ctx context.Context) bool {
	u, _ := User(ctx)
	return u.ID == hostID
}

// require lets the users whom a route names through, as far as the listener accepts
// them. Anybody else is sent to the login page, or gets 401 or 403; who still has to
// make a passkey is sent to do that first.
func (w *Web) require(route Route) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, u, ok := w.identify(rw, r)
		if !ok {
			return
		}
		s, inBrowser := own(ctx)
		if inBrowser && !route.ByPage {
			if err := w.Registry.UseSession(ctx, s, w.Now()); err != nil {
				w.Broken(rw, r, err)
				return
			}
		}
		if inBrowser && w.unfinished(s) && !route.unfinished {
			if r.Method == http.MethodGet && !WantsJSON(r) {
				http.Redirect(rw, r, accountPath, http.StatusSeeOther)
				return
			}
			w.fail(rw, r, http.StatusForbidden, "unfinished")
			return
		}
		if !slices.Contains(route.Roles, u.Role) {
			if r.URL.Path == "/" && r.Method == http.MethodGet && w.home(u.Role) != "/" && !WantsJSON(r) {
				http.Redirect(rw, r, w.home(u.Role), http.StatusSeeOther) // the name in every page's header leads to /
				return
			}
			w.fail(rw, r, http.StatusForbidden, "role", "name", u.Name)
			return
		}
		route.Handler.ServeHTTP(rw, r.WithContext(WithUser(ctx, u)))
	})
}

// identify finds out who asks; when it returns false the answer is written. The
// context has the session, if it is a browser's.
func (w *Web) identify(rw http.ResponseWriter, r *http.Request) (context.Context, registry.User, bool) {
	ctx := r.Context()
	if header := r.Header.Get("Authorization"); header != "" {
		u, ok := w.bearer(rw, r, header)
		return ctx, u, ok
	}
	u, s, ok, err := w.session(r)
	switch {
	case err != nil:
		w.Broken(rw, r, err)
		return ctx, u, false
	case ok:
		return context.WithValue(ctx, sessionKey{}, s), u, w.admit(rw, r, u, "session")
	}
	w.challenge(rw, r)
	return ctx, u, false
}

// bearer checks the secret of a credential file. It has 256 bits, so what is wrong is
// counted for the log's sake alone, and holds nobody up whose own is right.
func (w *Web) bearer(rw http.ResponseWriter, r *http.Request, header string) (registry.User, bool) {
	scheme, secret, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") && secret != "" {
		u, ok, err := w.Registry.UserBySecret(r.Context(), w.hash("credential", strings.TrimSpace(secret)))
		if err != nil {
			w.Broken(rw, r, err)
			return registry.User{}, false
		}
		if ok && w.accepts(u.Role) {
			return u, w.admit(rw, r, u, "credential")
		}
	}
	if !w.turned.Try(From(r)) {
		w.tooMany(rw, r)
		return registry.User{}, false
	}
	w.Log.WarnContext(r.Context(), "credential refused", "from", From(r))
	rw.Header().Set("WWW-Authenticate", `Bearer realm="anagrafe"`)
	w.fail(rw, r, http.StatusUnauthorized, "credential")
	return registry.User{}, false
}

// challenge answers who has no session.
func (w *Web) challenge(rw http.ResponseWriter, r *http.Request) {
	login, next := "/login", "/"
	if page, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && page.Path != "" {
		next = page.Path // of the page that asks for a part of itself
	} else if r.Method == http.MethodGet {
		next = r.URL.Path
	}
	if next != "/" {
		login += "?" + url.Values{"next": {next}}.Encode() // without its query, which may hold what was asked
	}
	switch {
	case WantsJSON(r):
		rw.Header().Set("WWW-Authenticate", `Bearer realm="anagrafe"`)
		w.fail(rw, r, http.StatusUnauthorized, "session")
	case r.Header.Get("HX-Request") != "":
		rw.Header().Set("HX-Redirect", login) // a swap of the login page into a list would puzzle
		w.fail(rw, r, http.StatusUnauthorized, "session")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		http.Redirect(rw, r, login, http.StatusSeeOther)
	default:
		w.fail(rw, r, http.StatusUnauthorized, "session")
	}
}

// local returns a path of this server that is safe to redirect to, or fallback.
func local(next, fallback string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" ||
		!strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\\r\n\t") ||
		strings.HasPrefix(u.Path, "/login") || u.Path == "/" {
		return fallback
	}
	return (&url.URL{Path: u.Path}).String()
}

package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// loginData is what login.html shows.
type loginData struct {
	Next  string
	Error string // key of what was wrong; "" nothing
}

func (w *Web) loginPage(rw http.ResponseWriter, r *http.Request) {
	u, ok, err := w.session(r)
	if err != nil {
		w.Log.ErrorContext(r.Context(), "session not read", "err", err)
	}
	if ok {
		http.Redirect(rw, r, w.home(u.Role), http.StatusSeeOther)
		return
	}
	w.showLogin(rw, r, http.StatusOK, "")
}

func (w *Web) showLogin(rw http.ResponseWriter, r *http.Request, status int, problem string) {
	p := pages.Page{Template: "login.html", Title: "login.title", Face: w.Face, Status: status,
		Data: loginData{Next: local(r.FormValue("next"), ""), Error: problem}}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	w.pages.Render(rw, r, p)
}

// login takes a credential file, pasted or uploaded.
func (w *Web) login(rw http.ResponseWriter, r *http.Request) {
	if w.limit.exceeded(From(r)) {
		w.tooMany(rw, r)
		return
	}
	raw, err := pasted(r)
	if err != nil {
		w.showLogin(rw, r, http.StatusBadRequest, "login.unreadable")
		return
	}
	c, err := ParseCredential(raw)
	if err != nil {
		w.showLogin(rw, r, http.StatusBadRequest, "login.unreadable")
		return
	}
	u, ok, err := w.Registry.UserBySecret(r.Context(), w.hash("credential", c.Secret))
	switch {
	case err != nil:
		w.Broken(rw, r, err)
	case !ok || u.ID != c.User:
		w.limit.failed(From(r))
		w.Log.WarnContext(r.Context(), "login refused", "from", From(r))
		w.showLogin(rw, r, http.StatusUnauthorized, "login.unknown")
	default:
		w.signIn(rw, r, u, "credential")
	}
}

// pasted reads the credential from an upload or, without one, from the text field.
func pasted(r *http.Request) ([]byte, error) {
	if err := r.ParseMultipartForm(defaultBody); err != nil && err != http.ErrNotMultipart {
		return nil, err
	}
	if f, _, err := r.FormFile("file"); err == nil {
		defer f.Close()
		if b, err := io.ReadAll(io.LimitReader(f, maxCredential+1)); err != nil || len(b) > 0 {
			return b, err
		}
	}
	return []byte(r.PostFormValue("credential")), nil
}

// linkPage shows a button: opening a link must not use it up.
func (w *Web) linkPage(rw http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if token == "" {
		w.fail(rw, r, http.StatusUnauthorized, "link")
		return
	}
	w.pages.Render(rw, r, pages.Page{Template: "link.html", Title: "link.title", Face: w.Face, Data: token})
}

// link consumes a one-time link.
func (w *Web) link(rw http.ResponseWriter, r *http.Request) {
	if w.limit.exceeded(From(r)) {
		w.tooMany(rw, r)
		return
	}
	u, ok, err := w.Registry.ConsumeLink(r.Context(), w.hash("link", r.PostFormValue("token")), w.Now())
	switch {
	case err != nil:
		w.Broken(rw, r, err)
	case !ok:
		w.limit.failed(From(r))
		w.Log.WarnContext(r.Context(), "login link refused", "from", From(r))
		w.fail(rw, r, http.StatusUnauthorized, "link")
	default:
		w.signIn(rw, r, u, "link")
	}
}

// signIn begins a session for a user who proved who they are, once that is on
// the trail.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request, u registry.User, how string) {
	ctx := r.Context()
	if w.accepts(u.Role) && !w.admit(rw, r, u, how) {
		return
	}
	kind := "login"
	if !w.accepts(u.Role) {
		kind = "login-refused"
	}
	if err := w.Record(ctx, Act{Kind: kind, User: u, From: From(r), Details: map[string]string{
		"how": how, "role": u.Role, "face": string(w.Face)}}); err != nil {
		w.Unrecorded(rw, r, err)
		return
	}
	if kind == "login-refused" {
		w.fail(rw, r, http.StatusForbidden, "listener", "name", u.Name)
		return
	}
	if err := w.begin(ctx, rw, u); err != nil {
		w.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, local(r.FormValue("next"), w.home(u.Role)), http.StatusSeeOther)
}

// logout ends the session, also when the trail cannot be written: a person who
// leaves must not be kept in.
func (w *Web) logout(rw http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	u, ok, err := w.session(r)
	if err == nil && ok {
		err = w.drop(ctx, r)
		if err == nil {
			if recordErr := w.Record(ctx, Act{Kind: "logout", User: u, From: From(r)}); recordErr != nil {
				w.Log.ErrorContext(ctx, "logout not on the trail", "err", recordErr)
			}
		}
	}
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	http.SetCookie(rw, cookie(cookieName, "", -time.Second))
	http.Redirect(rw, r, "/login", http.StatusSeeOther)
}

func (w *Web) drop(ctx context.Context, r *http.Request) error {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return err
	}
	return w.Registry.DropSession(ctx, w.hash("session", c.Value))
}

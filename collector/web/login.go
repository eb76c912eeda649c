package web

import (
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// loginData is what login.html shows.
type loginData struct {
	Next     string
	Passkeys bool   // this listener has them
	Provider string // name of who else vouches for people here; "" nobody
}

func (w *Web) loginPage(rw http.ResponseWriter, r *http.Request) {
	u, _, ok, err := w.session(r)
	if err != nil {
		w.Log.ErrorContext(r.Context(), "session not read", "err", err)
	}
	if ok {
		http.Redirect(rw, r, w.home(u.Role), http.StatusSeeOther)
		return
	}
	data := loginData{Next: local(r.FormValue("next"), ""), Passkeys: w.party != nil}
	if w.OIDC != nil {
		data.Provider = w.OIDC.Name
	}
	w.pages.Render(rw, r, pages.Page{Template: "login.html", Title: "login.title", Face: w.Face, Scripts: []string{"login.js"}, Data: data})
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
	end, ok := w.limit.Guess(rw, r)
	if !ok {
		w.tooMany(rw, r)
		return
	}
	defer end()
	u, ok, err := w.Registry.ConsumeLink(r.Context(), w.hash("link", r.PostFormValue("token")), w.Now())
	switch {
	case err != nil:
		w.Broken(rw, r, err)
	case !ok:
		w.limit.Try(From(r))
		w.Log.WarnContext(r.Context(), "login link refused", "from", From(r))
		w.fail(rw, r, http.StatusUnauthorized, "link")
	default:
		w.signIn(rw, r, u, byLink, r.FormValue("next"))
	}
}

// signIn begins a session for a user who proved who they are, once that is on
// the trail.
func (w *Web) signIn(rw http.ResponseWriter, r *http.Request, u registry.User, how, next string) {
	if !w.accepts(u.Role) {
		w.limit.Try(From(r))
		w.recordRefusal(r, u, how, "role of another listener")
		w.fail(rw, r, http.StatusForbidden, "listener", "name", u.Name)
		return
	}
	if !w.admit(rw, r, u, how) {
		return
	}
	if err := w.Record(r.Context(), Act{Kind: act.Login, User: u, From: From(r), Details: map[string]string{
		"how": how, "role": u.Role, "face": string(w.Face)}}); err != nil {
		w.Unrecorded(rw, r, err)
		return
	}
	if err := w.begin(rw, r, u, how); err != nil {
		w.Broken(rw, r, err)
		return
	}
	if how == byLink && w.party != nil {
		next = accountPath
	} else {
		next = local(next, w.home(u.Role))
	}
	w.onwards(rw, r, next)
}

// onwards leads to the next page, a script as well as a browser.
func (w *Web) onwards(rw http.ResponseWriter, r *http.Request, next string) {
	if WantsJSON(r) {
		WriteJSON(rw, http.StatusOK, map[string]string{"next": next})
		return
	}
	http.Redirect(rw, r, next, http.StatusSeeOther)
}

// logout ends the session, also when the trail cannot be written: a person who
// leaves must not be kept in.
func (w *Web) logout(rw http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	u, _, ok, err := w.session(r)
	if err == nil && ok {
		err = w.drop(ctx, r)
		if err == nil {
			if recordErr := w.Record(ctx, Act{Kind: act.Logout, User: u, From: From(r)}); recordErr != nil {
				w.Log.ErrorContext(ctx, "logout not on the trail", "err", recordErr)
			}
		}
	}
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	http.SetCookie(rw, cookie(w.cookieName(), "", -time.Second))
	http.Redirect(rw, r, "/login", http.StatusSeeOther)
}

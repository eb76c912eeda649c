package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// accountPath is the page of one's own passkeys and sessions.
const accountPath = "/account"

// maxKeyName is the longest name of a passkey, in characters.
const maxKeyName = 60

type accountData struct {
	Unfinished bool // signed in by link: a passkey is due before anything else
	Passkeys   []ownKey
	Sessions   []registry.Session
	This       string // id of the session that asks
	CanAdd     bool   // this listener has passkeys, and the provider does not stand for this person
	Fresh      bool   // signed in a short while ago
	Only       bool   // has one passkey, which stays
}

type ownKey struct {
	registry.Passkey
	Path string // its id, as its address has it
}

type sessionKey struct{}

// own returns the session of the browser that asks, inside a handler behind require;
// false for a program with a credential, which has none.
func own(ctx context.Context) (registry.Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(registry.Session)
	return s, ok
}

// account are the routes of one's own page: for browsers, whatever the role.
func (w *Web) account() []Route {
	route := func(pattern string, h func(http.ResponseWriter, *http.Request, registry.User, registry.Session)) Route {
		return Route{Pattern: pattern, Roles: w.Roles, unfinished: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			u, _ := User(r.Context())
			s, ok := own(r.Context())
			if !ok {
				w.fail(rw, r, http.StatusForbidden, "browser")
				return
			}
			h(rw, r, u, s)
		})}
	}
	return []Route{
		route("GET "+accountPath, w.showAccount),
		route("POST "+accountPath+"/passkeys/begin", w.beginAdding),
		route("POST "+accountPath+"/passkeys", w.addPasskey),
		route("POST "+accountPath+"/passkeys/{id}/remove", w.removePasskey),
		route("POST "+accountPath+"/sessions/{id}/end", w.endSession),
		route("POST "+accountPath+"/sessions/end", w.endOthers),
	}
}

func (w *Web) showAccount(rw http.ResponseWriter, r *http.Request, u registry.User, s registry.Session) {
	keys, err := w.Registry.Passkeys(r.Context(), u.ID, w.host)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	sessions, err := w.Registry.Sessions(r.Context(), u.ID, w.Now(), w.Idle)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	data := accountData{Unfinished: w.unfinished(s), Sessions: sessions, This: s.ID, CanAdd: w.mayAdd(s), Fresh: w.fresh(s), Only: len(keys) == 1}
	for _, k := range keys {
		data.Passkeys = append(data.Passkeys, ownKey{k, base64.RawURLEncoding.EncodeToString(k.ID)})
	}
	title := "account.title"
	if data.Unfinished {
		title = "account.first"
	}
	p := pages.Page{Template: "account.html", Title: title, Face: w.Face, User: u.Name, Scripts: []string{"login.js"}, Styles: []string{"login.css"}, Data: data}
	if !data.Unfinished {
		p.Nav = []pages.Nav{{Key: "account.back", Href: w.home(u.Role)}}
	}
	w.pages.Render(rw, r, p)
}

// mayAdd reports whether this person signs in here by passkey: whom a provider vouches
// for signs in there, so that who leaves it leaves us as well.
func (w *Web) mayAdd(s registry.Session) bool { return w.party != nil && s.How != byOIDC }

func (w *Web) fresh(s registry.Session) bool { return w.Now().Sub(s.At) < freshFor }

// beginAdding gives a browser what a new passkey is to be made for.
func (w *Web) beginAdding(rw http.ResponseWriter, r *http.Request, u registry.User, s registry.Session) {
	name := strings.TrimSpace(r.FormValue("name"))
	switch {
	case !w.mayAdd(s):
		w.fail(rw, r, http.StatusConflict, "nopasskeys")
		return
	case !w.fresh(s):
		w.fail(rw, r, http.StatusForbidden, "fresh")
		return
	case !keyName(name):
		w.fail(rw, r, http.StatusUnprocessableEntity, "keyname")
		return
	}
	h, err := w.holder(r.Context(), u)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	var have []protocol.CredentialDescriptor
	for _, c := range h.all {
		have = append(have, c.Descriptor())
	}
	options, data, err := w.party.BeginRegistration(h, webauthn.WithExclusions(have))
	if err == nil {
		err = w.beginCeremony(rw, r, ceremony{Kind: makePasskey, Session: s.ID, Name: name, WebAuthn: *data})
	}
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	WriteJSON(rw, http.StatusOK, options.Response)
}

// keyName reports whether a name is fit for one line of a list.
func keyName(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxKeyName && !strings.ContainsFunc(s, func(r rune) bool { return !printable(r) })
}

// printable reports whether a character may stand in a name.
func printable(r rune) bool { return !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) }

// addPasskey takes a passkey that an authenticator has made. The session goes on under
// another cookie, since it can do more now.
func (w *Web) addPasskey(rw http.ResponseWriter, r *http.Request, u registry.User, s registry.Session) {
	ctx := r.Context()
	c, ok, err := w.endCeremony(rw, r, makePasskey)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	made, err := protocol.ParseCredentialCreationResponseBody(r.Body)
	if !ok || c.Session != s.ID || err != nil || !w.mayAdd(s) {
		w.fail(rw, r, http.StatusUnprocessableEntity, "newkey")
		return
	}
	credential, err := w.party.CreateCredential(&holder{user: u}, c.WebAuthn, made)
	if err != nil {
		w.Log.WarnContext(ctx, "a new passkey was refused", "user", u.ID, "err", err)
		w.fail(rw, r, http.StatusUnprocessableEntity, "newkey")
		return
	}
	record, err := json.Marshal(credential)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	if !w.recordOwn(rw, r, u, act.PasskeyAdd, 1) {
		return
	}
	err = w.Registry.AddPasskey(ctx, registry.Passkey{ID: credential.ID, UserID: u.ID, RP: w.host, Name: c.Name, Record: record, At: w.Now()})
	switch {
	case errors.Is(err, registry.ErrExists) || errors.Is(err, registry.ErrTooMany):
		w.fail(rw, r, http.StatusConflict, "toomanykeys")
		return
	case err != nil:
		w.Broken(rw, r, err)
		return
	}
	next := accountPath
	if w.unfinished(s) {
		next = w.home(u.Role)
	}
	if err := w.begin(rw, r, u, byPasskey); err != nil {
		w.Broken(rw, r, err)
		return
	}
	w.onwards(rw, r, next)
}

func (w *Web) removePasskey(rw http.ResponseWriter, r *http.Request, u registry.User, s registry.Session) {
	id, err := base64.RawURLEncoding.DecodeString(r.PathValue("id"))
	switch {
	case err != nil || w.unfinished(s):
		w.fail(rw, r, http.StatusNotFound, "missing")
		return
	case !w.recordOwn(rw, r, u, act.PasskeyRemove, 1):
		return
	}
	_, err = w.Registry.DropPasskey(r.Context(), u.ID, id, s.How == byPasskey)
	switch {
	case errors.Is(err, registry.ErrLast):
		w.fail(rw, r, http.StatusConflict, "lastkey")
	case err != nil:
		w.Broken(rw, r, err)
	default: // one that is not there was removed already
		w.onwards(rw, r, accountPath)
	}
}

func (w *Web) endSession(rw http.ResponseWriter, r *http.Request, u registry.User, _ registry.Session) {
	if !w.recordOwn(rw, r, u, act.SessionEnd, 1) {
		return
	}
	if _, err := w.Registry.EndSession(r.Context(), u.ID, r.PathValue("id")); err != nil {
		w.Broken(rw, r, err)
		return
	}
	w.onwards(rw, r, accountPath)
}

// endOthers ends all sessions but the one that asks.
func (w *Web) endOthers(rw http.ResponseWriter, r *http.Request, u registry.User, s registry.Session) {
	if !w.recordOwn(rw, r, u, act.SessionEnd, 0) {
		return
	}
	if _, err := w.Registry.EndSessions(r.Context(), u.ID, s.ID); err != nil {
		w.Broken(rw, r, err)
		return
	}
	w.onwards(rw, r, accountPath)
}

// recordOwn puts on the trail what somebody does to their own account; when it returns
// false the answer is written, and it must not be done.
func (w *Web) recordOwn(rw http.ResponseWriter, r *http.Request, u registry.User, kind act.Kind, count int) bool {
	if err := w.Record(r.Context(), Act{Kind: kind, User: u, From: From(r), Count: count, Details: map[string]string{"face": string(w.Face)}}); err != nil {
		w.Unrecorded(rw, r, err)
		return false
	}
	return true
}

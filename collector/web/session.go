package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

const (
	cookieName = "__Host-anagrafe"
	// referentCookie has a name of its own, as ownerCookie has.
	referentCookie = "__Host-anagrafe-referent"
	// sessionLife is a shift: after it one signs in again, whatever one does.
	sessionLife = 8 * time.Hour
	// sessionIdle is how long a desk may be left.
	sessionIdle = 30 * time.Minute
	// freshFor is how long after signing in one may add a way to sign in: who finds
	// a desk that was left cannot make themselves at home.
	freshFor = 15 * time.Minute
)

// How somebody signed in, as registry.Session and the trail have it.
const (
	byLink    = "link"
	byPasskey = "passkey"
	byOIDC    = "oidc"
)

// token makes a secret of 256 random bits.
func token() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hash is what the registry keeps of a secret. The key keeps a copied database
// from serving to check guesses, the kind keeps a link from working as a cookie.
func (w *Web) hash(kind, secret string) [32]byte {
	m := hmac.New(sha256.New, w.secret)
	m.Write([]byte(kind + "\x00" + secret))
	return [32]byte(m.Sum(nil))
}

// NewSecret makes the secret of a credential file and the hash of it that
// registry.User keeps.
func (w *Web) NewSecret() (secret string, hash [32]byte) {
	secret = token()
	return secret, w.hash("credential", secret)
}

// NewLink makes a one-time login link for a user, good for the time given, on
// the listener with that public address (any one: they share the key).
func (w *Web) NewLink(ctx context.Context, publicURL, userID string, life time.Duration) (string, error) {
	secret := token()
	if err := w.Registry.AddLink(ctx, w.hash("link", secret), userID, w.Now().Add(life)); err != nil {
		return "", fmt.Errorf("make a login link: %w", err)
	}
	return publicURL + "/login/link?" + url.Values{"token": {secret}}.Encode(), nil
}

// session finds the session of the request's cookie on this listener, and its user.
// One whose role this listener does not accept has no session here.
func (w *Web) session(r *http.Request) (registry.User, registry.Session, bool, error) {
	c, err := r.Cookie(w.cookieName())
	if err != nil || c.Value == "" {
		return registry.User{}, registry.Session{}, false, nil
	}
	u, s, ok, err := w.Registry.Session(r.Context(), w.hash("session", c.Value), string(w.Face), w.Now(), w.Idle)
	if err != nil || !ok || !w.accepts(u.Role) {
		return registry.User{}, registry.Session{}, false, err
	}
	return u, s, true, nil
}

// unfinished reports whether who signed in by link still has to make the passkey that
// they will sign in with: until then the session is good for nothing else.
func (w *Web) unfinished(s registry.Session) bool { return w.party != nil && s.How == byLink }

// begin starts a session and sets its cookie. The one that the browser had ends: no
// cookie of before a login is good after it.
func (w *Web) begin(rw http.ResponseWriter, r *http.Request, u registry.User, how string) error {
	ctx, now := r.Context(), w.Now()
	secret := token()
	if err := w.Registry.DropExpired(ctx, now); err != nil {
		return err
	}
	if err := w.drop(ctx, r); err != nil {
		return err
	}
	s := registry.Session{ID: uuid.NewString(), UserID: u.ID, Face: string(w.Face), How: how, At: now, Until: now.Add(w.Life),
		From: From(r), Browser: browser(r.UserAgent())}
	if err := w.Registry.AddSession(ctx, w.hash("session", secret), s); err != nil {
		return err
	}
	http.SetCookie(rw, cookie(w.cookieName(), secret, w.Life))
	return nil
}

// drop ends the session of the request's cookie, if it has one.
func (w *Web) drop(ctx context.Context, r *http.Request) error {
	c, err := r.Cookie(w.cookieName())
	if err != nil || c.Value == "" {
		return nil
	}
	return w.Registry.DropSession(ctx, w.hash("session", c.Value))
}

// cookieName is that of this listener's sessions.
func (w *Web) cookieName() string {
	if w.Face == pages.FacePublic {
		return referentCookie
	}
	return cookieName
}

// SignedIn reports whether a browser has a session's cookie of this listener, good or not.
func (w *Web) SignedIn(r *http.Request) bool {
	c, err := r.Cookie(w.cookieName())
	return err == nil && c.Value != ""
}

// cookie is always Secure: browsers take localhost for secure without TLS too. A
// negative life has the browser drop it.
func cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// SessionKey tells one session, or one program's credential, from every other, for
// what a face keeps in memory for it; zero: there is none. It is a keyed hash.
func (w *Web) SessionKey(r *http.Request) [32]byte {
	if header := r.Header.Get("Authorization"); header != "" {
		return w.hash("memory", header)
	}
	if c, err := r.Cookie(w.cookieName()); err == nil && c.Value != "" {
		return w.hash("memory", c.Value)
	}
	return [32]byte{}
}

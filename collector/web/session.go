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

	"anagrafe/collector/registry"
)

const (
	cookieName = "__Host-anagrafe"
	// sessionLife is a shift: after it one signs in again, whatever one does.
	sessionLife = 8 * time.Hour
)

// token makes a secret of 256 random bits.
func token() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// hash is what the registry keeps of a secret. The key keeps a copied database
// from serving to check guesses, the kind keeps a link from working as a cookie.
func (w *Web) hash(kind, secret string) [32]byte {
	m := hmac.New(sha256.New, w.Secret)
	m.Write([]byte(kind + "\x00" + secret))
	return [32]byte(m.Sum(nil))
}

// NewSecret makes the secret of a credential file and the hash of it that
// registry.User keeps.
func (w *Web) NewSecret() (secret string, hash [32]byte, err error) {
	secret, err = token()
	return secret, w.hash("credential", secret), err
}

// NewLink makes a one-time login link for a user, good for the time given, on
// the listener with that public address (any one: they share the key).
func (w *Web) NewLink(ctx context.Context, publicURL, userID string, life time.Duration) (string, error) {
	secret, err := token()
	if err != nil {
		return "", err
	}
	if err := w.Registry.AddLink(ctx, w.hash("link", secret), userID, w.Now().Add(life)); err != nil {
		return "", fmt.Errorf("make a login link: %w", err)
	}
	return publicURL + "/login/link?" + url.Values{"token": {secret}}.Encode(), nil
}

// session finds the user of the request's cookie. One whose role this listener
// does not accept has no session here.
func (w *Web) session(r *http.Request) (registry.User, bool, error) {
	c, err := r.Cookie(cookieName)
	if err != nil || c.Value == "" {
		return registry.User{}, false, nil
	}
	u, ok, err := w.Registry.Session(r.Context(), w.hash("session", c.Value), w.Now())
	if err != nil || !ok || !w.accepts(u.Role) {
		return registry.User{}, false, err
	}
	return u, true, nil
}

// begin starts a session and sets its cookie.
func (w *Web) begin(ctx context.Context, rw http.ResponseWriter, u registry.User) error {
	secret, err := token()
	if err != nil {
		return err
	}
	now := w.Now()
	if err := w.Registry.DropExpired(ctx, now); err != nil {
		return err
	}
	if err := w.Registry.AddSession(ctx, w.hash("session", secret), u.ID, now.Add(sessionLife)); err != nil {
		return err
	}
	http.SetCookie(rw, cookie(cookieName, secret, sessionLife))
	return nil
}

// cookie is always Secure: browsers take localhost for secure without TLS too. A
// negative life has the browser drop it.
func cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

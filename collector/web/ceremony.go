package web

import (
	"net/http"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// ceremonyCookie ties a sign-in under way to the browser that began it.
	ceremonyCookie = "__Host-anagrafe-login"
	// ceremonyLife is how long a sign-in may take: a finger on a key, or a visit to a
	// provider with its own password and code.
	ceremonyLife = 5 * time.Minute
)

// Kinds of ceremonies: one begun for one act cannot end another.
const (
	usePasskey  = "use"
	makePasskey = "make"
	askProvider = "oidc"
	askIdentity = "identity"
)

// ceremony is what the answer to a sign-in under way is checked against. It stays in
// the register, for one answer.
type ceremony struct {
	Kind     string               `json:"kind"`
	Next     string               `json:"next,omitempty"`
	WebAuthn webauthn.SessionData `json:"webauthn,omitzero"`

	// Of makePasskey.
	Session string `json:"session,omitempty"` // that it was begun in
	Name    string `json:"name,omitempty"`    // its owner's for the passkey

	// Of askProvider and askIdentity (OpenID Connect Core 1.0, 3.1.2.1; RFC 7636).
	State    string `json:"state,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
	Verifier string `json:"verifier,omitempty"`
}

// beginCeremony keeps a ceremony for the browser that asks.
func (w *Web) beginCeremony(rw http.ResponseWriter, r *http.Request, c ceremony) error {
	secret := token()
	if err := w.Registry.AddCeremony(r.Context(), w.ceremonyHash(c.Kind, secret), c, w.Now().Add(ceremonyLife)); err != nil {
		return err
	}
	http.SetCookie(rw, cookie(ceremonyCookie, secret, ceremonyLife))
	return nil
}

// endCeremony takes the ceremony of the browser that answers; of the same answer
// twice, the second finds none.
func (w *Web) endCeremony(rw http.ResponseWriter, r *http.Request, kind string) (c ceremony, ok bool, err error) {
	sent, err := r.Cookie(ceremonyCookie)
	if err != nil || sent.Value == "" {
		return ceremony{}, false, nil
	}
	http.SetCookie(rw, cookie(ceremonyCookie, "", -time.Second))
	ok, err = w.Registry.ConsumeCeremony(r.Context(), w.ceremonyHash(kind, sent.Value), w.Now(), &c)
	return c, ok && c.Kind == kind, err
}

// ceremonyHash holds the listener and the kind, so that none serves elsewhere.
func (w *Web) ceremonyHash(kind, secret string) [32]byte {
	return w.hash("ceremony "+string(w.Face)+" "+kind, secret)
}

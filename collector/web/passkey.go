package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
)

// relyingParty is this listener to the authenticators of those who sign in (W3C Web
// Authentication Level 3): its host name, which no other listener shares in
// production, so that a passkey of one is not even offered at another. An address
// in numbers cannot be one. On this machine's own (tests, a trial) it is nil then, and
// one-time links sign in by themselves; elsewhere it is refused.
func (w *Web) relyingParty() (*webauthn.WebAuthn, error) {
	if len(w.Roles) == 0 {
		return nil, nil
	}
	if _, err := netip.ParseAddr(w.host); err == nil {
		if loopback(w.host) {
			return nil, nil
		}
		return nil, fmt.Errorf("the public address %q must have a host name: passkeys are tied to a name, and nobody could sign in", w.PublicURL)
	}
	return webauthn.New(&webauthn.Config{
		RPID: w.host, RPDisplayName: "Anagrafe Telecamere", RPOrigins: []string{w.PublicURL},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:      protocol.ResidentKeyRequirementRequired, // found without a name being typed
			UserVerification: protocol.VerificationRequired,           // a finger or a PIN: the device alone does not do
		},
	})
}

// holder is a user as go-webauthn wants one.
type holder struct {
	user registry.User
	keys []registry.Passkey
	all  []webauthn.Credential // of keys, in their order
}

func (h *holder) WebAuthnID() []byte                         { return []byte(h.user.ID) }
func (h *holder) WebAuthnName() string                       { return h.user.Name }
func (h *holder) WebAuthnDisplayName() string                { return h.user.Name }
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.all }

// holder reads the passkeys that a user has at this listener.
func (w *Web) holder(ctx context.Context, u registry.User) (*holder, error) {
	keys, err := w.Registry.Passkeys(ctx, u.ID, w.host)
	if err != nil {
		return nil, err
	}
	h := &holder{user: u, keys: keys}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Record, &c); err != nil {
			return nil, fmt.Errorf("read a passkey of user %s: %w", u.ID, err)
		}
		h.all = append(h.all, c)
	}
	return h, nil
}

// beginPasskey gives a browser what its authenticator is to sign. It says nothing of
// who has passkeys here: every caller gets the same.
func (w *Web) beginPasskey(rw http.ResponseWriter, r *http.Request) {
	if w.limit.exceeded(From(r)) || !w.begun.Try(From(r)) {
		w.tooMany(rw, r)
		return
	}
	if w.party == nil {
		w.fail(rw, r, http.StatusConflict, "nopasskeys")
		return
	}
	options, data, err := w.party.BeginDiscoverableLogin()
	if err == nil {
		err = w.beginCeremony(rw, r, ceremony{Kind: usePasskey, Next: local(r.FormValue("next"), ""), WebAuthn: *data})
	}
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	WriteJSON(rw, http.StatusOK, options.Response)
}

// errNoHolder is returned for a passkey whose user is not there, or was revoked.
var errNoHolder = errors.New("nobody's passkey")

// passkey takes what an authenticator has signed. Whatever is wrong with it, the
// answer is the same.
func (w *Web) passkey(rw http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	end, ok := w.limit.Guess(rw, r)
	if !ok {
		w.tooMany(rw, r)
		return
	}
	defer end()
	c, ok, err := w.endCeremony(rw, r, usePasskey)
	if err != nil {
		w.Broken(rw, r, err)
		return
	}
	signed, err := protocol.ParseCredentialRequestResponseBody(r.Body)
	if !ok || err != nil || w.party == nil {
		w.refusePasskey(rw, r, registry.User{}, "unreadable or late")
		return
	}
	var h *holder
	var broken error
	_, used, err := w.party.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		u, ok, err := w.Registry.UserByID(ctx, string(handle))
		if err == nil && ok && u.RevokedAt.IsZero() {
			if h, err = w.holder(ctx, u); err == nil {
				return h, nil
			}
		}
		broken = err
		return nil, errNoHolder
	}, c.WebAuthn, signed)
	switch {
	case broken != nil:
		w.Broken(rw, r, broken)
		return
	case h == nil:
		w.refusePasskey(rw, r, registry.User{}, "not known")
		return
	case err != nil:
		w.refusePasskey(rw, r, h.user, "not verified")
		return
	case used.Authenticator.CloneWarning:
		// Web Authentication 6.1.1: somebody may hold a copy of the key. Which of the two
		// asks cannot be told, so neither enters by it.
		w.refusePasskey(rw, r, h.user, "signature counter went back")
		return
	}
	if ok, err = w.keepUse(ctx, h, used); err != nil {
		w.Broken(rw, r, err)
		return
	}
	if !ok {
		w.refusePasskey(rw, r, h.user, "removed")
		return
	}
	w.signIn(rw, r, h.user, byPasskey, c.Next)
}

// keepUse keeps the counter and flags of a passkey that was used.
func (w *Web) keepUse(ctx context.Context, h *holder, used *webauthn.Credential) (bool, error) {
	i := slices.IndexFunc(h.keys, func(k registry.Passkey) bool { return string(k.ID) == string(used.ID) })
	if i < 0 {
		return false, nil
	}
	key := h.keys[i]
	var err error
	if key.Record, err = json.Marshal(used); err != nil {
		return false, err
	}
	return w.Registry.UsePasskey(ctx, key, w.Now())
}

// refusePasskey answers a passkey that lets nobody in. If it is somebody's, it is on
// the trail.
func (w *Web) refusePasskey(rw http.ResponseWriter, r *http.Request, u registry.User, why string) {
	w.limit.Try(From(r))
	w.Log.WarnContext(r.Context(), "passkey refused", "from", From(r), "why", why)
	if u.ID != "" {
		w.recordRefusal(r, u, byPasskey, why)
	}
	w.fail(rw, r, http.StatusUnauthorized, "passkey")
}

// recordRefusal puts a refused login on the trail; that it cannot be written changes
// nothing for the person refused.
func (w *Web) recordRefusal(r *http.Request, u registry.User, how, why string) {
	err := w.Record(r.Context(), Act{Kind: act.LoginRefused, User: u, From: From(r), Details: map[string]string{
		"how": how, "why": why, "role": u.Role, "face": string(w.Face)}})
	if err != nil {
		w.Log.ErrorContext(r.Context(), "refused login not on the trail", "err", err)
	}
}

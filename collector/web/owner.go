package web

import (
	"context"
	"net/http"
	"time"
)

const (
	// ownerCookie has a name of its own: on one machine the public pages and the
	// operators' may have the same host, and browsers do not tell ports apart.
	ownerCookie = "__Host-anagrafe-owner"
	// ownerLife is how long an owner may act after typing the code, perhaps on a
	// computer that others use too.
	ownerLife = 30 * time.Minute
)

// BeginOwner starts the session of a site's owner and sets its cookie.
func (w *Web) BeginOwner(ctx context.Context, rw http.ResponseWriter, siteID string) error {
	secret := token()
	if err := w.Registry.AddOwnerSession(ctx, w.hash("owner", secret), siteID, w.Now().Add(ownerLife)); err != nil {
		return err
	}
	http.SetCookie(rw, cookie(ownerCookie, secret, ownerLife))
	return nil
}

// Owner returns the site whose owner asks.
func (w *Web) Owner(r *http.Request) (siteID string, ok bool, err error) {
	c, err := r.Cookie(ownerCookie)
	if err != nil || c.Value == "" {
		return "", false, nil
	}
	return w.Registry.OwnerSession(r.Context(), w.hash("owner", c.Value), w.Now())
}

// EndOwner ends the session of the owner who asks, if there is one.
func (w *Web) EndOwner(rw http.ResponseWriter, r *http.Request) error {
	c, err := r.Cookie(ownerCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(rw, cookie(ownerCookie, "", -time.Second))
	return w.Registry.DropOwnerSession(r.Context(), w.hash("owner", c.Value))
}

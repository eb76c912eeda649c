package consult

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
)

var errForce = errors.New("your force is not set up in this register: ask who administers it to add the force and its key")

// officer is who acts, as the trail names them.
type officer struct {
	registry.User
	recipient string // the key that their force's trail is sealed to
	from      string // the address that they act from
}

// officer returns who asks; a force without its key is errForce.
func (c *Consult) officer(r *http.Request) (officer, error) {
	u, ok := web.User(r.Context())
	if !ok {
		return officer{}, errors.New("nobody is signed in")
	}
	f, ok, err := c.Registry.Force(r.Context(), u.Force)
	if err != nil {
		return officer{}, fmt.Errorf("look up force: %w", err)
	}
	if !ok || f.Recipient == "" {
		return officer{}, errForce
	}
	return officer{u, f.Recipient, web.From(r)}, nil
}

// entry is what an officer does, for the trail; count is how many records it shows,
// which trail.Answer counts by itself.
func (o officer) entry(at time.Time, kind act.Kind, caseID string, count int, body any) trail.Entry {
	return trail.Entry{At: at, Actor: o.ID, Force: o.Force, Kind: kind, Case: caseID, Count: count, Recipient: o.recipient, Body: body}
}

// mayOrder reports whether they may order to preserve (art. 354 c.p.p.): an
// ufficiale di polizia giudiziaria, or the PM. An agente in urgent need (art. 113
// disp. att.) is not offered it here.
func (o officer) mayOrder() bool {
	return o.Qualification == registry.Ufficiale || o.Qualification == registry.PM
}

// asWritten is how an owner reads who asks: force, name, qualification.
func (o officer) asWritten() string {
	return strings.Join(slices.DeleteFunc([]string{o.Force, o.Name, o.Qualification}, func(s string) bool { return s == "" }), ", ")
}

// user is the signed-in user; the routes admit nobody else.
func user(r *http.Request) registry.User {
	u, _ := web.User(r.Context())
	return u
}

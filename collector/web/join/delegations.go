package join

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// delegationRequest is a delegation as it is typed.
type delegationRequest struct {
	Organisation string           `json:"organisation"` // id or name
	Referent     string           `json:"referent"`     // name; an account is made for one who has none
	Powers       []protocol.Power `json:"powers"`
	Sites        []string         `json:"sites,omitempty"` // ids; none: all
	Rule         string           `json:"rule"`
	From         time.Time        `json:"from,omitzero"` // zero: now
	Until        time.Time        `json:"until"`
}

// delegate keeps what an organisation lets a technical referent do.
func (j *Join) delegate(rw http.ResponseWriter, r *http.Request) {
	var in delegationRequest
	if !j.readJSON(rw, r, &in) {
		return
	}
	o, ok := j.organisation(rw, r, in.Organisation)
	if !ok {
		return
	}
	now := j.Web.Now()
	if in.From.IsZero() {
		in.From = now
	}
	referent, known, err := j.referent(r.Context(), in.Referent)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
		return
	case known && (referent.Role != registry.RoleReferent || !referent.RevokedAt.IsZero()):
		j.refuse(rw, r, "referent", "delegation.referent")
		return
	}
	d := protocol.Delegation{ID: uuid.NewString(), OrganisationID: o.ID, UserID: referent.ID, Referent: referent.Name,
		Powers: in.Powers, Sites: in.Sites, Rule: in.Rule, From: in.From.UTC().Truncate(time.Second), Until: in.Until.UTC()}
	if fields, bad := errors.AsType[protocol.FieldErrors](d.Validate()); bad {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: fields[0].Why, Field: fields[0].Field})
		return
	}
	if !known && !j.addReferent(rw, r, referent) {
		return
	}
	if !j.recordAct(rw, r, act.DelegationAdd, 1, map[string]string{"delegation": d.ID, "organisation": o.ID, "user": d.UserID}) {
		return
	}
	err = j.Registry.Delegate(r.Context(), d)
	switch {
	case errors.Is(err, registry.ErrUnknownSite):
		j.refuse(rw, r, "sites", "delegation.site")
	case errors.Is(err, registry.ErrNoReferent): // revoked a moment ago
		j.refuse(rw, r, "referent", "delegation.referent")
	case err != nil:
		j.Web.Broken(rw, r, err)
	default:
		web.WriteJSON(rw, http.StatusCreated, d)
	}
}

// referent finds an account by its name, or gives the one that is to be made: it
// has no credential, and so nobody signs in with it yet.
func (j *Join) referent(ctx context.Context, name string) (u registry.User, known bool, err error) {
	all, err := j.Registry.Users(ctx)
	if err != nil {
		return u, false, err
	}
	for _, u := range all {
		if protocol.SameName(u.Name) == protocol.SameName(name) {
			return u, true, nil
		}
	}
	return registry.User{ID: uuid.NewString(), Name: name, Role: registry.RoleReferent, At: j.Web.Now()}, false, nil
}

// addReferent makes the account; when it returns false the answer is written.
func (j *Join) addReferent(rw http.ResponseWriter, r *http.Request, u registry.User) bool {
	if !j.recordAct(rw, r, act.UserAdd, 1, map[string]string{"user": u.ID, "name": u.Name, "role": u.Role}) {
		return false
	}
	err := j.Registry.AddUser(r.Context(), u)
	if err != nil {
		j.Web.Broken(rw, r, err)
	}
	return err == nil
}

func (j *Join) listDelegations(rw http.ResponseWriter, r *http.Request) {
	var in organisationRequest
	if !j.readJSON(rw, r, &in) {
		return
	}
	o, ok := j.organisation(rw, r, in.Organisation)
	if !ok {
		return
	}
	given, err := j.Registry.Delegations(r.Context(), o.ID)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, map[string]any{"delegations": append([]protocol.Delegation{}, given...)})
}

// revokeDelegation ends any delegation, at the request of those concerned.
func (j *Join) revokeDelegation(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		ID string `json:"id"`
	}
	if !j.readJSON(rw, r, &in) {
		return
	}
	if uuid.Validate(in.ID) != nil { // nothing else is written to the trail
		j.refuse(rw, r, "id", "delegation.unknown")
		return
	}
	if !j.recordAct(rw, r, act.DelegationRevoke, 1, map[string]string{"delegation": in.ID}) {
		return
	}
	err := j.Registry.RevokeDelegation(r.Context(), in.ID, j.Web.Now())
	switch {
	case errors.Is(err, registry.ErrUnknownDelegation):
		j.refuse(rw, r, "id", "delegation.unknown")
	case err != nil:
		j.Web.Broken(rw, r, err)
	default:
		web.WriteJSON(rw, http.StatusOK, map[string]string{"id": in.ID})
	}
}

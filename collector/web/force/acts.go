package force

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
)

// one finds the person of the address, of the administrator's own force, who may
// sign in; when it returns false the answer is written. Those of other forces are not
// there.
func (f *Force) one(rw http.ResponseWriter, r *http.Request) (registry.User, bool) {
	self, _ := web.User(r.Context())
	all, err := f.Registry.ForceUsers(r.Context(), self.Force)
	if err != nil {
		f.Web.Broken(rw, r, err)
		return registry.User{}, false
	}
	i := slices.IndexFunc(all, func(u registry.User) bool { return u.ID == r.PathValue("id") && u.RevokedAt.IsZero() })
	switch {
	case i < 0:
		f.refuse(rw, r, http.StatusNotFound, typed{}, wrong{"id", "people.unknown"})
		return registry.User{}, false
	case all[i].ID == self.ID:
		f.refuse(rw, r, http.StatusConflict, typed{}, wrong{"id", "people.self"})
		return registry.User{}, false
	}
	return all[i], true
}

// qualify changes an officer's qualification, from their next request on.
func (f *Force) qualify(rw http.ResponseWriter, r *http.Request) {
	var qualification string
	if err := web.ReadFields(r, map[string]*string{"qualification": &qualification}); err != nil {
		f.refuse(rw, r, http.StatusBadRequest, typed{}, wrong{"", "people.unreadable"})
		return
	}
	u, ok := f.one(rw, r)
	if !ok {
		return
	}
	if u.Role != registry.RoleOfficer || !slices.Contains(registry.Qualifications(), qualification) {
		f.refuse(rw, r, http.StatusUnprocessableEntity, typed{}, wrong{"qualification", "people.qualification.missing"})
		return
	}
	details := describe(u)
	maps.Copy(details, map[string]string{"before": u.Qualification, "qualification": qualification})
	if !f.record(rw, r, act.UserQualify, details) {
		return
	}
	if err := f.Registry.Qualify(r.Context(), u.ID, u.Force, qualification); errors.Is(err, registry.ErrUnknownUser) {
		f.refuse(rw, r, http.StatusNotFound, typed{}, wrong{"id", "people.unknown"}) // revoked meanwhile
		return
	} else if err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	f.done(rw, r, u.ID)
}

// link makes another one-time link, for people who have lost their passkey or credential.
func (f *Force) link(rw http.ResponseWriter, r *http.Request) {
	u, ok := f.one(rw, r)
	if !ok || !f.record(rw, r, act.UserLink, describe(u)) {
		return
	}
	f.handOver(rw, r, u, "", http.StatusOK)
}

// endSessions signs somebody out wherever they are signed in.
func (f *Force) endSessions(rw http.ResponseWriter, r *http.Request) {
	u, ok := f.one(rw, r)
	if !ok || !f.record(rw, r, act.SessionEnd, describe(u)) {
		return
	}
	if _, err := f.Registry.EndSessions(r.Context(), u.ID, ""); err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	f.done(rw, r, u.ID)
}

// revoke shuts somebody out at once, and for good.
func (f *Force) revoke(rw http.ResponseWriter, r *http.Request) {
	u, ok := f.one(rw, r)
	if !ok || !f.record(rw, r, act.UserRevoke, describe(u)) {
		return
	}
	if err := f.Registry.RevokeUser(r.Context(), u.ID, f.Web.Now()); err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	f.done(rw, r, u.ID)
}

package ops

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// linked is shown once: the register keeps a hash of the link.
type linked struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Link string `json:"link"` // one-time login link, 24 hours
}

// linkUser makes a one-time link for whom lost their passkey, or never made one, of
// the Comune's people. It lets its bearer make a passkey for that person: those of a
// force get theirs from its administrator.
func (o *Ops) linkUser(rw http.ResponseWriter, r *http.Request) {
	u, ok := o.find(rw, r)
	if !ok {
		return
	}
	if !o.record(rw, r, act.UserLink, describe(u)) {
		return
	}
	link, err := o.Web.NewLink(r.Context(), o.server(u), u.ID, linkLife)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := linked{u.ID, u.Name, link}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, data)
		return
	}
	o.show(rw, r, pages.Page{Template: "linked.html", Title: "linked.title", Status: http.StatusCreated, Data: data})
}

// signOutUser ends all sessions of a user, and the links that wait for them.
func (o *Ops) signOutUser(rw http.ResponseWriter, r *http.Request) {
	u, ok := o.find(rw, r)
	if !ok || !o.record(rw, r, act.SessionEnd, describe(u)) {
		return
	}
	n, err := o.Registry.EndSessions(r.Context(), u.ID, "")
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]any{"id": u.ID, "sessions": n})
		return
	}
	http.Redirect(rw, r, "/users", http.StatusSeeOther)
}

// find returns the user whom the address names, one of the Comune's who may sign
// in; when it returns false the answer is written.
func (o *Ops) find(rw http.ResponseWriter, r *http.Request) (registry.User, bool) {
	u, ok, err := o.Registry.UserByID(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		o.Web.Broken(rw, r, err)
		return u, false
	case !ok || !u.RevokedAt.IsZero() || !ours(r.Context(), u):
		o.missing(rw, r, "users.unknown")
		return u, false
	}
	return u, true
}

// server is the address at which a user signs in.
func (o *Ops) server(u registry.User) string {
	if u.Role == registry.RoleOps || u.Role == registry.RoleAdmin {
		return o.OpsURL
	}
	if u.Role == registry.RoleReferent {
		return o.PublicURL
	}
	return o.ConsultURL(u.Force)
}

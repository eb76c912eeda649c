package ops

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// office are the roles that an admin gives to people of the Comune.
func office() []string {
	return []string{registry.RoleOps, registry.RoleAdmin, registry.RoleDPO}
}

type user struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	AddedAt   time.Time `json:"added_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// typed is what is typed to add a user. Force is for the first administrator of one,
// Recovery why a force that has an administrator gets another one from here.
type typed struct{ Name, Role, Force, Recovery string }

type usersData struct {
	Users []user   `json:"users"`
	Roles []string `json:"-"`
	Typed typed    `json:"-"`
	Wrong wrong    `json:"-"`
	Self  string   `json:"-"` // cannot be revoked by themselves
}

// ours reports whether a user is the Comune's to see and revoke from where the request
// comes from: those of the forces are their force's affair. Referents, whom
// delegations make, are seen on the host alone.
func ours(ctx context.Context, u registry.User) bool {
	return slices.Contains(office(), u.Role) || web.OnHost(ctx) && !registry.OfForce(u.Role)
}

func (o *Ops) users(rw http.ResponseWriter, r *http.Request) {
	o.showUsers(rw, r, http.StatusOK, typed{}, wrong{})
}

func (o *Ops) showUsers(rw http.ResponseWriter, r *http.Request, status int, in typed, bad wrong) {
	all, err := o.Registry.Users(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	self, _ := web.User(r.Context())
	data := usersData{Users: []user{}, Roles: office(), Typed: in, Wrong: bad, Self: self.ID}
	for _, u := range all {
		if ours(r.Context(), u) {
			data.Users = append(data.Users, user{u.ID, u.Name, u.Role, u.At, u.RevokedAt})
		}
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	p := pages.Page{Template: "users.html", Title: "users.title", Wide: true, Status: status, Data: data}
	if bad.Key != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: bad.Key}}
	}
	o.show(rw, r, p)
}

// addUser makes an account, its credential file and a first login link.
func (o *Ops) addUser(rw http.ResponseWriter, r *http.Request) {
	var in typed
	if err := web.ReadFields(r, map[string]*string{"name": &in.Name, "role": &in.Role, "force": &in.Force, "recovery": &in.Recovery}); err != nil {
		o.refuseUser(rw, r, http.StatusBadRequest, in, wrong{"", "users.unreadable"})
		return
	}
	bad, err := o.checkUser(r.Context(), in)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if bad.Key != "" {
		o.refuseUser(rw, r, http.StatusUnprocessableEntity, in, bad)
		return
	}
	secret, hash := o.Web.NewSecret()
	u := registry.User{ID: uuid.NewString(), Name: in.Name, Role: in.Role, Force: in.Force, SecretHash: hash, At: o.Web.Now()}
	if !o.recordUser(rw, r, u, in.Recovery) {
		return
	}
	add := o.Registry.AddUser
	if u.Force != "" && in.Recovery == "" {
		add = o.Registry.AddFirstAdministrator
	}
	switch err := add(r.Context(), u); {
	case errors.Is(err, registry.ErrExists):
		o.refuseUser(rw, r, http.StatusConflict, in, wrong{"name", "users.name.taken"})
		return
	case errors.Is(err, registry.ErrAdministered):
		o.refuseUser(rw, r, http.StatusConflict, in, wrong{"force", "users.force.administered"})
		return
	case err != nil:
		o.Web.Broken(rw, r, err)
		return
	}
	o.handOver(rw, r, u, secret)
}

// recordUser puts a new account on the trail; that of a force's administrator is
// sealed to the force, so that its auditor sees whom the Comune has let in, and why.
func (o *Ops) recordUser(rw http.ResponseWriter, r *http.Request, u registry.User, recovery string) bool {
	kind, details := act.UserAdd, describe(u)
	if recovery != "" {
		kind, details["reason"] = act.ForceRecovery, recovery
	}
	return o.recordFor(rw, r, u.Force, kind, details)
}

// handOver shows what somebody signs in with, this once.
func (o *Ops) handOver(rw http.ResponseWriter, r *http.Request, u registry.User, secret string) {
	data, err := o.Web.Issue(r.Context(), u, o.server(u), secret, o.TrailKey)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, data)
		return
	}
	o.show(rw, r, pages.Page{Template: "added.html", Title: "added.title", Status: http.StatusCreated, Data: data})
}

// refuseUser shows again the page on which the user was typed.
func (o *Ops) refuseUser(rw http.ResponseWriter, r *http.Request, status int, in typed, bad wrong) {
	o.refuse(rw, r, status, bad, func() {
		if in.Role == registry.RoleForceAdmin {
			o.showForces(rw, r, status, typedForce{Administers: in.Force, Administrator: in.Name}, bad)
			return
		}
		o.showUsers(rw, r, status, in, bad)
	})
}

// checkUser says which field cannot be taken.
func (o *Ops) checkUser(ctx context.Context, in typed) (wrong, error) {
	switch {
	case in.Name == "" || !web.OneLine(in.Name, web.MaxName):
		return wrong{"name", "users.name.wrong"}, nil
	case in.Role == registry.RoleOfficer || in.Role == registry.RoleForceAuditor:
		return wrong{"role", "users.role.force"}, nil
	case in.Role != registry.RoleForceAdmin && !slices.Contains(office(), in.Role):
		return wrong{"role", "users.role.wrong"}, nil
	case in.Role != registry.RoleForceAdmin && in.Force != "":
		return wrong{"force", "users.force.none"}, nil
	case in.Role == registry.RoleForceAdmin && in.Force == "":
		return wrong{"force", "users.force.missing"}, nil
	case in.Recovery != "" && (!web.OnHost(ctx) || in.Role != registry.RoleForceAdmin || !web.OneLine(in.Recovery, maxAct)):
		return wrong{"recovery", "users.recovery.wrong"}, nil
	}
	all, err := o.Registry.Users(ctx)
	if err != nil {
		return wrong{}, err
	}
	if slices.ContainsFunc(all, func(u registry.User) bool { return u.Name == in.Name }) {
		return wrong{"name", "users.name.taken"}, nil
	}
	if in.Force == "" {
		return wrong{}, nil
	}
	return o.checkAdministrator(ctx, in)
}

// checkAdministrator demands a force that is known, and has no administrator unless
// there is a reason to name another one from here.
func (o *Ops) checkAdministrator(ctx context.Context, in typed) (wrong, error) {
	forces, err := o.Registry.Forces(ctx)
	if err != nil {
		return wrong{}, err
	}
	i := slices.IndexFunc(forces, func(f registry.Force) bool { return f.Name == in.Force })
	switch {
	case i < 0:
		return wrong{"force", "users.force.unknown"}, nil
	case forces[i].Administered && in.Recovery == "":
		return wrong{"force", "users.force.administered"}, nil
	case !forces[i].Administered && in.Recovery != "":
		return wrong{"recovery", "users.recovery.needless"}, nil
	}
	return wrong{}, nil
}

// revokeUser shuts a user out at once.
func (o *Ops) revokeUser(rw http.ResponseWriter, r *http.Request) {
	all, err := o.Registry.Users(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	i := slices.IndexFunc(all, func(u registry.User) bool {
		return u.ID == r.PathValue("id") && ours(r.Context(), u)
	})
	self, _ := web.User(r.Context())
	switch {
	case i < 0:
		o.missing(rw, r, "users.unknown")
		return
	case all[i].ID == self.ID:
		bad := wrong{"id", "users.self"}
		o.refuseUser(rw, r, http.StatusConflict, typed{}, bad)
		return
	case !o.record(rw, r, act.UserRevoke, describe(all[i])):
		return
	}
	if err := o.Registry.RevokeUser(r.Context(), all[i].ID, o.Web.Now()); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]string{"id": all[i].ID})
		return
	}
	http.Redirect(rw, r, "/users", http.StatusSeeOther)
}

// describe is what the trail keeps of an account.
func describe(u registry.User) map[string]string {
	return map[string]string{"user": u.ID, "name": u.Name, "role": u.Role, "force": u.Force}
}

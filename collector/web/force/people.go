package force

import (
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

// roles are those that an administrator gives.
func roles() []string {
	return []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin}
}

type person struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Role          string    `json:"role"`
	Qualification string    `json:"qualification,omitempty"`
	AddedAt       time.Time `json:"added_at"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
}

// typed is what is typed to add somebody.
type typed struct{ Name, Role, Qualification, Credential string }

// wrong is one field that cannot be taken, by the key of its message.
type wrong struct{ Field, Key string }

type peopleData struct {
	Force          string   `json:"force"`
	People         []person `json:"users"`
	Roles          []string `json:"-"`
	Qualifications []string `json:"-"`
	Typed          typed    `json:"-"`
	Wrong          wrong    `json:"-"`
	Self           string   `json:"-"` // cannot be revoked by themselves
}

func (f *Force) people(rw http.ResponseWriter, r *http.Request) {
	f.showPeople(rw, r, http.StatusOK, typed{}, wrong{})
}

func (f *Force) showPeople(rw http.ResponseWriter, r *http.Request, status int, in typed, bad wrong) {
	self, _ := web.User(r.Context())
	all, err := f.Registry.ForceUsers(r.Context(), self.Force)
	if err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	data := peopleData{Force: self.Force, People: []person{}, Roles: roles(), Qualifications: registry.Qualifications(), Typed: in, Wrong: bad, Self: self.ID}
	for _, u := range all {
		data.People = append(data.People, person{u.ID, u.Name, u.Role, u.Qualification, u.At, u.RevokedAt})
	}
	// Who is shut out stands below those who may sign in.
	slices.SortStableFunc(data.People, func(a, b person) int { return a.RevokedAt.Compare(b.RevokedAt) })
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	p := pages.Page{Template: "people.html", Title: "people.title", Wide: true, Status: status, Data: data}
	if bad.Key != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: bad.Key}}
	}
	f.show(rw, r, p)
}

// refuse answers a field that cannot be taken.
func (f *Force) refuse(rw http.ResponseWriter, r *http.Request, status int, in typed, bad wrong) {
	if !web.WantsJSON(r) {
		f.showPeople(rw, r, status, in, bad)
		return
	}
	web.WriteJSON(rw, status, web.Problem{Error: f.pages.Words(web.Language(r)).T(bad.Key), Field: bad.Field})
}

// check says which field cannot be taken.
func (in typed) check() wrong {
	officer := in.Role == registry.RoleOfficer
	switch {
	case in.Name == "" || !web.OneLine(in.Name, web.MaxName):
		return wrong{"name", "people.name.wrong"}
	case !slices.Contains(roles(), in.Role):
		return wrong{"role", "people.role.wrong"}
	case officer && !slices.Contains(registry.Qualifications(), in.Qualification):
		return wrong{"qualification", "people.qualification.missing"}
	case !officer && in.Qualification != "":
		return wrong{"qualification", "people.qualification.none"}
	case in.Credential != "" && in.Credential != "yes":
		return wrong{"credential", "people.unreadable"}
	}
	return wrong{}
}

// add makes an account, its login link and, where it is asked for, its credential file.
func (f *Force) add(rw http.ResponseWriter, r *http.Request) {
	var in typed
	if err := web.ReadFields(r, map[string]*string{"name": &in.Name, "role": &in.Role, "qualification": &in.Qualification, "credential": &in.Credential}); err != nil {
		f.refuse(rw, r, http.StatusBadRequest, in, wrong{"", "people.unreadable"})
		return
	}
	if bad := in.check(); bad.Key != "" {
		f.refuse(rw, r, http.StatusUnprocessableEntity, in, bad)
		return
	}
	self, _ := web.User(r.Context())
	u := registry.User{ID: uuid.NewString(), Name: in.Name, Role: in.Role, Force: self.Force, Qualification: in.Qualification, At: f.Web.Now()}
	var secret string
	if in.Credential != "" {
		secret, u.SecretHash = f.Web.NewSecret()
	}
	if !f.record(rw, r, act.UserAdd, describe(u)) {
		return
	}
	if err := f.Registry.AddUser(r.Context(), u); errors.Is(err, registry.ErrExists) {
		f.refuse(rw, r, http.StatusConflict, in, wrong{"name", "people.name.taken"})
		return
	} else if err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	f.handOver(rw, r, u, secret, http.StatusCreated)
}

// handOver shows what somebody signs in with, this once.
func (f *Force) handOver(rw http.ResponseWriter, r *http.Request, u registry.User, secret string, status int) {
	account, err := f.Web.Issue(r.Context(), u, f.Web.URLOf(u.Force), secret, f.TrailKey)
	if err != nil {
		f.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, account)
		return
	}
	f.show(rw, r, pages.Page{Template: "added.html", Title: "added.title", Status: status, Data: account})
}

// describe is what the trail keeps of an account.
func describe(u registry.User) map[string]string {
	return map[string]string{"user": u.ID, "name": u.Name, "role": u.Role, "force": u.Force, "qualification": u.Qualification}
}

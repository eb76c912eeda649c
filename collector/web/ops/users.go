package ops

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

const maxName = 200 // characters of a person's, a force's or a qualification's name

// office are the roles that an admin gives over the pages; a force's other
// accounts are made on the command line (see the package comment).
func office() []string {
	return []string{registry.RoleOps, registry.RoleAdmin, registry.RoleDPO, registry.RoleForceAdmin}
}

// ofForce tells whether a role belongs to a force.
func ofForce(role string) bool {
	return role == registry.RoleOfficer || role == registry.RoleForceAuditor || role == registry.RoleForceAdmin
}

type user struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	Role          string    `json:"role"`
	Force         string    `json:"force,omitempty"`
	Qualification string    `json:"qualification,omitempty"`
	AddedAt       time.Time `json:"added_at"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
}

// typed is what is typed to add a user.
type typed struct{ Name, Role, Force, Qualification, Recipient string }

type usersData struct {
	Users []user   `json:"users"`
	Roles []string `json:"-"`
	Typed typed    `json:"-"`
	Wrong wrong    `json:"-"`
	Self  string   `json:"-"` // cannot be revoked by themselves
}

// added is shown once: the register keeps hashes of both secrets.
type added struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Role       string         `json:"role"`
	Force      string         `json:"force,omitempty"`
	Link       string         `json:"link"` // one-time login link, 24 hours
	Credential web.Credential `json:"credential"`
}

// File is the credential file as it is handed over.
func (a added) File() (string, error) {
	b, err := json.MarshalIndent(a.Credential, "", "  ")
	return string(b) + "\n", err
}

// FileName is what a browser saves it as.
func (a added) FileName() string { return "anagrafe-" + a.ID[:8] + ".json" }

// FileURL holds the file itself, so that nothing but this page ever has it.
func (a added) FileURL() (template.URL, error) {
	file, err := a.File()
	return template.URL("data:application/json;base64," + base64.StdEncoding.EncodeToString([]byte(file))), err
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
		if onHost(r.Context()) || slices.Contains(office(), u.Role) {
			data.Users = append(data.Users, user{u.ID, u.Name, u.Role, u.Force, u.Qualification, u.At, u.RevokedAt})
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
	if err := read(r, map[string]*string{"name": &in.Name, "role": &in.Role, "force": &in.Force,
		"qualification": &in.Qualification, "recipient": &in.Recipient}); err != nil {
		o.refuseUser(rw, r, http.StatusBadRequest, in, wrong{"", "users.unreadable"})
		return
	}
	bad, newForce, err := o.checkUser(r.Context(), in)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if bad.Key != "" {
		o.refuseUser(rw, r, http.StatusUnprocessableEntity, in, bad)
		return
	}
	secret, hash, err := o.Web.NewSecret()
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	u := registry.User{ID: uuid.NewString(), Name: in.Name, Role: in.Role, Force: in.Force,
		Qualification: in.Qualification, SecretHash: hash, At: o.Web.Now()}
	if newForce {
		if !o.record(rw, r, "force-add", map[string]string{"force": in.Force, "recipient": in.Recipient}) {
			return
		}
		if err := o.Registry.AddForce(r.Context(), in.Force, in.Recipient); err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
	}
	if !o.record(rw, r, "user-add", describe(u)) {
		return
	}
	if err := o.Registry.AddUser(r.Context(), u); errors.Is(err, registry.ErrExists) {
		o.refuseUser(rw, r, http.StatusConflict, in, wrong{"name", "users.name.taken"})
		return
	} else if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	server := o.server(u.Role)
	link, err := o.Web.NewLink(r.Context(), server, u.ID, linkLife)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := added{u.ID, u.Name, u.Role, u.Force, link,
		web.Credential{Server: server, User: u.ID, Secret: secret, TrailKey: o.TrailKey}}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, data)
		return
	}
	o.show(rw, r, pages.Page{Template: "added.html", Title: "added.title", Status: http.StatusCreated, Data: data})
}

func (o *Ops) refuseUser(rw http.ResponseWriter, r *http.Request, status int, in typed, bad wrong) {
	o.refuse(rw, r, status, bad, func() { o.showUsers(rw, r, status, in, bad) })
}

// checkUser says which field cannot be taken, and whether the force is new.
func (o *Ops) checkUser(ctx context.Context, in typed) (bad wrong, newForce bool, err error) {
	switch {
	case !plain(in.Name) || in.Name == "":
		return wrong{"name", "users.name.wrong"}, false, nil
	case !ofForce(in.Role) && !slices.Contains(office(), in.Role):
		return wrong{"role", "users.role.wrong"}, false, nil
	case !onHost(ctx) && !slices.Contains(office(), in.Role):
		return wrong{"role", "users.role.force"}, false, nil
	case ofForce(in.Role) && in.Force == "" || !plain(in.Force):
		return wrong{"force", "users.force.missing"}, false, nil
	case !ofForce(in.Role) && in.Force != "":
		return wrong{"force", "users.force.none"}, false, nil
	case !plain(in.Qualification):
		return wrong{"qualification", "users.qualification.wrong"}, false, nil
	}
	all, err := o.Registry.Users(ctx)
	if err != nil {
		return wrong{}, false, err
	}
	for _, u := range all {
		switch {
		case u.Name == in.Name:
			return wrong{"name", "users.name.taken"}, false, nil
		case !onHost(ctx) && in.Role == registry.RoleForceAdmin && u.Role == in.Role && u.Force == in.Force && u.RevokedAt.IsZero():
			return wrong{"force", "users.force.administered"}, false, nil
		}
	}
	if !ofForce(in.Role) {
		return wrong{}, false, nil
	}
	return o.checkForce(ctx, in)
}

// checkForce demands the public key of a force that is not known yet.
func (o *Ops) checkForce(ctx context.Context, in typed) (bad wrong, newForce bool, err error) {
	known, ok, err := o.Registry.Force(ctx, in.Force)
	switch {
	case err != nil:
		return wrong{}, false, err
	case ok && in.Recipient != "" && in.Recipient != known.Recipient:
		return wrong{"recipient", "users.recipient.other"}, false, nil
	case ok:
		return wrong{}, false, nil
	case in.Recipient == "":
		return wrong{"recipient", "users.recipient.missing"}, false, nil
	}
	if strings.ContainsAny(in.Recipient, "\r\n") {
		return wrong{"recipient", "users.recipient.wrong"}, false, nil
	}
	if _, err := age.ParseRecipients(strings.NewReader(in.Recipient)); err != nil {
		return wrong{"recipient", "users.recipient.wrong"}, false, nil
	}
	return wrong{}, true, nil
}

// revokeUser shuts a user out at once.
func (o *Ops) revokeUser(rw http.ResponseWriter, r *http.Request) {
	all, err := o.Registry.Users(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	i := slices.IndexFunc(all, func(u registry.User) bool {
		return u.ID == r.PathValue("id") && (onHost(r.Context()) || slices.Contains(office(), u.Role))
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
	case !o.record(rw, r, "user-revoke", describe(all[i])):
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
	return map[string]string{"user": u.ID, "name": u.Name, "role": u.Role, "force": u.Force, "qualification": u.Qualification}
}

// plain tells whether a text is fit for one line.
func plain(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

package adhere

import (
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// callView is the page of the contacts: the adhering person, and perhaps somebody else.
type callView struct {
	Bar      bar
	First    protocol.Contact
	Form     form
	Problems []*input
	Roles    []option
	More     bool
	Back     string
}

var callNames = []string{"name", "phone", "email", "hours"}

func callForm() form {
	return form{
		"name":  {Name: "name", Label: "who.name", Auto: "off", Most: 120, Optional: true},
		"phone": {Name: "phone", Label: "who.phone", Type: "tel", Mode: "tel", Auto: "off", Most: 40, Optional: true},
		"email": {Name: "email", Label: "who.email", Mode: "email", Auto: "off", Most: 254, Optional: true},
		"hours": {Name: "hours", Label: "who.hours", Hint: "who.hours.hint", Auto: "off", Most: 120, Optional: true},
		"role":  {Name: "role", Label: "call.role", Most: 20, Optional: true},
	}
}

func (a *Adhere) call(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	f := callForm()
	if len(s.Contacts) > 1 {
		c := s.Contacts[1]
		f["name"].Value, f["phone"].Value, f["email"].Value, f["hours"].Value, f["role"].Value = c.Name, c.Phone, c.Email, c.Hours, string(c.Role)
	}
	a.showCall(rw, r, s, f, 0)
}

func (a *Adhere) showCall(rw http.ResponseWriter, r *http.Request, s registry.Submission, f form, status int) {
	if len(s.Contacts) == 0 { // the first step comes first
		a.to(rw, r, "/chi")
		return
	}
	v := callView{Bar: a.bar(s, "call"), First: s.Contacts[0], Form: f, Problems: f.problems(callNames...), Back: back(r)}
	for _, role := range []protocol.Role{protocol.RoleReferent, protocol.RoleControlRoom, protocol.RoleOwner} {
		v.Roles = append(v.Roles, option{Value: string(role), Key: "role." + string(role), Chosen: f["role"].Value == string(role)})
	}
	for _, name := range callNames {
		v.More = v.More || f[name].Value != "" || f[name].Error != ""
	}
	a.show(rw, r, pages.Page{Template: "call.html", Title: "call.title", Status: status, Notes: wrongNote(v.Problems), Data: v})
}

// setCall takes somebody else to call. Nothing typed is nobody.
func (a *Adhere) setCall(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	f := callForm()
	f.typed(r)
	c := protocol.Contact{Name: f["name"].Value, Role: protocol.Role(f["role"].Value), Phone: f["phone"].Value, Email: f["email"].Value, Hours: f["hours"].Value}
	if c.Role != protocol.RoleControlRoom && c.Role != protocol.RoleOwner {
		c.Role = protocol.RoleReferent
	}
	nobody := c == protocol.Contact{Role: c.Role}
	if !nobody {
		checkContact(f, c)
	}
	if len(f.problems(callNames...)) > 0 {
		a.showCall(rw, r, s, f, http.StatusUnprocessableEntity)
		return
	}
	s, ok := a.change(rw, r, s.ID, func(s *registry.Submission) error {
		s.Called = true
		rest := s.Contacts[min(2, len(s.Contacts)):]
		s.Contacts = append([]protocol.Contact{}, s.Contacts[:min(1, len(s.Contacts))]...)
		if !nobody {
			s.Contacts = append(s.Contacts, c)
		}
		s.Contacts = append(s.Contacts, rest...)
		return nil
	})
	if ok {
		http.Redirect(rw, r, a.next(s), http.StatusSeeOther)
	}
}

package adhere

import (
	"errors"
	"net/http"
	"slices"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// whoView is the page of the adhering person.
type whoView struct {
	Bar        bar
	Form       form
	Problems   []*input
	Categories []option
	Wrong      string // of the category
	Back       string // "check" for who came from the summary
	Recognised string // the name under which they were recognised; "": they were not
	Vouches    string // by whom
}

// whoNames are the fields in their order.
var whoNames = []string{"site", "category", "name", "phone", "email", "hours"}

func whoForm() form {
	return form{
		"site":     {Name: "site", Label: "who.site", Hint: "who.site.hint", Auto: "organization", Most: 120},
		"category": {Name: "category", Label: "who.category", Most: 40},
		"name":     {Name: "name", Label: "who.name", Auto: "name", Most: 120},
		"phone":    {Name: "phone", Label: "who.phone", Hint: "who.phone.hint", Type: "tel", Mode: "tel", Auto: "tel", Most: 40},
		"email":    {Name: "email", Label: "who.email", Hint: "who.email.hint", Type: "text", Mode: "email", Auto: "email", Most: 254, Optional: true},
		"hours":    {Name: "hours", Label: "who.hours", Hint: "who.hours.hint", Auto: "off", Most: 120, Optional: true},
	}
}

func (a *Adhere) who(rw http.ResponseWriter, r *http.Request) {
	s, _, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	f := a.form(whoForm())
	f["site"].Value, f["category"].Value = s.Site.Name, string(s.Site.Category)
	if len(s.Contacts) > 0 {
		c := s.Contacts[0]
		f["name"].Value, f["phone"].Value, f["email"].Value, f["hours"].Value = c.Name, c.Phone, c.Email, c.Hours
	}
	a.showWho(rw, r, s, f, 0)
}

func (a *Adhere) showWho(rw http.ResponseWriter, r *http.Request, s registry.Submission, f form, status int) {
	v := whoView{Bar: a.bar(s, "who"), Form: f, Problems: f.problems(whoNames...), Wrong: f["category"].Error, Back: back(r), Vouches: a.vouches()}
	if s.Identity != nil && s.Identity.Trust == protocol.TrustSPID {
		v.Recognised = s.Identity.Name
	}
	switch {
	case s.Identity != nil && s.Identity.Trust != protocol.TrustEmail:
		f["email"].Hint = "who.email.hint.known"
	case v.Vouches != "":
		f["email"].Hint = "who.email.hint.provider"
	}
	for _, c := range protocol.Categories {
		v.Categories = append(v.Categories, option{Value: string(c), Key: "category." + string(c), Chosen: f["category"].Value == string(c)})
	}
	a.show(rw, r, pages.Page{Template: "who.html", Title: "who.title", Status: status, Notes: wrongNote(v.Problems), Data: v})
}

// setWho takes who adheres. The first time it begins the submission.
func (a *Adhere) setWho(rw http.ResponseWriter, r *http.Request) {
	s, ok, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	f := a.form(whoForm())
	f.typed(r)
	site, contact := readWho(f)
	if len(f.problems(whoNames...)) > 0 {
		a.showWho(rw, r, s, f, http.StatusUnprocessableEntity)
		return
	}
	if honeypotFilled(r) {
		a.showStart(rw, r, http.StatusUnprocessableEntity, "start.trap")
		return
	}
	set := func(s *registry.Submission) error {
		s.Site.Name, s.Site.Category = site.Name, site.Category
		if len(s.Contacts) == 0 {
			s.Contacts = []protocol.Contact{{}}
		}
		s.Contacts[0] = contact
		return nil
	}
	if !ok {
		_ = set(&s) // never fails
		if _, begun := a.begin(rw, r, s); !begun {
			return
		}
	} else if s, ok = a.change(rw, r, s.ID, set); !ok {
		return
	}
	if !ok {
		a.to(rw, r, "/luogo")
		return
	}
	a.to(rw, r, a.after(r, "/luogo"))
}

// readWho checks the fields, and marks what is wrong.
func readWho(f form) (protocol.Site, protocol.Contact) {
	site := protocol.Site{Name: f["site"].Value, Category: protocol.Category(f["category"].Value)}
	if f["category"].Error == "" && !slices.Contains(protocol.Categories, site.Category) {
		f.wrong("category", "wrong.choose")
	}
	c := protocol.Contact{Name: f["name"].Value, Role: protocol.RoleOwner, Phone: f["phone"].Value, Email: f["email"].Value, Hours: f["hours"].Value}
	checkContact(f, c)
	return site, c
}

// checkContact marks the fields of a contact that protocol takes otherwise.
func checkContact(f form, c protocol.Contact) {
	errs, _ := errors.AsType[protocol.FieldErrors](c.Validate())
	for _, e := range errs {
		if i := f[e.Field]; i != nil && i.Error == "" {
			i.Error = "wrong." + e.Field
		}
	}
}

// honeypotFilled reports whether the hidden field, which only robots fill in, has a value.
func honeypotFilled(r *http.Request) bool { return r.PostFormValue("website") != "" }

// after is where a step leads: back to the summary for who came from there.
func (a *Adhere) after(r *http.Request, next string) string {
	if r.PostFormValue("back") == "check" {
		return a.last()
	}
	return next
}

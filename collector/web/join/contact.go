package join

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// contact shows who reads an address at which sites somebody has named it.
func (j *Join) contact(rw http.ResponseWriter, r *http.Request) {
	asked, ok := j.asked(rw, r)
	if ok {
		j.show(rw, r, "", pages.Page{Template: "contact.html", Title: "contact.title", Data: struct {
			Token string
			Sites []registry.Introduction
		}{r.PathValue("token"), asked}})
	}
}

// asked reads what a token opens. Where it gives false the answer is written.
func (j *Join) asked(rw http.ResponseWriter, r *http.Request) ([]registry.Introduction, bool) {
	asked, err := j.Registry.Introductions(r.Context(), r.PathValue("token"))
	if err != nil {
		j.Web.Broken(rw, r, err)
		return nil, false
	}
	if len(asked) == 0 {
		j.show(rw, r, "", pages.Page{Template: "contactused.html", Title: "contact.title", Status: http.StatusNotFound})
		return nil, false
	}
	return asked, true
}

// accept confirms the contact, once it is on the trail: the bearer of the link
// reads the address, and is not asked for a name.
func (j *Join) accept(rw http.ResponseWriter, r *http.Request) {
	asked, ok := j.asked(rw, r)
	if !ok {
		return
	}
	var sites []string
	for _, a := range asked {
		sites = append(sites, a.SiteID)
	}
	if err := j.Record(r.Context(), web.Act{Kind: act.ContactAccept, User: registry.User{ID: "contact"}, From: web.From(r), Count: len(sites),
		Details: map[string]any{"sites": sites}}); err != nil {
		j.Web.Unrecorded(rw, r, err)
		return
	}
	if _, err := j.Registry.AcceptContact(r.Context(), r.PathValue("token"), sites, j.Web.Now()); err != nil { // false: a second press of the button
		j.Web.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, ContactPath+"/accepted", http.StatusSeeOther)
}

// accepted is where who has accepted arrives.
func (j *Join) accepted(rw http.ResponseWriter, r *http.Request) {
	j.show(rw, r, "", pages.Page{Template: "accepted.html", Title: "contact.title"})
}

package review

import (
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"cmp"
	"errors"
	"net/http"
	"slices"
)

// contactIn is a contact as it is posted: of one site, or of all.
type contactIn struct {
	SiteID string `json:"site_id"`
	protocol.Contact
	Place *protocol.Site `json:"place,omitempty"` // of a site that came without a name
}

// contactView is the page of whom to call.
type contactView struct {
	Contacts []protocol.Contact
	Form     fields
	Steps    stepsView
	Unnamed  bool // a site came without a name: it is asked for here
}

// Categories are those that a place may have, the most frequent as the protocol lists them.
func (c contactView) Categories() []protocol.Category { return protocol.Categories }

// More reports whether the part is open that is not needed: something stands in it.
func (c contactView) More() bool {
	for _, name := range []string{"email", "pec", "hours", "alerts"} {
		if c.Form[name] != (field{}) {
			return true
		}
	}
	return c.Form["role"].Value != string(protocol.RoleOwner)
}

var contactNames = []string{"site_id", "name", "role", "phone", "email", "pec", "hours", "alerts", "place_name", "place_category", "place_address"}

func (v *Review) contacts(r *http.Request) (answer, error) {
	return v.contactPage(r, nil)
}

func (v *Review) contactPage(r *http.Request, f fields) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	contacts := known.Contacts[r.URL.Query().Get("site_id")]
	view := contactView{Contacts: contacts, Form: f, Steps: firstRun(r, known), Unnamed: unnamed(known)}
	if f == nil {
		role := cmp.Or(r.URL.Query().Get("role"), string(protocol.RoleOwner))
		view.Form = fields{"role": {Value: role}}
		for _, c := range contacts {
			if string(c.Role) == role {
				view.Form = fields{"role": {Value: role}, "name": {Value: c.Name}, "phone": {Value: c.Phone},
					"email": {Value: c.Email}, "pec": {Value: c.PEC}, "hours": {Value: c.Hours}}
				if c.Alerts {
					view.Form["alerts"] = field{Value: "yes"}
				}
			}
		}
	}
	a := page("contact.html", "contact.title", view)
	a.json = struct {
		Contacts []protocol.Contact `json:"contacts"`
	}{append([]protocol.Contact{}, contacts...)}
	if f != nil {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

func (v *Review) setContact(r *http.Request) (answer, error) {
	var in contactIn
	var f fields
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, contactNames...)
		in = contactIn{SiteID: f["site_id"].Value, Contact: protocol.Contact{Name: f["name"].Value, Role: protocol.Role(f["role"].Value),
			Phone: f["phone"].Value, Email: f["email"].Value, PEC: f["pec"].Value, Hours: f["hours"].Value, Alerts: f["alerts"].Value != ""}}
		known, err := v.Inventory.View(r.Context())
		if err != nil {
			return answer{}, err
		}
		if unnamed(known) {
			in.Place = &protocol.Site{Name: f["place_name"].Value, Category: protocol.Category(f["place_category"].Value), Address: f["place_address"].Value}
		}
	}
	var err error
	if in.Place != nil {
		err = v.Inventory.NameSite(r.Context(), in.SiteID, *in.Place)
	}
	nobody := in.Contact == protocol.Contact{Role: in.Role}
	if err == nil && (in.Place == nil || f != nil || !nobody) {
		err = v.Inventory.SetContact(r.Context(), in.SiteID, in.Contact)
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		f.wrong(errs, nil)
		return v.contactPage(r, f)
	}
	if err != nil {
		return answer{}, err
	}
	to, err := v.nextOr(r, "/?done=contact")
	return answer{json: in, to: to}, err
}

// unnamed reports whether a site came without a name.
func unnamed(known inventory.View) bool {
	return slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.SiteName == "" })
}

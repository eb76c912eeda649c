package ops

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// invitation is what is typed to invite a site: a new one, or with SiteID one
// that is there, for new hardware or after a withdrawal.
type invitation struct{ Site, Category, Address, SiteID string }

type invited struct {
	SiteID    string    `json:"site_id"`
	Site      string    `json:"site"`
	Code      string    `json:"code"` // shown once: the register keeps its hash
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`

	QR template.URL `json:"-"` // of Link, for the page
}

// begin leads back to the form, in the language asked for.
func (o *Ops) begin(rw http.ResponseWriter, r *http.Request) {
	http.Redirect(rw, r, "/?"+url.Values{"lang": {string(pages.Language(r))}}.Encode(), http.StatusSeeOther)
}

// invite makes a one-time code for a new site.
func (o *Ops) invite(rw http.ResponseWriter, r *http.Request) {
	var in invitation
	if err := web.ReadFields(r, map[string]*string{"site": &in.Site, "category": &in.Category, "address": &in.Address, "site_id": &in.SiteID}); err != nil {
		o.refuseInvitation(rw, r, in, wrong{"", "invite.unreadable"})
		return
	}
	if in.Category == "" {
		in.Category = "other"
	}
	s := protocol.Site{Name: in.Site, Category: protocol.Category(in.Category), Address: in.Address}
	if bad := check(s); bad.Key != "" && (in.SiteID == "" || s.Name != "") {
		o.refuseInvitation(rw, r, in, bad)
		return
	}
	code, now := protocol.NewCode(), o.Web.Now().UTC().Truncate(time.Second)
	i := registry.Invitation{Site: s, SiteID: in.SiteID, NewID: uuid.NewString(), CodeHash: code.Hash(), ExpiresAt: now.Add(registry.CodeLife), At: now}
	// The id alone: what the trail keeps outlives a site's withdrawal, so it
	// must not hold the site's name.
	if !o.record(rw, r, act.Invite, map[string]string{"site": cmp.Or(i.SiteID, i.NewID), "category": in.Category}) {
		return
	}
	id, err := o.Registry.Invite(r.Context(), i)
	if errors.Is(err, registry.ErrUnknownSite) {
		o.refuseInvitation(rw, r, in, wrong{"site_id", "invite.site_id.wrong"})
		return
	}
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := invited{SiteID: id, Site: s.Name, Code: code.String(), ExpiresAt: now.Add(registry.CodeLife),
		Link: protocol.Link{Collector: o.AgentsURL, Code: code, Pin: o.Pin()}.String()}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, data)
		return
	}
	if data.QR, err = pages.QRSource(data.Link); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	o.show(rw, r, pages.Page{Template: "invited.html", Title: "invited.title", Status: http.StatusCreated, Data: data})
}

func (o *Ops) refuseInvitation(rw http.ResponseWriter, r *http.Request, in invitation, bad wrong) {
	o.refuse(rw, r, http.StatusUnprocessableEntity, bad, func() {
		o.showOverview(rw, r, http.StatusUnprocessableEntity, in, bad)
	})
}

// check holds a site to the rules that its declaration will be held to. An
// invitation also needs nothing more: the owner completes the rest.
func check(s protocol.Site) wrong {
	m := protocol.Message{Body: protocol.Declaration{Site: s}}
	found, _ := errors.AsType[protocol.FieldErrors](m.Validate())
	for _, e := range found {
		switch _, field, _ := strings.Cut(e.Field, "site."); field {
		case "name":
			return wrong{"site", "invite.site.wrong"}
		case "category":
			return wrong{"category", "invite.category.wrong"}
		case "address":
			return wrong{"address", "invite.address.wrong"}
		}
	}
	return wrong{}
}

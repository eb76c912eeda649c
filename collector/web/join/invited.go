package join

import (
	"html/template"
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// invitedView is the page of an invitation.
type invitedView struct {
	Token string
	registry.InvitationMail
	Link string       // that brings the code to the program
	QR   template.URL // of it
}

// invited shows who has an invitation what it is about, and its code with the two
// ways to take part. That it was looked at is counted: also by programs that look at
// mail for its reader.
func (j *Join) invited(rw http.ResponseWriter, r *http.Request) {
	m, ok, err := j.Registry.OpenInvitation(r.Context(), r.PathValue("token"), j.Web.Now())
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	if !ok {
		j.invitedUsed(rw, r)
		return
	}
	v := invitedView{Token: r.PathValue("token"), InvitationMail: m, Link: j.Link(m.Code)}
	if v.QR, err = pages.QRSource(v.Link); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	j.show(rw, r, "", pages.Page{Template: "invitation.html", Title: "invitation.title", Data: v})
}

func (j *Join) invitedUsed(rw http.ResponseWriter, r *http.Request) {
	j.show(rw, r, "", pages.Page{Template: "invitationused.html", Title: "invitation.title", Status: http.StatusNotFound})
}

// refuseInvitation records that the invited want no more messages (art. 21
// GDPR). The trail says that somebody did, and not who.
func (j *Join) refuseInvitation(rw http.ResponseWriter, r *http.Request) {
	if _, ok, err := j.Registry.OpenInvitation(r.Context(), r.PathValue("token"), j.Web.Now()); err != nil || !ok {
		if err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		j.invitedUsed(rw, r)
		return
	}
	if err := j.Record(r.Context(), web.Act{Kind: act.InvitationRefuse, User: registry.User{ID: "owner"}, From: web.From(r), Count: 1}); err != nil {
		j.Web.Unrecorded(rw, r, err)
		return
	}
	ok, err := j.Registry.RefuseInvitation(r.Context(), r.PathValue("token"))
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
	case !ok:
		j.invitedUsed(rw, r)
	default:
		j.show(rw, r, "", pages.Page{Template: "invitationended.html", Title: "invitation.title"})
	}
}

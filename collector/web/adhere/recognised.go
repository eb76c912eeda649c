package adhere

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// recognise sends an owner to the provider that vouches by SPID or CIE: from the first
// page, or from that of the identity. It is a link: a browser that keeps the pages'
// policy sends no form elsewhere, not even on the way of a redirect.
func (a *Adhere) recognise(rw http.ResponseWriter, r *http.Request) {
	id, _, err := a.Web.Submission(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.Web.AskIdentity(rw, r, id)
}

// recognised takes them back, and keeps who they are in their submission, or in a new
// one. The provider says it of the person in this browser: an answer for a submission
// that is not open in it any more is kept nowhere.
func (a *Adhere) recognised(rw http.ResponseWriter, r *http.Request) {
	person, asked, ok := a.Web.Identity(rw, r)
	if !ok {
		return
	}
	s, _, err := a.open(r)
	switch {
	case err != nil:
		a.Web.Broken(rw, r, err)
		return
	case s.ID != asked:
		a.showStart(rw, r, http.StatusConflict, "start.ended")
		return
	}
	set := func(s *registry.Submission) error {
		s.Identity = &registry.Identity{Trust: protocol.TrustSPID, Subject: person.Subject, Name: person.Name, FiscalCode: person.FiscalCode, At: a.Web.Now()}
		if len(s.Contacts) == 0 {
			s.Contacts = []protocol.Contact{{Name: person.Name, Role: protocol.RoleOwner}}
		}
		return nil
	}
	a.identified(rw, r, s, protocol.TrustSPID, set)
}

// identified puts on the trail that it became known who adheres, and keeps it, in a new
// submission where none is open, which has no ID. It answers.
func (a *Adhere) identified(rw http.ResponseWriter, r *http.Request, s registry.Submission, trust protocol.Trust, set func(*registry.Submission) error) {
	var ok bool
	if s.ID == "" {
		if s.ID, ok = a.begin(rw, r, s); !ok {
			return
		}
	}
	if !a.record(rw, r, act.AdhereIdentity, s.ID, map[string]any{"trust": trust}) {
		return
	}
	if s, ok = a.change(rw, r, s.ID, set); ok {
		http.Redirect(rw, r, a.next(s), http.StatusSeeOther)
	}
}

// recognition are the routes of sign-in through the provider, if there is one.
func (a *Adhere) recognition() []web.Route {
	if a.vouches() == "" {
		return nil
	}
	return []web.Route{
		{Pattern: "GET " + a.base + "/riconoscimento", Open: true, Handler: http.HandlerFunc(a.recognise)},
		{Pattern: "GET " + web.IdentityPath, Open: true, Handler: http.HandlerFunc(a.recognised)},
	}
}

// vouches names the provider on the buttons that lead to it, "" there are none.
func (a *Adhere) vouches() string {
	if a.Assisted != nil {
		return ""
	}
	return a.Web.Vouches()
}

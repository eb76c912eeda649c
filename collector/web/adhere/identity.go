package adhere

import (
	"errors"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// identityView is the page on which it becomes known who adheres.
type identityView struct {
	Bar        bar
	Identity   *registry.Identity
	Base       string
	Vouches    string // as startView's
	Mail       bool   // messages are sent
	Address    string // of the adhering person, "" none
	Sent       time.Time
	Bounced    bool
	EmailError string // keys of what is wrong
	CodeError  string
}

func (a *Adhere) identity(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	a.showIdentity(rw, r, s, identityView{}, 0)
}

func (a *Adhere) showIdentity(rw http.ResponseWriter, r *http.Request, s registry.Submission, v identityView, status int) {
	v.Bar, v.Identity, v.Mail, v.Address, v.Sent = a.bar(s, "identity"), s.Identity, a.Mail, s.Email(), s.LinkedAt
	v.Base = a.base
	if s.Identity == nil {
		v.Vouches = a.vouches()
	}
	var err error
	if v.Bounced, err = a.Registry.SubmissionBounced(r.Context(), s.ID); err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	p := pages.Page{Template: "identity.html", Title: "identity.title", Status: status, Self: a.base + "/identita", Data: v}
	for _, key := range []string{v.EmailError, v.CodeError} {
		if key != "" {
			p.Notes = []pages.Note{{Kind: "danger", Key: key}}
		}
	}
	a.show(rw, r, p)
}

// askEmail has the link sent, to the address that stands there or, where none does, to
// the one that is typed now.
func (a *Adhere) askEmail(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	fail := func(status int, key string) { a.showIdentity(rw, r, s, identityView{EmailError: key}, status) }
	if !a.Mail {
		fail(http.StatusUnprocessableEntity, "identity.nomail")
		return
	}
	if !a.asked.Try(web.From(r)) {
		rw.Header().Set("Retry-After", "3600")
		fail(http.StatusTooManyRequests, "identity.many")
		return
	}
	if s.Email() == "" {
		f := form{"email": {Name: "email", Most: 254}}
		f.typed(r)
		c := protocol.Contact{Name: "x", Role: protocol.RoleOwner, Email: f["email"].Value}
		if f["email"].Error == "" {
			checkContact(f, c)
		}
		if f["email"].Error != "" || len(s.Contacts) == 0 {
			fail(http.StatusUnprocessableEntity, "wrong.email")
			return
		}
		var ok bool
		if s, ok = a.change(rw, r, s.ID, func(s *registry.Submission) error { s.Contacts[0].Email = c.Email; return nil }); !ok {
			return
		}
	}
	err := a.Registry.AskSubmitter(r.Context(), s.ID, confirmPath+"/", a.Web.Now())
	switch {
	case errors.Is(err, registry.ErrTooMuchMail):
		fail(http.StatusTooManyRequests, "identity.toomuch")
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		a.to(rw, r, "/identita")
	}
}

// setInvitation takes an invitation code of the Comune: on the first page, where it
// begins a submission, or where the identity is asked for.
func (a *Adhere) setInvitation(rw http.ResponseWriter, r *http.Request) {
	s, open, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	fail := func(status int, key string) {
		if open {
			a.showIdentity(rw, r, s, identityView{CodeError: key}, status)
			return
		}
		a.showStart(rw, r, status, key)
	}
	end, may := a.codes.Guess(rw, r)
	if !may {
		fail(http.StatusTooManyRequests, "invite.many")
		return
	}
	defer end()
	typed := r.PostFormValue("code")
	code, err := protocol.ParseCode(typed[:min(len(typed), maxCode)])
	var site string
	var as protocol.Site
	known := false
	if err == nil {
		if site, as, known, err = a.Registry.Invitation(r.Context(), code, a.Web.Now()); err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
	}
	if !known {
		a.codes.Try(web.From(r))
		a.Log.WarnContext(r.Context(), "an invitation code refused", "from", web.From(r))
		fail(http.StatusUnauthorized, "invite.wrong")
		return
	}
	hash := code.Hash()
	set := func(s *registry.Submission) error {
		if s.Changes {
			return nil
		}
		s.SiteID, s.Invitation = site, hash[:]
		s.Identity = &registry.Identity{Trust: protocol.TrustInvitation, At: a.Web.Now()}
		if s.Site.Name == "" {
			s.Site.Name, s.Site.Category = as.Name, as.Category
		}
		if s.Site.Address == "" {
			s.Site.Address = as.Address
		}
		return nil
	}
	a.identified(rw, r, s, protocol.TrustInvitation, set)
}

// confirmPage shows a button: a link alone confirms nothing, since programs that look at
// mail for its reader follow links.
func (a *Adhere) confirmPage(rw http.ResponseWriter, r *http.Request) {
	_, ok, err := a.Registry.SubmissionLink(r.Context(), r.PathValue("token"), a.Web.Now())
	switch {
	case err != nil:
		a.Web.Broken(rw, r, err)
	case !ok:
		a.confirmUsed(rw, r)
	default:
		a.show(rw, r, pages.Page{Template: "confirm.html", Title: "confirm.title", Data: r.URL.Path})
	}
}

func (a *Adhere) confirmUsed(rw http.ResponseWriter, r *http.Request) {
	a.show(rw, r, pages.Page{Template: "confirmused.html", Title: "confirm.title", Status: http.StatusNotFound, Data: a.base})
}

// confirm takes the address for confirmed, and opens the submission in this browser,
// whichever it is: the reader of the address has typed it.
func (a *Adhere) confirm(rw http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	id, ok, err := a.Registry.SubmissionLink(r.Context(), token, a.Web.Now())
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if !ok {
		a.confirmUsed(rw, r)
		return
	}
	if !a.record(rw, r, act.AdhereIdentity, id, map[string]any{"trust": protocol.TrustEmail}) {
		return
	}
	if id, ok, err = a.Registry.ConfirmAddress(r.Context(), token, a.Web.Now()); err == nil && ok {
		err = a.Web.BeginSubmission(r.Context(), rw, id)
	}
	if err == nil && !ok {
		a.confirmUsed(rw, r)
		return
	}
	var s registry.Submission
	if err == nil {
		s, err = a.Registry.Submission(r.Context(), id)
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, a.next(s), http.StatusSeeOther)
}

package adhere

import (
	"errors"
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxCode is the most bytes of a code as typed.
const maxCode = 128

// startView is the first page.
type startView struct {
	Base    string
	Open    bool // a submission is open in this browser
	Next    string
	Bar     bar
	Resume  string // key of what is wrong with the code that was typed to resume
	Invite  string // the same of an invitation code
	Invites bool   // invitation codes are taken
	Notice  string // version of the information notice
	Vouches string // what the provider is called by which one can be recognised; "": there is none
}

func (a *Adhere) start(rw http.ResponseWriter, r *http.Request) { a.showStart(rw, r, 0, "") }

// showStart shows the first page; problem is the key of what ended the way there, ""
// nothing.
func (a *Adhere) showStart(rw http.ResponseWriter, r *http.Request, status int, problem string) {
	if a.Assisted != nil {
		a.showAssisted(rw, r, status, problem)
		return
	}
	s, ok, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	v := startView{Base: a.base, Open: ok, Next: a.base + "/chi", Bar: a.bar(s, ""), Notice: pages.OwnersNotice, Invites: true}
	if s.Identity == nil {
		v.Vouches = a.vouches()
	}
	if ok {
		v.Next = a.next(s)
	}
	p := pages.Page{Template: "start.html", Title: "start.title", Status: status, Self: a.base}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	switch problem { // what stands beside the field
	case "resume.wrong", "resume.many":
		v.Resume, p.Notes = problem, nil
	case "invite.wrong", "invite.many":
		v.Invite, p.Notes = problem, nil
	}
	p.Data = v
	a.show(rw, r, p)
}

// begin keeps a new submission, opens it in the browser, and gives its id; when it
// returns false the answer is written.
func (a *Adhere) begin(rw http.ResponseWriter, r *http.Request, s registry.Submission) (id string, ok bool) {
	if !a.begun.Try(web.From(r)) {
		rw.Header().Set("Retry-After", "3600")
		a.showStart(rw, r, http.StatusTooManyRequests, "start.many")
		return "", false
	}
	id, err := a.Registry.BeginSubmission(r.Context(), s, a.Web.Now())
	if err == nil {
		err = a.Web.BeginSubmission(r.Context(), rw, id)
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return "", false
	}
	return id, true
}

// resume opens a submission with its code, on whatever device.
func (a *Adhere) resume(rw http.ResponseWriter, r *http.Request) {
	end, may := a.codes.Guess(rw, r)
	if !may {
		a.showStart(rw, r, http.StatusTooManyRequests, "resume.many")
		return
	}
	defer end()
	typed := r.PostFormValue("code")
	var id string
	var ok bool
	code, err := protocol.ParseCode(typed[:min(len(typed), maxCode)])
	if err == nil {
		if id, ok, err = a.Registry.SubmissionOf(r.Context(), code); err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
	}
	switch {
	case !ok:
		a.codes.Try(web.From(r))
		a.Log.WarnContext(r.Context(), "a submission's code refused", "from", web.From(r))
		a.showStart(rw, r, http.StatusUnauthorized, "resume.wrong")
	case !a.record(rw, r, act.AdhereResume, id, nil):
	default:
		if err := a.Web.BeginSubmission(r.Context(), rw, id); err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
		s, err := a.Registry.Submission(r.Context(), id)
		if err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
		http.Redirect(rw, r, a.next(s), http.StatusSeeOther)
	}
}

// leave closes the submission in this browser, and keeps it.
func (a *Adhere) leave(rw http.ResponseWriter, r *http.Request) {
	if err := a.Web.EndSubmission(rw, r); err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.to(rw, r, "")
}

// drop throws the submission away.
func (a *Adhere) drop(rw http.ResponseWriter, r *http.Request) {
	s, ok, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if ok && !a.discard(rw, r, s) {
		return
	}
	if err := a.Web.EndSubmission(rw, r); err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if a.Assisted != nil {
		http.Redirect(rw, r, assistedPath, http.StatusSeeOther)
		return
	}
	a.to(rw, r, "")
}

// discard deletes a submission; when it returns false the answer is written. What was
// dictated is withdrawn by its operator, or refused by its owner, on the trail.
func (a *Adhere) discard(rw http.ResponseWriter, r *http.Request, s registry.Submission) bool {
	var err error
	switch {
	case a.Assisted != nil:
		if !a.record(rw, r, act.AssistedCancel, s.ID, nil) {
			return false
		}
		err = a.Registry.CancelAssisted(r.Context(), s.ID, s.Assisted.Operator, a.Web.Now())
	case s.Assisted != nil:
		if !a.recordOwner(rw, r, act.AssistedRefuse, s.ID, *s.Assisted) {
			return false
		}
		err = a.Registry.RefuseAssisted(r.Context(), s.ID, a.Web.Now())
	default:
		err = a.Registry.DropSubmission(r.Context(), s.ID)
	}
	if err != nil && !errors.Is(err, registry.ErrUnknownAssisted) { // gone a moment ago
		a.Web.Broken(rw, r, err)
		return false
	}
	return true
}

// record puts an act on the trail before it is done; when it returns false the answer
// is written, and the act must not go ahead. The actor is the submission, unless
// somebody has signed in.
func (a *Adhere) record(rw http.ResponseWriter, r *http.Request, kind act.Kind, id string, more map[string]any) bool {
	details := map[string]any{"submission": id}
	for k, v := range more {
		details[k] = v
	}
	u, ok := web.User(r.Context())
	if !ok {
		u = registry.User{ID: "submission " + id}
	}
	if err := a.Record(r.Context(), web.Act{Kind: kind, User: u, From: web.From(r), Count: 1, Details: details}); err != nil {
		a.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

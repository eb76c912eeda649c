package adhere

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// summaryView is all that will be recorded, right before the act.
type summaryView struct {
	Bar       bar
	S         registry.Submission
	Category  string
	Position  string
	Cameras   []policeView
	Trust     string // how it is known who adheres, in words
	Missing   []step // steps that are not done
	Notice    string
	Seen      string
	ReadError string
}

func (a *Adhere) summary(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	a.showSummary(rw, r, s, "", "", 0)
}

// showSummary shows it; problem is the key of why it was not recorded.
func (a *Adhere) showSummary(rw http.ResponseWriter, r *http.Request, s registry.Submission, problem, read string, status int) {
	v := a.whole(r, s, "check")
	v.Notice, v.ReadError = pages.OwnersNotice, read
	p := pages.Page{Template: "summary.html", Title: "summary.title", Status: status, Self: a.base + "/riepilogo", Data: v}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	a.show(rw, r, p)
}

// whole is all that was typed, on the page of a step.
func (a *Adhere) whole(r *http.Request, s registry.Submission, step string) summaryView {
	w := a.words(r)
	v := summaryView{Bar: a.bar(s, step), S: s, Cameras: a.police(r, s), Seen: seen(s)}
	if s.Site.Category != "" {
		v.Category = w.T("category." + string(s.Site.Category))
	}
	if s.Place.Placed() {
		v.Position = pointText(s.Place.Point)
	}
	if s.Identity != nil {
		v.Trust = w.T("trust." + string(s.Identity.Trust))
	}
	for _, one := range v.Bar.All {
		if !one.Done && !one.Current {
			one.Href = a.base + a.pathOf(one.Key)
			v.Missing = append(v.Missing, one)
		}
	}
	return v
}

func (a *Adhere) pathOf(key string) string {
	for _, k := range a.steps() {
		if k.key == key {
			return k.path
		}
	}
	return ""
}

// adhere is the act.
func (a *Adhere) adhere(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	v := a.bar(s, "check")
	for _, one := range v.All {
		if !one.Done && !one.Current {
			a.showSummary(rw, r, s, "summary.missing", "", http.StatusUnprocessableEntity)
			return
		}
	}
	switch {
	case r.PostFormValue("notice") != pages.OwnersNotice: // another one was in force when the page was shown
		a.showSummary(rw, r, s, "summary.notice", "", http.StatusConflict)
		return
	case r.PostFormValue("seen") != seen(s): // changed in another window since
		a.showSummary(rw, r, s, "summary.changed", "", http.StatusConflict)
		return
	case r.PostFormValue("read") != "yes":
		a.showSummary(rw, r, s, "summary.read", "summary.read", http.StatusUnprocessableEntity)
		return
	}
	if !a.recordAdhesion(rw, r, s) {
		return
	}
	site, err := a.Registry.Adhere(r.Context(), s.ID, pages.OwnersNotice, a.Web.Now())
	if key := refusal(err); key != "" {
		a.showSummary(rw, r, s, key, "", http.StatusConflict)
		return
	}
	if errors.Is(err, registry.ErrUnknownSubmission) { // pressed twice
		a.showStart(rw, r, http.StatusConflict, "start.done")
		return
	}
	if err == nil {
		a.Log.InfoContext(r.Context(), "a form was recorded", "site", site)
		err = errors.Join(a.Web.EndSubmission(rw, r), a.Web.BeginOwner(r.Context(), rw, site))
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.to(rw, r, "/ricevuta")
}

// refusal is the key of why nothing was recorded; "" for another error, or none.
func refusal(err error) string {
	switch _, fields := errors.AsType[protocol.FieldErrors](err); {
	case errors.Is(err, registry.ErrInvitation):
		return "summary.invitation"
	case errors.Is(err, registry.ErrTakenOver):
		return "summary.taken"
	case errors.Is(err, registry.ErrUnconfirmed):
		return "summary.missing"
	case fields || errors.Is(err, protocol.ErrTooBig):
		return "summary.fields"
	}
	return ""
}

// recordAdhesion puts the act on the trail before it is done.
func (a *Adhere) recordAdhesion(rw http.ResponseWriter, r *http.Request, s registry.Submission) bool {
	more := map[string]any{"cameras": len(s.Cameras), "trust": s.Identity.Trust, "notice": pages.OwnersNotice}
	if s.Assisted != nil && !a.recordOwner(rw, r, act.AssistedConfirm, s.ID, *s.Assisted) {
		return false
	}
	if !s.Changes {
		return a.record(rw, r, act.Adhere, s.ID, more)
	}
	more["site"] = s.SiteID
	return a.record(rw, r, act.AdhereChange, s.ID, more)
}

// modify begins a change of what the owner of a site typed, for an owner who has opened the
// site with its code.
func (a *Adhere) modify(rw http.ResponseWriter, r *http.Request) {
	site, ok, err := a.Web.Owner(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if !ok {
		http.Redirect(rw, r, sitePath, http.StatusSeeOther)
		return
	}
	s, err := a.Registry.SubmissionFrom(r.Context(), site, a.Web.Now())
	switch {
	case errors.Is(err, registry.ErrTakenOver):
		http.Redirect(rw, r, sitePath, http.StatusSeeOther)
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		if _, ok := a.begin(rw, r, s); ok {
			a.to(rw, r, "/riepilogo")
		}
	}
}

// sitePath is the page of the owner's site, which package join has.
const sitePath = "/site"

// seen tells one state of a submission from every other: what is recorded is what was
// shown.
func seen(s registry.Submission) string {
	b, err := json.Marshal(s)
	if err != nil { // it was read from JSON
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

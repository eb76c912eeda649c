package join

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// referentSite is one site for its referent: whom to call about it is the owner's and
// the forces' to see, not theirs.
type referentSite struct {
	registry.OwnSite
	Hidden    bool
	Heard     string
	Shown     []cameraView
	Recorders []string
	Wrong     []problemView
	Requests  []askedView
	MayAnswer bool
	Powers    string // in words, joined
}

// site shows one site.
func (f *Referents) site(rw http.ResponseWriter, r *http.Request) {
	f.showOne(rw, r, http.StatusOK, "")
}

// showOne shows it; problem is the key of what was wrong with an answer, "" nothing.
func (f *Referents) showOne(rw http.ResponseWriter, r *http.Request, status int, problem string) {
	id := r.PathValue("id")
	powers, err := f.powers(r, id)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	if len(powers) == 0 {
		f.missing(rw, r)
		return
	}
	v, err := f.oneSite(r, id, powers)
	if errors.Is(err, registry.ErrUnknownSite) { // withdrawn a moment ago
		f.missing(rw, r)
		return
	}
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	p := pages.Page{Template: "referent_site.html", Title: "referent.site", Status: status, Self: ReferentPath + "/sites/" + id, Data: v}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	f.show(rw, r, p)
}

// oneSite reads a site for a referent with these powers. Requests that are open are
// seen by a person, where that person may answer them.
func (f *Referents) oneSite(r *http.Request, id string, powers map[protocol.Power]protocol.Delegation) (v referentSite, err error) {
	own, err := f.Registry.Own(r.Context(), id)
	if err != nil {
		return v, err
	}
	own.Contacts = nil
	words, now := f.words(r), f.web.Now()
	_, v.MayAnswer = powers[protocol.MayAnswer]
	v.OwnSite, v.Hidden, v.Heard = own, own.State == registry.Suspended, heardWords(words, own.SiteSummary)
	v.Shown = view(words, own, now).Shown
	wrong, err := f.Registry.Wrong(r.Context(), id, now)
	if err != nil {
		return v, err
	}
	v.Wrong = problems(words, wrong)
	h, err := f.Registry.History(r.Context(), id, now)
	if err != nil {
		return v, err
	}
	for _, eras := range h.Recorders {
		k := eras[len(eras)-1].Value
		name := strings.Join(slices.DeleteFunc([]string{k.Name, protocol.MakerModel(k.Vendor, k.Model)}, func(s string) bool { return s == "" }), ", ")
		if name != "" && !slices.Contains(v.Recorders, name) {
			v.Recorders = append(v.Recorders, name)
		}
	}
	slices.Sort(v.Recorders)
	var may []string
	for _, p := range []protocol.Power{protocol.MayPrepare, protocol.MayApprove, protocol.MayAnswer} {
		if _, ok := powers[p]; ok {
			may = append(may, words.T("referent.power."+string(p)))
		}
	}
	v.Powers = strings.Join(may, ", ")
	if v.MayAnswer {
		v.Requests, err = f.requests(r, own)
		return v, err
	}
	asked, err := f.Registry.AskedOf(r.Context(), id)
	for _, a := range asked {
		v.Requests = append(v.Requests, viewAsked(words, own, a))
	}
	return v, err
}

// answer takes what a referent says about a request, in their own name.
func (f *Referents) answer(rw http.ResponseWriter, r *http.Request) {
	id, u := r.PathValue("id"), referentOf(r)
	d, ok, err := f.may(r, id, protocol.MayAnswer)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	if !ok {
		f.showOne(rw, r, http.StatusForbidden, "answer.power")
		return
	}
	asked, err := f.Registry.AskedOf(r.Context(), id)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	i := slices.IndexFunc(asked, func(a registry.OwnAsked) bool { return a.NoticeID == r.PathValue("notice") })
	p := protocol.Reply{NoticeID: r.PathValue("notice"), State: protocol.ReplyState(r.PostFormValue("state")), At: f.web.Now(),
		By: f.words(r).T("referent.by", "name", u.Name), Note: strings.TrimSpace(r.PostFormValue("note"))}
	switch {
	case i < 0:
		f.showOne(rw, r, http.StatusNotFound, "referent.gone")
	case !slices.Contains(said, p.State), p.State == protocol.ReplyRefused && asked[i].Draft.Asked.Kind != protocol.Invitation:
		f.showOne(rw, r, http.StatusUnprocessableEntity, "answer.state")
	case !fits(p.Note, maxNote):
		f.showOne(rw, r, http.StatusUnprocessableEntity, "referent.note")
	case !f.act(rw, r, act.ReferentReply, 1, map[string]any{"site": id, "notice": p.NoticeID, "delegation": d.ID}):
	default:
		err := f.Registry.ReplyAsOwner(r.Context(), id, p)
		if errors.Is(err, registry.ErrUnknownNotice) {
			f.showOne(rw, r, http.StatusNotFound, "referent.gone")
			return
		}
		if err != nil {
			f.web.Broken(rw, r, err)
			return
		}
		http.Redirect(rw, r, ReferentPath+"/sites/"+id+"#asked-"+p.NoticeID, http.StatusSeeOther)
	}
}

// act puts an act on the trail before it is done; when it returns false the answer is
// written, and the act must not go ahead.
func (f *Referents) act(rw http.ResponseWriter, r *http.Request, kind act.Kind, count int, details any) bool {
	if err := f.Record(r.Context(), web.Act{Kind: kind, User: referentOf(r), From: web.From(r), Count: count, Details: details}); err != nil {
		f.web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

func referentOf(r *http.Request) registry.User {
	u, _ := web.User(r.Context())
	return u
}

// delegationRow is a delegation as its referent sees it.
type delegationRow struct {
	protocol.Delegation
	Organisation string
	May          string // in words
	State        string // "now", "later", "over", "revoked"
}

// delegations shows who gave the referent which power, by which rule and until when.
func (f *Referents) delegations(rw http.ResponseWriter, r *http.Request) {
	given, err := f.Registry.DelegatedTo(r.Context(), referentOf(r).ID)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	words, now, names := f.words(r), f.web.Now(), make(map[string]string)
	var all []delegationRow
	for _, d := range given {
		if _, known := names[d.OrganisationID]; !known {
			o, err := f.Registry.Organisation(r.Context(), d.OrganisationID)
			if err != nil {
				f.web.Broken(rw, r, err)
				return
			}
			names[d.OrganisationID] = o.Name
		}
		row := delegationRow{Delegation: d, Organisation: names[d.OrganisationID], State: "now"}
		var may []string
		for _, p := range d.Powers {
			may = append(may, words.T("referent.power."+string(p)))
		}
		row.May = strings.Join(may, ", ")
		switch {
		case !d.RevokedAt.IsZero():
			row.State = "revoked"
		case !now.Before(d.Until):
			row.State = "over"
		case now.Before(d.From):
			row.State = "later"
		}
		all = append(all, row)
	}
	f.show(rw, r, pages.Page{Template: "referent_delegations.html", Title: "delegations.title", Data: all})
}

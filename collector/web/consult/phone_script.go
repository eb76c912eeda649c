package consult

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// script is what an officer reads aloud to an owner.
type script struct{ Who, What, Where, Rule, Check, Then string }

func (c *Consult) script(w *pages.Words, u officer, s sent, d registry.Draft) script {
	p := d.Asked
	x := script{Who: w.T("script.who", "from", u.asWritten(), "site", d.Name), What: w.T("script.what."+string(p.Kind), "from", w.DateTime(p.Start), "to", w.DateTime(p.End)),
		Rule: w.T("script.rule." + string(p.Kind)), Check: w.T("script.check", "page", c.CheckURL, "code", p.CheckCode, "force", s.Force), Then: w.T("script.then")}
	var cameras []string
	for _, k := range camerasWords(w, d) {
		cameras = append(cameras, w.T("script.camera", "name", k.Name, "recorder", k.Recorder, "ask", k.Told))
	}
	x.Where = strings.Join(cameras, " ")
	return x
}

// letter is the text of a PEC, which the officers send from their own address.
type letter struct{ Subject, Text string }

func (c *Consult) letter(w *pages.Words, d registry.Draft) *letter {
	p := d.Asked
	var b strings.Builder
	line := func(key string, pairs ...any) { b.WriteString(w.T(key, pairs...) + "\n") }
	line("pec.to", "site", d.Name, "address", d.Address)
	line("pec.who", "from", p.From)
	line("pec.what."+string(p.Kind), "from", w.DateTime(p.Start), "to", w.DateTime(p.End))
	for _, k := range camerasWords(w, d) {
		line("pec.camera", "name", k.Name, "recorder", k.Recorder, "ask", k.Told)
	}
	if p.Reference != "" {
		line("pec.reference", "reference", p.Reference)
	}
	if p.Phone != "" {
		line("pec.phone", "phone", p.Phone)
	}
	line("pec.rule." + string(p.Kind))
	line("pec.check", "page", c.CheckURL, "code", p.CheckCode)
	line("pec.answer")
	return &letter{w.T("pec.subject", "reference", p.Reference), b.String()}
}

// contactsView is what the template "callees" reads.
type contactsView struct {
	Request, SiteID string
	Case            string
	N               int
	LeftOut         bool // the technical referent is not to know
	Gone            bool // the site has withdrawn
	Shown           bool
	Contacts        []registry.Contact
	Hidden          int // referents that are not shown
}

// show puts the contacts into the order in which they are called: one that answers
// 24 hours first. A referent that was left out is not shown.
func (v *contactsView) show(contacts []registry.Contact) {
	v.Shown = true
	for _, c := range contacts {
		if v.LeftOut && c.Role == protocol.RoleReferent {
			v.Hidden++
			continue
		}
		v.Contacts = append(v.Contacts, c)
	}
	slices.SortStableFunc(v.Contacts, func(a, b registry.Contact) int { return rank(a) - rank(b) })
}

func rank(c registry.Contact) int {
	switch {
	case c.Phone == "":
		return 2
	case c.Role == protocol.RoleControlRoom:
		return 0
	}
	return 1
}

// calleeBody is what the trail keeps, sealed, of contacts that were revealed to be
// called about a request.
type calleeBody struct {
	whyBody
	Site    string   `json:"site_id"`
	Request string   `json:"request_id"`
	Fields  []string `json:"fields"`
}

// calleeRecord is the body of their record in the case.
type calleeRecord struct {
	jsonSite
	Request string    `json:"request_id"`
	Trail   jsonProof `json:"trail"`
}

// callees shows the contacts of a site that was asked: one entry on the trail, of
// the kind "reveal".
func (c *Consult) callees(w http.ResponseWriter, r *http.Request) {
	u, err := c.officer(r)
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return
	}
	s, err := c.readSent(r.Context(), r.PathValue("id"), u)
	if err != nil {
		c.failRequest(w, r, err)
		return
	}
	switch { // s.of is as it stands: what is done in it is its forces' to answer for
	case s.of.ID == "":
		c.fail(w, r, http.StatusNotFound, "error.case.unknown", nil)
		return
	case !s.of.ClosedAt.IsZero():
		c.refuseClosed(w, r, s.of)
		return
	}
	site := r.PostForm.Get("site")
	n := slices.IndexFunc(s.asked, func(a registry.Asked) bool { return a.Notice.SiteID == site })
	if n < 0 {
		c.fail(w, r, http.StatusUnprocessableEntity, "error.reveal.foreign", nil)
		return
	}
	entry := u.entry(c.Now(), act.Reveal, s.CaseID, 0, calleeBody{whyOf(s.of, u), site, s.ID, contactFields})
	found, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) ([]registry.Contact, int, any, error) {
		found, err := c.Registry.Contacts(ctx, []string{site})
		return found[site], len(found[site]), []string{site}, err
	})
	if err == nil {
		d := s.draft(s.asked[n])
		name := d.Name
		b := brief{Site: site, Name: name, Words: c.inWords(func(w *pages.Words) string { return name + " · " + w.N("done.contacts", len(found)) })}
		err = c.remember(r.Context(), entry, proof, b, calleeRecord{jsonSite{site, name, d.Trust, contactsJSON(found)}, s.ID, jsonProof{proof.Index, string(proof.Checkpoint)}})
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "reveal refused", "err", err)
		c.fail(w, r, http.StatusServiceUnavailable, "error.unrevealed", nil)
		return
	}
	if r.Header.Get("HX-Request") == "" {
		c.showRequest(w, r, u, s, site, found)
		return
	}
	v := contactsView{Request: s.ID, SiteID: site, Case: s.CaseID, N: n + 1, LeftOut: s.asked[n].ByPhone}
	v.show(found)
	c.set.Fragment(w, r, "request.html", "callees", v)
}

// asSearched returns clockWords what it reads of a draft's camera.
func asSearched(k registry.DraftCamera) search.Result {
	return search.Result{Clock: k.Clock, ClockFrom: k.ClockFrom, ClockUntil: k.ClockUntil, Schedule: protocol.Schedule{Zone: k.Zone}}
}

package consult

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/paper"
	"anagrafe/collector/pdf"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/protocol/pages"
)

// patrol gives the sheet of chosen sites in walking order, as a page or as a file:
// one entry on the trail each time. Whom to ask for stands on it only where the
// contacts were opened before. It is kept nowhere.
func (c *Consult) patrol(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	sites, key := chosenOrOpened(r.PostForm, ans)
	if key != "" {
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, key)
		return
	}
	k, _, err := c.caseOf(r.Context(), ans, u.User)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	d := c.patrolSheet(u, ans, sites).Document(c.set.Words(pages.It))
	file, err := pdf.Write(d)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	e := u.entry(c.Now(), act.Patrol, k.ID, len(sites), struct {
		whyBody
		Sites []string `json:"site_ids"`
	}{ans.question.why(u), sites})
	proof, err := c.Trail.Append(r.Context(), e)
	if err == nil {
		err = c.remember(r.Context(), e, proof, brief{Words: c.inWords(func(w *pages.Words) string { return w.N("patrol.done", len(sites)) })}, d)
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "sheet refused", "err", err)
		c.refuseReveal(w, r, ans, http.StatusServiceUnavailable, "error.unanswered")
		return
	}
	if r.PostForm.Get("as") == "pdf" {
		sendFile(w, "application/pdf", "pattuglia.pdf", file)
		return
	}
	page := c.page(r, "paper.html", "patrol.title", http.StatusOK, nil)
	page.Wide, page.Scripts = false, nil
	page.Data = paperView{Band: c.band(k, u.User), Blocks: d.Content, Foot: d.Footer, Patrol: carried([]hiddenField{{"search", ans.id}}, sites)}
	c.set.Render(w, r, page)
}

// patrolSheet fills the sheet in. The patrol starts where it happened; for an area
// or a route, at the first site of the list.
func (c *Consult) patrolSheet(u officer, ans *answer, sites []string) paper.Patrol {
	k := ans.question.Case
	p := paper.Patrol{Made: exactSecond(c.Now()), Force: u.Force, By: u.Name, Reference: paper.CaseRef{ID: k.ID, Kind: k.Kind, Ref: k.Ref},
		Place: whereOf(c.set.Words(pages.It), ans.question)}
	opened := ans.revealed()
	for _, id := range sites {
		s := siteOn(ans, id)
		stop := paper.Stop{Name: s.Name, Address: s.Address, Point: firstOf(ans, id).Camera.Position.Point, Cameras: s.Cameras,
			Origin: originAt(c.set.Words(pages.It), ans, id, firstOf(ans, id).Trust).Text}
		var contacts []registry.Contact
		contacts, stop.Revealed = opened[id]
		for _, contact := range contacts {
			stop.Contacts = append(stop.Contacts, contact.Contact)
		}
		p.Stops = append(p.Stops, stop)
	}
	start := ans.question.Point
	if !start.Placed() {
		start = p.Stops[0].Point
	}
	return p.Ordered(start)
}

// firstOf is the first row of a site that was shown.
func firstOf(ans *answer, site string) search.Result { return ans.results[firstRow(ans, site)-1] }

package consult

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

const (
	// usualMargin is what is asked for beyond both ends of the searched interval, in
	// minutes: people's clocks are wrong too.
	usualMargin = 5
	maxMargin   = 120 // minutes
)

var margins = []int{0, 5, 10, 15, 30, 60}

// askForm is a request as it is put together from an answer, before it is sent.
type askForm struct {
	ans           *answer
	kind          protocol.RequestKind
	phone         string
	before, after int      // minutes
	listed        []string // site ids, in the order of the answer
	ticked        map[string]bool
	leftOut       map[string]bool // sites whose technical referent is not to know
	errors        []fieldError
}

func (q *askForm) fail(field, key string) {
	q.errors = append(q.errors, fieldError{Field: field, Key: key})
}

// wrong gives the word's key for a field, "" when it is well.
func (q *askForm) wrong(field string) string {
	for _, e := range q.errors {
		if e.Field == field {
			return e.Key
		}
	}
	return ""
}

// firstAsking is what the page shows first: the sites that were ticked, the only
// one whose button was pressed, or else all that see or may see the place and may
// still hold the footage, of which those known by an e-mail address alone are not
// ticked: who has one may be anybody.
func firstAsking(form url.Values, ans *answer) (*askForm, string) {
	q := &askForm{ans: ans, kind: protocol.Invitation, before: usualMargin, after: usualMargin, ticked: map[string]bool{}, leftOut: map[string]bool{}}
	if form.Has("site") || form.Has("only") {
		sites, key := chosen(form, ans)
		if key != "" {
			return nil, key
		}
		for _, site := range sites {
			q.ticked[site] = true
		}
		q.listed = sites
		return q, ""
	}
	for _, r := range ans.all() {
		if r.Class == search.ClassA && r.Camera.ID != "" && !slices.Contains(q.listed, r.SiteID) && len(q.listed) < maxRevealed {
			q.listed = append(q.listed, r.SiteID)
			q.ticked[r.SiteID] = !protocol.Trust(r.Trust).AddressOnly()
		}
	}
	if len(q.listed) == 0 {
		return nil, "error.ask.none"
	}
	return q, ""
}

// readAsking understands the posted page.
func readAsking(form url.Values, ans *answer) *askForm {
	q := &askForm{ans: ans, kind: protocol.RequestKind(form.Get("kind")), phone: strings.TrimSpace(form.Get("phone")), ticked: map[string]bool{}, leftOut: map[string]bool{}}
	for _, site := range form["listed"] {
		if ans.has(site) && !slices.Contains(q.listed, site) && len(q.listed) < maxRevealed {
			q.listed = append(q.listed, site)
		}
	}
	for _, site := range form["site"] {
		q.ticked[site] = slices.Contains(q.listed, site)
	}
	for _, site := range form["left_out"] {
		q.leftOut[site] = true
	}
	if len(q.chosen()) == 0 {
		q.fail("site", "error.ask.site")
	}
	if q.kind != protocol.Invitation && q.kind != protocol.Order {
		q.fail("kind", "error.request.kind")
	}
	for name, into := range map[string]*int{"before": &q.before, "after": &q.after} {
		n, err := strconv.Atoi(form.Get(name))
		if *into = n; err != nil || n < 0 || n > maxMargin {
			*into = usualMargin
			q.fail(name, "error.ask.margin")
		}
	}
	if len(q.errors) == 0 {
		for _, site := range q.chosen() {
			if p := q.preserve(site); !p.End.After(p.Start) {
				q.fail("before", "error.ask.moment")
				break
			}
		}
	}
	return q
}

// chosen are the sites that are ticked, in the order of the answer.
func (q *askForm) chosen() (sites []string) {
	for _, site := range q.listed {
		if q.ticked[site] {
			sites = append(sites, site)
		}
	}
	return sites
}

// preserve is what a site is asked: for all its cameras in the best class that one
// of them is in, from the first moment that matters to the last. A field that is
// wrong is left out, so that the page can be shown again.
func (q *askForm) preserve(site string) protocol.Preserve {
	var best search.Class
	p := protocol.Preserve{Kind: protocol.Invitation}
	if q.wrong("kind") == "" {
		p.Kind = q.kind
	}
	if q.wrong("phone") == "" {
		p.Phone = q.phone
	}
	for _, r := range q.ans.all() {
		switch {
		case r.SiteID != site || len(p.CameraIDs) > 0 && r.Class != best:
			continue
		case len(p.CameraIDs) == 0:
			best, p.Start, p.End = r.Class, r.From, r.Until
		}
		if r.From.Before(p.Start) {
			p.Start = r.From
		}
		if r.Until.After(p.End) {
			p.End = r.Until
		}
		p.CameraIDs = append(p.CameraIDs, r.CameraID)
	}
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	p.Start, p.End = p.Start.Add(-minutes(q.before)), p.End.Add(minutes(q.after))
	return p
}

// drafts are what the sites would be sent; a site that has withdrawn what is asked
// for is left out.
func (c *Consult) drafts(ctx context.Context, q *askForm, u registry.User, k registry.Case, sites []string) (all []registry.Draft, err error) {
	for _, site := range sites {
		p := q.preserve(site)
		p.From, p.Reference = asksAs(u), c.reference(k)
		some, err := c.Registry.DraftRequest(ctx, p, c.Now())
		if errors.Is(err, registry.ErrUnknownCamera) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, d := range some {
			d.ByPhone = q.leftOut[site] && d.Reach.Referents > 0
			all = append(all, d)
		}
	}
	return all, nil
}

// reference is what the owner is to quote. Owners get it in Italian.
func (c *Consult) reference(k registry.Case) string {
	return strings.TrimSpace(c.set.Words(pages.It).T("case.kind."+k.Kind) + " " + k.Ref)
}

// askPage shows what would be sent to whom, and how. It tells nothing of the
// register that the search did not, but by how many ways a site can be told.
func (c *Consult) askPage(w http.ResponseWriter, r *http.Request) {
	u, _, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	q, key := firstAsking(r.PostForm, ans)
	if key != "" {
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, key)
		return
	}
	c.showAsking(w, r, q, u, http.StatusOK)
}

func (c *Consult) showAsking(w http.ResponseWriter, r *http.Request, q *askForm, u registry.User, status int, notes ...pages.Note) {
	k, _, err := c.caseOf(r.Context(), q.ans, u)
	if err == nil {
		var all []registry.Draft
		if all, err = c.drafts(r.Context(), q, u, k, q.listed); err == nil {
			p := c.page(r, "preserve.html", "ask.title", status, notes)
			p.Wide, p.Scripts, p.Styles = false, nil, append(p.Styles, "requests.css")
			p.Data = c.askView(c.words(r), q, u, k, all)
			c.set.Render(w, r, p)
			return
		}
	}
	c.Log.ErrorContext(r.Context(), "request not drafted", "err", err)
	c.refuseReveal(w, r, q.ans, http.StatusServiceUnavailable, "error.ask.undrafted")
}

// mayOrder tells whether the user may order to preserve (art. 354 c.p.p.): an
// ufficiale di polizia giudiziaria, or the PM. An agente in urgent need (art. 113
// disp. att.) is not offered it here.
func mayOrder(u registry.User) bool {
	return u.Qualification == registry.Ufficiale || u.Qualification == registry.PM
}

// sendAsking sends what the page has put together.
func (c *Consult) sendAsking(w http.ResponseWriter, r *http.Request) {
	u, recipient, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	q := readAsking(r.PostForm, ans)
	if q.kind == protocol.Order && !mayOrder(u) {
		q.fail("kind", "error.request.order")
	}
	if len(q.errors) > 0 {
		c.showAsking(w, r, q, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Text: c.words(r).N("form.wrong", len(q.errors))})
		return
	}
	k, ok, err := c.caseOf(r.Context(), ans, u)
	if err == nil && !ok {
		err = registry.ErrUnknownCase
	}
	var all []registry.Draft
	if err == nil {
		all, err = c.drafts(r.Context(), q, u, k, q.chosen())
	}
	fields, bad := errors.AsType[protocol.FieldErrors](err)
	switch {
	case bad && fields[0].Field == "phone":
		q.fail("phone", "error.ask.phone")
		c.showAsking(w, r, q, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Text: c.words(r).N("form.wrong", 1)})
		return
	case err == nil && len(all) < len(q.chosen()):
		err = registry.ErrUnknownCamera
	}
	var done jsonRequest
	if err == nil {
		done, err = c.send(r, outgoing{u, recipient, k.ID, whyIn(k, ans.asked.Reason, ans.asked.Offence, u, web.From(r)), all})
	}
	switch {
	case errors.Is(err, registry.ErrUnknownCamera):
		c.showAsking(w, r, q, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "error.ask.gone"})
	case err != nil:
		c.Log.ErrorContext(r.Context(), "request refused", "err", err)
		c.showAsking(w, r, q, u, http.StatusServiceUnavailable, pages.Note{Kind: "danger", Key: "error.request.unasked"})
	default:
		pages.SecureHeaders(w.Header())
		http.Redirect(w, r, "/requests/"+done.Request, http.StatusSeeOther)
	}
}

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

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
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

// preserveForm is a request as it is put together from an answer, before it is sent.
type preserveForm struct {
	ans           *answer
	once          uuid.UUID // of the page as it was first shown
	kind          protocol.RequestKind
	phone         string
	before, after int      // minutes
	listed        []string // site ids, in the order of the answer
	ticked        map[string]bool
	leftOut       map[string]bool // sites whose technical referent is not to know
	errors        []fieldError
}

func (f *preserveForm) fail(field, key string) {
	f.errors = append(f.errors, fieldError{Field: field, Key: key})
}

// wrong returns the word's key for a field, "" when it is well.
func (f *preserveForm) wrong(field string) string {
	for _, e := range f.errors {
		if e.Field == field {
			return e.Key
		}
	}
	return ""
}

// firstPreserveForm is what the page shows first: the sites that were ticked, the only
// one whose button was pressed, or else all that see or may see the place and may
// still hold the footage, of which those known by an e-mail address alone are not
// ticked: anybody can have one.
func firstPreserveForm(form url.Values, ans *answer) (*preserveForm, string) {
	f := &preserveForm{ans: ans, once: uuid.New(), kind: protocol.Invitation, before: usualMargin, after: usualMargin, ticked: map[string]bool{}, leftOut: map[string]bool{}}
	if form.Has("site") || form.Has("only") {
		sites, key := chosen(form, ans)
		if key != "" {
			return nil, key
		}
		for _, site := range sites {
			f.ticked[site] = true
		}
		f.listed = sites
		return f, ""
	}
	for _, r := range ans.results {
		if r.Class == search.ClassA && r.Camera.ID != "" && !slices.Contains(f.listed, r.SiteID) && len(f.listed) < maxRevealed {
			f.listed = append(f.listed, r.SiteID)
			f.ticked[r.SiteID] = !protocol.Trust(r.Trust).AddressOnly()
		}
	}
	if len(f.listed) == 0 {
		return nil, "error.preserve.none"
	}
	return f, ""
}

// readPreserveForm understands the posted page.
func readPreserveForm(form url.Values, ans *answer) *preserveForm {
	f := &preserveForm{ans: ans, kind: protocol.RequestKind(form.Get("kind")), phone: strings.TrimSpace(form.Get("phone")), ticked: map[string]bool{}, leftOut: map[string]bool{}}
	var err error
	if f.once, err = uuid.Parse(form.Get("once")); err != nil {
		f.once = uuid.New()
	}
	for _, site := range form["listed"] {
		if ans.has(site) && !slices.Contains(f.listed, site) && len(f.listed) < maxRevealed {
			f.listed = append(f.listed, site)
		}
	}
	for _, site := range form["site"] {
		f.ticked[site] = slices.Contains(f.listed, site)
	}
	for _, site := range form["left_out"] {
		f.leftOut[site] = true
	}
	if len(f.chosen()) == 0 {
		f.fail("site", "error.preserve.site")
	}
	if f.kind != protocol.Invitation && f.kind != protocol.Order {
		f.fail("kind", "error.request.kind")
	}
	for name, into := range map[string]*int{"before": &f.before, "after": &f.after} {
		n, err := strconv.Atoi(form.Get(name))
		if *into = n; err != nil || n < 0 || n > maxMargin {
			*into = usualMargin
			f.fail(name, "error.preserve.margin")
		}
	}
	if len(f.errors) == 0 {
		for _, site := range f.chosen() {
			if p := f.preserve(site); !p.End.After(p.Start) {
				f.fail("before", "error.preserve.moment")
				break
			}
		}
	}
	return f
}

// chosen are the sites that are ticked, in the order of the answer.
func (f *preserveForm) chosen() (sites []string) {
	for _, site := range f.listed {
		if f.ticked[site] {
			sites = append(sites, site)
		}
	}
	return sites
}

// preserve is what a site is asked: for all its cameras in the best class that one
// of them is in, from the first moment that matters to the last. A field that is
// wrong is left out, so that the page can be shown again.
func (f *preserveForm) preserve(site string) protocol.Preserve {
	var best search.Class
	p := protocol.Preserve{Kind: protocol.Invitation}
	if f.wrong("kind") == "" {
		p.Kind = f.kind
	}
	if f.wrong("phone") == "" {
		p.Phone = f.phone
	}
	for _, r := range f.ans.results {
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
	p.Start, p.End = p.Start.Add(-minutes(f.before)), p.End.Add(minutes(f.after))
	return p
}

// drafts are what the sites would be sent; a site that has withdrawn what is asked
// for is left out.
func (c *Consult) drafts(ctx context.Context, f *preserveForm, u officer, k registry.Case, sites []string) (all []registry.Draft, err error) {
	for _, site := range sites {
		p := f.preserve(site)
		p.From, p.Reference = u.asWritten(), c.reference(k)
		some, err := c.Registry.DraftRequest(ctx, p, c.Now())
		if errors.Is(err, registry.ErrUnknownCamera) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, d := range some {
			d.ByPhone = f.leftOut[site] && d.Reach.Referents > 0
			all = append(all, d)
		}
	}
	return all, nil
}

// reference is what the owner is to quote. Owners get it in Italian.
func (c *Consult) reference(k registry.Case) string {
	return strings.TrimSpace(c.set.Words(pages.It).T("case.kind."+k.Kind) + " " + k.Ref)
}

// preservePage shows what would be sent to whom, and how. It tells nothing of the
// register that the search did not, but by how many ways a site can be told.
func (c *Consult) preservePage(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	f, key := firstPreserveForm(r.PostForm, ans)
	if key != "" {
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, key)
		return
	}
	c.showPreserve(w, r, f, u, http.StatusOK)
}

func (c *Consult) showPreserve(w http.ResponseWriter, r *http.Request, f *preserveForm, u officer, status int, notes ...pages.Note) {
	k, _, err := c.caseOf(r.Context(), f.ans, u.User)
	if err == nil {
		var all []registry.Draft
		if all, err = c.drafts(r.Context(), f, u, k, f.listed); err == nil {
			p := c.page(r, "preserve.html", "preserve.title", status, notes)
			p.Wide, p.Scripts, p.Styles = false, nil, append(p.Styles, "requests.css")
			p.Data = c.preserveView(c.words(r), f, u, k, all)
			c.set.Render(w, r, p)
			return
		}
	}
	c.Log.ErrorContext(r.Context(), "request not drafted", "err", err)
	c.refuseReveal(w, r, f.ans, http.StatusServiceUnavailable, "error.preserve.undrafted")
}

// sendPreserve sends what the page has put together, once.
func (c *Consult) sendPreserve(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	f := readPreserveForm(r.PostForm, ans)
	if f.kind == protocol.Order && !u.mayOrder() {
		f.fail("kind", "error.request.order")
	}
	if len(f.errors) > 0 {
		c.showPreserve(w, r, f, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Text: c.words(r).N("form.wrong", len(f.errors))})
		return
	}
	k, ok, err := c.caseOf(r.Context(), ans, u.User)
	if err == nil && !ok {
		err = registry.ErrUnknownCase
	}
	var all []registry.Draft
	if err == nil {
		all, err = c.drafts(r.Context(), f, u, k, f.chosen())
	}
	fields, bad := errors.AsType[protocol.FieldErrors](err)
	switch {
	case bad && fields[0].Field == "phone":
		f.fail("phone", "error.preserve.phone")
		c.showPreserve(w, r, f, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Text: c.words(r).N("form.wrong", 1)})
		return
	case err == nil && len(all) < len(f.chosen()):
		err = registry.ErrUnknownCamera
	}
	id := uuid.NewSHA1(f.once, []byte(r.PostForm.Encode())).String()
	if err == nil && !c.wasSent(r, id, u) {
		_, err = c.send(r, outgoing{u, id, k.ID, whyIn(k, ans.question.Reason, ans.question.Offence, u), all})
	}
	switch {
	case err == nil || c.wasSent(r, id, u):
		pages.SecureHeaders(w.Header())
		http.Redirect(w, r, "/requests/"+id, http.StatusSeeOther)
	case errors.Is(err, registry.ErrUnknownCamera):
		c.showPreserve(w, r, f, u, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "error.preserve.gone"})
	default:
		c.Log.ErrorContext(r.Context(), "request refused", "err", err)
		c.showPreserve(w, r, f, u, http.StatusServiceUnavailable, pages.Note{Kind: "danger", Key: "error.request.unasked"})
	}
}

// wasSent reports whether a request is there already. Its id is made of what the page
// says and of which page it is, so that what is posted twice, by a double click or
// after a failure that left open whether it was recorded, is one request, and a page
// that was changed meanwhile another. One that cannot be read counts as not sent: the
// register takes each id once.
func (c *Consult) wasSent(r *http.Request, id string, u officer) bool {
	_, _, ok, err := c.Registry.Request(r.Context(), id, u.Force)
	return ok && err == nil
}

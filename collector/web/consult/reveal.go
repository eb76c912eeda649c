package consult

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// revealBody is what the trail keeps of a reveal, sealed.
type revealBody struct {
	whyBody
	Site   string   `json:"site_id"`
	Search int64    `json:"search_index"` // the search's own entry
	Fields []string `json:"fields"`       // what an answer shows of each contact
}

var contactFields = []string{"name", "role", "phone", "email", "pec", "hours"}

// named returns the officer who posts, and the answer of
// theirs that the form names; false: it was refused, and they are told.
func (c *Consult) named(w http.ResponseWriter, r *http.Request) (u officer, ans *answer, ok bool) {
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusBadRequest, "error.body", err)
		return u, nil, false
	}
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return u, nil, false
	}
	if ans, ok = c.find(r, r.PostForm.Get("search"), u.ID); !ok {
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return u, ans, false
	}
	switch k, ok, err := c.caseOf(r.Context(), ans, u.User); {
	case err != nil:
		c.broken(w, r, err)
	case !ok: // not shared any more, or destroyed
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
	case !k.ClosedAt.IsZero():
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, "error.case.closed")
	default:
		return u, ans, true
	}
	return u, ans, false
}

// reveal shows the contacts of chosen sites of a search: one entry on the trail
// for each of them, and none is shown unless all are on it.
func (c *Consult) reveal(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	sites, key := chosen(r.PostForm, ans)
	if key != "" {
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, key)
		return
	}
	proofs, err := c.revealAll(r.Context(), u, ans, sites)
	if err != nil {
		c.Log.ErrorContext(r.Context(), "reveal refused", "err", err)
		c.refuseReveal(w, r, ans, http.StatusServiceUnavailable, "error.unrevealed")
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(w, http.StatusOK, revealJSON(ans, sites, proofs))
		return
	}
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, rowURL(r, ans, "#n", sites[0]), http.StatusSeeOther)
}

// chosen returns the sites that were ticked, or the only one whose button was
// pressed, and a word's key when they cannot be revealed.
func chosen(form url.Values, ans *answer) (sites []string, key string) {
	sites = form["site"]
	if form.Has("only") {
		sites = form["only"]
	}
	sites = slices.Compact(slices.Sorted(slices.Values(sites)))
	switch {
	case len(sites) == 0:
		return nil, "error.reveal.none"
	case len(sites) > maxRevealed:
		return nil, "error.reveal.many"
	}
	for _, site := range sites {
		if !ans.has(site) {
			return nil, "error.reveal.foreign"
		}
	}
	// In the order of the list: the first is where the page opens again.
	slices.SortFunc(sites, func(a, b string) int { return firstRow(ans, a) - firstRow(ans, b) })
	return sites, ""
}

// firstRow is the number of a site's first row that was shown, 0: none.
func firstRow(ans *answer, site string) int {
	for i, r := range ans.results {
		if r.SiteID == site && r.Camera.ID != "" {
			return i + 1
		}
	}
	return 0
}

// revealAll writes one entry and one record of the case a site, all at once so that
// they share a commit, and keeps the contacts with the answer.
func (c *Consult) revealAll(ctx context.Context, u officer, ans *answer, sites []string) ([]trail.Proof, error) {
	now := c.Now()
	contacts := make([][]registry.Contact, len(sites))
	proofs := make([]trail.Proof, len(sites))
	g, ctx := errgroup.WithContext(ctx)
	for i, site := range sites {
		one := u.entry(now, act.Reveal, ans.question.Case.ID, 0, revealBody{whyBody: ans.question.why(u), Site: site, Search: ans.proof.Index, Fields: contactFields})
		g.Go(func() (err error) {
			contacts[i], proofs[i], err = trail.Answer(ctx, c.Trail, one, func(ctx context.Context) ([]registry.Contact, int, any, error) {
				found, err := c.Registry.Contacts(ctx, []string{site})
				return found[site], len(found[site]), []string{site}, err
			})
			if err != nil {
				return err
			}
			return c.rememberReveal(ctx, one, proofs[i], ans, site, contacts[i])
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("reveal contacts: %w", err)
	}
	for i, site := range sites {
		ans.reveal(site, contacts[i])
	}
	return proofs, nil
}

// revealRecord is the body of a record of the kind "reveal": the contacts as they
// were shown.
type revealRecord struct {
	jsonSite
	Search int64     `json:"search_index"` // the search's own entry
	Trail  jsonProof `json:"trail"`
}

func (c *Consult) rememberReveal(ctx context.Context, e trail.Entry, proof trail.Proof, ans *answer, site string, contacts []registry.Contact) error {
	first := firstOf(ans, site)
	name := first.SiteName
	b := brief{Site: site, Name: name, Words: c.inWords(func(w *pages.Words) string { return name + " · " + w.N("done.contacts", len(contacts)) })}
	return c.remember(ctx, e, proof, b, revealRecord{jsonSite{site, name, first.Trust, contactsJSON(contacts)}, ans.proof.Index, jsonProof{proof.Index, string(proof.Checkpoint)}})
}

// refuseReveal says what is wrong above the same answer.
func (c *Consult) refuseReveal(w http.ResponseWriter, r *http.Request, ans *answer, status int, key string) {
	if web.WantsJSON(r) {
		web.WriteJSON(w, status, web.Problem{Error: c.words(r).T(key), Field: "site"})
		return
	}
	c.showAnswer(w, r, ans, []pages.Note{{Kind: "danger", Key: key}}, status)
}

package consult

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

// What an officer says of a site that was called, for all who work in the case.
// Their words are called.*.
const (
	calledDone      = "called"    // somebody was spoken to
	calledNobody    = "no-answer" // nobody answers
	calledPreserved = "preserved" // they say that the footage is kept
)

var calledStates = []string{calledDone, calledNobody, calledPreserved}

// maxCalled bounds the calls of a case that are read for one page.
const maxCalled = 500

// calledMark is the newest word on a site.
type calledMark struct {
	State string
	Who   string
	At    time.Time
}

// Tone is the colour of its tag.
func (m calledMark) Tone() string {
	return map[string]string{calledDone: "info", calledNobody: "warn", calledPreserved: "ok"}[m.State]
}

// calledIn returns the newest word on each site of a case, by site id.
func (c *Consult) calledIn(ctx context.Context, caseID string) (map[string]calledMark, error) {
	records, err := c.Registry.CaseHistory(ctx, caseID, act.Called, maxCalled)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	names, err := c.names(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string]calledMark)
	for _, rec := range records { // the newest first
		b := readBrief(rec)
		if _, newer := all[b.Site]; !newer {
			all[b.Site] = calledMark{b.State, names[rec.Actor], rec.At}
		}
	}
	return all, nil
}

// calledBody is what the trail keeps of a call, sealed.
type calledBody struct {
	whyBody
	Site  string `json:"site_id"`
	State string `json:"state"`
}

// called takes an officer's word on a site whose contacts were revealed in the
// case, by whomever.
func (c *Consult) called(w http.ResponseWriter, r *http.Request) {
	u, k, ok := c.actsIn(w, r)
	if !ok {
		return
	}
	state, site, _ := strings.Cut(r.PostForm.Get("mark"), ":") // a button has one value
	if !r.PostForm.Has("mark") {
		state, site = r.PostForm.Get("state"), r.PostForm.Get("site")
	}
	name, revealed, err := c.revealedIn(r.Context(), k.ID, site)
	key := ""
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !slices.Contains(calledStates, state):
		key = "error.called.state"
	case !revealed:
		key = "error.called.hidden"
	case !k.ClosedAt.IsZero():
		key = "error.case.closed"
	}
	if key != "" {
		c.showCase(w, r, k, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: key})
		return
	}
	e := u.entry(c.Now(), act.Called, k.ID, 1, calledBody{whyOf(k, u), site, state})
	proof, err := c.Trail.Append(r.Context(), e)
	if err == nil {
		err = c.rememberCall(r.Context(), e, proof, site, name, state)
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "word on a call refused", "err", err)
		c.showCase(w, r, k, http.StatusServiceUnavailable, pages.Note{Kind: "danger", Key: "error.case.undone"})
		return
	}
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, c.backTo(r, u, k, site), http.StatusSeeOther)
}

// rememberCall copies a word on a site into the case.
func (c *Consult) rememberCall(ctx context.Context, e trail.Entry, proof trail.Proof, site, name, state string) error {
	e.Kind = act.Called
	return c.remember(ctx, e, proof, brief{Site: site, Name: name, State: state,
		Words: c.inWords(func(w *pages.Words) string { return name + ": " + w.T("called."+state) })}, nil)
}

// revealedIn reports whether a site's contacts were revealed in a case, and gives the
// site's name as it was shown.
func (c *Consult) revealedIn(ctx context.Context, caseID, site string) (name string, ok bool, err error) {
	records, err := c.Registry.CaseHistory(ctx, caseID, act.Reveal, maxCalled)
	if err != nil {
		return "", false, fmt.Errorf("look for reveals: %w", err)
	}
	for _, rec := range records {
		if b := readBrief(rec); b.Site == site && site != "" {
			return b.Name, true, nil
		}
	}
	return "", false, nil
}

// backTo is the row of the answer that the form came from, or the case.
func (c *Consult) backTo(r *http.Request, u officer, k registry.Case, site string) string {
	if id := r.PostForm.Get("request"); uuid.Validate(id) == nil { // from the page of a request
		return "/requests/" + id
	}
	ans, ok := c.find(r, r.PostForm.Get("search"), u.ID)
	if !ok || ans.question.Case.ID != k.ID {
		return "/cases/" + k.ID
	}
	return rowURL(r, ans, "#n", site)
}

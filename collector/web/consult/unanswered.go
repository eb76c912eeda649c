package consult

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// unansweredBody is what the trail keeps of a report that nobody answers, sealed.
type unansweredBody struct {
	whyBody
	Site   string `json:"site_id"`
	Search int64  `json:"search_index"` // the search's own entry
}

// jsonUnanswered answers a report.
type jsonUnanswered struct {
	SiteID string    `json:"site_id"`
	At     time.Time `json:"at"`
	Trail  jsonProof `json:"trail"`
}

// unanswered takes an officer's word that nobody answers at the contacts of a
// site: its owner is asked to check them, in words that do not say why. What was
// reported already in this search is reported once.
func (c *Consult) unanswered(w http.ResponseWriter, r *http.Request) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return
	}
	site := r.PostForm.Get("site")
	if len(ans.revealed()[site]) == 0 { // who did not see them cannot have called
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, "error.unanswered.hidden")
		return
	}
	var err error
	report, ok := ans.reported()[site]
	if !ok {
		entry := u.entry(c.Now(), act.Unanswered, ans.question.Case.ID, 1, unansweredBody{whyBody: ans.question.why(u), Site: site, Search: ans.proof.Index})
		report, err = c.report(r, ans, site, entry)
	}
	switch {
	case errors.Is(err, registry.ErrUnknownSite):
		c.refuseReveal(w, r, ans, http.StatusUnprocessableEntity, "error.unanswered.withdrawn")
	case err != nil:
		c.Log.ErrorContext(r.Context(), "report of a contact refused", "err", err)
		c.refuseReveal(w, r, ans, http.StatusServiceUnavailable, "error.unanswered.unsaid")
	case web.WantsJSON(r):
		web.WriteJSON(w, http.StatusOK, jsonUnanswered{site, report.at.UTC(), jsonProof{report.proof.Index, string(report.proof.Checkpoint)}})
	default:
		pages.SecureHeaders(w.Header())
		http.Redirect(w, r, rowURL(r, ans, "#contacts", site), http.StatusSeeOther)
	}
}

// report puts the officer's word on the trail, and only then asks for the check.
// An entry whose check then could not be asked for says more than was done, never
// less.
func (c *Consult) report(r *http.Request, ans *answer, site string, entry trail.Entry) (report, error) {
	proof, err := c.Trail.Append(r.Context(), entry)
	if err != nil {
		return report{}, fmt.Errorf("no check was asked for, since it could not be recorded: %w", err)
	}
	if err := c.Registry.DoubtContact(r.Context(), site, entry.At); err != nil {
		return report{}, err
	}
	name, _, err := c.revealedIn(r.Context(), ans.question.Case.ID, site) // from the list it may be gone
	if err != nil {
		return report{}, err
	}
	if err := c.rememberCall(r.Context(), entry, proof, site, name, calledNobody); err != nil { // colleagues see it, too
		return report{}, err
	}
	done := report{entry.At, proof}
	ans.report(site, done)
	return done, nil
}

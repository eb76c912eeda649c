package consult

import (
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
)

// answer is one search that is on the trail.
type answer struct {
	id       string
	userID   string
	question *question
	at       time.Time // when it was asked
	query    search.Query
	results  []search.Result // see all
	hidden   search.Hidden   // what the filters left out of them
	proof    trail.Proof
	expires  time.Time
	base     *answer // the answer of which this is the list without buildings; nil: it is none

	mu       sync.Mutex
	open     *answer                       // that list; nil: nobody has asked for it
	contacts map[string][]registry.Contact // revealed so far, by site id
	reports  map[string]report             // of contacts that did not answer, by site id
}

// report is an officer's word that nobody answers at a site's contacts.
type report struct {
	at    time.Time
	proof trail.Proof
}

// reported gives a copy of what has been reported.
func (a *answer) reported() map[string]report {
	a = a.whole()
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.reports)
}

func (a *answer) report(site string, r report) {
	a = a.whole()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reports[site] = r
}

// revealed gives a copy of what has been revealed.
func (a *answer) revealed() map[string][]registry.Contact {
	a = a.whole()
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.contacts)
}

func (a *answer) reveal(site string, contacts []registry.Contact) {
	a = a.whole()
	a.mu.Lock()
	defer a.mu.Unlock()
	if contacts == nil {
		contacts = []registry.Contact{}
	}
	a.contacts[site] = contacts
}

// has tells whether a site is among the results that were shown.
func (a *answer) has(site string) bool {
	for _, r := range a.all() {
		if r.SiteID == site && r.Camera.ID != "" {
			return true
		}
	}
	return false
}

// all are the results in their order, of those not shown yet the hit alone.
func (a *answer) all() []search.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.results
}

func (a *answer) hits() search.Answer {
	all := search.Answer{Query: a.query, Hidden: a.hidden}
	for _, r := range a.all() {
		all.Hits = append(all.Hits, r.Hit)
	}
	return all
}

func (a *answer) isShown(from, until int) bool {
	for _, r := range a.all()[from:until] {
		if r.Camera.ID == "" {
			return false
		}
	}
	return true
}

// take takes over an answer with what is shown of some of its hits. What was shown
// of others stays, if they are what they were.
func (a *answer) take(got answered) {
	type camera struct{ site, id string }
	a.mu.Lock()
	defer a.mu.Unlock()
	before := make(map[camera]search.Result, len(a.results))
	for _, r := range a.results {
		before[camera{r.SiteID, r.CameraID}] = r
	}
	results := make([]search.Result, len(got.Hits))
	for i, h := range got.Hits {
		results[i].Hit = h
		if was := before[camera{h.SiteID, h.CameraID}]; was.Hit == h {
			results[i] = was
		}
	}
	copy(results[got.from:], got.shown)
	a.query, a.results = got.Query, results
}

// through is the same answer as a list without buildings: with pages of its own,
// while what was revealed and reported of a site is known to both.
func (a *answer) through() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = &answer{id: a.id, userID: a.userID, question: a.question, at: a.at, query: a.query, results: search.Through(a.results),
			hidden: a.hidden, proof: a.proof, expires: a.expires, base: a}
		a.open.query.Buildings = nil
	}
	return a.open
}

// whole is the answer that an officer has asked for, of which a may be a list.
func (a *answer) whole() *answer {
	if a.base != nil {
		return a.base
	}
	return a
}

// find gives an answer to who asked it, as the list that the request is about:
// among the buildings, or with "through" as if there were none.
func (c *Consult) find(r *http.Request, id, userID string) (*answer, bool) {
	ans, ok := c.answers.find(id, userID)
	if !ok || c.hidden == nil || r.FormValue("through") == "" {
		return ans, ok
	}
	return ans.through(), true
}

// pathOf is the address of an answer.
func pathOf(id string, through bool) string {
	path := "/search/" + url.PathEscape(id)
	if through {
		path += "?through=1"
	}
	return path
}

package consult

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
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

// reported returns a copy of what has been reported.
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

// revealed returns a copy of what has been revealed.
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

// has reports whether a site is among the results that were shown.
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

// find returns an answer to who asked it, as the list that the request is about:
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

// What is kept of answered searches, so that a page can be shown again.
const (
	answerKept  = 2 * time.Hour
	maxPerUser  = 30     // about two hours of one search every four minutes
	maxKept     = 50_000 // results of all officers together, at some 2 kB each: 100 MB
	maxRevealed = 50     // sites in one act
)

// memory holds the answers, oldest first.
type memory struct {
	now func() time.Time
	mu  sync.Mutex
	all []*answer
}

func newMemory(now func() time.Time) *memory { return &memory{now: now} }

// keep puts an answer into memory under a new random id.
func (m *memory) keep(a *answer) {
	a.id = cmp.Or(a.id, rand.Text())
	a.expires = m.now().Add(answerKept)
	a.contacts, a.reports = map[string][]registry.Contact{}, map[string]report{}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
	m.all = append(m.all, a)
	mine := 0
	for _, other := range m.all {
		if other.userID == a.userID {
			mine++
		}
	}
	if mine > maxPerUser {
		oldest := slices.IndexFunc(m.all, func(other *answer) bool { return other.userID == a.userID })
		m.all = slices.Delete(m.all, oldest, oldest+1)
	}
	results := 0
	for _, other := range m.all {
		results += len(other.all())
	}
	for results > maxKept && len(m.all) > 1 {
		results -= len(m.all[0].all())
		m.all = slices.Delete(m.all, 0, 1)
	}
}

// find returns an answer to the officer who asked for it.
func (m *memory) find(id, userID string) (*answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
	for _, a := range m.all {
		if a.id == id && a.userID == userID {
			return a, true
		}
	}
	return nil, false
}

// drop forgets what is past its time.
func (m *memory) drop() {
	now := m.now()
	m.all = slices.DeleteFunc(m.all, func(a *answer) bool { return !now.Before(a.expires) })
}

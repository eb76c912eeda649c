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

// answer is one search that is on the trail, as one request has it: what other
// requests read of it meanwhile is not in it.
type answer struct {
	id       string
	userID   string
	question *question
	at       time.Time // when it was asked
	query    search.Query
	results  []search.Result // in their order, of those not shown yet the hit alone
	hidden   search.Hidden   // what the filters left out of them
	proof    trail.Proof
	expires  time.Time
	through  bool    // it is the list without buildings
	kept     *answer // in memory, of which this is a request's own; nil: it is that one, or has not been kept
	*learnt
}

// learnt is what is known to all requests about an answer, and to both its lists.
type learnt struct {
	mu       sync.Mutex                    // also of the lists that are kept
	open     *answer                       // the list without buildings; nil: nobody has asked for it
	contacts map[string][]registry.Contact // revealed so far, by site id
	reports  map[string]report             // of contacts that did not answer, by site id
}

// report is an officer's word that nobody answers at a site's contacts.
type report struct {
	at    time.Time
	proof trail.Proof
}

// reported returns a copy of what has been reported.
func (l *learnt) reported() map[string]report {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.reports)
}

func (l *learnt) report(site string, r report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports[site] = r
}

// revealed returns a copy of what has been revealed.
func (l *learnt) revealed() map[string][]registry.Contact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.contacts)
}

func (l *learnt) reveal(site string, contacts []registry.Contact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if contacts == nil {
		contacts = []registry.Contact{}
	}
	l.contacts[site] = contacts
}

// has reports whether a site is among the results that were shown.
func (a *answer) has(site string) bool { return firstRow(a, site) > 0 }

func (a *answer) hits() search.Answer {
	all := search.Answer{Query: a.query, Hidden: a.hidden}
	for _, r := range a.results {
		all.Hits = append(all.Hits, r.Hit)
	}
	return all
}

func (a *answer) isShown(from, until int) bool {
	return !slices.ContainsFunc(a.results[from:until], func(r search.Result) bool { return r.Camera.ID == "" })
}

// take takes over an answer with what is shown of some of its hits, for this request
// and those to come. What was shown of others stays, if they are what they were.
func (a *answer) take(got answered) {
	type camera struct{ site, id string }
	a.mu.Lock()
	defer a.mu.Unlock()
	before := make(map[camera]search.Result, len(a.kept.results))
	for _, r := range a.kept.results {
		before[camera{r.SiteID, r.CameraID}] = r
	}
	a.query, a.results = got.Query, got.rows()
	for i, r := range a.results {
		if was := before[camera{r.SiteID, r.CameraID}]; r.Camera.ID == "" && was.Hit == r.Hit {
			a.results[i] = was
		}
	}
	a.kept.query, a.kept.results = a.query, a.results
}

// own is the answer for one request: as the list among the buildings, or through
// them as if there were none, with pages of its own.
func (a *answer) own(through bool) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a
	if through {
		if a.open == nil {
			open := *a
			open.results, open.query.Buildings, open.through = search.WithoutBuildings(a.results), nil, true
			a.open = &open
		}
		kept = a.open
	}
	own := *kept
	own.kept = kept
	return &own
}

// size is how many results are kept.
func (a *answer) size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.results)
}

// find returns an answer to who asked it, as the list that the request is about:
// among the buildings, or with "through" as if there were none.
func (c *Consult) find(r *http.Request, id, userID string) (*answer, bool) {
	ans, ok := c.answers.find(id, userID)
	if !ok {
		return nil, false
	}
	return ans.own(c.hidden != nil && r.FormValue("through") != ""), true
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
	a.learnt = &learnt{contacts: map[string][]registry.Contact{}, reports: map[string]report{}}
	kept := *a
	a.kept = &kept
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
	m.all = append(m.all, &kept)
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
		results += other.size()
	}
	for results > maxKept && len(m.all) > 1 {
		results -= m.all[0].size()
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

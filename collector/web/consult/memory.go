package consult

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
)

// What is kept of answered searches, so that a page can be shown again.
const (
	answerKept  = 2 * time.Hour
	maxPerUser  = 30     // about two hours of one search every four minutes
	maxKept     = 50_000 // results of all officers together, at some 2 kB each: 100 MB
	maxRevealed = 50     // sites in one act
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
	out := make(map[string][]registry.Contact, len(a.contacts))
	for site, contacts := range a.contacts {
		out[site] = contacts
	}
	return out
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

// find gives an answer to the officer who asked for it.
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

package consult

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"anagrafe/collector/registry"
)

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

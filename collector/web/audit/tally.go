package audit

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"anagrafe/collector/act"
	"anagrafe/protocol/pages"
)

// monthly is how many entries of a kind a force left in a month, as clocks in Rome
// showed it: all that the Comune's data protection officer reads of them.
type monthly struct {
	Month string // 2026-11
	Force string // "": the Comune
	Kind  act.Kind
	Count int
}

// tally counts the trail as it grows: each header is read once.
type tally struct {
	mu      sync.Mutex
	next    int64
	entries map[monthly]int // by the fields but Count
}

// months returns the counts up to now, the newest month first.
func (a *Audit) months(ctx context.Context) ([]monthly, error) {
	a.tally.mu.Lock()
	defer a.tally.mu.Unlock()
	if a.tally.entries == nil {
		a.tally.entries = map[monthly]int{}
	}
	for h, err := range a.Trail.Headers(ctx, a.tally.next) {
		if err != nil {
			return nil, err
		}
		a.tally.entries[monthly{Month: h.At.In(pages.Rome()).Format("2006-01"), Force: h.Force, Kind: h.Kind}]++
		a.tally.next++
	}
	all := make([]monthly, 0, len(a.tally.entries))
	for m, n := range a.tally.entries {
		m.Count = n
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y monthly) int {
		return cmp.Or(cmp.Compare(y.Month, x.Month), cmp.Compare(x.Force, y.Force), cmp.Compare(x.Kind, y.Kind))
	})
	return all, nil
}

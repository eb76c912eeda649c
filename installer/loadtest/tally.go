package main

import (
	"slices"
	"sync"
	"time"
)

// took is how long things of one kind took, in seconds from when they were due: a
// generator that comes late counts against them too.
type took struct {
	Done   int            `json:"done"`
	P50    float64        `json:"p50_s"`
	P99    float64        `json:"p99_s"`
	Failed map[string]int `json:"failed,omitempty"` // attempts, by what they failed with
	Bytes  int64          `json:"bytes,omitempty"`  // of the answers
}

// tally counts what is done, by kind.
type tally struct {
	mu     sync.Mutex
	times  map[string][]time.Duration
	failed map[string]*failures
	bytes  map[string]int64
}

func newTally() *tally {
	return &tally{times: map[string][]time.Duration{}, failed: map[string]*failures{}, bytes: map[string]int64{}}
}

// note counts one that was due at a time, answered with so many bytes, or failed.
func (t *tally) note(kind string, due time.Time, bytes int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.failed[kind] == nil {
			t.failed[kind] = &failures{}
		}
		t.failed[kind].add(err)
		return
	}
	t.times[kind] = append(t.times[kind], time.Since(due))
	t.bytes[kind] += bytes
}

// took counts one that took so long.
func (t *tally) took(kind string, long time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times[kind] = append(t.times[kind], long)
}

// all returns what was counted, and begins anew.
func (t *tally) all() map[string]took {
	t.mu.Lock()
	defer t.mu.Unlock()
	by := map[string]took{}
	for kind, times := range t.times {
		slices.Sort(times)
		by[kind] = took{Done: len(times), P50: quantile(times, 0.5), P99: quantile(times, 0.99), Bytes: t.bytes[kind]}
	}
	for kind, f := range t.failed {
		k := by[kind]
		k.Failed = f.take()
		by[kind] = k
	}
	t.times, t.failed, t.bytes = map[string][]time.Duration{}, map[string]*failures{}, map[string]int64{}
	return by
}

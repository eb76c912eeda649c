package web

import (
	"net/netip"
	"sync"
	"time"

	"anagrafe/protocol"
)

const (
	maxFailures   = 10  // refused logins of one address in one window
	maxBegun      = 300 // logins that it begins, whatever becomes of them: a headquarters has one address
	failureWindow = time.Minute
	maxAddresses  = 10_000 // counted each by itself; 1 MiB or so
)

// Guesses slows down who tries codes; ingest.GuessGuard is one.
type Guesses interface {
	// Allow tells whether an address may try now, else in how long.
	Allow(from netip.Addr) (wait time.Duration, ok bool)
	// Wrong counts a wrong code.
	Wrong(from netip.Addr)
}

// limit slows down who tries secrets. They have 256 bits, so this is for the
// registry's and the log's sake: what counts is failures, never use.
type limit struct {
	now    func() time.Time
	most   int // of one address in one window
	all    int // of all addresses; 0: no bound
	window time.Duration
	mu     sync.Mutex
	began  time.Time
	total  int
	counts map[netip.Prefix]int
}

func newLimit(now func() time.Time, most int) *limit {
	return &limit{now: now, most: most, window: failureWindow, counts: map[netip.Prefix]int{}}
}

// Limit bounds how often anybody may do what costs the register something.
type Limit struct{ l *limit }

// NewLimit bounds it to so many of one address, and so many of all, in each window.
func NewLimit(now func() time.Time, most, all int, window time.Duration) *Limit {
	return &Limit{&limit{now: now, most: most, all: all, window: window, counts: map[netip.Prefix]int{}}}
}

// Exceeded reports whether an address (From) has to wait.
func (l *Limit) Exceeded(from string) bool { return l.l.exceeded(from) }

// Count counts one more of an address.
func (l *Limit) Count(from string) { l.l.count(from) }

// exceeded reports whether an address has to wait.
func (l *limit) exceeded(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	return l.counts[l.counted(from)] >= l.most || l.all > 0 && l.total >= l.all
}

// count counts one more of an address.
func (l *limit) count(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	l.total++
	l.counts[l.counted(from)]++
}

// others are all addresses beyond those remembered: they share one budget, so that
// a flood from many shuts out who comes new, and lets nobody try without end.
var others = netip.MustParsePrefix("::/0")

// counted is under which name an address is counted; l.mu is held.
func (l *limit) counted(from string) netip.Prefix {
	a, _ := netip.ParseAddr(from) // else the zero one: what has no address has a budget of its own
	p := protocol.SourceOf(a)
	if _, known := l.counts[p]; !known && len(l.counts) >= maxAddresses {
		return others
	}
	return p
}

// turn begins a new window when the last one is over.
func (l *limit) turn() {
	if now := l.now(); now.Sub(l.began) >= l.window {
		l.began, l.total = now, 0
		clear(l.counts)
	}
}

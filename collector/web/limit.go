package web

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxFailures   = 10  // refused logins of one address in one window
	maxBegun      = 300 // logins that it begins, whatever becomes of them: a headquarters has one address
	failureWindow = time.Minute
	maxAddresses  = 10_000 // remembered at once; 1 MiB or so
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

// Exceeded tells whether an address (From) has to wait.
func (l *Limit) Exceeded(from string) bool { return l.l.exceeded(from) }

// Count counts one more of an address.
func (l *Limit) Count(from string) { l.l.count(from) }

// exceeded tells whether an address has to wait.
func (l *limit) exceeded(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	return l.counts[network(from)] >= l.most || l.all > 0 && l.total >= l.all
}

// count counts one more of an address.
func (l *limit) count(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	l.total++
	if n := network(from); len(l.counts) < maxAddresses || l.counts[n] > 0 {
		l.counts[n]++
	}
}

// turn begins a new window when the last one is over.
func (l *limit) turn() {
	if now := l.now(); now.Sub(l.began) >= l.window {
		l.began, l.total = now, 0
		clear(l.counts)
	}
}

// network is what one attacker surely holds: an IPv4 address, an IPv6 /64.
func network(from string) netip.Prefix {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // cannot fail: bits fit the family
	return p
}

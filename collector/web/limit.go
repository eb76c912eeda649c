package web

import (
	"context"
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

// Limit bounds how often an address (From) does what costs the register something,
// or gets a secret wrong. Secrets have 256 bits, so that is for the registry's and the
// log's sake, too.
type Limit struct {
	now    func() time.Time
	most   int // of one address in one window
	all    int // of all addresses; 0: no bound
	window time.Duration

	mu     sync.Mutex
	began  time.Time
	total  int
	counts map[netip.Prefix]int
	trying map[netip.Prefix]int // tries of secrets that are under way
	ended  chan struct{}        // closed when one of them ends
}

// NewLimit bounds it to so many of one address, and so many of all, in each window.
func NewLimit(now func() time.Time, most, all int, window time.Duration) *Limit {
	return &Limit{now: now, most: most, all: all, window: window,
		counts: map[netip.Prefix]int{}, trying: map[netip.Prefix]int{}, ended: make(chan struct{})}
}

// Try counts one more of an address; false: it has to wait.
func (l *Limit) Try(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.counted(from)
	if l.spent(p) {
		return false
	}
	l.total++
	l.counts[p]++
	return true
}

// guess lets an address try a secret until end is called; false: it has to wait. Only
// what was wrong counts (Try), but tries side by side are never more than may be wrong:
// those beyond wait for one of them to end, as long as ctx.
func (l *Limit) guess(ctx context.Context, from string) (end func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.counted(from)
	for ctx.Err() == nil && !l.spent(p) {
		if l.counts[p]+l.trying[p] < l.most {
			l.trying[p]++
			return func() { l.end(p) }, true
		}
		ended := l.ended
		l.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		l.mu.Lock()
		p = l.counted(from)
	}
	return nil, false
}

func (l *Limit) end(p netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trying[p]--; l.trying[p] == 0 {
		delete(l.trying, p)
	}
	close(l.ended)
	l.ended = make(chan struct{})
}

// exceeded reports whether an address has to wait.
func (l *Limit) exceeded(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spent(l.counted(from))
}

func (l *Limit) spent(p netip.Prefix) bool {
	return l.counts[p] >= l.most || l.all > 0 && l.total >= l.all
}

// others are all addresses beyond those remembered: they share one budget, so that
// a flood from many shuts out who comes new, and lets nobody try without end.
var others = netip.MustParsePrefix("::/0")

// counted is under which name an address is counted, in a new window when the last one
// is over; l.mu is held.
func (l *Limit) counted(from string) netip.Prefix {
	if now := l.now(); now.Sub(l.began) >= l.window {
		l.began, l.total = now, 0
		clear(l.counts)
	}
	a, _ := netip.ParseAddr(from) // else the zero one: what has no address has a budget of its own
	p := protocol.SourceOf(a)
	if _, known := l.counts[p]; !known && len(l.counts) >= maxAddresses {
		return others
	}
	return p
}

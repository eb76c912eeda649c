package web

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"anagrafe/protocol"
)

const (
	maxFailures   = 10  // refused logins of one address in one window
	maxBegun      = 300 // logins that it begins, whatever becomes of them: a headquarters has one address
	failureWindow = time.Minute
	maxAddresses  = 10_000 // counted each by itself; 1 MiB or so

	// Wrong codes of one address in one window. They have 60 random bits: with 100,000
	// open at once, maxAddresses that all try as often as they may find one in about a
	// century. A bound on all of them together would shut every owner out once a few
	// strangers have used it up.
	maxCodes = 20
)

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

// NewCodes bounds how often a code is got wrong; a flood against one kind of codes
// leaves the others alone, if each has its own.
func NewCodes(now func() time.Time) *Limit {
	return NewLimit(now, maxCodes, 0, failureWindow)
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

// Guess lets who asks try a secret until end is called; false: they have to wait, and
// the answer's head says how long. Only what was wrong counts (Try), but tries side by
// side are never more than may be wrong: those beyond wait for one of them to end.
func (l *Limit) Guess(rw http.ResponseWriter, r *http.Request) (end func(), ok bool) {
	ctx, from := r.Context(), From(r)
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
	rw.Header().Set("Retry-After", strconv.Itoa(int(l.window.Seconds())))
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

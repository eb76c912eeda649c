package ingest

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Codes have at least 60 random bits. With 100,000 codes open at once, the
// overall rate below finds one in about 180,000 years; the limit is there for
// what else a flood of guesses would cost.
const (
	guessesBurst    = 20               // wrong codes in a row from one address
	guessesEvery    = 10 * time.Second // then one more each
	guessesOverall  = 2                // wrong codes a second from everywhere
	overallBurst    = 200
	maxGuessSources = 4096
)

// guessGuard slows down who tries codes. Only wrong ones count, so that an
// installer may enrol a whole street from one address.
type guessGuard struct {
	now func() time.Time

	mu      sync.Mutex
	overall *rate.Limiter
	sources map[netip.Prefix]*rate.Limiter
}

func newGuessGuard(now func() time.Time) *guessGuard {
	return &guessGuard{now: now, overall: rate.NewLimiter(guessesOverall, overallBurst),
		sources: make(map[netip.Prefix]*rate.Limiter)}
}

// allow tells whether this address may try a code now, else in how long.
func (g *guessGuard) allow(a netip.Addr) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if l, known := g.sources[source(a)]; known && l.TokensAt(now) < 1 {
		return guessesEvery, false
	}
	if g.overall.TokensAt(now) < 1 {
		return time.Second, false
	}
	return 0, true
}

// wrong counts a wrong code.
func (g *guessGuard) wrong(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, key := g.now(), source(a)
	l, known := g.sources[key]
	if !known {
		if len(g.sources) >= maxGuessSources {
			g.forget(now)
		}
		l = rate.NewLimiter(rate.Every(guessesEvery), guessesBurst)
		g.sources[key] = l
	}
	l.AllowN(now, 1)
	g.overall.AllowN(now, 1)
}

// forget makes room: it looks at a few addresses, in the map's random order,
// and drops those that have been quiet long enough to owe nothing, or one of
// the others if there are none: the overall limit still holds for that one.
func (g *guessGuard) forget(now time.Time) {
	const few = 16
	seen := 0
	for key, l := range g.sources {
		if seen++; l.TokensAt(now) >= guessesBurst || seen == few {
			delete(g.sources, key)
		}
		if seen == few {
			return
		}
	}
}

// source is what counts as one guesser: an IPv4 address, or the /56 that a
// provider gives one IPv6 customer.
func source(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 56
	}
	p, err := a.Prefix(bits)
	if err != nil { // the zero Addr, where the transport did not say
		return netip.Prefix{}
	}
	return p
}

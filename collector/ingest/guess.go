package ingest

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"anagrafe/protocol"
)

// Codes have at least 60 random bits. With 100,000 codes open at once, the
// overall rate below finds one in about 1,800 years; the limit is there for
// what else a flood of guesses would cost. The holder of an IPv6 /48 is as 256
// sources (protocol.SourceOf): all that those may try is well below it, for
// whoever reaches it shuts everybody out.
const (
	guessesBurst    = 20               // Wrong codes in a row from one address
	guessesEvery    = 10 * time.Second // then one more each
	guessesOverall  = 200              // Wrong codes a second from everywhere
	overallBurst    = 12_000
	maxGuessSources = 4096
)

// guessGuard limits guesses of codes. Only wrong ones count, so that an
// installer may enrol a whole street from one address.
type guessGuard struct {
	now     func() time.Time
	overall *buckets[struct{}]
	// A flood from more addresses than are kept is still held by overall.
	sources *buckets[netip.Prefix]

	mu     sync.Mutex
	trying map[netip.Prefix]int // guesses under way
	ended  chan struct{}        // closed when one of them ends
}

func newGuessGuard(now func() time.Time) *guessGuard {
	return &guessGuard{now: now, trying: map[netip.Prefix]int{}, ended: make(chan struct{}),
		overall: newBuckets[struct{}](limit{overallBurst, guessesOverall}, 1),
		sources: newBuckets[netip.Prefix](limit{guessesBurst, 1 / guessesEvery.Seconds()}, maxGuessSources)}
}

// try lets an address try a code until end is called, or says after how long it may.
// Guesses side by side are never more than may be wrong: those beyond wait for one of
// them to end.
func (g *guessGuard) try(ctx context.Context, a netip.Addr) (end func(), wait time.Duration) {
	p := protocol.SourceOf(a)
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		switch now := g.now(); {
		case !g.sources.has(p, 1, now):
			return nil, guessesEvery
		case !g.overall.has(struct{}{}, 1, now) || ctx.Err() != nil:
			return nil, time.Second
		case g.sources.has(p, 1+float64(g.trying[p]), now):
			g.trying[p]++
			return func() { g.end(p) }, 0
		}
		ended := g.ended
		g.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		g.mu.Lock()
	}
}

func (g *guessGuard) end(p netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.trying[p]--; g.trying[p] == 0 {
		delete(g.trying, p)
	}
	close(g.ended)
	g.ended = make(chan struct{})
}

// wrong counts a wrong code.
func (g *guessGuard) wrong(a netip.Addr) {
	now := g.now()
	g.sources.take(protocol.SourceOf(a), 1, now)
	g.overall.take(struct{}{}, 1, now)
}

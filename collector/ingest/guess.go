package ingest

import (
	"net/netip"
	"time"

	"anagrafe/protocol"
)

// Codes have at least 60 random bits. With 100,000 codes open at once, the
// overall rate below finds one in about 180,000 years; the limit is there for
// what else a flood of guesses would cost.
const (
	guessesBurst    = 20               // Wrong codes in a row from one address
	guessesEvery    = 10 * time.Second // then one more each
	guessesOverall  = 2                // Wrong codes a second from everywhere
	overallBurst    = 200
	maxGuessSources = 4096
)

// GuessGuard limits guesses of codes. Only wrong ones count, so that an
// installer may enrol a whole street from one address.
type GuessGuard struct {
	now     func() time.Time
	overall *buckets[struct{}]
	// A flood from more addresses than are kept is still held by overall.
	sources *buckets[netip.Prefix]
}

// NewGuessGuard makes a guard for one kind of codes, so that a flood against one kind
// does not block the others.
func NewGuessGuard(now func() time.Time) *GuessGuard {
	return &GuessGuard{now: now,
		overall: newBuckets[struct{}](limit{overallBurst, guessesOverall}, 1),
		sources: newBuckets[netip.Prefix](limit{guessesBurst, 1 / guessesEvery.Seconds()}, maxGuessSources)}
}

// Allow reports whether this address may try a code now, or after how long.
func (g *GuessGuard) Allow(a netip.Addr) (wait time.Duration, ok bool) {
	now := g.now()
	switch {
	case !g.sources.has(protocol.SourceOf(a), now):
		return guessesEvery, false
	case !g.overall.has(struct{}{}, now):
		return time.Second, false
	}
	return 0, true
}

// Wrong counts a wrong code.
func (g *GuessGuard) Wrong(a netip.Addr) {
	now := g.now()
	g.sources.take(protocol.SourceOf(a), 1, now)
	g.overall.take(struct{}{}, 1, now)
}

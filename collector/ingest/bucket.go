package ingest

import (
	"sync"
	"time"
)

// limit is what a bucket holds: so many tokens at once, and so many more each
// second (a token bucket, as in RFC 2697).
type limit struct {
	most      float64
	perSecond float64
}

// bucket is one at some time. The zero bucket is full, so that one that is
// full again need not be kept.
type bucket struct {
	missing float64
	at      time.Time
}

// buckets are the buckets of many, with a bound on how many are kept. Their
// methods may be called at once.
type buckets[K comparable] struct {
	limit
	kept int // at most

	mu  sync.Mutex
	all map[K]bucket
}

func newBuckets[K comparable](l limit, kept int) *buckets[K] {
	return &buckets[K]{limit: l, kept: kept, all: make(map[K]bucket)}
}

// take takes n tokens if they are there, else it takes none and tells in how
// long they will be.
func (b *buckets[K]) take(k K, n float64, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.most - b.missing(k, now)
	if have < n {
		return time.Duration((n - have) / b.perSecond * float64(time.Second)), false
	}
	b.set(k, b.most-have+n, now)
	return 0, true
}

// has reports whether there are n tokens, and takes none.
func (b *buckets[K]) has(k K, n float64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.missing(k, now) <= b.most-n
}

// add gives n tokens back.
func (b *buckets[K]) add(k K, n float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(k, b.missing(k, now)-n, now)
}

func (b *buckets[K]) missing(k K, now time.Time) float64 {
	x, known := b.all[k]
	if !known {
		return 0
	}
	return max(0, x.missing-b.perSecond*max(0, now.Sub(x.at).Seconds()))
}

func (b *buckets[K]) set(k K, missing float64, now time.Time) {
	if missing <= 0 {
		delete(b.all, k)
		return
	}
	if _, known := b.all[k]; !known && len(b.all) >= b.kept {
		b.forget(now)
	}
	b.all[k] = bucket{missing: missing, at: now}
}

// forget makes room: it looks at a few, in the map's random order, and drops
// those that are full again, or one of the others if there are none.
func (b *buckets[K]) forget(now time.Time) {
	few, seen := min(16, len(b.all)), 0
	for k := range b.all {
		if seen++; b.missing(k, now) <= 0 || seen == few {
			delete(b.all, k)
		}
		if seen == few {
			return
		}
	}
}

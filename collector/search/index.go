package search

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// memory is how far back measured facts are kept in memory.
const memory = 90 * 24 * time.Hour

// Index is the search index. Its methods may be called from many goroutines.
type Index struct {
	r   *registry.Registry
	log *slog.Logger

	now func() time.Time // tests turn it

	following chan struct{} // holds one token: who has it reads the change feed
	seen      atomic.Int64  // newest change that is in the grid; written by who follows

	mu      sync.RWMutex // is taken before that of values
	numbers map[string]uint32
	sites   []*site  // by number
	free    []uint32 // numbers that are no site's
	cells   map[cell][]placement
	values  values
}

// New makes an empty index over the register; the first query fills it.
func New(r *registry.Registry, log *slog.Logger) *Index {
	return &Index{
		r: r, log: log, now: time.Now,
		following: make(chan struct{}, 1),
		numbers:   make(map[string]uint32),
		cells:     make(map[cell][]placement),
	}
}

// CatchUp reads what has changed in the register up to now. Search does it by
// itself; calling it at start spares the first officer the wait.
func (x *Index) CatchUp(ctx context.Context) error {
	// Only up to here: under steady change the end would move on for ever.
	last, err := x.r.LastChange(ctx)
	if err != nil || x.seen.Load() >= last {
		return err
	}
	select {
	case x.following <- struct{}{}:
		defer func() { <-x.following }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if x.seen.Load() == 0 {
		if err := x.load(ctx); err != nil {
			return err
		}
	}
	const batch = 256
	for x.seen.Load() < last {
		sites, next, err := x.r.ChangedSites(ctx, x.seen.Load(), batch)
		if err != nil {
			return err
		}
		if len(sites) == 0 {
			return nil
		}
		since := x.now().Add(-memory)
		all, err := x.r.FactsOf(ctx, sites, since)
		if err != nil {
			return err
		}
		for _, f := range all {
			x.put(pack(&x.values, thin(f), since))
		}
		x.seen.Store(max(next, x.seen.Load()))
		x.log.DebugContext(ctx, "search index follows", "sites", len(sites), "change", next)
	}
	return nil
}

// load reads all sites. What it has read when it fails is read again.
func (x *Index) load(ctx context.Context) error {
	since := x.now().Add(-memory)
	change, err := x.r.AllFacts(ctx, since, func(f registry.Facts) error {
		x.put(pack(&x.values, thin(f), since))
		return nil
	})
	if err != nil {
		return err
	}
	x.seen.Store(change)
	x.log.InfoContext(ctx, "search index loaded", "change", change)
	return nil
}

// put replaces a site.
func (x *Index) put(p packed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n, there := x.numbers[p.id]
	if there {
		x.remove(n)
	}
	if len(p.placements) == 0 {
		if there {
			delete(x.numbers, p.id)
			x.sites[n], x.free = nil, append(x.free, n)
		}
		return
	}
	if !there {
		if last := len(x.free) - 1; last >= 0 {
			n, x.free = x.free[last], x.free[:last]
		} else {
			n, x.sites = uint32(len(x.sites)), append(x.sites, nil)
		}
		x.numbers[p.id] = n
	}
	s := p.site // a copy: it outlives p
	x.sites[n] = &s
	for _, h := range p.placements {
		h.site = n
		at := cellOf(h.at)
		x.cells[at] = appendTight(x.cells[at], h)
	}
}

// remove takes a site's placements out of the grid.
func (x *Index) remove(n uint32) {
	s := x.sites[n]
	for _, at := range s.cells {
		rest := slices.DeleteFunc(x.cells[at], func(h placement) bool {
			if h.site == n {
				x.values.drop(&h)
			}
			return h.site == n
		})
		if x.cells[at] = rest; len(rest) == 0 {
			delete(x.cells, at)
		}
	}
	x.values.dropVersions(s)
}

// near returns the cameras that the area lists, where they hung at Query.From; on a
// route too, or who moved a camera meanwhile would hang it up twice or never.
func (x *Index) near(q Query, all []found) []found {
	in := q.In.box()
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.values.mu.RLock()
	defer x.values.mu.RUnlock()
	in.cells(func(at cell) {
		for cameras, i := x.cells[at], 0; i < len(cameras); i++ {
			h := &cameras[i]
			if !in.holds(h.at) {
				continue
			}
			if l, listed := q.In.look(h.position(), h.view()); listed && h.inForceAt(q.From, x.sites[h.site]) {
				all = append(all, found{})
				x.find(&all[len(all)-1], h, l)
			}
		}
	})
	return all
}

// find resolves the numbers of a placement, under the locks, into an empty f.
func (x *Index) find(f *found, h *placement, l look) {
	f.placement, f.site, f.look = *h, x.sites[h.site], l
	if h.version > 0 {
		f.unpacked = f.site.versions[h.version-1].unpacked
	} else {
		f.schedule, f.retention = x.values.schedules.at(h.schedule), x.values.retentions.at(h.retention)
	}
}

// inForceAt reports whether the camera hung there at t, or, if t is before all that
// was declared, first.
func (h *placement) inForceAt(t time.Time, s *site) bool {
	at, until := t.UnixMicro(), int64(math.MaxInt64)
	if h.version > 0 {
		until = s.versions[h.version-1].until
	}
	return (h.flags&flagFirst != 0 || h.from <= at) && at < until
}

// found is a camera that the area lists, as it was declared at that time or, for
// a time before that, first.
type found struct {
	placement
	site     *site
	unpacked *unpacked // nil: it has stayed as it was declared, and the next two hold

	schedule  *protocol.Schedule
	retention *protocol.Retention

	look look
}

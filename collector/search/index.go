package search

import (
	"context"
	"fmt"
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

	mu    sync.RWMutex
	sites map[string]*site
	cells map[cell][]hung
}

// New makes an empty index over the register; the first query fills it.
func New(r *registry.Registry, log *slog.Logger) *Index {
	return &Index{
		r: r, log: log, now: time.Now,
		following: make(chan struct{}, 1),
		sites:     make(map[string]*site),
		cells:     make(map[cell][]hung),
	}
}

// site is what a query needs of one site. It is never changed once it is in
// the index: a change of the site replaces it whole.
type site struct {
	id, trust string
	now       protocol.Site
	recorders map[string][]protocol.Era[protocol.Recorder]
	clocks    map[string][]protocol.Clock
	cameras   []*camera
	since     time.Time // measured facts before it are not here
}

type camera struct {
	site       *site
	id         string
	versions   []registry.CameraVersion // not empty, none withdrawn
	schedules  []protocol.Era[protocol.Schedule]
	retentions []protocol.Era[protocol.Retention]
}

func newSite(h registry.History, since time.Time) *site {
	s := &site{id: h.SiteID, trust: h.Trust, recorders: h.Recorders, clocks: h.Clocks, since: since}
	if n := len(h.Sites); n > 0 {
		s.now = h.Sites[n-1].Value
	}
	for id, versions := range h.Cameras {
		if versions[0].Withdrawn || h.Suspended {
			continue
		}
		s.cameras = append(s.cameras, &camera{site: s, id: id, versions: versions,
			schedules: h.Schedules[id], retentions: h.Retentions[id]})
	}
	return s
}

// hung is where a camera hung for a while. A query reads many of these and few
// cameras, so that what it tests lies here side by side.
type hung struct {
	at          protocol.Point
	from, until int64 // microseconds; the first version reaches back for ever
	camera      *camera
	then        *protocol.Camera
}

// places are where the camera hung, in order of time and without gaps.
func (c *camera) places(f func(cell, hung)) {
	for i := range c.versions {
		then := &c.versions[i].Camera
		h := hung{at: then.Position.Point, from: math.MinInt64, until: math.MaxInt64, camera: c, then: then}
		if i > 0 {
			h.from = c.versions[i].ValidFrom.UnixMicro()
		}
		if i+1 < len(c.versions) {
			h.until = c.versions[i+1].ValidFrom.UnixMicro()
		}
		f(cellOf(h.at), h)
	}
}

// A cell is 0.005 degrees wide: about 560 by 390 m in Milan. The first number
// counts from -180 degrees eastwards and wraps, the second is the latitude.
type cell struct{ x, y int32 }

const (
	cellSize = 5000 // microdegrees
	around   = fullTurn / cellSize
)

func cellOf(p protocol.Point) cell {
	x := (int64(p.Lon) + fullTurn/2) / cellSize % around // Lon is at least -180 degrees
	return cell{int32(x), int32(floorDiv(int64(p.Lat), cellSize))}
}

// cells calls f once for every cell that the box touches.
func (b box) cells(f func(cell)) {
	x := func(lon int64) int64 { return floorDiv(lon+fullTurn/2, cellSize) }
	from, until := x(b.west), x(b.east)
	if until-from >= around {
		from, until = 0, around-1
	}
	for y := floorDiv(b.south, cellSize); y <= floorDiv(b.north, cellSize); y++ {
		for x := from; x <= until; x++ {
			f(cell{int32((x%around + around) % around), int32(y)})
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
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
	const batch = 256
	for x.seen.Load() < last {
		sites, next, err := x.r.ChangedSites(ctx, x.seen.Load(), batch)
		if err != nil {
			return err
		}
		for _, id := range sites {
			if err := x.reload(ctx, id); err != nil {
				return err
			}
		}
		x.seen.Store(max(next, x.seen.Load()))
		if len(sites) == 0 {
			return nil
		}
		x.log.DebugContext(ctx, "search index follows", "sites", len(sites), "change", next)
	}
	return nil
}

func (x *Index) reload(ctx context.Context, id string) error {
	since := x.now().Add(-memory)
	h, err := x.r.History(ctx, id, since)
	if err != nil {
		return fmt.Errorf("follow the register: %w", err)
	}
	x.put(newSite(h, since))
	return nil
}

// put replaces a site.
func (x *Index) put(s *site) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.sites[s.id]; old != nil {
		for _, c := range old.cameras {
			c.places(func(at cell, _ hung) {
				rest := slices.DeleteFunc(x.cells[at], func(h hung) bool { return h.camera == c })
				if x.cells[at] = rest; len(rest) == 0 {
					delete(x.cells, at)
				}
			})
		}
	}
	if len(s.cameras) == 0 {
		delete(x.sites, s.id)
		return
	}
	x.sites[s.id] = s
	for _, c := range s.cameras {
		c.places(func(at cell, h hung) { x.cells[at] = append(x.cells[at], h) })
	}
}

// near gives the cameras that the area lists, as they hung at the time asked
// for.
func (x *Index) near(q Query) []found {
	var all []found
	at := q.From.UnixMicro() // on a route too, or who moved a camera meanwhile would hang it up twice or never
	x.mu.RLock()
	defer x.mu.RUnlock()
	q.In.box().cells(func(in cell) {
		cameras := x.cells[in]
		for i := range cameras {
			h := &cameras[i]
			l, listed := q.In.look(h.then.Position, h.then.View)
			if listed && h.from <= at && at < h.until {
				all = append(all, found{h.camera, h.then, l})
			}
		}
	})
	return all
}

// found is a camera that the area lists, as it was declared at that time or, for
// a time before that, first.
type found struct {
	*camera
	then *protocol.Camera
	look look
}

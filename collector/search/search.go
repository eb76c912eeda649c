package search

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"anagrafe/protocol"
)

// Search answers a query with every camera that the area lists, in one total
// order: class; within A and B the time left, shortest first; then distance;
// then camera id and site id. A query outside the limits is a QueryError.
func (x *Index) Search(ctx context.Context, q Query) (Answer, error) {
	q, err := q.checked()
	if err != nil {
		return Answer{}, err
	}
	if err := x.CatchUp(ctx); err != nil {
		return Answer{}, err
	}
	in := scratches.Get().(*scratch)
	defer in.release()
	in.found = x.near(q, in.found[:0])
	anew := outdated(q, in.found)
	here := in.found
	if len(anew) > 0 {
		here = slices.DeleteFunc(slices.Clone(here), func(f found) bool { return slices.Contains(anew, f.site.id) })
	}
	ev := newEvaluation(q)
	hits, err := ev.hits(ctx, here)
	if err != nil {
		return Answer{}, err
	}
	sortHits(hits)
	a := Answer{Query: q, Hits: hits, Hidden: ev.hidden}
	if len(anew) == 0 {
		return a, nil
	}
	a, sites, err := x.reevaluate(ctx, a, anew)
	for _, s := range sites {
		a.Hidden.Category += s.hidden.Category
		a.Hidden.Continuous += s.hidden.Continuous
		a.Hidden.Certain += s.hidden.Certain
	}
	return a, err
}

// scratch is the pooled buffer for the cameras of one query.
type scratch struct{ found []found }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) release() {
	clear(s.found)
	scratches.Put(s)
}

// outdated names the sites of which the index does not hold what the question is
// about: it is about long ago, or as of a moment before something that is known.
func outdated(q Query, all []found) (sites []string) {
	from, now := q.From.UnixMicro(), q.Now.UnixMicro()
	for i := range all {
		if s := all[i].site; from < s.since || now < s.newest {
			sites = append(sites, s.id)
		}
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}

// rank is what decides the place of a hit, without its ids.
type rank struct {
	class    byte
	left     time.Duration // zero in class C
	distance float64       // metres
	hit      int32         // its place before
}

// sortHits puts hits in their total order.
func sortHits(hits []Hit) {
	ranks := make([]rank, len(hits)) // a hit is large
	for i := range hits {
		h := &hits[i]
		ranks[i] = rank{h.Class[0], h.TimeLeft, h.Sight.DistanceM, int32(i)}
	}
	slices.SortFunc(ranks, func(a, b rank) int {
		switch {
		case a.class != b.class:
			return int(a.class) - int(b.class)
		case a.left != b.left:
			return cmp.Compare(a.left, b.left)
		case a.distance != b.distance:
			return cmp.Compare(a.distance, b.distance)
		}
		return cmp.Or(cmp.Compare(hits[a.hit].CameraID, hits[b.hit].CameraID), cmp.Compare(hits[a.hit].SiteID, hits[b.hit].SiteID))
	})
	for i := range ranks { // each hit moves once: around the circle of those that take each other's places
		for first, at := hits[i], i; ; {
			from := int(ranks[at].hit)
			ranks[at].hit = int32(at)
			if from == i {
				hits[at] = first
				break
			}
			hits[at] = hits[from]
			at = from
		}
	}
}

// evaluation is one query while it is answered. What it has found of a schedule holds
// for all cameras that share it.
type evaluation struct {
	Query
	hidden   Hidden
	recorded map[moment]protocol.Answer
	changes  map[window][]time.Time

	suns map[int64]sun // by moment, microseconds

	// Reused from one camera to the next.
	room  [2]protocol.Era[protocol.Retention]
	eras  [1]scheduleEra
	times []time.Time
}

type moment struct {
	schedule *protocol.Schedule
	at       int64 // microseconds
}

func newEvaluation(q Query) *evaluation {
	return &evaluation{Query: q, recorded: make(map[moment]protocol.Answer), changes: make(map[window][]time.Time), suns: make(map[int64]sun)}
}

// hits answers for cameras: those that the query does not hide, in no order.
func (ev *evaluation) hits(ctx context.Context, all []found) ([]Hit, error) {
	hits := make([]Hit, len(all))
	n := 0
	ids := make([]byte, 0, 36*len(all))
	for i := range all {
		ids = all[i].appendID(ids)
	}
	text := string(ids) // one for all
	for i := range all {
		if i%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f, h := &all[i], &hits[n]
		h.SiteID, h.CameraID = f.site.id, text[36*i:36*i+36]
		if f.unpacked != nil && f.unpacked.id != "" {
			h.CameraID = f.unpacked.id
		}
		f.answer(ev, h)
		if ev.Only.hides(f.site.category, h, &ev.hidden) {
			*h = Hit{}
			continue
		}
		n++
	}
	return hits[:n], nil
}

// answer answers for one camera: all but its id.
func (f *found) answer(ev *evaluation, h *Hit) {
	q := &ev.Query
	if f.look.after != 0 || f.look.until != 0 {
		then := ev.Query
		q = &then
		q.From, q.Until = q.From.Add(f.look.after), q.Until.Add(f.look.until)
		if q.Until.Before(q.From) { // by a microsecond, rounded
			q.Until = q.From
		}
	}
	h.Sight, h.From, h.Until = f.look.Sight, q.From, q.Until
	if q.Buildings != nil {
		if h.Sight, h.Hidden = q.among(f.position(), f.view(), f.look.Sight); h.Hidden != "" {
			h.Open = &openSight{Sight: f.look.Sight}
		}
	}
	in := ev.series(f)
	h.BeforeDeclared = q.From.Before(in.declared)
	ev.findFootage(q, in, h)
	h.rank(q)
	on := f.basis(q, in)
	h.doubtBoth(f.at, &on, q.Now, ev.sunAt)
}

// sunAt is sunAt, reckoned once for all cameras.
func (ev *evaluation) sunAt(t time.Time) sun {
	s, ok := ev.suns[t.UnixMicro()]
	if !ok {
		s = sunAt(t)
		ev.suns[t.UnixMicro()] = s
	}
	return s
}

// basis are the facts that an answer rests on. An agent's look is seen in what it
// tells every day, whether it has changed or not: the recorder's clock, and how
// far back its footage reaches.
func (f *found) basis(q *Query, in series) facts {
	now := eraAt(in.retentions, q.Now)
	on := facts{position: f.fact(ofPosition), view: f.fact(ofView), retention: now.Fact, looked: protocol.Later(fromMicros(f.looked), now.ObservedAt)}
	if e := inForce(in.schedules, q.From); e != nil {
		on.schedule = e.fact
	}
	return on
}

// series returns those of a camera, valid until the next call.
func (ev *evaluation) series(f *found) series {
	if f.unpacked != nil {
		return f.unpacked.series
	}
	from := fromMicros(f.from)
	ev.eras[0] = scheduleEra{from, f.schedule, f.fact(ofSchedule)}
	return series{from, ev.eras[:], f.placement.retentions(f.retention, &ev.room)}
}

// inForce is the schedule of the last era that began at or before t.
func inForce(eras []scheduleEra, t time.Time) *scheduleEra {
	for i := len(eras) - 1; i >= 0; i-- {
		if !eras[i].from.After(t) {
			return &eras[i]
		}
	}
	return nil
}

package registry

import (
	"context"
	"slices"
	"time"

	"anagrafe/protocol"
)

// stamp is when something was, and when the register learnt it.
type stamp struct{ at, recorded time.Time }

// look is one row of a series.
type look[T any] struct {
	stamp
	value T
}

func stamps[T any](series []look[T]) []stamp {
	all := make([]stamp, len(series))
	for i, l := range series {
		all[i] = l.stamp
	}
	return all
}

// plan is how a series is thinned.
type plan struct {
	buckets bool             // the first and last look of each day, or month, stay
	orderly []bool           // nil: to be found from the series alone
	known   time.Time        // zero: to be found from the series alone, see knownBy
	daily   func(i int) bool // for which a look a day stays for ever; nil: none
	cut     func(i int) bool // whether what was before look i must not speak for it; nil: never
}

var (
	byMonth     = plan{buckets: true}
	changesOnly = plan{}
)

// stay reports which looks of a series, ordered by time, are not to be thinned;
// same compares two by their places.
func (t *thinning) stay(series []stamp, same func(a, b int) bool, p plan) []bool {
	if p.orderly == nil {
		p.orderly, p.known = orderly(series), t.knownBy(series)
	}
	stays := make([]bool, len(series))
	for from := 0; from < len(series); {
		to := from + 1
		for to < len(series) && same(from, to) && (p.cut == nil || !p.cut(to)) &&
			(!p.buckets || sameMonth(series[from].at, series[to].at)) {
			to++
		}
		t.thinRun(stays, series, from, to, p)
		from = to
	}
	return stays
}

// thinRun thins looks that all say the same, from place from up to before to.
func (t *thinning) thinRun(stays []bool, series []stamp, from, to int, p plan) {
	inOrder := p.orderly[from] && p.orderly[to-1]
	for i := from; i < to; i++ {
		old := series[i].at.Before(t.now.Add(-keepDaily)) && (p.daily == nil || !p.daily(i))
		switch {
		case i == from, i == to-1, !inOrder, !p.orderly[i], series[i].recorded.After(p.known):
			stays[i] = true
		case p.buckets && !old:
			stays[i] = !sameDay(series[i-1].at, series[i].at) || !sameDay(series[i].at, series[i+1].at)
		}
	}
}

// knownBy is the moment after which looks that lie beyond those that were read
// may have been recorded: none of them has overtaken what was recorded before it.
func (t *thinning) knownBy(series []stamp) time.Time {
	end := t.now.Add(-keepAll)
	if n := len(series); n >= thinLooks {
		end = series[n-1].at
	}
	return end.Add(-clockTolerance)
}

// orderly reports which of a series, ordered by time, were recorded in that order:
// none before it came later, and none after it came earlier.
func orderly(series []stamp) []bool {
	all := make([]bool, len(series))
	var newest time.Time
	for i, s := range series {
		all[i] = !s.recorded.Before(newest)
		if s.recorded.After(newest) {
			newest = s.recorded
		}
	}
	var soonest time.Time // of those after i
	for i, s := range slices.Backward(series) {
		all[i] = all[i] && (soonest.IsZero() || !s.recorded.After(soonest))
		if soonest.IsZero() || s.recorded.Before(soonest) {
			soonest = s.recorded
		}
	}
	return all
}

func sameMonth(a, b time.Time) bool {
	return a.UTC().Year() == b.UTC().Year() && a.UTC().Month() == b.UTC().Month()
}

func sameDay(a, b time.Time) bool {
	const day = 24 * time.Hour
	return a.Truncate(day).Equal(b.Truncate(day))
}

// camera thins the looks at what a recorder keeps of a camera. A row goes when
// none of its facts must stay.
func (t *thinning) camera(ctx context.Context, siteID, id string) error {
	var rows []observation
	h := History{Cameras: make(map[string][]CameraVersion)}
	err := t.r.view(ctx, func(tx *tx) error {
		b, err := t.r.vault.boxOf(ctx, tx, siteID)
		if err != nil {
			return err
		}
		s := site{tx: tx, id: siteID, box: b}
		err = each(ctx, tx, func(scan func(...any) error) error {
			_, o, err := s.scanObservation(scan)
			rows = append(rows, o)
			return err
		}, "SELECT "+observationColumns+" FROM camera_observations WHERE site_id = ? AND camera_id = ? AND at < ? ORDER BY at, recorded_at LIMIT ?",
			siteID, id, micros(t.now.Add(-keepAll)), thinLooks)
		if err != nil {
			return err
		}
		return s.versionsOf(ctx, &h, id)
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	for i, stays := range t.stayObserved(rows, h.Cameras[id]) {
		if !stays {
			err = t.add(ctx, drop{query: "DELETE FROM camera_observations WHERE site_id = ? AND camera_id = ? AND at = ? AND recorded_at = ?",
				args: []any{siteID, id, micros(rows[i].at), micros(rows[i].recorded)}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// versionsOf reads what was declared of one camera.
func (s site) versionsOf(ctx context.Context, h *History, cameraID string) error {
	k := thing{kindCamera, cameraID}
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var version, from, recorded int64
		var sealed []byte
		if err := scan(&version, &from, &recorded, &sealed); err != nil {
			return err
		}
		body, err := s.openVersion(k, version, sealed)
		if err != nil {
			return err
		}
		return h.addVersion(k, mark{from: fromMicros(from), recorded: fromMicros(recorded)}, body)
	}, "SELECT version, valid_from, recorded_at, body FROM versions WHERE site_id = ? AND kind = 'camera' AND id = ? ORDER BY version", s.id, cameraID)
}

// then is what is known of a camera after a look.
type then struct {
	look      observation
	declared  int // versions before it
	retention protocol.Retention
	orderly   bool // among the looks and the versions
}

func (t *thinning) stayObserved(rows []observation, versions []CameraVersion) []bool {
	all := replay(rows, versions)
	stays := make([]bool, len(rows))
	var read []stamp
	for _, o := range rows {
		read = append(read, stamp{o.at, o.recorded})
	}
	known := t.knownBy(read)
	fact := func(has func(observation) bool, same func(a, b then) bool, daily func(then) bool) {
		var places []int
		var series []stamp
		p := plan{buckets: true, orderly: []bool{}, known: known}
		for i, s := range all {
			if has(s.look) {
				places, series, p.orderly = append(places, i), append(series, stamp{s.look.at, s.look.recorded}), append(p.orderly, s.orderly)
			}
		}
		p.cut = func(i int) bool { return all[places[i]].declared != all[places[i-1]].declared }
		p.daily = func(i int) bool { return daily(all[places[i]]) }
		for i, stay := range t.stay(series, func(a, b int) bool { return same(all[places[a]], all[places[b]]) }, p) {
			stays[places[i]] = stays[places[i]] || stay
		}
	}
	never := func(then) bool { return false }
	fact(func(o observation) bool { return !o.oldest.IsZero() }, sameDepth, func(s then) bool {
		return s.retention.Kind != protocol.RetentionAge && !s.retention.Settled
	})
	fact(func(o observation) bool { return o.schedule != nil }, func(a, b then) bool { return sameSchedule(*a.look.schedule, *b.look.schedule) }, never)
	fact(func(o observation) bool { return o.retention != nil }, func(a, b then) bool { return sameLimits(*a.look.retention, *b.look.retention) }, never)
	return stays
}

// replay returns what is known after each look.
func replay(rows []observation, versions []CameraVersion) []then {
	var m merge
	var events []stamp
	var places []int // of the rows among the events
	all := make([]then, len(rows))
	declared := 0
	for i, o := range rows {
		for declared < len(versions) && !versions[declared].ValidFrom.After(o.at) {
			v := versions[declared]
			m.declare(v.Camera)
			events = append(events, stamp{v.ValidFrom, v.RecordedAt})
			declared++
		}
		m.observe(o)
		places, events = append(places, len(events)), append(events, stamp{o.at, o.recorded})
		all[i] = then{look: o, declared: declared, retention: m.retention}
	}
	for _, v := range versions[declared:] {
		events = append(events, stamp{v.ValidFrom, v.RecordedAt})
	}
	inOrder := orderly(events)
	for i := range all {
		all[i].orderly = inOrder[places[i]]
	}
	return all
}

// sameDepth compares how far a full store reaches back, and of one that still
// fills its oldest footage, which stands still: within half of what counts as
// the same, see sameClock.
func sameDepth(a, b then) bool {
	if a.retention.Settled != b.retention.Settled {
		return false
	}
	if a.retention.Settled {
		return (a.look.at.Sub(a.look.oldest) - b.look.at.Sub(b.look.oldest)).Abs() <= depthSlack/2
	}
	return a.look.oldest.Sub(b.look.oldest).Abs() <= depthSlack/2
}

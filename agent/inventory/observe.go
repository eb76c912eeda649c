package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"time"

	"anagrafe/protocol"
)

// How often measured facts leave by themselves.
const (
	observeEvery = time.Hour      // at most, but for schedule and retention
	observeAny   = 24 * time.Hour // a sign of life, even when nothing changed
)

// observe queues what the collector must be told of this look: for each site,
// one observation of the recorders and cameras that it has declared.
func (v *Inventory) observe(ctx context.Context, tx *sql.Tx, b *book, looked []observedDevice, at time.Time) (queued urgency, err error) {
	for _, s := range b.sites {
		if s.declared == nil {
			continue
		}
		o, news := s.observation(looked, at)
		since := at.Sub(s.observed)
		if since < 0 { // this machine's clock was put back: no silence until it catches up
			since = observeAny
		}
		if len(o.Recorders) == 0 || !news.any && since < observeAny {
			continue
		}
		waiting, err := unseen(ctx, tx, s.SiteID)
		if err != nil {
			return 0, err
		}
		if waiting != nil {
			o = s.declaredOnly(overlay(waiting.observation, o))
			if _, err := tx.ExecContext(ctx, `DELETE FROM message WHERE seq = ?`, waiting.seq); err != nil {
				return 0, err
			}
		} else if since < observeEvery {
			// The next look finds the same change again; but a schedule that is put
			// back within the hour would never have been another.
			if ok, err := v.allowUrgent(ctx, tx, s); err != nil {
				return 0, err
			} else if !news.limits || !ok {
				continue
			}
		}
		if err := v.enqueue(ctx, tx, s, o, !news.lasting); err != nil {
			return 0, fmt.Errorf("queue an observation for site %s: %w", s.SiteID, err)
		}
		if err := s.told(ctx, tx, looked, o, at); err != nil {
			return 0, err
		}
		queued = max(queued, queuedAsItWas)
		if news.any || !reachable(o) {
			queued = queuedNews
		}
	}
	return queued, nil
}

// reachable reports whether all recorders answered. That one still does not is how the
// collector learns for how long.
func reachable(o protocol.Observation) bool {
	return !slices.ContainsFunc(o.Recorders, func(r protocol.RecorderObservation) bool { return !r.Reachable })
}

// news is what an observation holds that the collector does not know yet.
type news struct {
	any     bool
	lasting bool // a change that no later observation repeats
	limits  bool // of these, one of when it records or of how long it keeps
}

// mostHurried is how many changes of schedule or retention leave within the hour
// of another observation, before they wait as all else does: a device that
// changes its mind at each look must not fill the outbox.
const mostHurried = 6

func (v *Inventory) allowUrgent(ctx context.Context, tx *sql.Tx, s *site) (ok bool, err error) {
	var n int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE site_id = ? AND kind = 'observation' AND plain = 0 AND made > ?`,
		s.SiteID, micros(v.now().Add(-observeEvery))).Scan(&n)
	return n < mostHurried, err
}

// observation is what this look says of the site's declared recorders and
// cameras.
func (s *site) observation(looked []observedDevice, at time.Time) (o protocol.Observation, n news) {
	for _, l := range looked {
		if !slices.ContainsFunc(s.declared.Recorders, func(r protocol.Recorder) bool { return r.ID == l.device.id }) {
			continue
		}
		r := protocol.RecorderObservation{RecorderID: l.device.id, At: at, Reachable: l.answered, Clock: l.clock}
		n.any = n.any || recorderChanged(l.device.reported, r)
		o.Recorders = append(o.Recorders, r)
		for _, c := range l.cameras {
			// What is measured on another recorder than was declared, or of a camera
			// that the owner is asked about again, waits for the answer.
			if c.asks || !slices.ContainsFunc(s.declared.Cameras, func(d protocol.Camera) bool { return d.ID == c.id && d.RecorderID == c.deviceID }) {
				continue
			}
			seen := c.observation(at)
			if seen.Schedule != nil || seen.Retention != nil {
				n.any, n.lasting = true, true
			}
			n.limits = n.limits || limitsChanged(c.reported, seen)
			n.any = n.any || depthChanged(c.reported, seen)
			if !seen.OldestFootage.IsZero() || seen.Schedule != nil || seen.Retention != nil {
				o.Cameras = append(o.Cameras, seen)
			}
		}
	}
	return o, n
}

// limitsChanged: it records at other times, or keeps footage longer or shorter,
// than was told. That a store has become full is no such change.
func limitsChanged(told *protocol.CameraObservation, now protocol.CameraObservation) bool {
	if told != nil && now.At.Before(told.At) { // told over and over: see observation
		return false
	}
	return now.Schedule != nil ||
		now.Retention != nil && (told == nil || told.Retention == nil || !sameLimits(*told.Retention, *now.Retention))
}

// observation names only the facts of the closed list, one by one; schedule
// and retention only where they differ from what was told last. What was told
// with a later time, before this machine's clock was put back, holds in the
// register from that time on, whatever is told meanwhile: so until then nothing
// counts as told.
func (c *camera) observation(at time.Time) protocol.CameraObservation {
	o := protocol.CameraObservation{CameraID: c.id, At: at, OldestFootage: c.retention.OldestFootage}
	if o.OldestFootage.After(at) { // kept from when this machine's clock ran ahead
		o.OldestFootage = time.Time{}
	}
	told := protocol.CameraObservation{}
	if c.reported != nil && !at.Before(c.reported.At) {
		told = *c.reported
	}
	// The owner's word leaves by his yes alone. Once it has, a store that became full is
	// told with it: another retention in its place would not be what counts.
	schedule, his := c.scheduleNow()
	if !his && schedule.Fact.Source != protocol.SourceUnknown && (told.Schedule == nil || !sameSchedule(*told.Schedule, schedule)) {
		o.Schedule = &schedule
	}
	retention, his := c.retentionNow()
	known := told.Retention != nil && sameLimits(*told.Retention, retention)
	if (!his || known) && retention.Fact.Source != protocol.SourceUnknown && (told.Retention == nil || !sameRetention(*told.Retention, retention)) {
		o.Retention = &retention
	}
	return o
}

// told remembers what the collector will know once o has arrived.
func (s *site) told(ctx context.Context, tx *sql.Tx, looked []observedDevice, o protocol.Observation, at time.Time) error {
	s.observed = at
	if _, err := tx.ExecContext(ctx, `UPDATE site SET observed = ? WHERE id = ?`, micros(at), s.SiteID); err != nil {
		return err
	}
	for _, l := range looked {
		for _, r := range o.Recorders {
			if r.RecorderID == l.device.id {
				l.device.reported = withClock(r, l.device.reported)
				if err := l.device.save(ctx, tx); err != nil {
					return err
				}
			}
		}
		for _, c := range l.cameras {
			for _, seen := range o.Cameras {
				if seen.CameraID == c.id {
					c.reported = withFacts(seen, c.reported)
					if err := c.save(ctx, tx); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func withClock(now protocol.RecorderObservation, before *protocol.RecorderObservation) *protocol.RecorderObservation {
	if now.Clock == nil && before != nil {
		now.Clock = before.Clock
	}
	return &now
}

// withFacts is what was told of a camera by now. Its time is the latest of what
// was told, and once that has passed all must be told once more.
func withFacts(now protocol.CameraObservation, before *protocol.CameraObservation) *protocol.CameraObservation {
	if before != nil && now.At.Before(before.At) {
		return &protocol.CameraObservation{CameraID: now.CameraID, At: before.At}
	}
	if before != nil && now.Schedule == nil {
		now.Schedule = before.Schedule
	}
	if before != nil && now.Retention == nil {
		now.Retention = before.Retention
	}
	return &now
}

// recorderChanged: it fell silent or is back, or its clock has moved by more
// than two readings of it can differ.
func recorderChanged(told *protocol.RecorderObservation, now protocol.RecorderObservation) bool {
	if told == nil || told.Reachable != now.Reachable {
		return true
	}
	if now.Clock == nil {
		return false
	}
	if told.Clock == nil {
		return true
	}
	moved := now.Clock.OffsetMs - told.Clock.OffsetMs
	slack := now.Clock.UncertaintyMs + told.Clock.UncertaintyMs + 1000
	return moved > slack || moved < -slack
}

// depthChanged: the store reaches an hour or more further back, or less far,
// than was told. A full store that rolls on keeps its depth.
func depthChanged(told *protocol.CameraObservation, now protocol.CameraObservation) bool {
	if now.OldestFootage.IsZero() {
		return false
	}
	if told == nil || told.OldestFootage.IsZero() {
		return true
	}
	moved := now.At.Sub(now.OldestFootage) - told.At.Sub(told.OldestFootage)
	return moved.Abs() >= time.Hour
}

// sameSchedule and sameRetention leave out when it was read, and of the
// retention what is measured anew each time.
func sameSchedule(a, b protocol.Schedule) bool {
	a.Fact, b.Fact = protocol.Fact{}, protocol.Fact{}
	a.Suspensions, b.Suspensions = slices.Clip(a.Suspensions), slices.Clip(b.Suspensions)
	for i := range a.Days {
		if !slices.Equal(a.Days[i], b.Days[i]) {
			return false
		}
		a.Days[i], b.Days[i] = nil, nil
	}
	if !slices.EqualFunc(a.Suspensions, b.Suspensions, func(x, y protocol.Suspension) bool { return x.From.Equal(y.From) && x.To.Equal(y.To) }) {
		return false
	}
	a.Suspensions, b.Suspensions = nil, nil
	return reflect.DeepEqual(a, b)
}

func sameRetention(a, b protocol.Retention) bool {
	return sameLimits(a, b) && a.Settled == b.Settled
}

// waitingObservation is one that nobody has been given yet.
type waitingObservation struct {
	seq         int64
	observation protocol.Observation
}

// unseen finds the site's observation that may still be replaced, or nil.
func unseen(ctx context.Context, tx *sql.Tx, siteID string) (*waitingObservation, error) {
	var w *waitingObservation
	err := each(ctx, tx, `SELECT seq, body FROM message WHERE site_id = ? AND state = 'waiting' AND plain = 1 AND handed = 0
		ORDER BY seq DESC LIMIT 1`, func(rows *sql.Rows) error {
		w = &waitingObservation{}
		var body []byte
		if err := rows.Scan(&w.seq, &body); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		if err != nil {
			return fmt.Errorf("the waiting observation of site %s: %w", siteID, err)
		}
		w.observation, _ = m.Body.(protocol.Observation)
		return nil
	}, siteID)
	return w, err
}

// declaredOnly leaves out what was taken out of the register meanwhile.
func (s *site) declaredOnly(o protocol.Observation) protocol.Observation {
	o.Recorders = slices.DeleteFunc(o.Recorders, func(r protocol.RecorderObservation) bool {
		return !slices.ContainsFunc(s.declared.Recorders, func(d protocol.Recorder) bool { return d.ID == r.RecorderID })
	})
	o.Cameras = slices.DeleteFunc(o.Cameras, func(c protocol.CameraObservation) bool {
		return !slices.ContainsFunc(s.declared.Cameras, func(d protocol.Camera) bool { return d.ID == c.CameraID })
	})
	return o
}

// overlay is what was observed before with what is observed now in its place,
// recorder by recorder and camera by camera.
func overlay(before, now protocol.Observation) protocol.Observation {
	for _, r := range before.Recorders {
		if !slices.ContainsFunc(now.Recorders, func(n protocol.RecorderObservation) bool { return n.RecorderID == r.RecorderID }) {
			now.Recorders = append(now.Recorders, r)
		}
	}
	for _, c := range before.Cameras {
		if !slices.ContainsFunc(now.Cameras, func(n protocol.CameraObservation) bool { return n.CameraID == c.CameraID }) {
			now.Cameras = append(now.Cameras, c)
		}
	}
	return now
}

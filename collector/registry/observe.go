package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// errNotDeclared is the reason for refusing facts about what nobody confirmed.
var errNotDeclared = errors.New("not declared at this site")

// observe adds measured facts to what is declared.
func (w *write) observe(ctx context.Context, o protocol.Observation, declared order) error {
	known, err := w.declared(ctx)
	if err != nil {
		return err
	}
	var errs protocol.FieldErrors
	// Facts about something that is not declared are refused; those that were
	// overtaken by the declaration that dropped it are merely too late, and of
	// those that this agent declares but another one later, nothing is kept.
	late := !w.order().after(declared)
	own := map[thing]bool{}
	if !late && !allKnown(o, known) {
		if own, err = w.ownNames(ctx); err != nil {
			return err
		}
	}
	wanted := func(k thing, field string, i int) bool {
		if !known[k] && !own[k] && !late {
			errs = append(errs, protocol.FieldError{Field: fmt.Sprintf(field, i), Why: errNotDeclared.Error()})
		}
		return known[k]
	}
	for i, r := range o.Recorders {
		if !wanted(thing{kindRecorder, r.RecorderID}, "recorders[%d].recorder_id", i) {
			continue
		}
		if err := w.observeRecorder(ctx, r); err != nil {
			return err
		}
	}
	for i, c := range o.Cameras {
		if !wanted(thing{kindCamera, c.CameraID}, "cameras[%d].camera_id", i) {
			continue
		}
		if err := w.observeCamera(ctx, c); err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// allKnown reports whether all that was observed is known.
func allKnown(o protocol.Observation, known map[thing]bool) bool {
	return !slices.ContainsFunc(o.Recorders, func(r protocol.RecorderObservation) bool { return !known[thing{kindRecorder, r.RecorderID}] }) &&
		!slices.ContainsFunc(o.Cameras, func(c protocol.CameraObservation) bool { return !known[thing{kindCamera, c.CameraID}] })
}

// declared reads which recorders and cameras are declared now.
func (w *write) declared(ctx context.Context) (map[thing]bool, error) {
	known := make(map[thing]bool)
	err := each(ctx, w.tx, func(scan func(...any) error) error {
		var k thing
		err := scan(&k.kind, &k.id)
		known[k] = true
		return err
	}, "SELECT kind, id FROM versions WHERE site_id = ? AND valid_until IS NULL AND body IS NOT NULL", w.m.SiteID)
	return known, err
}

func (w *write) observeRecorder(ctx context.Context, r protocol.RecorderObservation) error {
	if err := w.putClock(ctx, r.RecorderID, r.Clock); err != nil {
		return err
	}
	if err := w.lookedAt(ctx, r); err != nil {
		return err
	}
	return w.exec(ctx, `INSERT INTO reachability (site_id, recorder_id, at, recorded_at, reachable) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (site_id, recorder_id, at, recorded_at) DO UPDATE SET reachable = excluded.reachable`,
		w.m.SiteID, r.RecorderID, micros(r.At), micros(w.at), r.Reachable)
}

func (w *write) putClock(ctx context.Context, recorderID string, c *protocol.Clock) error {
	if c == nil {
		return nil
	}
	// The same reading may come twice, in a declaration and an observation.
	return w.exec(ctx, `INSERT INTO clocks (site_id, recorder_id, at, recorded_at, offset_ms, uncertainty_ms, method)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		w.m.SiteID, recorderID, micros(c.At), micros(w.at), c.OffsetMs, c.UncertaintyMs, c.Method)
}

func (w *write) observeCamera(ctx context.Context, c protocol.CameraObservation) error {
	o := looked(c)
	var schedule, retention []byte
	var settled sql.NullBool
	if o.schedule != nil {
		body, err := encode(*o.schedule)
		if err != nil {
			return err
		}
		if schedule, err = w.seal(ctx, observationBody("schedule", c.CameraID, micros(c.At), micros(w.at)), body); err != nil {
			return err
		}
	}
	if o.retention != nil {
		body, err := encode(*o.retention)
		if err != nil {
			return err
		}
		if retention, err = w.seal(ctx, observationBody("retention", c.CameraID, micros(c.At), micros(w.at)), body); err != nil {
			return err
		}
	}
	if o.settled != nil {
		settled = sql.NullBool{Bool: *o.settled, Valid: true}
	}
	return w.exec(ctx, `INSERT INTO camera_observations (site_id, camera_id, at, recorded_at, oldest_footage, settled, schedule, retention)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (site_id, camera_id, at, recorded_at) DO UPDATE SET
			oldest_footage = coalesce(excluded.oldest_footage, camera_observations.oldest_footage),
			settled = coalesce(excluded.settled, camera_observations.settled),
			schedule = coalesce(excluded.schedule, camera_observations.schedule),
			retention = coalesce(excluded.retention, camera_observations.retention)`,
		w.m.SiteID, c.CameraID, micros(c.At), micros(w.at), nullMicros(o.oldest), settled, schedule, retention)
}

// observation is one look at what a recorder keeps of a camera: what could not
// be read is nil or zero.
type observation struct {
	at        time.Time
	recorded  time.Time // zero until it is
	oldest    time.Time
	settled   *bool               // whether the store is full; only with oldest
	schedule  *protocol.Schedule  // its kind is known
	retention *protocol.Retention // its kind is known; as configured, without what was observed
}

// looked takes a message's observation apart. All of it was seen at c.At.
func looked(c protocol.CameraObservation) observation {
	o := observation{at: exact(c.At), oldest: exact(c.OldestFootage)}
	if c.Schedule != nil && c.Schedule.Kind != protocol.ScheduleUnknown {
		s := normalSchedule(*c.Schedule)
		o.schedule = &s
	}
	if c.Retention != nil {
		r := normalRetention(*c.Retention)
		if !r.OldestFootage.IsZero() {
			o.settled = &r.Settled
			if o.oldest.IsZero() {
				o.oldest = r.OldestFootage
			}
		}
		if r.Kind != protocol.RetentionUnknown {
			configured := r
			configured.OldestFootage, configured.ObservedAt, configured.Settled = time.Time{}, time.Time{}, false
			o.retention = &configured
		}
	}
	if o.oldest.After(o.at) {
		o.oldest = o.at
	}
	return o
}

package registry

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"anagrafe/protocol"
)

// History is what the register knew of one site at a moment, over time. Each
// series is ordered by the time from which it holds. Contacts are no part of
// it: reading those is an entry on the trail (see Contacts).
type History struct {
	SiteID    string
	Known     time.Time // only what was recorded by then; zero: all
	Withdrawn bool      // nothing was known, unless it was declared again since
	Suspended bool      // its owner had it hidden from search
	Trust     string    // how the owner's identity is checked, as of now

	// Acts are what people did to what the site declares, as recorded.
	Acts []Act
	// Erased is what went after Known, so that nothing is known any more of
	// what stood there then: this history lacks it, and does not bring it back.
	Erased []gone

	Sites []protocol.Era[protocol.Site]

	Recorders map[string][]protocol.Era[protocol.Recorder] // by recorder id; Clock is nil, see Clocks
	Clocks    map[string][]protocol.Clock                  // by recorder id; declared and observed
	Reachable map[string][]protocol.Era[bool]              // by recorder id; each From is a look
	Cameras   map[string][]CameraVersion                   // by camera id

	// What was in force when, by camera id: the declared values and, from the
	// moment they were measured on, the measured ones.
	Schedules  map[string][]protocol.Era[protocol.Schedule]
	Retentions map[string][]protocol.Era[protocol.Retention]

	marks map[thing][]mark // beside each value of each series but Cameras
}

// CameraVersion is a camera as it was declared from ValidFrom on, until its
// next version.
type CameraVersion struct {
	ValidFrom, RecordedAt time.Time
	Camera                protocol.Camera
	Withdrawn             bool   // no longer declared: Camera is zero, and this the only version
	Origin                Origin // whose word the version is
}

// gone is that something was erased, which is all that is kept of it.
type gone struct {
	CameraID   string    // "": the whole site
	At         time.Time // when its owner decided it
	RecordedAt time.Time
}

// mark is where a value of a series comes from.
type mark struct {
	from, recorded  time.Time
	ended, endKnown time.Time // zero: the next value, if any, ends it
	by, endedBy     Origin
}

// History reads a site as it is known now: see historyAsOf.
func (r *Registry) History(ctx context.Context, siteID string, since time.Time) (History, error) {
	return r.historyAsOf(ctx, siteID, since, time.Time{})
}

// historyAsOf reads a site as the register knew it at known (zero: now).
// Versions are given whole; clocks, reachability, schedules and retentions from
// what was in force at since on (zero: all). A site that was not known has an
// empty history. What was erased after known is not given, only that it was;
// what was thinned since (see Thin) is given by the look before it.
func (r *Registry) historyAsOf(ctx context.Context, siteID string, since, known time.Time) (History, error) {
	h := History{
		SiteID: siteID, Known: known,
		Recorders:  make(map[string][]protocol.Era[protocol.Recorder]),
		Clocks:     make(map[string][]protocol.Clock),
		Reachable:  make(map[string][]protocol.Era[bool]),
		Cameras:    make(map[string][]CameraVersion),
		Schedules:  make(map[string][]protocol.Era[protocol.Schedule]),
		Retentions: make(map[string][]protocol.Era[protocol.Retention]),
		marks:      make(map[thing][]mark),
	}
	err := r.view(ctx, func(tx *tx) error {
		b, err := r.vault.boxOf(ctx, tx, siteID)
		if err != nil {
			return err
		}
		s := site{tx: tx, id: siteID, box: b, since: micros(since), known: math.MaxInt64}
		if !known.IsZero() {
			s.known = micros(known)
		}
		if err := s.read(ctx, &h); err != nil {
			return err
		}
		observed, err := s.observations(ctx)
		if err != nil {
			return err
		}
		for id, versions := range h.Cameras {
			if versions[0].Withdrawn {
				continue
			}
			schedules, retentions := series(versions, observed[id])
			schedules.trim(since)
			retentions.trim(since)
			h.Schedules[id], h.marks[thing{kindSchedule, id}] = schedules.list, schedules.marks
			h.Retentions[id], h.marks[thing{kindRetention, id}] = retentions.list, retentions.marks
		}
		return nil
	})
	if err != nil {
		return History{}, fmt.Errorf("read history of site %s: %w", siteID, err)
	}
	return h, nil
}

// Series of a camera or a recorder, beside the kinds of versions.
const (
	kindSchedule  = "schedule"
	kindRetention = "retention"
	kindReachable = "reachable"
	kindClock     = "clock"
)

// site reads one site within one transaction.
type site struct {
	tx    *tx
	id    string
	box   *box // nil: nothing of it is sealed, or to be opened any more
	since int64
	known int64 // what was recorded later is not read
}

func (s site) read(ctx context.Context, h *History) error {
	err := each(ctx, s.tx, func(scan func(...any) error) error { return scan(&h.Trust) }, "SELECT trust FROM sites WHERE id = ?", s.id)
	if err != nil {
		return err
	}
	acts, err := s.readActs(ctx)
	if err != nil {
		return err
	}
	h.addActs(acts, s.known)
	if err := s.clocks(ctx, h); err != nil {
		return err
	}
	if err := s.reachable(ctx, h); err != nil {
		return err
	}
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var k thing
		var version, from, recorded, until, closed, act, closedAct int64
		var sealed []byte
		if err := scan(&k.kind, &k.id, &version, &from, &recorded, &until, &closed, &act, &closedAct, &sealed); err != nil {
			return err
		}
		m := mark{from: fromMicros(from), recorded: fromMicros(recorded), by: origin(acts, act)}
		if recorded > s.known {
			if sealed == nil {
				h.Erased = append(h.Erased, gone{CameraID: k.id, At: m.from, RecordedAt: m.recorded})
			}
			return nil
		}
		if closed != 0 && closed <= s.known {
			m.ended, m.endKnown, m.endedBy = fromMicros(until), fromMicros(closed), origin(acts, closedAct)
		}
		body, err := s.openVersion(k, version, sealed)
		if err != nil {
			return err
		}
		return h.addVersion(k, m, body)
	}, `SELECT kind, id, version, valid_from, recorded_at, coalesce(valid_until, 0), coalesce(closed_at, 0), coalesce(act, 0), coalesce(closed_act, 0), body
		FROM versions WHERE site_id = ? ORDER BY kind, id, version`, s.id)
}

// openVersion opens the body of a version; NULL stays what it is.
func (s site) openVersion(k thing, version int64, sealed []byte) (body sql.NullString, err error) {
	if sealed == nil {
		return body, nil
	}
	plain, err := s.box.open(versionBody(k, version), sealed)
	return sql.NullString{String: string(plain), Valid: true}, err
}

// addActs takes over what was done by the moment known, and what that makes of
// the site; of what was done later, only what it erased.
func (h *History) addActs(acts []Act, known int64) {
	for _, a := range acts {
		empties := a.Reason == reasonWithdrawn || a.Reason == reasonEmptied
		if micros(a.RecordedAt) > known {
			if empties {
				h.Erased = append(h.Erased, gone{At: a.At, RecordedAt: a.RecordedAt})
			}
			continue
		}
		h.Acts = append(h.Acts, a)
		h.Withdrawn, h.Suspended = stateAfter(h.Withdrawn, h.Suspended, a.Reason)
	}
}

// stateAfter is the state of a site after an act.
func stateAfter(withdrawn, suspended bool, r reason) (bool, bool) {
	switch r {
	case reasonWithdrawn:
		return true, false
	case reasonEmptied: // who declares next does not lift the suspension
		return true, suspended
	case reasonSuspended:
		return withdrawn, true
	case reasonResumed:
		return withdrawn, false
	}
	return false, suspended
}

func (h *History) addVersion(k thing, m mark, body sql.NullString) error {
	switch k.kind {
	case kindSite:
		v, err := decode[protocol.Site](body.String)
		h.Sites = append(h.Sites, protocol.Era[protocol.Site]{From: m.from, Value: v})
		h.marks[k] = append(h.marks[k], m)
		return err
	case kindRecorder:
		v, err := decode[protocol.Recorder](body.String)
		h.Recorders[k.id] = append(h.Recorders[k.id], protocol.Era[protocol.Recorder]{From: m.from, Value: v})
		h.marks[k] = append(h.marks[k], m)
		return err
	case kindCamera:
		if !body.Valid && !m.ended.IsZero() {
			return nil // it came back; if nothing follows, that is erased, too
		}
		v := CameraVersion{ValidFrom: m.from, RecordedAt: m.recorded, Withdrawn: !body.Valid, Origin: m.by}
		before := h.Cameras[k.id]
		if !body.Valid || len(before) > 0 && before[0].Withdrawn {
			before = nil // what it was before is erased: it starts anew
		}
		var err error
		if body.Valid {
			v.Camera, err = decode[protocol.Camera](body.String)
		}
		h.Cameras[k.id] = append(before, v)
		return err
	}
	return fmt.Errorf("a version is of kind %q", k.kind)
}

// clocks reads the samples from since on, and the last before: it may be the
// nearest.
func (s site) clocks(ctx context.Context, h *History) error {
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var id string
		var at, recorded int64
		var c protocol.Clock
		err := scan(&id, &at, &recorded, &c.OffsetMs, &c.UncertaintyMs, &c.Method)
		c.At = fromMicros(at)
		h.Clocks[id] = append(h.Clocks[id], c)
		k := thing{kindClock, id}
		h.marks[k] = append(h.marks[k], mark{from: c.At, recorded: fromMicros(recorded), by: measured})
		return err
	}, `SELECT recorder_id, at, recorded_at, offset_ms, uncertainty_ms, method FROM clocks c
		WHERE site_id = ?1 AND recorded_at <= ?3 AND at >= coalesce(
			(SELECT max(at) FROM clocks l WHERE l.site_id = ?1 AND l.recorder_id = c.recorder_id AND l.at <= ?2 AND l.recorded_at <= ?3), ?2)
		ORDER BY recorder_id, at`, s.id, s.since, s.known)
}

// reachable reads the looks at recorders from since on, and the last before.
func (s site) reachable(ctx context.Context, h *History) error {
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var id string
		var at, recorded int64
		var is bool
		if err := scan(&id, &at, &recorded, &is); err != nil {
			return err
		}
		k := thing{kindReachable, id}
		eras, m := h.Reachable[id], mark{from: fromMicros(at), recorded: fromMicros(recorded), by: measured}
		if n := len(eras); n > 0 && eras[n-1].From.Equal(m.from) { // of one moment the word recorded last
			eras[n-1].Value, h.marks[k][n-1] = is, m
			return nil
		}
		h.Reachable[id] = append(eras, protocol.Era[bool]{From: m.from, Value: is})
		h.marks[k] = append(h.marks[k], m)
		return nil
	}, `SELECT recorder_id, at, recorded_at, reachable FROM reachability c
		WHERE site_id = ?1 AND recorded_at <= ?3 AND at >= coalesce(
			(SELECT max(at) FROM reachability l WHERE l.site_id = ?1 AND l.recorder_id = c.recorder_id AND l.at <= ?2 AND l.recorded_at <= ?3), ?2)
		ORDER BY recorder_id, at, recorded_at`, s.id, s.since, s.known)
}

// observations reads, by camera, those from since on and before it the last of
// each fact: together they decide what was in force at since.
func (s site) observations(ctx context.Context) (map[string][]observation, error) {
	observed := make(map[string][]observation)
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		id, o, err := s.scanObservation(scan)
		observed[id] = append(observed[id], o)
		return err
	}, "SELECT "+observationColumns+` FROM camera_observations o
		WHERE site_id = ?1 AND recorded_at <= ?3 AND (at >= ?2`+lastWith("oldest_footage")+lastWith("settled")+lastWith("schedule")+lastWith("retention")+`)
		ORDER BY camera_id, at, recorded_at`, s.id, s.since, s.known)
	return observed, err
}

func lastWith(column string) string {
	return ` OR at = (SELECT max(at) FROM camera_observations l
		WHERE l.site_id = ?1 AND l.camera_id = o.camera_id AND l.at < ?2 AND l.recorded_at <= ?3 AND l.` + column + ` IS NOT NULL)`
}

const observationColumns = "camera_id, at, recorded_at, coalesce(oldest_footage, 0), settled, schedule, retention"

// observationRow is a row of camera_observations, sealed as it is.
type observationRow struct {
	camera               string
	at, recorded, oldest int64
	settled              sql.NullBool
	schedule, retention  []byte
}

// columns are where observationColumns are scanned to.
func (o *observationRow) columns() []any {
	return []any{&o.camera, &o.at, &o.recorded, &o.oldest, &o.settled, &o.schedule, &o.retention}
}

func (s site) scanObservation(scan func(...any) error) (cameraID string, o observation, err error) {
	var row observationRow
	if err := scan(row.columns()...); err != nil {
		return "", o, err
	}
	o, err = s.box.openObservation(row)
	return row.camera, o, err
}

func (b *box) openObservation(row observationRow) (o observation, err error) {
	o = observation{at: fromMicros(row.at), recorded: fromMicros(row.recorded), oldest: fromMicros(row.oldest)}
	if row.settled.Valid {
		o.settled = &row.settled.Bool
	}
	if row.schedule != nil {
		v, err := openBody[protocol.Schedule](b, observationBody("schedule", row.camera, row.at, row.recorded), row.schedule)
		if err != nil {
			return o, err
		}
		o.schedule = &v
	}
	if row.retention != nil {
		v, err := openBody[protocol.Retention](b, observationBody("retention", row.camera, row.at, row.recorded), row.retention)
		if err != nil {
			return o, err
		}
		o.retention = &v
	}
	return o, nil
}

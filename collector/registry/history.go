package registry

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// History is what the register knows of one site, over time. Each series is
// ordered by the time from which it holds. Contacts are no part of it: who
// reads those leaves an entry on the trail (see Contacts).
type History struct {
	SiteID    string
	Withdrawn bool   // nothing is known, unless it was declared again since
	Suspended bool   // its owner has it hidden from search
	Trust     string // how the owner's identity was checked

	Sites []protocol.Era[protocol.Site]

	Recorders map[string][]protocol.Era[protocol.Recorder] // by recorder id; Clock is nil, see Clocks
	Clocks    map[string][]protocol.Clock                  // by recorder id; declared and observed
	Cameras   map[string][]CameraVersion                   // by camera id

	// What was in force when, by camera id: the declared values and, from the
	// moment they were measured on, the measured ones.
	Schedules  map[string][]protocol.Era[protocol.Schedule]
	Retentions map[string][]protocol.Era[protocol.Retention]
}

// CameraVersion is a camera as it was declared from ValidFrom on, until its
// next version.
type CameraVersion struct {
	ValidFrom, RecordedAt time.Time
	Camera                protocol.Camera
	Withdrawn             bool // no longer declared: Camera is zero, and this the only version
}

// History reads a site. Versions are given whole; clocks, schedules and
// retentions from what was in force at since on (zero: all). A site that is
// not known has an empty history.
func (r *Registry) History(ctx context.Context, siteID string, since time.Time) (History, error) {
	h := History{
		SiteID:     siteID,
		Recorders:  make(map[string][]protocol.Era[protocol.Recorder]),
		Clocks:     make(map[string][]protocol.Clock),
		Cameras:    make(map[string][]CameraVersion),
		Schedules:  make(map[string][]protocol.Era[protocol.Schedule]),
		Retentions: make(map[string][]protocol.Era[protocol.Retention]),
	}
	err := r.view(ctx, func(tx *tx) error {
		b, err := r.vault.boxOf(ctx, tx, siteID)
		if err != nil {
			return err
		}
		s := site{tx: tx, id: siteID, box: b, since: micros(since)}
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
			h.Schedules[id], h.Retentions[id] = trim(schedules, since), trim(retentions, since)
		}
		return nil
	})
	if err != nil {
		return History{}, fmt.Errorf("read history of site %s: %w", siteID, err)
	}
	return h, nil
}

// site reads one site within one transaction.
type site struct {
	tx    *tx
	id    string
	box   *box // nil: nothing of it is sealed, or to be opened any more
	since int64
}

func (s site) read(ctx context.Context, h *History) error {
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		return scan(&h.Trust, &h.Withdrawn, &h.Suspended)
	}, "SELECT trust, withdrawn_at IS NOT NULL, suspended_at IS NOT NULL FROM sites WHERE id = ?", s.id)
	if err != nil {
		return err
	}
	if err := s.clocks(ctx, h); err != nil {
		return err
	}
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var k thing
		var version, from, recorded int64
		var sealed []byte
		if err := scan(&k.kind, &k.id, &version, &from, &recorded, &sealed); err != nil {
			return err
		}
		var body sql.NullString
		if body.Valid = sealed != nil; body.Valid {
			plain, err := s.box.open(versionBody(k, version), sealed)
			if err != nil {
				return err
			}
			body.String = string(plain)
		}
		return h.addVersion(k, fromMicros(from), fromMicros(recorded), body)
	}, "SELECT kind, id, version, valid_from, recorded_at, body FROM versions WHERE site_id = ? ORDER BY kind, id, version", s.id)
}

func (h *History) addVersion(k thing, from, recorded time.Time, body sql.NullString) error {
	switch k.kind {
	case kindSite:
		v, err := decode[protocol.Site](body.String)
		h.Sites = append(h.Sites, protocol.Era[protocol.Site]{From: from, Value: v})
		return err
	case kindRecorder:
		v, err := decode[protocol.Recorder](body.String)
		h.Recorders[k.id] = append(h.Recorders[k.id], protocol.Era[protocol.Recorder]{From: from, Value: v})
		return err
	case kindCamera:
		v := CameraVersion{ValidFrom: from, RecordedAt: recorded, Withdrawn: !body.Valid}
		var err error
		if body.Valid {
			v.Camera, err = decode[protocol.Camera](body.String)
		}
		h.Cameras[k.id] = append(h.Cameras[k.id], v)
		return err
	}
	return fmt.Errorf("a version is of kind %q", k.kind)
}

// clocks reads the samples from since on, and the last before: it may be the
// nearest.
func (s site) clocks(ctx context.Context, h *History) error {
	return each(ctx, s.tx, func(scan func(...any) error) error {
		var id string
		var at int64
		var c protocol.Clock
		err := scan(&id, &at, &c.OffsetMs, &c.UncertaintyMs, &c.Method)
		c.At = fromMicros(at)
		h.Clocks[id] = append(h.Clocks[id], c)
		return err
	}, `SELECT recorder_id, at, offset_ms, uncertainty_ms, method FROM clocks c WHERE site_id = ?1 AND at >= coalesce(
			(SELECT max(at) FROM clocks l WHERE l.site_id = ?1 AND l.recorder_id = c.recorder_id AND l.at <= ?2), ?2)
		ORDER BY recorder_id, at`, s.id, s.since)
}

// observations reads, by camera, those from since on and before it the last of
// each fact: together they decide what was in force at since.
func (s site) observations(ctx context.Context) (map[string][]observation, error) {
	observed := make(map[string][]observation)
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		var id string
		var at, oldest int64
		var settled sql.NullBool
		var schedule, retention []byte
		if err := scan(&id, &at, &oldest, &settled, &schedule, &retention); err != nil {
			return err
		}
		o := observation{at: fromMicros(at), oldest: fromMicros(oldest)}
		if settled.Valid {
			o.settled = &settled.Bool
		}
		if schedule != nil {
			v, err := openBody[protocol.Schedule](s.box, observationBody("schedule", id, at), schedule)
			if err != nil {
				return err
			}
			o.schedule = &v
		}
		if retention != nil {
			v, err := openBody[protocol.Retention](s.box, observationBody("retention", id, at), retention)
			if err != nil {
				return err
			}
			o.retention = &v
		}
		observed[id] = append(observed[id], o)
		return nil
	}, `SELECT camera_id, at, coalesce(oldest_footage, 0), settled, schedule, retention FROM camera_observations o
		WHERE site_id = ?1 AND (at >= ?2`+lastWith("oldest_footage")+lastWith("settled")+lastWith("schedule")+lastWith("retention")+`)
		ORDER BY camera_id, at`, s.id, s.since)
	return observed, err
}

func lastWith(column string) string {
	return ` OR at = (SELECT max(at) FROM camera_observations l
		WHERE l.site_id = ?1 AND l.camera_id = o.camera_id AND l.at < ?2 AND l.` + column + ` IS NOT NULL)`
}

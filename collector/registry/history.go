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
		s := site{tx: tx, id: siteID, since: micros(since)}
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
		var kind, id string
		var from, recorded int64
		var body sql.NullString
		if err := scan(&kind, &id, &from, &recorded, &body); err != nil {
			return err
		}
		return h.addVersion(thing{kind, id}, fromMicros(from), fromMicros(recorded), body)
	}, "SELECT kind, id, valid_from, recorded_at, body FROM versions WHERE site_id = ? ORDER BY kind, id, version", s.id)
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

func (s site) contacts(ctx context.Context) ([]protocol.Contact, error) {
	var contacts []protocol.Contact
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		c, err := decode[protocol.Contact](body)
		contacts = append(contacts, c)
		return err
	}, "SELECT body FROM contacts WHERE site_id = ? ORDER BY place", s.id)
	return contacts, err
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
		var schedule, retention sql.NullString
		if err := scan(&id, &at, &oldest, &settled, &schedule, &retention); err != nil {
			return err
		}
		o := observation{at: fromMicros(at), oldest: fromMicros(oldest)}
		if settled.Valid {
			o.settled = &settled.Bool
		}
		if schedule.Valid {
			v, err := decode[protocol.Schedule](schedule.String)
			if err != nil {
				return err
			}
			o.schedule = &v
		}
		if retention.Valid {
			v, err := decode[protocol.Retention](retention.String)
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

// maxContactSites bounds one reading of contacts: an officer reveals the sites
// of one list.
const maxContactSites = 1000

// Contacts gives the newest contacts of sites, by site id; a site without any,
// or that its owner has suspended, is left out. It is only for an answer that is
// on the trail.
func (r *Registry) Contacts(ctx context.Context, siteIDs []string) (map[string][]protocol.Contact, error) {
	if len(siteIDs) > maxContactSites {
		return nil, fmt.Errorf("read contacts: %d sites asked for, at most %d at once", len(siteIDs), maxContactSites)
	}
	all := make(map[string][]protocol.Contact)
	err := r.view(ctx, func(tx *tx) error {
		for _, id := range siteIDs {
			var hidden bool
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites WHERE id = ? AND suspended_at IS NOT NULL)", id).Scan(&hidden); err != nil {
				return err
			}
			if hidden {
				continue
			}
			contacts, err := site{tx: tx, id: id}.contacts(ctx)
			if err != nil {
				return err
			}
			if len(contacts) > 0 {
				all[id] = contacts
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return all, nil
}

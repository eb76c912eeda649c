package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// Technical is one site's technical state, for the helpdesk: without contacts, positions
// and names of cameras, and without what the police asked.
type Technical struct {
	SiteRow
	Agents    []technicalAgent
	Recorders []technicalRecorder
	Unnamed   []unnamedDevice
	Diagnoses []diagnosis
	Letters   []Letter
	Reminded  time.Time // the newest reminder; zero: none
	Bounced   int       // addresses that a server refused
}

// technicalAgent is one that may speak for the site, or might.
type technicalAgent struct {
	ID, Version, Platform                          string
	EnrolledAt, SeenAt, RevokedAt, CertificateEnds time.Time // zero: never
	VisitUntil                                     time.Time // zero: it is no visit
	SearchedAt                                     time.Time // zero: it has not said
	Found, Answered, Confirmed                     int       // cameras, as it said
}

// technicalRecorder is a recorder that is declared.
type technicalRecorder struct {
	ID              string
	Maker           protocol.Maker
	Model, Firmware string
	LookedAt        time.Time
	Faults          []recorderFault
}

// recorderFault is something wrong with it.
type recorderFault struct {
	Fault protocol.Fault
	Since time.Time
	Size  int64 // of a clock: ms
}

// diagnosis is a text that somebody at the site read and sent. Who that was is
// theirs.
type diagnosis struct {
	At   time.Time
	Text string
}

// Technical reads a site's; ErrUnknownSite for none.
func (r *Registry) Technical(ctx context.Context, siteID string) (t Technical, err error) {
	found := false
	err = r.SiteRows(ctx, SiteFilter{ID: siteID}, SitesByInvitation, Window{Limit: 1}, func(s SiteRow) error {
		t.SiteRow, found = s, true
		return nil
	})
	if err != nil {
		return t, err
	}
	if !found {
		return t, ErrUnknownSite
	}
	err = r.view(ctx, func(tx *tx) error {
		for _, read := range technicalParts {
			if err := read(&t, ctx, r, tx); err != nil {
				return err
			}
		}
		t.Letters, err = r.letters(ctx, tx, siteID, false)
		return err
	})
	if err != nil {
		return Technical{}, fmt.Errorf("read the technical state of site %s: %w", siteID, err)
	}
	return t, nil
}

var technicalParts = []func(*Technical, context.Context, *Registry, *tx) error{
	(*Technical).readAgents, (*Technical).readRecorders, (*Technical).readUnnamed, (*Technical).readDiagnoses, (*Technical).readReminders,
}

func (t *Technical) readAgents(ctx context.Context, r *Registry, tx *tx) error {
	return each(ctx, tx, func(scan func(...any) error) error {
		var a technicalAgent
		var enrolled, seen, revoked, ends, until, searched int64
		err := scan(&a.ID, &a.Version, &a.Platform, &enrolled, &seen, &revoked, &ends, &until, &searched, &a.Found, &a.Answered, &a.Confirmed)
		a.EnrolledAt, a.SeenAt, a.RevokedAt, a.CertificateEnds = fromMicros(enrolled), fromMicros(seen), fromMicros(revoked), fromMicros(ends)
		a.VisitUntil, a.SearchedAt = fromMicros(until), fromMicros(searched)
		t.Agents = append(t.Agents, a)
		return err
	}, `SELECT a.id, a.version, coalesce(h.platform, ''), a.enrolled_at, coalesce(a.seen_at, 0), coalesce(a.revoked_at, 0), coalesce(a.certificate_until, 0),
		o.until_at, coalesce(h.searched_at, 0), coalesce(h.found, 0), coalesce(h.answered, 0), coalesce(h.confirmed, 0)
		FROM (SELECT agent_id, CASE WHEN count(*) = count(until_at) THEN max(until_at) ELSE 0 END AS until_at FROM grants WHERE site_id = ?2 AND `+notEnded("?1")+` GROUP BY agent_id) o
		JOIN agents a ON a.id = o.agent_id LEFT JOIN health h ON h.site_id = ?2 AND h.agent_id = a.id
		WHERE a.organisation_id IS NULL ORDER BY a.enrolled_at DESC, a.id`, micros(r.now()), t.ID)
}

func (t *Technical) readRecorders(ctx context.Context, _ *Registry, tx *tx) error {
	place := map[string]int{}
	if err := each(ctx, tx, func(scan func(...any) error) error {
		var e technicalRecorder
		var looked int64
		err := scan(&e.ID, &e.Maker, &e.Model, &e.Firmware, &looked)
		e.LookedAt, place[e.ID] = fromMicros(looked), len(t.Recorders)
		t.Recorders = append(t.Recorders, e)
		return err
	}, "SELECT recorder_id, maker, model, firmware, looked_at FROM equipment WHERE site_id = ? ORDER BY maker, model, recorder_id", t.ID); err != nil {
		return err
	}
	return each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var f recorderFault
		var since int64
		err := scan(&id, &f.Fault, &since, &f.Size)
		f.Since = fromMicros(since)
		if i, ok := place[id]; ok {
			t.Recorders[i].Faults = append(t.Recorders[i].Faults, f)
		}
		return err
	}, "SELECT recorder_id, fault, since_at, size FROM faults WHERE site_id = ? ORDER BY since_at, fault", t.ID)
}

func (t *Technical) readUnnamed(ctx context.Context, _ *Registry, tx *tx) error {
	return each(ctx, tx, func(scan func(...any) error) error {
		var u unnamedDevice
		err := scan(&u.Maker, &u.Fault, &u.Devices)
		t.Unnamed = append(t.Unnamed, u)
		return err
	}, "SELECT maker, fault, CAST(sum(devices) AS BIGINT) FROM unread WHERE site_id = ? GROUP BY maker, fault ORDER BY maker, fault", t.ID)
}

func (t *Technical) readDiagnoses(ctx context.Context, r *Registry, tx *tx) error {
	type row struct {
		id     string
		at     int64
		sealed []byte
	}
	var rows []row
	if err := each(ctx, tx, func(scan func(...any) error) error {
		var d row
		err := scan(&d.id, &d.at, &d.sealed)
		rows = append(rows, d)
		return err
	}, "SELECT id, recorded_at, body FROM diagnoses WHERE site_id = ? ORDER BY recorded_at DESC, id", t.ID); err != nil || len(rows) == 0 {
		return err
	}
	b, err := r.vault.boxOf(ctx, tx, t.ID)
	if err != nil {
		return err
	}
	for _, d := range rows {
		plain, err := b.open(diagnosisBody(d.id), d.sealed)
		if err != nil {
			return err
		}
		var said protocol.Diagnosis
		if err := json.Unmarshal(plain, &said); err != nil {
			return err
		}
		t.Diagnoses = append(t.Diagnoses, diagnosis{fromMicros(d.at), said.Text})
	}
	return nil
}

// readReminders leaves out what was sent for other reasons: it would tell that
// somebody asked for footage.
func (t *Technical) readReminders(ctx context.Context, _ *Registry, tx *tx) error {
	var reminded int64
	err := tx.QueryRowContext(ctx, "SELECT coalesce((SELECT reminded_at FROM ageing WHERE site_id = ?1), 0), (SELECT count(*) FROM bounces WHERE site_id = ?1)", t.ID).
		Scan(&reminded, &t.Bounced)
	t.Reminded = fromMicros(reminded)
	return err
}

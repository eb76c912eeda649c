package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"anagrafe/protocol"
)

// What agents tell of themselves and of recorders, for who helps their owners. It
// is kept in clear, to be counted: makers, models and faults of a site that only its
// id names. All of it goes with what is declared, and the rest with the site.

// healthTables are the tables of it.
var healthTables = []string{"health", "unread", "equipment", "faults", "diagnoses"}

// health takes over how an agent stands. One that arrives late says nothing any more.
func (w *write) health(ctx context.Context, h protocol.Health) error {
	var newest sql.NullInt64
	err := w.tx.QueryRowContext(ctx, "SELECT at FROM health WHERE site_id = ? AND agent_id = ?", w.m.SiteID, w.agentID).Scan(&newest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if newest.Valid && newest.Int64 > micros(h.At) {
		return nil
	}
	if err := w.exec(ctx, "UPDATE agents SET version = ? WHERE id = ?", h.AgentVersion, w.agentID); err != nil {
		return err
	}
	// How far the site came, for the funnel, by our clock.
	if err := w.exec(ctx, `UPDATE sites SET searched_at = CASE WHEN ?2 THEN coalesce(searched_at, ?1) ELSE searched_at END,
		confirmed_at = CASE WHEN ?3 THEN coalesce(confirmed_at, ?1) ELSE confirmed_at END WHERE id = ?4`,
		micros(w.at), !h.SearchedAt.IsZero(), h.Confirmed > 0, w.m.SiteID); err != nil {
		return err
	}
	if err := w.exec(ctx, `INSERT INTO health (site_id, agent_id, at, recorded_at, platform, searched_at, found, answered, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (site_id, agent_id) DO UPDATE SET at = excluded.at, recorded_at = excluded.recorded_at, platform = excluded.platform,
			searched_at = excluded.searched_at, found = excluded.found, answered = excluded.answered, confirmed = excluded.confirmed`,
		w.m.SiteID, w.agentID, micros(h.At), micros(w.at), h.Platform, nullMicros(exact(h.SearchedAt)), h.Found, h.Answered, h.Confirmed); err != nil {
		return err
	}
	if err := w.exec(ctx, "DELETE FROM unread WHERE site_id = ? AND agent_id = ?", w.m.SiteID, w.agentID); err != nil {
		return err
	}
	for _, o := range h.Others {
		if err := w.exec(ctx, `INSERT INTO unread (site_id, agent_id, maker, fault, devices) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (site_id, agent_id, maker, fault) DO UPDATE SET devices = unread.devices + excluded.devices`,
			w.m.SiteID, w.agentID, string(o.Maker), string(o.Fault), o.Devices); err != nil {
			return err
		}
	}
	known, err := w.declared(ctx)
	if err != nil {
		return err
	}
	for _, r := range h.Recorders {
		if !known[thing{kindRecorder, r.RecorderID}] {
			continue // it was declared no more when this arrived
		}
		if err := w.recorderHealth(ctx, r, h); err != nil {
			return err
		}
	}
	return nil
}

// measuredFaults are told by observations, with their values, and not by health.
var measuredFaults = []protocol.Fault{protocol.FaultUnreachable, protocol.FaultClock}

func (w *write) recorderHealth(ctx context.Context, r protocol.RecorderHealth, h protocol.Health) error {
	if err := w.exec(ctx, `INSERT INTO equipment (site_id, recorder_id, maker, model, firmware) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (site_id, recorder_id) DO UPDATE SET maker = excluded.maker, model = excluded.model, firmware = excluded.firmware`,
		w.m.SiteID, r.RecorderID, string(r.Maker), r.Model, r.Firmware); err != nil {
		return err
	}
	for _, f := range protocol.Faults {
		if slices.Contains(measuredFaults, f) {
			continue
		}
		if err := w.fault(ctx, r.RecorderID, f, slices.Contains(r.Faults, f), micros(h.At), 0); err != nil {
			return err
		}
	}
	return nil
}

// fault notes that something is wrong with a recorder since a moment, or that it
// is right again. Of one that was noted, the first moment stays.
func (w *write) fault(ctx context.Context, recorderID string, f protocol.Fault, wrong bool, since, size int64) error {
	if !wrong {
		return w.exec(ctx, "DELETE FROM faults WHERE site_id = ? AND recorder_id = ? AND fault = ?", w.m.SiteID, recorderID, string(f))
	}
	return w.exec(ctx, `INSERT INTO faults (site_id, recorder_id, fault, since_at, size) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (site_id, recorder_id, fault) DO UPDATE SET size = excluded.size`, w.m.SiteID, recorderID, string(f), since, size)
}

// lookedAt notes what an observation says of a recorder, unless a later one did.
func (w *write) lookedAt(ctx context.Context, r protocol.RecorderObservation) error {
	done, err := w.tx.ExecContext(ctx, "UPDATE equipment SET looked_at = ?3 WHERE site_id = ?1 AND recorder_id = ?2 AND looked_at <= ?3",
		w.m.SiteID, r.RecorderID, micros(r.At))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if err := w.fault(ctx, r.RecorderID, protocol.FaultUnreachable, !r.Reachable, micros(r.At), 0); err != nil || r.Clock == nil {
		return err
	}
	return w.clockFault(ctx, r.RecorderID, *r.Clock)
}

// clockFault: between right and wrong it stays as it was.
func (w *write) clockFault(ctx context.Context, recorderID string, c protocol.Clock) error {
	off := max(c.OffsetMs, -c.OffsetMs)
	if off > protocol.RightClock.Milliseconds() && off < protocol.WrongClock.Milliseconds() {
		return nil
	}
	return w.fault(ctx, recorderID, protocol.FaultClock, off >= protocol.WrongClock.Milliseconds(), micros(c.At), c.OffsetMs)
}

// updateEquipment makes the list of equipment that of what is declared: a recorder that is
// new in it is known by what the declaration calls it until its agent says more.
func (w *write) updateEquipment(ctx context.Context, recorders []protocol.Recorder) error {
	var had []string
	if !w.first {
		var err error
		if had, err = textsOf(ctx, w.tx, "SELECT recorder_id FROM equipment WHERE site_id = ?", w.m.SiteID); err != nil {
			return err
		}
	}
	for _, id := range had {
		if slices.ContainsFunc(recorders, func(r protocol.Recorder) bool { return r.ID == id }) {
			continue
		}
		for _, table := range []string{"equipment", "faults"} {
			if err := w.exec(ctx, "DELETE FROM "+table+" WHERE site_id = ? AND recorder_id = ?", w.m.SiteID, id); err != nil {
				return err
			}
		}
	}
	for _, r := range recorders {
		if slices.Contains(had, r.ID) {
			continue
		}
		if err := w.exec(ctx, "INSERT INTO equipment (site_id, recorder_id, maker, model, firmware) VALUES (?, ?, ?, ?, '')",
			w.m.SiteID, r.ID, string(protocol.MakerOf(r.Vendor)), r.Model); err != nil {
			return err
		}
		if r.Clock != nil {
			if err := w.clockFault(ctx, r.ID, *r.Clock); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptDiagnoses is how many of a site's are kept: the newest ones.
const keptDiagnoses = 5

// diagnosis keeps what somebody at the site read and sent.
func (w *write) diagnosis(ctx context.Context, d protocol.Diagnosis) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	sealed, err := w.seal(ctx, diagnosisBody(w.m.ID), string(body))
	if err != nil {
		return err
	}
	if err := w.exec(ctx, "INSERT INTO diagnoses (id, site_id, recorded_at, body) VALUES (?, ?, ?, ?)", w.m.ID, w.m.SiteID, micros(w.at), sealed); err != nil {
		return err
	}
	return w.exec(ctx, `DELETE FROM diagnoses WHERE site_id = ?1 AND id NOT IN
		(SELECT id FROM diagnoses WHERE site_id = ?1 ORDER BY recorded_at DESC, id LIMIT ?2)`, w.m.SiteID, keptDiagnoses)
}

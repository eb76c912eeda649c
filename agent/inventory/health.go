package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// How often it leaves how this agent stands.
const (
	healthEvery   = time.Hour          // at most, where something changed
	healthAny     = 24 * time.Hour     // else
	healthRefused = 7 * 24 * time.Hour // after an older collector refused it
)

// TellHealth queues, for each site, how this agent of a version stands after a
// whole search that ended at the time at: in counts, and in words of closed lists of
// recorders that are declared.
func (v *Inventory) TellHealth(ctx context.Context, version string, at time.Time) error {
	var queued urgency
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range b.sites {
			if s.left {
				continue
			}
			told, err := v.tellHealth(ctx, tx, s, b.health(s, version, at.UTC().Truncate(time.Microsecond)))
			if err != nil {
				return fmt.Errorf("site %s: %w", s.SiteID, err)
			}
			queued = max(queued, told)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell how this agent stands: %w", err)
	}
	v.signalOf(queued)
	return nil
}

// tellHealth queues h if it says more than what was told last, or that is a day
// old. One that still waits is replaced.
func (v *Inventory) tellHealth(ctx context.Context, tx *sql.Tx, s *site, h protocol.Health) (queued urgency, err error) {
	var last protocol.Health
	var waits int64 // seq
	var state SentState
	err = each(ctx, tx, `SELECT seq, body, state, handed FROM message WHERE site_id = ? AND kind = 'health' ORDER BY seq DESC LIMIT 1`, func(rows *sql.Rows) error {
		var seq, handed int64
		var body []byte
		if err := rows.Scan(&seq, &body, &state, &handed); err != nil {
			return err
		}
		if state == Waiting && handed == 0 {
			waits = seq
		}
		m, err := protocol.Decode(body)
		last, _ = m.Body.(protocol.Health)
		return err
	}, s.SiteID)
	if err != nil {
		return 0, err
	}
	since := h.At.Sub(last.At)
	switch {
	case waits > 0:
		if _, err := tx.ExecContext(ctx, `DELETE FROM message WHERE seq = ?`, waits); err != nil {
			return 0, err
		}
	case since < 0: // this machine's clock was put back
	case state == Rejected && since < healthRefused:
		return nothingQueued, nil
	case last.AgentVersion != h.AgentVersion: // who rolls a version out waits for it
	case since < healthEvery, since < healthAny && sameHealth(last, h):
		return nothingQueued, nil
	}
	queued = queuedNews
	if sameHealth(last, h) {
		queued = queuedAsItWas
	}
	return queued, v.enqueue(ctx, tx, s, h, false)
}

func sameHealth(a, b protocol.Health) bool {
	a.At, a.SearchedAt, b.At, b.SearchedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// health is how this agent stands for a site. Cameras that their owner keeps out
// count for nothing, and a device with none else neither.
func (b *book) health(s *site, version string, at time.Time) protocol.Health {
	h := protocol.Health{At: at, SearchedAt: at, AgentVersion: version, Platform: runtime.GOOS + "/" + runtime.GOARCH}
	shared := map[string]bool{} // devices that are declared, at any site
	for _, other := range b.sites {
		if other.declared != nil {
			for _, r := range other.declared.Recorders {
				shared[r.ID] = true
			}
		}
	}
	kept, open := map[string]bool{}, map[string]bool{} // devices with cameras that are kept out, and with others
	for _, c := range b.cameras {
		if c.decision == StateRefused {
			kept[c.deviceID] = true
			continue
		}
		open[c.deviceID] = true
		if c.siteID != "" && c.siteID != s.SiteID {
			continue
		}
		h.Found++
		if c.device != nil && c.device.reachable && c.device.needs == interrogate.NeedsNothing {
			h.Answered++
		}
		if c.decision == StateDeclared {
			h.Confirmed++
		}
	}
	others := map[protocol.OtherFaults]int{}
	for _, d := range b.devices {
		switch {
		case s.declares(d.id):
			h.Recorders = append(h.Recorders, b.recorderHealth(d))
		case !shared[d.id] && (open[d.id] || !kept[d.id]):
			others[protocol.OtherFaults{Maker: makerOf(d), Fault: first(b.faults(d))}]++
		}
	}
	for o, n := range others {
		o.Devices = n
		h.Others = append(h.Others, o)
	}
	slices.SortFunc(h.Others, func(x, y protocol.OtherFaults) int {
		return slices.Compare([]string{string(x.Maker), string(x.Fault)}, []string{string(y.Maker), string(y.Fault)})
	})
	h.Others = h.Others[:min(len(h.Others), protocol.MaxOthers)]
	return h
}

func (s *site) declares(deviceID string) bool {
	return s.declared != nil && slices.ContainsFunc(s.declared.Recorders, func(r protocol.Recorder) bool { return r.ID == deviceID })
}

func (b *book) recorderHealth(d *device) protocol.RecorderHealth {
	return protocol.RecorderHealth{RecorderID: d.id, Maker: makerOf(d), Model: safe(d.model, d), Firmware: protocol.FirmwareFamily(d.firmware), Faults: b.faults(d)}
}

func makerOf(d *device) protocol.Maker {
	if m := protocol.Maker(d.family); slices.Contains(protocol.Makers, m) {
		return m
	}
	return protocol.MakerOf(d.vendor)
}

func first(faults []protocol.Fault) protocol.Fault {
	if len(faults) == 0 {
		return ""
	}
	return faults[0]
}

// faults are what is wrong with a device, in the order of protocol.Faults.
func (b *book) faults(d *device) (all []protocol.Fault) {
	is := map[protocol.Fault]bool{
		protocol.FaultUnreachable: !d.reachable,
		protocol.FaultLocked:      slices.ContainsFunc(d.problems, interrogate.Problem.Locked),
		protocol.FaultRefused:     d.needs == interrogate.NeedsWrongPassword || d.needs == interrogate.NeedsPasswordOrClock,
		protocol.FaultPassword:    d.needs == interrogate.NeedsCredentials,
		protocol.FaultCertificate: d.needs == interrogate.NeedsCertificate,
		protocol.FaultClock:       d.clock != nil && max(d.clock.OffsetMs, -d.clock.OffsetMs) >= protocol.WrongClock.Milliseconds(),
	}
	told := 0
	for _, c := range b.cameras {
		if c.deviceID != d.id || c.channel == "" { // one that stands for a device that tells none
			continue
		}
		told++
		if c.decision == StateRefused {
			continue
		}
		if d.needs == interrogate.NeedsNothing && (c.schedule.Fact.Source == protocol.SourceUnknown || c.retention.Fact.Source == protocol.SourceUnknown) {
			is[protocol.FaultUnread] = true
		}
		if c.schedule.Kind == protocol.ScheduleOff && c.schedule.Fact.Source == protocol.Measured {
			is[protocol.FaultStopped] = true
		}
	}
	is[protocol.FaultMaker] = told == 0 && d.reachable && d.needs == interrogate.NeedsNothing
	for _, f := range protocol.Faults {
		if is[f] {
			all = append(all, f)
		}
	}
	return all
}

package inventory

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// followNotices does what a look leaves to do for the notices: it tells of each
// request whether the footage is still there, and deletes what has had its time.
// No notice makes anything be asked of a recorder: this goes by what the look
// has read in any case, and by facts that leave by themselves.
func (v *Inventory) followNotices(ctx context.Context, tx *sql.Tx, b *book, looked []observedDevice, at time.Time) (queued bool, err error) {
	open, err := notices(ctx, tx, `kind = 'preserve' AND body IS NOT NULL AND closed = 0`)
	if err != nil {
		return false, err
	}
	for _, n := range open {
		s := b.site(n.SiteID)
		p, ok := n.Body.(protocol.Preserve)
		if !ok || n.Left {
			continue
		}
		told, err := v.tellPresence(ctx, tx, s, n, b.asLooked(s, p, looked, at), at)
		if err != nil {
			return false, err
		}
		queued = queued || told
	}
	return queued, forgetNotices(ctx, tx, at)
}

// asLooked is what this look shows of all cameras that a request names.
func (b *book) asLooked(s *site, p protocol.Preserve, looked []observedDevice, at time.Time) protocol.ReplyState {
	var checks []Check
	for _, c := range b.searched(s, p) {
		if readNow(c, looked, at) {
			checks = append(checks, Check{CameraID: c.id, Presence: byOldest(c, p, at)})
		}
	}
	return verdict(p, checks)
}

// sureMargin is by how much a recorder's oldest footage must be younger than an
// interval for that to be surely gone: some tell the oldest by the day alone.
const sureMargin = 25 * time.Hour

// byOldest goes by how far back c's footage reaches. It is there when the camera
// recorded both ends of the interval by its schedule. In doubt it is unknown.
func byOldest(c *camera, p protocol.Preserve, at time.Time) interrogate.Presence {
	if oldest := c.retention.OldestFootage; !oldest.IsZero() && oldest.After(p.End.Add(sureMargin)) {
		return interrogate.PresenceNo
	}
	schedules := []protocol.Era[protocol.Schedule]{{Value: c.schedule}}
	retentions := []protocol.Era[protocol.Retention]{{Value: c.retention}}
	for _, t := range []time.Time{p.Start, p.End} {
		if f := protocol.FootageOf(t, at, schedules, retentions); f.Exists != protocol.Yes || !f.Observed {
			return interrogate.PresenceUnknown
		}
	}
	return interrogate.PresenceYes
}

// fresh is how old a reading may be at the end of the look that it is of.
const fresh = 10 * time.Minute

// readNow reports whether this look read how far back c's footage reaches.
func readNow(c *camera, looked []observedDevice, at time.Time) bool {
	if at.Sub(c.retention.ObservedAt).Abs() > fresh {
		return false
	}
	return slices.ContainsFunc(looked, func(l observedDevice) bool { return l.answered && slices.Contains(l.cameras, c) })
}

// forgetNotices closes the notices that nobody answered in time, and deletes the
// content of those that were closed long ago. What stays is that there was one.
func forgetNotices(ctx context.Context, tx *sql.Tx, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE notice SET body = NULL, answered_by = '', note = '', checked = '[]' WHERE body IS NOT NULL AND closed > 0 AND closed < ?`,
		micros(at.Add(-noticeKept))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE notice SET closed = ? WHERE closed = 0 AND received < ?`, micros(at), micros(at.Add(-protocol.NoticeLife)))
	return err
}

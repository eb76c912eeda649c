package inventory

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"anagrafe/protocol"
)

// followNotices does what a look leaves to do for the notices: it tells of each
// request whether the footage is still there, and deletes what has had its time.
// No notice makes anything be asked of a recorder: this goes by what the look
// has read in any case, and by facts that leave by themselves.
func (v *Inventory) followNotices(ctx context.Context, tx *sql.Tx, b *book, looked []seen, at time.Time) (queued bool, err error) {
	open, err := notices(ctx, tx, `kind = 'preserve' AND body IS NOT NULL AND closed = 0 AND present = 0`)
	if err != nil {
		return false, err
	}
	for _, n := range open {
		s := b.site(n.SiteID)
		if p, ok := n.Body.(protocol.Preserve); !ok || n.Left || !present(b, s, p, looked, at) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE notice SET present = ? WHERE id = ?`, micros(at), n.ID); err != nil {
			return false, err
		}
		if err := v.enqueue(ctx, tx, s, protocol.Reply{NoticeID: n.ID, State: protocol.ReplyPresent, At: at.UTC()}, false); err != nil {
			return false, err
		}
		queued = true
	}
	return queued, forgetNotices(ctx, tx, at)
}

// present tells whether this look found, for every camera that a request names,
// that footage reaches back to the interval, of which the camera recorded both
// ends by its schedule. In doubt it does not.
func present(b *book, s *site, p protocol.Preserve, looked []seen, at time.Time) bool {
	for _, id := range p.CameraIDs {
		c := b.camera(id)
		if c == nil || c.decision != StateDeclared || b.siteOf(c) != s || !readNow(c, looked, at) {
			return false
		}
		schedules := []protocol.Era[protocol.Schedule]{{Value: c.schedule}}
		retentions := []protocol.Era[protocol.Retention]{{Value: c.retention}}
		for _, t := range []time.Time{p.Start, p.End} {
			if f := protocol.FootageOf(t, at, schedules, retentions); f.Exists != protocol.Yes || !f.Observed {
				return false
			}
		}
	}
	return true
}

// fresh is how old a reading may be at the end of the look that it is of.
const fresh = 10 * time.Minute

// readNow tells whether this look read how far back c's footage reaches.
func readNow(c *camera, looked []seen, at time.Time) bool {
	if at.Sub(c.retention.ObservedAt).Abs() > fresh {
		return false
	}
	return slices.ContainsFunc(looked, func(l seen) bool { return l.answered && slices.Contains(l.cameras, c) })
}

// forgetNotices closes the notices that nobody answered in time, and deletes the
// content of those that were closed long ago. What stays is that there was one.
func forgetNotices(ctx context.Context, tx *sql.Tx, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `UPDATE notice SET body = NULL, answered_by = '', note = '' WHERE body IS NOT NULL AND closed > 0 AND closed < ?`,
		micros(at.Add(-noticeKept))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE notice SET closed = ? WHERE closed = 0 AND received < ?`, micros(at), micros(at.Add(-protocol.NoticeLife)))
	return err
}

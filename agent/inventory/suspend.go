package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// ErrNothingShared is returned when nothing of the site is in the register.
var ErrNothingShared = errors.New("nothing of this site is shared")

// Suspend queues the owner's word that the register hides a site from search, by
// itself no longer than until; zero: until Resume. From here on the site counts as
// suspended, unless the collector refuses it.
func (v *Inventory) Suspend(ctx context.Context, siteID string, until time.Time, by protocol.Approval) error {
	if err := v.suspension(ctx, siteID, protocol.SiteSuspension{Until: until.UTC(), Approval: by}); err != nil {
		return fmt.Errorf("suspend the site: %w", err)
	}
	return nil
}

// Resume queues the owner's word that a suspended site is shown again.
func (v *Inventory) Resume(ctx context.Context, siteID string, by protocol.Approval) error {
	if err := v.suspension(ctx, siteID, protocol.SiteSuspension{Resumed: true, Approval: by}); err != nil {
		return fmt.Errorf("resume the site: %w", err)
	}
	return nil
}

func (v *Inventory) suspension(ctx context.Context, siteID string, body protocol.SiteSuspension) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		s := b.site(siteID)
		switch {
		case s == nil:
			return fmt.Errorf("site %q: %w", siteID, ErrUnknown)
		case s.left || s.declared == nil:
			return ErrNothingShared
		}
		now := v.now()
		if body.Approval, err = b.approval(s, body.Approval, now); err != nil {
			return err
		}
		// Later than what the owner decided before, here or elsewhere, whatever this
		// computer's clock shows: of two decisions the later one holds.
		if !body.Approval.At.After(s.stateAt) {
			body.Approval.At = s.stateAt.Add(time.Microsecond)
		}
		body.Approval.At = body.Approval.At.UTC().Truncate(time.Microsecond)
		if !body.Until.IsZero() && !body.Until.After(now) {
			return protocol.FieldErrors{{Field: "until", Why: "must be a day to come"}}
		}
		if err := v.enqueue(ctx, tx, s, body, false); err != nil {
			return err
		}
		return setState(ctx, tx, s, stateBy(body), body.Approval.At, body.Until)
	})
	if err == nil {
		v.signal()
	}
	return err
}

// stateBy is Grant.State by a suspension.
func stateBy(b protocol.SiteSuspension) protocol.SiteState {
	if b.Resumed {
		return ""
	}
	return protocol.SiteSuspended
}

// setState keeps what was decided about the site, when, and until when.
func setState(ctx context.Context, tx *sql.Tx, s *site, state protocol.SiteState, at, until time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE site SET state = ?, state_at = ?, suspended_until = ? WHERE id = ?`, state, micros(at), micros(until), s.SiteID)
	return err
}

// recordedState follows the receipt of a suspension: the register counts it from
// then, so that what is decided elsewhere later counts here, also if this
// computer's clock is ahead.
func recordedState(ctx context.Context, tx *sql.Tx, m protocol.Message, recorded time.Time) error {
	b, is := m.Body.(protocol.SiteSuspension)
	if !is {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE site SET state_at = min(state_at, ?) WHERE id = ? AND state_at = ?`, micros(recorded), m.SiteID, micros(b.Approval.At))
	return err
}

// refusedState takes a suspension back that the collector refused, unless something
// was decided since: the register is as it was before.
func refusedState(ctx context.Context, tx *sql.Tx, m protocol.Message) error {
	b, is := m.Body.(protocol.SiteSuspension)
	if !is {
		return nil
	}
	before := protocol.SiteState("")
	if b.Resumed {
		before = protocol.SiteSuspended
	}
	_, err := tx.ExecContext(ctx, `UPDATE site SET state = ?, suspended_until = 0 WHERE id = ? AND state <> 'withdrawn' AND state_at = ?`,
		before, m.SiteID, micros(b.Approval.At))
	return err
}

// LastSuspensions gives, by site, the newest message that suspended or resumed it
// from here, and how far it has come.
func (v *Inventory) LastSuspensions(ctx context.Context) (last map[string]Sent, err error) {
	last = map[string]Sent{}
	err = v.read(ctx, func(tx *sql.Tx) error {
		return eachSent(ctx, tx, `kind = 'suspension' AND seq > (SELECT ended FROM site WHERE site.id = site_id) ORDER BY seq`, func(s Sent) {
			last[s.SiteID] = s
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look up the suspensions: %w", err)
	}
	return last, nil
}

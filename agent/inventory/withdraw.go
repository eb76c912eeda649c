package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// KeepOut is the owner's no: it excludes cameras until they are approved by name, and
// withdraws declared ones at once.
func (v *Inventory) KeepOut(ctx context.Context, ids []string, by protocol.Approval) ([]Result, error) {
	results, err := v.remove(ctx, ids, StateRefused, by)
	if err != nil {
		return nil, fmt.Errorf("keep out: %w", err)
	}
	return results, nil
}

// Restore takes a no back: refused and withdrawn cameras are again as if they
// had just been found, with all that was said of them. Nothing leaves by it.
func (v *Inventory) Restore(ctx context.Context, ids []string) (results []Result, err error) {
	err = v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r := Result{ID: id}
			if c := b.camera(id); c == nil {
				r.Error = ErrUnknown.Error()
			} else if _, err := tx.ExecContext(ctx, `UPDATE camera SET decision = iif(decision = 'declared', decision, '') WHERE id = ?`, c.id); err != nil {
				return err
			}
			results = append(results, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return results, nil
}

// Withdraw takes cameras out of the register: it queues the declaration of
// their site without them or, when none is left, the site's withdrawal. A
// camera that is not declared stays as it is.
func (v *Inventory) Withdraw(ctx context.Context, ids []string, by protocol.Approval) ([]Result, error) {
	results, err := v.remove(ctx, ids, StateWithdrawn, by)
	if err != nil {
		return nil, fmt.Errorf("withdraw: %w", err)
	}
	return results, nil
}

func (v *Inventory) remove(ctx context.Context, ids []string, to State, by protocol.Approval) (results []Result, err error) {
	err = v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		var out []*camera
		for _, id := range ids {
			r := Result{ID: id}
			switch c := b.camera(id); {
			case c == nil:
				r.Error = ErrUnknown.Error()
			case c.decision == StateDeclared:
				out = append(out, c)
			case to == StateRefused:
				if err := c.decide(ctx, tx, c.siteID, to, protocol.Approval{By: by.By, At: v.now()}); err != nil {
					return err
				}
			}
			results = append(results, r)
		}
		if len(out) == 0 {
			return nil
		}
		return v.takeOut(ctx, tx, b, out, to, by)
	})
	if err != nil {
		return nil, err
	}
	v.signal()
	return results, nil
}

// takeOut queues, for each site concerned, what remains of it; of by, what is empty is
// completed for each.
func (v *Inventory) takeOut(ctx context.Context, tx *sql.Tx, b *book, cameras []*camera, to State, by protocol.Approval) error {
	for _, s := range b.sites {
		gone := func(id string) bool {
			return slices.ContainsFunc(cameras, func(c *camera) bool { return c.is(id) })
		}
		if s.declared == nil || !slices.ContainsFunc(s.declared.Cameras, func(c protocol.Camera) bool { return gone(c.ID) }) {
			continue
		}
		approval, err := b.approval(s, by, v.now())
		if err != nil {
			return err
		}
		rest := *s.declared
		rest.Approval = approval
		rest.Cameras = slices.DeleteFunc(slices.Clone(rest.Cameras), func(c protocol.Camera) bool { return gone(c.ID) })
		rest.Recorders = keepersOf(rest.Recorders, rest.Cameras)
		if len(rest.Cameras) == 0 {
			if err := v.withdrawSite(ctx, tx, b, s, approval); err != nil {
				return err
			}
			continue
		}
		if err := v.enqueue(ctx, tx, s, rest, false); err != nil {
			return err
		}
		s.declared = &rest
	}
	for _, c := range cameras {
		approval, err := b.approval(b.siteOf(c), by, v.now())
		if err != nil {
			return err
		}
		if err := c.decide(ctx, tx, c.siteID, to, approval); err != nil {
			return err
		}
	}
	return nil
}

// keepersOf leaves out recorders that keep no camera of these any more.
func keepersOf(recorders []protocol.Recorder, cameras []protocol.Camera) []protocol.Recorder {
	return slices.DeleteFunc(slices.Clone(recorders), func(r protocol.Recorder) bool {
		return !slices.ContainsFunc(cameras, func(c protocol.Camera) bool { return c.RecorderID == r.ID })
	})
}

// without leaves out the cameras with these ids.
func without(cameras []protocol.Camera, ids []string) []protocol.Camera {
	return slices.DeleteFunc(slices.Clone(cameras), func(c protocol.Camera) bool { return slices.Contains(ids, c.ID) })
}

// WithdrawSite takes a whole site out of the register, contacts and all, and
// forgets the passwords of its devices. It is queued even if this computer has
// declared nothing: an earlier one may have.
func (v *Inventory) WithdrawSite(ctx context.Context, siteID string, by protocol.Approval) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		s := b.site(siteID)
		if s == nil {
			return fmt.Errorf("site %q: %w", siteID, ErrUnknown)
		}
		if by, err = b.approval(s, by, v.now()); err != nil {
			return err
		}
		return v.withdrawSite(ctx, tx, b, s, by)
	})
	if err != nil {
		return fmt.Errorf("withdraw the site: %w", err)
	}
	v.signal()
	return nil
}

func (v *Inventory) withdrawSite(ctx context.Context, tx *sql.Tx, b *book, s *site, by protocol.Approval) error {
	if err := v.enqueue(ctx, tx, s, protocol.Withdrawal{Approval: by}, false); err != nil {
		return err
	}
	if s.State == protocol.SiteSuspended { // a withdrawal ends that, too
		if err := setState(ctx, tx, s, "", s.stateAt, time.Time{}); err != nil {
			return err
		}
	}
	return v.closeSite(ctx, tx, b, s, by)
}

// closeSite takes a site's cameras out of what is declared, and forgets the
// passwords of devices that no other site shares.
func (v *Inventory) closeSite(ctx context.Context, tx *sql.Tx, b *book, s *site, by protocol.Approval) error {
	s.declared = nil
	for _, c := range b.cameras {
		if b.siteOf(c) != s {
			continue
		}
		if c.decision == StateDeclared {
			if err := c.decide(ctx, tx, s.SiteID, StateWithdrawn, by); err != nil {
				return err
			}
		}
		elsewhere := slices.ContainsFunc(b.cameras, func(o *camera) bool {
			return o.deviceID == c.deviceID && o.decision == StateDeclared && b.siteOf(o) != s
		})
		if elsewhere {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM credential WHERE device_id = ?1 OR device_id IN (SELECT device_id FROM path WHERE camera_id = ?2)`,
			c.deviceID, c.id); err != nil {
			return err
		}
	}
	return nil
}

package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// Check is what a recorder said of the footage that a request asks for.
type Check struct {
	CameraID string               `json:"camera_id"`
	At       time.Time            `json:"at"`
	Presence interrogate.Presence `json:"presence"`          // "yes", "partly", "no", "unknown"
	Periods  []interrogate.Period `json:"periods,omitempty"` // for the owner's eyes: only yes or no leaves
	Why      string               `json:"why,omitempty"`     // of unknown, in English
}

// Search is what to ask one recorder for a request.
type Search struct {
	Sighting  discover.Sighting
	Finder    interrogate.Finder
	Wanted    []interrogate.Wanted // of CameraIDs, in their order
	CameraIDs []string
	// ByLook: its own interface cannot be asked for these cameras: how far back their
	// footage reaches is all that a look tells.
	ByLook bool
}

// Searches returns the recorders to ask for the footage of a request, which only the
// owner's act may do: of the cameras that it names, those that
// the site declares. None where the request is closed to answers.
func (v *Inventory) Searches(ctx context.Context, noticeID string) (all []Search, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		n, err := oneNotice(ctx, tx, noticeID)
		if err != nil {
			return err
		}
		p, ok := n.Body.(protocol.Preserve)
		if !ok || n.Left {
			return nil
		}
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		all = b.searches(b.site(n.SiteID), p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("footage of notice %q: %w", noticeID, err)
	}
	return all, nil
}

func (b *book) searches(s *site, p protocol.Preserve) (all []Search) {
	for _, id := range p.CameraIDs {
		c := b.askable(s, id)
		if c == nil {
			continue
		}
		at, err := netip.ParseAddrPort(c.device.address)
		if err != nil {
			continue // another device has its address
		}
		look := !interrogate.CanFind(c.device.family) || c.family != c.device.family || c.device.clock == nil
		i := slices.IndexFunc(all, func(o Search) bool { return o.Sighting.Address == at && o.ByLook == look })
		if i < 0 {
			i = len(all)
			all = append(all, Search{ByLook: look, Sighting: discover.Sighting{Endpoint: c.device.endpoint, Address: at,
				Vendor: c.device.vendor, Model: c.device.model, Methods: []discover.Method{discover.MethodTarget}},
				Finder: interrogate.Finder{Family: c.device.family, Clock: c.device.clock, Zone: c.device.zone}})
		}
		all[i].CameraIDs = append(all[i].CameraIDs, id)
		all[i].Wanted = append(all[i].Wanted, interrogate.Wanted{Channel: c.channel, From: p.Start, Until: p.End,
			Continuous: c.schedule.Kind == protocol.ScheduleAlways && c.schedule.Mode == protocol.Continuous})
	}
	return all
}

// askable is the camera of that id if s declares it, else nil.
func (b *book) askable(s *site, id string) *camera {
	if c := b.camera(id); c != nil && s != nil && c.decision == StateDeclared && b.siteOf(c) == s {
		return c
	}
	return nil
}

// RecordChecks keeps what the recorders said of the footage of a request, in place
// of what they said of the same cameras before, and queues the word where it is one
// of all its cameras: there, or there no more. Of cameras whose recorder could not
// tell, what the newest look read counts.
func (v *Inventory) RecordChecks(ctx context.Context, noticeID string, checks []Check) error {
	queued := false
	err := v.write(ctx, func(tx *sql.Tx) error {
		n, err := oneNotice(ctx, tx, noticeID)
		if err != nil {
			return err
		}
		p, ok := n.Body.(protocol.Preserve)
		if !ok || n.Left {
			return nil
		}
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		now := v.now()
		for _, c := range checks {
			if camera := b.camera(c.CameraID); c.Presence == interrogate.PresenceUnknown && camera != nil && now.Sub(camera.retention.ObservedAt).Abs() <= fresh {
				if c.Presence = byOldest(camera, p, now); c.Presence != interrogate.PresenceUnknown {
					c.Why = ""
				}
			}
			n.Checked = slices.DeleteFunc(n.Checked, func(o Check) bool { return o.CameraID == c.CameraID })
			n.Checked = append(n.Checked, c)
		}
		if err := keepChecks(ctx, tx, n); err != nil {
			return err
		}
		s := b.site(n.SiteID)
		if len(b.searched(s, p)) < len(p.CameraIDs) {
			return nil // nobody here can speak for all that is asked for
		}
		queued, err = v.tellPresence(ctx, tx, s, n, verdict(p, n.Checked), now)
		return err
	})
	if err != nil {
		return fmt.Errorf("record what was found for notice %q: %w", noticeID, err)
	}
	if queued {
		v.signal()
	}
	return nil
}

// searched are the cameras of a request that s declares.
func (b *book) searched(s *site, p protocol.Preserve) (all []*camera) {
	for _, id := range p.CameraIDs {
		if c := b.askable(s, id); c != nil {
			all = append(all, c)
		}
	}
	return all
}

func keepChecks(ctx context.Context, tx *sql.Tx, n Notice) error {
	text, err := jsonText(n.Checked)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE notice SET checked = ? WHERE id = ?`, text, n.ID)
	return err
}

// verdict is what can be said of all cameras of a request: "" unless all have
// something of it, or none has.
func verdict(p protocol.Preserve, checks []Check) protocol.ReplyState {
	there, gone := 0, 0
	for _, id := range p.CameraIDs {
		i := slices.IndexFunc(checks, func(c Check) bool { return c.CameraID == id })
		switch {
		case i < 0:
		case checks[i].Presence == interrogate.PresenceYes, checks[i].Presence == interrogate.PresencePartly:
			there++
		case checks[i].Presence == interrogate.PresenceNo:
			gone++
		}
	}
	switch len(p.CameraIDs) {
	case there:
		return protocol.ReplyPresent
	case gone:
		return protocol.ReplyAbsent
	}
	return ""
}

// tellPresence marks a request with what was measured and queues the word, unless it is
// the last of the two that was said.
func (v *Inventory) tellPresence(ctx context.Context, tx *sql.Tx, s *site, n Notice, state protocol.ReplyState, at time.Time) (queued bool, err error) {
	column, said, other := "present", n.PresentAt, n.AbsentAt
	switch state {
	case protocol.ReplyPresent:
	case protocol.ReplyAbsent:
		column, said, other = "absent", n.AbsentAt, n.PresentAt
	default:
		return false, nil
	}
	if said.After(other) {
		return false, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE notice SET `+column+` = ? WHERE id = ?`, micros(at), n.ID); err != nil {
		return false, err
	}
	return true, v.enqueue(ctx, tx, s, protocol.Reply{NoticeID: n.ID, State: state, At: at.UTC()}, false)
}

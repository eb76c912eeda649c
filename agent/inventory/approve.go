package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// Selection says which cameras a decision is about: those of IDs or, with All or a Rule
// (MatchesRule), those that wait for an answer or for a yes to a change. The zero value
// is none.
type Selection struct {
	IDs  []string `json:"ids"`
	All  bool     `json:"all"`
	Rule string   `json:"rule"`
}

// Approve is the owner's yes to these cameras: it writes the decision and, for
// each site, the encoded Declaration of all that is confirmed so far, in one
// transaction. A camera that lacks something is left as it was and its Result
// says what; the others go on. All and a Rule leave alone what the owner has refused,
// withdrawn, or answered no. Without a grant the error is ErrNotEnrolled, and nothing is
// changed. By's empty fields become the site's first contact, the owner, and now.
func (v *Inventory) Approve(ctx context.Context, which Selection, by protocol.Approval) ([]Result, error) {
	return v.approve(ctx, which, by, nil)
}

// ApproveSeen is Approve for an owner who was shown a Preview. If what would
// leave is no longer what was shown, since a look at the recorders came between,
// the error is ErrChanged and nothing is written.
func (v *Inventory) ApproveSeen(ctx context.Context, which Selection, by protocol.Approval, seen string) ([]Result, error) {
	return v.approve(ctx, which, by, &seen)
}

// approve writes the decision; seen is that of the Preview, nil: none was shown.
func (v *Inventory) approve(ctx context.Context, which Selection, by protocol.Approval, seen *string) ([]Result, error) {
	var p Preview
	err := v.write(ctx, func(tx *sql.Tx) (err error) {
		if p, err = v.approveIn(ctx, tx, which, by); err == nil && seen != nil && p.Seen != *seen {
			err = ErrChanged
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("approve: %w", err)
	}
	v.signal()
	return p.Results, nil
}

// approveIn approves within tx, and reads back what that has written.
func (v *Inventory) approveIn(ctx context.Context, tx *sql.Tx, which Selection, by protocol.Approval) (p Preview, err error) {
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM message`).Scan(&last); err != nil {
		return p, err
	}
	b, err := v.load(ctx, tx)
	if err != nil {
		return p, err
	}
	if len(b.sites) == 0 {
		return p, fmt.Errorf("%w: enter the code from the Comune first (anagrafe-agent enrol CODE)", ErrNotEnrolled)
	}
	selected, unknown, err := b.selected(which)
	if err != nil {
		return p, err
	}
	p.Results = unknown
	for _, c := range selected {
		if s := b.siteOf(c); s == nil {
			p.Results = append(p.Results, Result{ID: c.id, Missing: b.missing(c, nil, c.draft())})
		}
	}
	for _, s := range b.sites {
		mine := slices.DeleteFunc(slices.Clone(selected), func(c *camera) bool { return b.siteOf(c) != s })
		if len(mine) == 0 {
			continue
		}
		of, err := v.declare(ctx, tx, b, s, mine, by)
		if err != nil {
			return p, err
		}
		p.Results = append(p.Results, of...)
	}
	return p, p.read(ctx, tx, last)
}

// selected gives the cameras of a selection, and answers for the ids that are none.
func (b *book) selected(which Selection) (cameras []*camera, unknown []Result, err error) {
	for _, id := range which.IDs {
		c := b.camera(id)
		switch {
		case c == nil:
			unknown = append(unknown, Result{ID: id, Error: ErrUnknown.Error()})
		case !slices.Contains(cameras, c):
			cameras = append(cameras, c)
		}
	}
	if which.Rule != "" {
		if _, err := MatchesRule(which.Rule, ""); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range b.cameras {
		meant := which.All
		if which.Rule != "" {
			meant, _ = MatchesRule(which.Rule, c.draft().Name) // checked above
		}
		if meant && b.waits(c) && !slices.Contains(cameras, c) {
			cameras = append(cameras, c)
		}
	}
	return cameras, unknown, nil
}

// waits reports whether c waits for an answer or for a yes to a change.
func (b *book) waits(c *camera) bool {
	if c.outdoor != nil && !*c.outdoor {
		return false
	}
	s := b.siteOf(c)
	declared := s.find(c.id)
	return c.decision == "" || declared != nil && (len(b.changed(s, *declared, c.draft())) > 0 || len(c.reopened(s, *declared)) > 0)
}

// refuses says why the declaration cannot take one more camera, or "".
func (s *site) refuses(d protocol.Declaration, keeper protocol.Recorder, c protocol.Camera, now time.Time) string {
	if s.State == protocol.SiteWithdrawn {
		return "this site was taken out of the register with the owner's link, or by another computer: ask the Comune for a new code"
	}
	if !s.Until.IsZero() && now.After(s.Until) {
		return "the leave to speak for this site ended on " + s.Until.Format(time.DateOnly) + ": ask the Comune for a new code"
	}
	if len(d.Cameras) >= protocol.MaxCameras && s.find(c.ID) == nil {
		return fmt.Sprintf("a site declares at most %d cameras: ask the Comune for a second site", protocol.MaxCameras)
	}
	d.Recorders, d.Cameras = []protocol.Recorder{keeper}, []protocol.Camera{c}
	if err := (protocol.Message{ID: c.ID, SiteID: s.SiteID, Epoch: s.Epoch, Revision: 1, MadeAt: now, Body: d}).Validate(); err != nil {
		return err.Error()
	}
	return ""
}

// replace puts v in the place of the element with its key, or at the end. The
// slice that it is given stays as it was.
func replace[T any](all []T, v T, key func(T) string) []T {
	all = slices.Clone(all)
	for i := range all {
		if key(all[i]) == key(v) {
			all[i] = v
			return all
		}
	}
	return append(all, v)
}

// decide writes the owner's decision.
func (c *camera) decide(ctx context.Context, tx *sql.Tx, siteID string, to State, by protocol.Approval) error {
	c.decision, c.asks = to, false
	_, err := tx.ExecContext(ctx, `UPDATE camera SET asks = 0, decision = ?, decided_by = ?, decided_at = ?, site_id = nullif(?, '') WHERE id = ?`,
		to, by.By, micros(by.At), siteID, c.id)
	return err
}

// knows notes that a declaration tells the collector all that is measured.
func (s *site) knows(ctx context.Context, tx *sql.Tx, cameras []*camera, at time.Time) error {
	s.observed = at
	if _, err := tx.ExecContext(ctx, `UPDATE site SET observed = ? WHERE id = ?`, micros(at), s.SiteID); err != nil {
		return err
	}
	for _, c := range cameras {
		schedule, _ := c.scheduleNow()
		retention, _ := c.retentionNow()
		c.reported = withFacts(protocol.CameraObservation{CameraID: c.id, At: at, OldestFootage: retention.OldestFootage,
			Schedule: &schedule, Retention: &retention}, c.reported)
		c.siteID = s.SiteID
		if err := c.save(ctx, tx); err != nil {
			return err
		}
		c.device.reported = &protocol.RecorderObservation{RecorderID: c.deviceID, At: at, Reachable: true, Clock: c.device.clock}
		if err := c.device.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// approval completes who decided: a name is needed, and who typed none is the
// site's first contact.
func (b *book) approval(s *site, by protocol.Approval, now time.Time) (protocol.Approval, error) {
	by.By = line(by.By)
	if contacts := b.contactsOf(s); by.By == "" && len(contacts) > 0 {
		by.By = contacts[0].Name
	}
	if by.By == "" {
		return by, protocol.FieldErrors{{Field: "by", Why: "is missing: say who decides"}}
	}
	if by.Role == "" {
		by.Role = protocol.RoleOwner
	}
	if by.At.IsZero() {
		by.At = now
	}
	return by, nil
}

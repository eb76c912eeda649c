package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	globs "path"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// Change is what the owner says of one camera among many.
type Change struct {
	ID   string
	Edit Edit
}

// Changed is what becomes of a Change.
type Changed struct {
	Wrong    protocol.FieldErrors // nothing of it is kept
	Unknown  bool                 // no camera has that id
	TakesOut bool                 // its "not outdoor and public" takes a declared camera out of the register
	Same     bool                 // all of it stood so already
}

// Bad reports whether the change is refused.
func (c Changed) Bad() bool { return c.Unknown || len(c.Wrong) > 0 }

// SetMany is Set for many cameras, in one transaction and in their order. Where one
// is wrong nothing is kept, unless partial, by which the others are. With dry
// nothing is kept in any case, and the answer is what would have been.
func (v *Inventory) SetMany(ctx context.Context, changes []Change, partial, dry bool) (all []Changed, kept bool, err error) {
	undo := errors.New("nothing is kept")
	queued := false
	err = v.write(ctx, func(tx *sql.Tx) error {
		all, queued = nil, false
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		var out []*camera
		by := ""
		for _, change := range changes {
			done, c, err := b.change(ctx, tx, change, v)
			if err != nil {
				return err
			}
			if done.TakesOut && !slices.Contains(out, c) {
				out, by = append(out, c), change.Edit.By
			}
			all = append(all, done)
		}
		if dry || !partial && slices.ContainsFunc(all, Changed.Bad) {
			return undo
		}
		// What a later line answers yes again stays.
		out = slices.DeleteFunc(out, func(c *camera) bool { return !c.leaves() })
		if len(out) == 0 {
			return nil
		}
		queued = true
		return v.takeOut(ctx, tx, b, out, StateWithdrawn, protocol.Approval{By: by})
	})
	if errors.Is(err, undo) {
		return all, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("change cameras: %w", err)
	}
	if queued {
		v.signal()
	}
	return all, true, nil
}

// change keeps one change within tx, where it can be.
func (b *book) change(ctx context.Context, tx *sql.Tx, change Change, v *Inventory) (done Changed, c *camera, err error) {
	if c = b.camera(change.ID); c == nil {
		return Changed{Unknown: true}, nil, nil
	}
	if done.Wrong = change.Edit.check(b, c); len(done.Wrong) > 0 {
		return done, c, nil
	}
	done.Same = c.says(change.Edit)
	if done.Same { // who said it, and when, stays, too
		return done, c, nil
	}
	return Changed{TakesOut: c.leavesBy(change.Edit)}, c, v.setIn(ctx, tx, c, change.Edit)
}

// setIn keeps what was checked.
func (v *Inventory) setIn(ctx context.Context, tx *sql.Tx, c *camera, e Edit) error {
	c.edit(e, v.now())
	if err := c.save(ctx, tx); err != nil {
		return err
	}
	if c.device.keptAt(e) {
		return c.device.save(ctx, tx)
	}
	return nil
}

// leaves reports that a declared camera was answered no. One that is asked again
// stays as it is declared until it is answered.
func (c *camera) leaves() bool {
	return c.decision == StateDeclared && !c.asks && (c.outdoor == nil || !*c.outdoor)
}

// leavesBy reports whether e takes it out of the register.
func (c *camera) leavesBy(e Edit) bool {
	return c.decision == StateDeclared && e.Outdoor != nil && !*e.Outdoor
}

// says reports whether all that e says, which clears nothing, stands so already.
func (c *camera) says(e Edit) bool {
	after, device := *c, *c.device
	after.edit(e, c.outdoorAt)
	device.keptAt(e)
	sameYes := c.outdoor == nil && after.outdoor == nil || c.outdoor != nil && after.outdoor != nil && *c.outdoor == *after.outdoor
	samePlace := c.lon == nil && after.lon == nil || c.lon != nil && after.lon != nil && *c.lon == *after.lon && *c.lat == *after.lat
	return len(e.Clear) == 0 && c.mine == after.mine && sameYes && samePlace && c.asks == after.asks && c.accuracy == after.accuracy && c.placedBy == after.placedBy &&
		(e.Name == nil || line(*e.Name) == c.draft().Name) && sameNumber(c.direction, after.direction) && sameNumber(c.angle, after.angle) &&
		sameNumber(c.reach, after.reach) && c.siteID == after.siteID && sameSaid(c.said, after.said) && device.storage == c.device.storage && device.storageNote == c.device.storageNote
}

// MatchesRule reports whether a camera's name matches a rule: a case-sensitive pattern of
// path.Match, such as "Ingresso*", in which a slash is an ordinary character. An invalid
// rule is a protocol.FieldErrors.
func MatchesRule(rule, name string) (bool, error) {
	const slash = "∕" // path.Match would stop at the usual one
	if strings.TrimSpace(rule) == "" {
		return false, protocol.FieldErrors{{Field: "rule", Why: "is empty: give a name with *, e.g. Ingresso*"}}
	}
	yes, err := globs.Match(strings.ReplaceAll(rule, "/", slash), strings.ReplaceAll(name, "/", slash))
	if err != nil {
		return false, protocol.FieldErrors{{Field: "rule", Why: "is no pattern: * stands for any characters, ? for one, [ab] for one of those, e.g. Ingresso*"}}
	}
	return yes, nil
}

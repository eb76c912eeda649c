package inventory

import (
	"context"
	"database/sql"
	"slices"
)

// answer is what the owner's words and decisions about an entry come to.
type answer int

const (
	answerNone answer = iota
	answerYes
	answerNo
)

func (c *camera) answer() answer {
	switch {
	case c.decision == StateRefused || c.decision == StateWithdrawn || c.outdoor != nil && !*c.outdoor:
		return answerNo
	case c.decision == StateDeclared || c.outdoor != nil:
		return answerYes
	}
	return answerNone
}

// merge makes one entry of each pair that is surely one camera, so that looked
// names only entries that go on. Nothing leaves by it: what is declared stays
// declared byte for byte until the owner's next decision.
func (b *book) merge(ctx context.Context, tx *sql.Tx, looked []observedDevice) error {
	sure, _ := b.pairs()
	for _, p := range sure {
		keep, gone, err := b.join(ctx, tx, p)
		if err != nil {
			return err
		}
		for i := range looked {
			s := &looked[i]
			told := slices.Contains(s.cameras, p.channel)
			s.cameras = slices.DeleteFunc(s.cameras, func(c *camera) bool { return c == keep || c == gone })
			if told {
				s.cameras = append(s.cameras, keep)
			}
		}
	}
	return nil
}

// join makes one entry of a recorder's channel and the same camera as it
// answers by itself. The entry that is declared goes on under its id, else that
// of the recorder's channel. In either case it is the channel's from now on:
// that is where the footage is kept.
func (b *book) join(ctx context.Context, tx *sql.Tx, p pair) (keep, gone *camera, err error) {
	channel, own := p.channel, p.own
	at := way{device: own.device, channel: own.channel, seen: micros(own.seen)}
	keep, gone = channel, own
	if own.decision == StateDeclared && channel.decision != StateDeclared {
		keep, gone = own, channel
		own.measuredOn(channel)
	} else {
		channel.fill(own)
	}
	decidedBy := keep.id
	if keep.hear(gone) {
		decidedBy = gone.id
	}
	at.camera = keep
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE camera SET (decision, decided_by, decided_at, asks) = (SELECT ?, decided_by, decided_at, ? FROM camera WHERE id = ?) WHERE id = ?`,
			[]any{keep.decision, keep.asks, decidedBy, keep.id}},
		{`UPDATE path SET camera_id = ? WHERE camera_id = ?`, []any{keep.id, gone.id}},
		{`UPDATE merged SET camera_id = ? WHERE camera_id = ?`, []any{keep.id, gone.id}},
		{`INSERT INTO merged (id, camera_id) VALUES (?, ?)`, []any{gone.id, keep.id}},
		// How far back a card in the camera reaches says nothing of the recorder.
		{`DELETE FROM depth WHERE camera_id = ?`, []any{own.id}},
		{`UPDATE depth SET camera_id = ? WHERE camera_id = ?`, []any{keep.id, channel.id}},
		{`DELETE FROM camera WHERE id = ?`, []any{gone.id}},
		{`UPDATE camera SET device_id = ?, channel = ? WHERE id = ?`, []any{keep.deviceID, keep.channel, keep.id}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return nil, nil, err
		}
	}
	b.cameras = slices.DeleteFunc(b.cameras, func(c *camera) bool { return c == gone })
	if err := keep.save(ctx, tx); err != nil {
		return nil, nil, err
	}
	return keep, gone, at.save(ctx, tx)
}

// measuredOn moves c to the channel of a recorder, with all that was measured there.
func (c *camera) measuredOn(channel *camera) {
	was := *c
	c.device, c.deviceID, c.channel, c.behind = channel.device, channel.deviceID, channel.channel, channel.behind
	c.seen, c.foundName, c.foundAt = channel.seen, channel.foundName, channel.foundAt
	c.width, c.height, c.viewAt, c.turns, c.infrared = channel.width, channel.height, channel.viewAt, channel.turns, channel.infrared
	c.schedule, c.retention = channel.schedule, channel.retention
	c.family, c.also, c.facts = channel.family, channel.also, channel.facts
	c.fill(&was)
}

// fill takes from another reading of the same camera what the recorder does not
// tell of it. Schedule and retention are never taken: those of a card in the
// camera are not those of the recorder.
func (c *camera) fill(o *camera) {
	if c.foundName == "" {
		c.foundName, c.foundAt = o.foundName, o.foundAt
		c.facts = c.facts.take("name", o.facts)
	}
	if c.width == 0 || c.height == 0 {
		c.width, c.height, c.viewAt = o.width, o.height, o.viewAt
		c.facts = c.facts.take("resolution", o.facts)
	}
	c.turns, c.infrared = c.turns || o.turns, c.infrared || o.infrared
	if o.seen.After(c.seen) {
		c.seen = o.seen
	}
}

// hear takes over what the owner said of another entry of the same camera. Of
// two words on one thing the later counts. A yes and a no, wherever each was
// said, leave the question open: what is declared stays as it is, and the owner
// is asked again. It tells whether the decision is now the other's.
func (c *camera) hear(o *camera) (others bool) {
	if o.name != "" && (c.name == "" || o.nameAt.After(c.nameAt)) {
		c.name, c.nameAt = o.name, o.nameAt
	}
	if o.lon != nil && o.lat != nil && (c.lon == nil || o.placedAt.After(c.placedAt)) {
		c.lon, c.lat, c.accuracy, c.placedBy, c.placedAt = o.lon, o.lat, o.accuracy, o.placedBy, o.placedAt
	}
	if !o.aimedAt.IsZero() {
		newer, older := o, *c
		if !o.aimedAt.After(c.aimedAt) {
			newer, older = c, *o
		}
		aimedAt := newer.aimedAt
		either := func(a, b *int) *int {
			if a == nil {
				return b
			}
			return a
		}
		c.direction, c.angle, c.reach = either(newer.direction, older.direction), either(newer.angle, older.angle), either(newer.reach, older.reach)
		c.aimedAt = aimedAt
	}
	if o.said.At.After(c.said.At) {
		c.said = o.said
	}
	if c.siteID == "" {
		c.siteID = o.siteID
	}

	if c.mine == "" || o.mine == MineYes {
		c.mine = o.mine
	}
	mine, theirs := c.answer(), o.answer()
	c.asks = c.asks || o.asks || mine == answerYes && theirs == answerNo || mine == answerNo && theirs == answerYes
	if c.asks {
		c.outdoor, c.outdoorBy, c.outdoorAt = nil, "", instant(0)
	} else if o.outdoor != nil && (c.outdoor == nil || !*o.outdoor && *c.outdoor || *o.outdoor == *c.outdoor && o.outdoorAt.After(c.outdoorAt)) {
		c.outdoor, c.outdoorBy, c.outdoorAt = o.outdoor, o.outdoorBy, o.outdoorAt
	}
	switch {
	case c.decision == StateDeclared: // join keeps the declared one
	case c.asks:
		c.decision = ""
	case c.decision == "" && o.decision != "" || c.decision == StateWithdrawn && o.decision == StateRefused:
		c.decision, others = o.decision, true
	}
	return others
}

// doubt takes back the answers about a channel on which another camera is now:
// a yes was about what that camera filmed. A no stays.
func (c *camera) doubt() {
	if c.answer() == answerYes {
		c.asks, c.mine = true, ""
		c.outdoor, c.outdoorBy, c.outdoorAt = nil, "", instant(0)
	}
}

// told updates the entry of a camera by what it tells itself, on a further path.
func (p *way) told(ctx context.Context, tx *sql.Tx, token string, reading *camera) error {
	if p.channel != token {
		if _, err := tx.ExecContext(ctx, `DELETE FROM path WHERE device_id = ? AND channel = ?`, p.device.id, p.channel); err != nil {
			return err
		}
		p.channel = token
	}
	p.seen = micros(reading.seen)
	p.camera.fill(reading)
	if err := p.camera.save(ctx, tx); err != nil {
		return err
	}
	return p.save(ctx, tx)
}

func (p *way) save(ctx context.Context, tx *sql.Tx) error {
	if !slices.Contains(p.camera.paths, p) {
		p.camera.paths = append(p.camera.paths, p)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO path (device_id, channel, camera_id, seen) VALUES (?, ?, ?, ?)
		ON CONFLICT (device_id, channel) DO UPDATE SET camera_id = excluded.camera_id, seen = excluded.seen`,
		p.device.id, p.channel, p.camera.id, p.seen)
	return err
}

// part ends the paths that no longer hold: the recorder now names another
// camera on the channel, or the device has turned out to be a recorder.
func (b *book) part(ctx context.Context, tx *sql.Tx) error {
	for _, c := range b.cameras {
		var left []*way
		for _, p := range c.paths {
			agree, clash := strong(c.behind.marks(), p.device.marks())
			if isCamera(p.device) && clash <= agree {
				left = append(left, p)
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM path WHERE device_id = ? AND channel = ?`, p.device.id, p.channel); err != nil {
				return err
			}
		}
		c.paths = left
	}
	return nil
}

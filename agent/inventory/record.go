package inventory

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// Record takes over what one look at the network found, at the time at. It
// says nothing of devices that are not in found: unless they were asked too,
// nobody knows whether they still answer (see Known). What is declared and has
// changed is queued for the collector, at most once an hour and once a day in
// any case.
func (v *Inventory) Record(ctx context.Context, found []interrogate.Device, at time.Time) error {
	var queued urgency
	var b *book
	err := v.write(ctx, func(tx *sql.Tx) (err error) {
		if b, err = v.load(ctx, tx); err != nil {
			return err
		}
		looked, err := b.take(ctx, tx, gather(announced(found)), at, v.log)
		if err != nil {
			return err
		}
		// Who floods the network with announcements is not kept for ever.
		if _, err := tx.ExecContext(ctx, `DELETE FROM device WHERE answered = 0 AND seen < ?
			AND NOT EXISTS (SELECT 1 FROM camera WHERE device_id = device.id)
			AND NOT EXISTS (SELECT 1 FROM credential WHERE device_id = device.id)`, micros(at.Add(-muteKept))); err != nil {
			return err
		}
		if queued, err = v.observe(ctx, tx, b, looked, at); err != nil {
			return err
		}
		replied, err := v.followNotices(ctx, tx, b, looked, at)
		if replied {
			queued = queuedNews
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("record what was found: %w", err)
	}
	v.times.keep(b)
	v.signalOf(queued)
	return nil
}

// muteKept is how long a device that never spoke is listed after it was last seen.
const muteKept = 24 * time.Hour

// Known lists the addresses (host:port) at which declared devices last
// answered. Given to the next look as targets, they are asked even when they
// no longer announce themselves, so that silence becomes a fact.
func (v *Inventory) Known(ctx context.Context) (addresses []string, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT DISTINCT address FROM device JOIN camera ON device_id = device.id
			WHERE decision = 'declared' AND address <> '' ORDER BY address`, func(rows *sql.Rows) error {
			var a string
			err := rows.Scan(&a)
			addresses = append(addresses, a)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the known devices: %w", err)
	}
	return addresses, nil
}

// observedDevice is a device of this look and the channels that it told.
type observedDevice struct {
	device   *device
	answered bool
	clock    *protocol.Clock // read in this look
	cameras  []*camera       // told in this look
}

// take writes what was found into the tables and into b.
func (b *book) take(ctx context.Context, tx *sql.Tx, found []interrogate.Device, at time.Time, log *slog.Logger) ([]observedDevice, error) {
	marksFound := make([]marks, len(found))
	for i, d := range found {
		marksFound[i] = marksOf(d)
	}
	marksKnown := make([]marks, len(b.devices))
	for i, d := range b.devices {
		marksKnown[i] = d.marks()
	}
	looked := make([]observedDevice, 0, len(found))
	for i, k := range match(marksFound, marksKnown) {
		var d *device
		if k >= 0 {
			d = b.devices[k]
		} else {
			d = &device{id: uuid.NewString(), firstSeen: at}
			b.devices = append(b.devices, d)
		}
		before := *d
		if err := d.keepPin(ctx, tx, found[i].Sighting); err != nil {
			return nil, err
		}
		found[i] = plausible(found[i], at, log.With("device", d.id))
		if err := d.keepRefusals(ctx, tx, found[i].Sighting); err != nil {
			return nil, err
		}
		d.update(found[i], at)
		if !mayWait(d.stored, d.seen) || !d.asBefore(before) {
			if err := d.save(ctx, tx); err != nil {
				return nil, err
			}
		}
		looked = append(looked, observedDevice{device: d, answered: found[i].Answered, clock: found[i].Clock})
	}
	// Recorders first: what they tell decides which cameras are theirs.
	for _, cameras := range []bool{false, true} {
		for i := range looked {
			if s := &looked[i]; isCamera(s.device) == cameras {
				var err error
				if s.cameras, err = b.takeChannels(ctx, tx, s.device, found[i], at); err != nil {
					return nil, err
				}
			}
		}
		if err := b.part(ctx, tx); err != nil {
			return nil, err
		}
	}
	if err := b.merge(ctx, tx, looked); err != nil {
		return nil, err
	}
	return looked, b.releaseAddresses(ctx, tx, looked)
}

// plausible drops measured values that no message may hold, such as a clock
// years beyond all limits: one lying device must not silence the whole site.
func plausible(f interrogate.Device, at time.Time, log *slog.Logger) interrogate.Device {
	fits := func(what string, o protocol.Observation) bool {
		err := protocol.Message{ID: uuid.NewString(), SiteID: uuid.NewString(), Epoch: 1, Revision: 1, MadeAt: at, Body: o}.Validate()
		if err != nil {
			log.Warn("a device told an impossible value, which is left out", "what", what, "err", err)
		}
		return err == nil
	}
	if f.Clock != nil && (!f.Answered || !fits("clock", protocol.Observation{Recorders: []protocol.RecorderObservation{
		{RecorderID: uuid.NewString(), At: at, Reachable: true, Clock: f.Clock}}})) {
		f.Clock = nil
	}
	f.Channels = slices.Clone(f.Channels)
	for i := range f.Channels {
		ch := &f.Channels[i]
		look := protocol.CameraObservation{CameraID: uuid.NewString(), At: at}
		schedule, retention := look, look
		schedule.Schedule, retention.Retention = &ch.Schedule, &ch.Retention
		retention.OldestFootage = ch.Retention.OldestFootage
		if !fits("schedule", protocol.Observation{Cameras: []protocol.CameraObservation{schedule}}) {
			ch.Schedule = protocol.Schedule{}
		}
		if !fits("retention", protocol.Observation{Cameras: []protocol.CameraObservation{retention}}) {
			ch.Retention = protocol.Retention{}
		}
		if ch.WidthPx > maxPixels || ch.HeightPx > maxPixels {
			ch.WidthPx, ch.HeightPx = 0, 0
		}
	}
	return f
}

// maxPixels is protocol's limit for a picture's side.
const maxPixels = 32_768

// releaseAddresses takes an address away from devices that were not found and that had
// it before: the router has given it to another.
func (b *book) releaseAddresses(ctx context.Context, tx *sql.Tx, looked []observedDevice) error {
	holder := map[string]*device{}
	for _, s := range looked {
		holder[s.device.address] = s.device
	}
	for _, d := range b.devices {
		if now := holder[d.address]; d.address == "" || now == nil || now == d ||
			slices.ContainsFunc(looked, func(s observedDevice) bool { return s.device == d }) {
			continue
		}
		if err := unpin(ctx, tx, d.address); err != nil {
			return err
		}
		d.address = ""
		if err := d.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// update takes over what was read; what was not keeps its last value.
func (d *device) update(f interrogate.Device, at time.Time) {
	// A recorder that is silent or locked shows nothing by which it is one.
	if d.kind == "" || f.Kind == interrogate.KindRecorder || f.Answered && len(f.Channels) > 0 {
		d.kind = cmp.Or(f.Kind, d.kind)
	}
	d.vendor = cmp.Or(f.Vendor, d.vendor)
	d.model = cmp.Or(f.Model, d.model)
	d.firmware = cmp.Or(f.Firmware, d.firmware)
	d.hardwareID = cmp.Or(f.HardwareID, d.hardwareID)
	d.serial = cmp.Or(f.Serial, d.serial)
	d.endpoint = cmp.Or(f.Sighting.Endpoint, d.endpoint)
	d.name = cmp.Or(f.Name, d.name)
	d.stepped = clockStep(d, f)
	if f.Zone != "" {
		d.zone, d.zoneAssumed = f.Zone, f.ZoneAssumed
	}
	d.family = cmp.Or(f.Family, d.family)
	d.kept = cmp.Or(f.Kept, d.kept)
	d.facts = d.facts.and(f.Facts)
	if len(f.MACs) > 0 {
		d.macs = f.MACs
	}
	if f.Sighting.Address.IsValid() {
		d.address = f.Sighting.Address.String()
	}
	d.methods = nil
	for _, m := range f.Sighting.Methods {
		d.methods = append(d.methods, string(m))
	}
	d.needs = f.Needs
	d.problems = f.Errors
	if f.Clock != nil {
		d.clock = f.Clock
	}
	d.seen = at
	if d.reachable = f.Answered; f.Answered {
		d.answered = at
	}
}

// clockStep is by how much all stamps of a device may have moved since the last
// look for no other reason than that its clock was set, or its zone.
func clockStep(d *device, f interrogate.Device) (by time.Duration) {
	if d.clock != nil && f.Clock != nil {
		by = (time.Duration(f.Clock.OffsetMs-d.clock.OffsetMs) * time.Millisecond).Abs()
	}
	if f.Zone != "" && f.Zone != d.zone {
		by += 24 * time.Hour
	}
	return by
}

// takeChannels updates the cameras of d; each has the device's own token for
// it as its identity within the device.
func (b *book) takeChannels(ctx context.Context, tx *sql.Tx, d *device, f interrogate.Device, at time.Time) ([]*camera, error) {
	var known []*camera
	for _, c := range b.cameras {
		if c.deviceID == d.id {
			known = append(known, c)
		}
	}
	paths, family := b.pathsOf(d), tokensOf(f)
	all := channelsOf(f)
	if len(all) == 0 && f.Answered && f.Kind == interrogate.KindCamera && len(known) == 0 && len(paths) == 0 {
		// A locked camera is still a camera: the owner may place it, and its
		// first channel takes the entry over once it tells.
		all = []reportedChannel{{}}
	}
	recognise(all, known, paths, family)
	if err := makeRoom(ctx, tx, all, known); err != nil {
		return nil, err
	}
	var told []*camera
	for _, ch := range all {
		if ch.way != nil {
			reading := &camera{}
			reading.update(ch.Channel, f, at)
			if err := ch.way.told(ctx, tx, ch.token, reading); err != nil {
				return nil, err
			}
			continue
		}
		c := ch.camera
		if c == nil {
			c = &camera{id: uuid.NewString(), deviceID: d.id, device: d, channel: ch.token, family: family}
			b.cameras = append(b.cameras, c)
		}
		before := *c
		c.renumber(ch, family)
		c.update(ch.Channel, f, at)
		if !mayWait(c.stored, c.seen) || !c.asBefore(before) {
			if err := c.save(ctx, tx); err != nil {
				return nil, err
			}
		}
		if err := c.keepDepth(ctx, tx, ch.Channel, f, at); err != nil {
			return nil, err
		}
		told = append(told, c)
	}
	return told, nil
}

// update takes over what was measured; what was not read keeps its last value.
func (c *camera) update(ch interrogate.Channel, f interrogate.Device, at time.Time) {
	c.seen = at
	name := ch.Name
	if name == "" && f.Kind == interrogate.KindCamera && len(f.Channels) <= 1 {
		name = f.Name
	}
	if name != "" {
		c.foundName, c.foundAt = name, at
	}
	if ch.WidthPx > 0 && ch.HeightPx > 0 {
		c.width, c.height, c.viewAt = ch.WidthPx, ch.HeightPx, at
	}
	if ch.ID != "" || len(f.Channels) > 0 {
		c.turns, c.infrared = ch.Turns, ch.Infrared
	}
	if now := behindOf(ch.Camera); now != nil {
		if agree, clash := strong(now.marks(), c.behind.marks()); c.behind != nil && clash > agree {
			c.doubt()
		} else if c.behind != nil {
			now = c.behind.and(*now)
		}
		c.behind = now
	}
	if ch.Schedule.Fact.Source != protocol.SourceUnknown {
		c.schedule = ch.Schedule
	}
	if ch.Retention.Fact.Source != protocol.SourceUnknown {
		slack := settleSlack
		if c.device != nil {
			slack += c.device.stepped
		}
		c.retention = settle(c.retention, ch.Retention, slack)
	}
	c.facts = c.facts.and(ch.Facts)
}

// settleSlack is how far a stamp may move that stands still: clocks are read to a
// second, and drift. A full store moves on by more from one hour to the next.
const settleSlack = 5 * time.Minute

// settle carries over what only two looks can tell: the store is full once its
// oldest footage has moved on, by more than slack and no more than the time that
// has passed. A longer jump is a new or wiped disk, which starts to fill again.
// Footage that was said to begin only now says nothing: a recorder that tells
// days, or hours, on the first of them claims none before the look.
func settle(before, now protocol.Retention, slack time.Duration) protocol.Retention {
	if now.OldestFootage.IsZero() {
		now.OldestFootage, now.ObservedAt, now.Settled = before.OldestFootage, before.ObservedAt, before.Settled
		return now
	}
	if before.OldestFootage.IsZero() || now.Settled {
		return now
	}
	moved := now.OldestFootage.Sub(before.OldestFootage)
	passed := now.ObservedAt.Sub(before.ObservedAt)
	switch {
	case moved <= slack, before.ObservedAt.Sub(before.OldestFootage) <= settleSlack:
		now.Settled = before.Settled
	default:
		// Recorders delete by the hour or by the file, so allow for a day.
		now.Settled = moved <= passed+24*time.Hour
	}
	return now
}

func (d *device) save(ctx context.Context, tx *sql.Tx) error {
	texts := make([]string, 0, 6)
	for _, part := range []any{d.macs, d.methods, d.clock, d.problems, d.reported, d.facts} {
		text, err := jsonText(part)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO device (id, kind, vendor, model, firmware, hardware_id, serial, macs, endpoint, address,
		name, methods, zone, needs, clock, problems, first_seen, seen, answered, reachable, reported, family, kept, zone_assumed, facts,
		storage, storage_note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, vendor = excluded.vendor, model = excluded.model,
		firmware = excluded.firmware, hardware_id = excluded.hardware_id, serial = excluded.serial, macs = excluded.macs,
		endpoint = excluded.endpoint, address = excluded.address, name = excluded.name, methods = excluded.methods,
		zone = excluded.zone, needs = excluded.needs, clock = excluded.clock, problems = excluded.problems,
		seen = excluded.seen, answered = excluded.answered, reachable = excluded.reachable, reported = excluded.reported,
		family = excluded.family, kept = excluded.kept, zone_assumed = excluded.zone_assumed, facts = excluded.facts,
		storage = excluded.storage, storage_note = excluded.storage_note`,
		d.id, d.kind, d.vendor, d.model, d.firmware, d.hardwareID, d.serial, texts[0], d.endpoint, d.address,
		d.name, texts[1], d.zone, d.needs, texts[2], texts[3], micros(d.firstSeen), micros(d.seen), micros(d.answered), d.reachable, texts[4],
		d.family, d.kept, d.zoneAssumed, texts[5], d.storage, d.storageNote)
	d.stored = instant(micros(d.seen))
	return err
}

func (c *camera) save(ctx context.Context, tx *sql.Tx) error {
	texts := make([]string, 0, 7)
	for _, part := range []any{c.schedule, c.retention, c.reported, c.behind, c.facts, c.also, c.said} {
		text, err := jsonText(part)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO camera (id, device_id, channel, seen, found_name, found_at, width_px, height_px, turns,
		infrared, view_at, schedule, retention, name, name_at, outdoor, outdoor_by, outdoor_at, lon, lat, accuracy_m, placed_by, placed_at,
		direction, angle, range_m, aimed_at, site_id, decision, decided_by, decided_at, reported, behind, asks,
		facts, also, family, said, mine)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), ?, '', 0, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET channel = excluded.channel, seen = excluded.seen, found_name = excluded.found_name,
		found_at = excluded.found_at, width_px = excluded.width_px, height_px = excluded.height_px, turns = excluded.turns,
		infrared = excluded.infrared, view_at = excluded.view_at, schedule = excluded.schedule, retention = excluded.retention,
		name = excluded.name, name_at = excluded.name_at, outdoor = excluded.outdoor, outdoor_by = excluded.outdoor_by,
		outdoor_at = excluded.outdoor_at, lon = excluded.lon, lat = excluded.lat, accuracy_m = excluded.accuracy_m,
		placed_by = excluded.placed_by, placed_at = excluded.placed_at, direction = excluded.direction, angle = excluded.angle,
		range_m = excluded.range_m, aimed_at = excluded.aimed_at, site_id = excluded.site_id, reported = excluded.reported,
		behind = excluded.behind, asks = excluded.asks, facts = excluded.facts, also = excluded.also, family = excluded.family, said = excluded.said,
		mine = excluded.mine`,
		c.id, c.deviceID, c.channel, micros(c.seen), c.foundName, micros(c.foundAt), c.width, c.height, c.turns,
		c.infrared, micros(c.viewAt), texts[0], texts[1], c.name, micros(c.nameAt), c.outdoor, c.outdoorBy, micros(c.outdoorAt),
		c.lon, c.lat, c.accuracy, c.placedBy, micros(c.placedAt), c.direction, c.angle, c.reach, micros(c.aimedAt), c.siteID, c.decision, texts[2], texts[3], c.asks,
		texts[4], texts[5], c.family, texts[6], c.mine)
	c.stored = instant(micros(c.seen))
	return err
}

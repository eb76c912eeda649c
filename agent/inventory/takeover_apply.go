package inventory

import (
	"context"
	"database/sql"
	"slices"

	"anagrafe/protocol"
)

// takeOver does what Takeover.Check has let pass.
func (v *Inventory) takeOver(ctx context.Context, tx *sql.Tx, b *book, t Takeover, choices []Choice) error {
	devices := b.devicesFor(t.Recorded, choices)
	var unfound []Recorded
	for _, c := range choices {
		at := slices.IndexFunc(t.Recorded, func(r Recorded) bool { return r.Camera.ID == c.ID })
		switch {
		case c.On != "":
			if err := b.expect(ctx, tx, t.Recorded[at], c.On, t); err != nil {
				return err
			}
		case c.Here == "" && !c.Drop:
			unfound = append(unfound, t.Recorded[at])
		}
		if c.Here == "" {
			continue
		}
		if err := b.camera(c.Here).becomes(ctx, tx, t.Recorded[at], t.SiteID); err != nil {
			return err
		}
	}
	for from, r := range devices {
		if err := b.device(from).becomes(ctx, tx, r); err != nil {
			return err
		}
	}
	b, err := v.load(ctx, tx) // under the new ids
	if err != nil {
		return err
	}
	for _, r := range unfound {
		if err := b.remember(ctx, tx, r, t); err != nil {
			return err
		}
	}
	for _, c := range t.Contacts {
		if !slices.ContainsFunc(b.contactsOf(b.site(t.SiteID)), func(o protocol.Contact) bool { return o.Role == c.Role }) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO contact (site_id, role, name, phone, email, pec, hours, alerts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, t.SiteID, c.Role, c.Name, c.Phone, c.Email, c.PEC, c.Hours, c.Alerts); err != nil {
				return err
			}
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM recorded WHERE site_id = ?`, t.SiteID)
	return err
}

// devicesFor gives, by device id, the recorder that a device is: where all its
// chosen cameras are one recorder's, all of that recorder's are on it, and none
// is declared from here under the device's own id.
func (b *book) devicesFor(recorded []Recorded, choices []Choice) map[string]protocol.Recorder {
	recorderOf := map[string]Recorded{}
	for _, r := range recorded {
		recorderOf[r.Camera.ID] = r
	}
	of, on := map[string]protocol.Recorder{}, map[string]string{}
	var unclear []string
	for _, c := range choices {
		device, r := c.On, recorderOf[c.ID].Recorder
		if c.Here != "" {
			device = b.camera(c.Here).deviceID
		}
		if device == "" {
			continue
		}
		if known, taken := of[device]; taken && known.ID != r.ID {
			unclear = append(unclear, device)
		}
		if other, taken := on[r.ID]; taken && other != device {
			unclear = append(unclear, device, other)
		}
		of[device], on[r.ID] = r, device
	}
	for device, r := range of {
		declares := slices.ContainsFunc(b.cameras, func(c *camera) bool { return c.deviceID == device && c.decision == StateDeclared })
		if declares || b.device(r.ID) != nil {
			unclear = append(unclear, device)
		}
	}
	for _, device := range unclear {
		delete(of, device)
	}
	return of
}

// renamed changes an id and all that refers to it.
func renamed(ctx context.Context, tx *sql.Tx, from, to string, columns ...[2]string) error {
	for _, c := range columns {
		if _, err := tx.ExecContext(ctx, `UPDATE `+c[0]+` SET `+c[1]+` = ? WHERE `+c[1]+` = ?`, to, from); err != nil {
			return err
		}
	}
	return nil
}

// becomes gives a device the id of the recorder that it is. Where images are
// kept is taken over if nothing is said of it here.
func (d *device) becomes(ctx context.Context, tx *sql.Tx, r protocol.Recorder) error {
	if d.storage == protocol.StorageUnknown {
		d.storage, d.storageNote = r.Storage, r.StorageNote
	}
	if err := d.save(ctx, tx); err != nil {
		return err
	}
	return renamed(ctx, tx, d.id, r.ID, [2]string{"device", "id"}, [2]string{"camera", "device_id"},
		[2]string{"path", "device_id"}, [2]string{"credential", "device_id"})
}

// becomes gives a found camera the id of the recorded one, and what was said of
// that as a suggestion.
func (c *camera) becomes(ctx context.Context, tx *sql.Tx, r Recorded, siteID string) error {
	c.suggested(r)
	c.siteID = siteID
	if err := c.save(ctx, tx); err != nil {
		return err
	}
	return renamed(ctx, tx, c.id, r.Camera.ID, [2]string{"camera", "id"}, [2]string{"path", "camera_id"},
		[2]string{"merged", "camera_id"}, [2]string{"depth", "camera_id"})
}

// suggested takes over what was said of a recorded camera, where nothing is
// said here. A name that was typed on a form stands in for the recorder's, by which the
// footage is found.
func (c *camera) suggested(of Recorded) {
	r, told := of.Camera, c.safe(c.foundName)
	if c.name == "" && r.NameFact.Source == protocol.Declared && !c.tells(r.Name) && (!of.Typed || told == "" || told == r.Name) {
		c.name, c.nameAt, c.said.StandsIn = r.Name, r.NameFact.At, of.Typed
	}
	if c.outdoor == nil && r.OutdoorPublic.Yes {
		c.mine = MineYes
		c.outdoor, c.outdoorBy, c.outdoorAt = new(true), r.OutdoorPublic.By, r.OutdoorPublic.At
	}
	if c.lon == nil {
		lon, lat := r.Position.Lon, r.Position.Lat
		c.lon, c.lat, c.accuracy, c.placedBy, c.placedAt = &lon, &lat, r.Position.AccuracyM, r.Position.Method, r.Position.Fact.At
	}
	if c.aimedAt.IsZero() && (r.View.DirectionDeg != nil || r.View.AngleDeg != nil || r.View.RangeM != nil) {
		c.direction, c.angle, c.reach, c.aimedAt = r.View.DirectionDeg, r.View.AngleDeg, r.View.RangeM, r.View.Fact.At
	}
	// Asked of the device, these are better than remembered.
	if c.schedule.Kind == protocol.ScheduleUnknown {
		c.schedule = r.Schedule
	}
	if c.retention.Kind == protocol.RetentionUnknown && c.retention.OldestFootage.IsZero() {
		c.retention = r.Retention
	}
}

// remember lists a recorded camera that was not found as one that was found
// when the register was asked, on a recorder that has not answered since.
func (b *book) remember(ctx context.Context, tx *sql.Tx, r Recorded, t Takeover) error {
	d := b.device(r.Recorder.ID)
	if d == nil {
		d = &device{id: r.Recorder.ID, kind: "recorder", vendor: r.Recorder.Vendor, model: r.Recorder.Model, name: r.Recorder.Name,
			needs: "nothing", clock: r.Recorder.Clock, storage: r.Recorder.Storage, storageNote: r.Recorder.StorageNote, firstSeen: t.At, seen: t.At}
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		b.devices = append(b.devices, d)
	}
	c := &camera{id: r.Camera.ID, deviceID: d.id, device: d, channel: r.Camera.Channel, foundName: r.Camera.Name, foundAt: r.Camera.NameFact.At,
		seen: t.At, siteID: t.SiteID, turns: r.Camera.View.Turns, infrared: r.Camera.View.Infrared,
		width: r.Camera.View.WidthPx, height: r.Camera.View.HeightPx, viewAt: r.Camera.View.Fact.At}
	if slices.ContainsFunc(b.cameras, func(o *camera) bool { return o.deviceID == d.id && o.channel == c.channel }) {
		c.channel = string(former) + "-" + c.id // two of one name: no channel is known by it
		c.family = former
	}
	c.suggested(r)
	b.cameras = append(b.cameras, c)
	return c.save(ctx, tx)
}

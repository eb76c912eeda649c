package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"anagrafe/protocol"
)

// defaultAccuracyM is taken where a person types coordinates and says no more:
// what a telephone shows in a street between houses.
const defaultAccuracyM = 20

// Set records what the owner says of one camera. Nothing leaves by it, save
// that the answer "not outdoor and public" takes a declared camera out at
// once. Wrong values are protocol.FieldErrors with the names of Edit's JSON,
// and nothing is changed.
func (v *Inventory) Set(ctx context.Context, id string, e Edit) error {
	queued := false
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		c := b.camera(id)
		if c == nil {
			return ErrUnknown
		}
		if errs := e.check(b, c); len(errs) > 0 {
			return errs
		}
		if err := v.setIn(ctx, tx, c, e); err != nil {
			return err
		}
		if !c.leaves() {
			return nil
		}
		queued = true
		return v.takeOut(ctx, tx, b, []*camera{c}, StateWithdrawn, protocol.Approval{By: e.By})
	})
	if err != nil {
		return fmt.Errorf("change camera %q: %w", id, err)
	}
	if queued {
		v.signal()
	}
	return nil
}

func (e Edit) check(b *book, c *camera) (errs protocol.FieldErrors) {
	add := func(field, format string, args ...any) {
		errs = append(errs, protocol.FieldError{Field: field, Why: fmt.Sprintf(format, args...)})
	}
	if e.Name != nil {
		switch {
		case c.tells(*e.Name):
			add("name", "holds an address, serial number or other identifier of the device, which must not leave: give it another name")
		case utf8.RuneCountInString(*e.Name) > maxName:
			add("name", "must have at most %d characters", maxName)
		case line(*e.Name) == "":
			add("name", "is missing")
		}
	}
	e.checkPlace(add)
	if e.Schedule != nil {
		if _, err := ParseHours(*e.Schedule); err != nil {
			add("schedule", "%s", err)
		}
	}
	checkNumber(add, "days", e.Days, 0, MaxDays)
	switch {
	case e.Mine == "" || e.Mine == MineYes:
	case e.Mine != MineLater:
		add("mine", "must be %s or %s", MineYes, MineLater)
	case e.Outdoor != nil:
		add("mine", "cannot wait where outdoor_public is answered")
	case c.decision == StateDeclared:
		add("mine", "cannot wait while the camera is declared: withdraw it first")
	}
	if utf8.RuneCountInString(e.By) > maxName {
		add("by", "must have at most %d characters", maxName)
	}
	for _, field := range e.Clear {
		switch field {
		case "name", "outdoor_public", "position", "direction", "angle", "range", "storage", "schedule", "days", "mine":
		default:
			add("clear", "cannot clear %q", line(field))
		}
	}
	if e.Storage != nil && !slices.Contains([]protocol.Storage{protocol.StorageOnPremises, protocol.StorageCloud, protocol.StorageThirdParty}, *e.Storage) {
		add("storage", "must be %s, %s or %s", protocol.StorageOnPremises, protocol.StorageCloud, protocol.StorageThirdParty)
	}
	if e.StorageNote != nil {
		switch {
		case c.tells(*e.StorageNote):
			add("storage_note", "holds an address, serial number or other identifier of the device, which must not leave")
		case utf8.RuneCountInString(*e.StorageNote) > maxName:
			add("storage_note", "must have at most %d characters", maxName)
		}
	}
	if e.SiteID != nil {
		switch {
		case b.site(*e.SiteID) == nil:
			add("site_id", "is none of the sites that this computer is enrolled for")
		case c.decision == StateDeclared && b.siteOf(c).SiteID != *e.SiteID:
			add("site_id", "cannot change while the camera is declared: withdraw it first")
		}
	}
	return errs
}

// complain says what is wrong with a field.
type complain func(field, format string, args ...any)

// checkPlace looks at where the camera hangs and what it looks at.
func (e Edit) checkPlace(add complain) {
	if (e.Lon == nil) != (e.Lat == nil) {
		add("lat", "and lon go together")
	}
	degrees := func(field string, d *float64, most float64) {
		if d != nil && !(math.Abs(*d) <= most) { // NaN too
			add(field, "must be degrees from -%g to %g", most, most)
		}
	}
	degrees("lon", e.Lon, 180)
	degrees("lat", e.Lat, 90)
	if e.Lon != nil && e.Lat != nil && *e.Lon == 0 && *e.Lat == 0 {
		add("lat", "is missing: 0,0 is no place")
	}
	checkNumber(add, "accuracy_m", e.AccuracyM, 0, 10_000)
	checkNumber(add, "direction", e.Direction, 0, 359)
	checkNumber(add, "angle", e.Angle, 1, 360)
	checkNumber(add, "range", e.RangeM, 1, 2000)
	switch e.Method {
	case "", "map", "address", "gps", "typed":
	default:
		add("method", "must be map, address, gps or typed")
	}
}

func checkNumber(add complain, field string, n *int, from, to int) {
	if n != nil && (*n < from || *n > to) {
		add(field, "must be from %d to %d", from, to)
	}
}

// keptAt takes over where the owner says that images are, and reports whether he does.
func (d *device) keptAt(e Edit) bool {
	if slices.Contains(e.Clear, "storage") {
		d.storage, d.storageNote = protocol.StorageUnknown, ""
		return true
	}
	if e.Storage != nil {
		d.storage = *e.Storage
	}
	if e.StorageNote != nil {
		d.storageNote = line(*e.StorageNote)
	}
	return e.Storage != nil || e.StorageNote != nil
}

// edit takes over what check has let pass.
func (c *camera) edit(e Edit, at time.Time) {
	for _, field := range e.Clear {
		switch field {
		case "name":
			c.name, c.nameAt = "", at
		case "outdoor_public":
			c.outdoor, c.outdoorBy, c.outdoorAt = nil, "", time.Time{}
		case "mine":
			c.mine = ""
		case "position":
			c.lon, c.lat, c.placedBy = nil, nil, ""
		case "direction":
			c.direction = nil
		case "angle":
			c.angle = nil
		case "range":
			c.reach = nil
		case "schedule":
			c.said.Schedule, c.said.ToldSchedule, c.said.Hours = nil, protocol.Schedule{}, ""
		case "days":
			c.said.Retention, c.said.ToldRetention = nil, protocol.Retention{}
		}
	}
	c.hours(e, at)
	if e.Name != nil {
		c.name, c.nameAt, c.said.StandsIn = line(*e.Name), at, false
	}
	if e.Mine != "" {
		c.mine = e.Mine
	}
	if e.Mine == MineLater { // then nothing of it may leave
		c.outdoor, c.outdoorBy, c.outdoorAt = nil, "", time.Time{}
	}
	if e.Outdoor != nil {
		c.mine = MineYes
		c.outdoor, c.outdoorBy, c.outdoorAt, c.asks = e.Outdoor, strings.TrimSpace(e.By), at, false
	}
	if e.Lon != nil {
		lon, lat := int32(math.Round(*e.Lon*1e6)), int32(math.Round(*e.Lat*1e6))
		if c.lon == nil || *c.lon != lon || *c.lat != lat {
			c.accuracy = defaultAccuracyM
			c.lon, c.lat, c.placedBy, c.placedAt = &lon, &lat, "typed", at
		}
		if e.Method != "" {
			c.placedBy = e.Method
		}
	}
	if e.AccuracyM != nil {
		c.accuracy = *e.AccuracyM
	}
	for _, said := range []struct{ from, to **int }{{&e.Direction, &c.direction}, {&e.Angle, &c.angle}, {&e.RangeM, &c.reach}} {
		if *said.from != nil && !sameNumber(*said.from, *said.to) {
			*said.to, c.aimedAt = *said.from, at
		}
	}
	if c.direction == nil && c.angle == nil && c.reach == nil {
		c.aimedAt = time.Time{}
	}
	if e.SiteID != nil {
		c.siteID = *e.SiteID
	}
}

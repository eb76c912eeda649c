package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// byHand marks a camera that the owner listed, and a recorder that no look has found.
// As a family it is no interface: its words are the numbers that he counted by.
const byHand = interrogate.Family("by-hand")

// ByHand is what the owner reads from a recorder's own screen, where the recorder
// does not tell it.
type ByHand struct {
	DeviceID string `json:"device,omitempty"` // "": a recorder that no search has found
	Vendor   string `json:"vendor,omitempty"` // of that one, as its name and room
	Name     string `json:"name,omitempty"`
	Room     string `json:"room,omitempty"`
	// Cameras are the names that it shows, in the order of its channels; nil: they
	// stay as they were. Numbered: nobody gave them these names, they only count.
	Cameras  []string `json:"cameras,omitempty"`
	Numbered bool     `json:"numbered,omitempty"`
	// Since is the beginning of the oldest day of which there are images, Days how many
	// days they stay; zero: not said.
	Since time.Time `json:"since,omitzero"`
	Days  int       `json:"days,omitempty"`
	// Offset is its clock minus the true time, in milliseconds, to within a minute.
	Offset *int64 `json:"offset_ms,omitempty"`
}

const (
	screenUncertainty = 60_000 // milliseconds: it shows minutes, and typing takes time
	screenMethod      = "declared by the owner from its screen"
	maxScreenOffset   = 20 * 365 * 24 * time.Hour
)

// FromScreen reports whether a clock is what a person read from the recorder's screen.
func FromScreen(c protocol.Clock) bool { return c.Method == screenMethod }

// ListByHand keeps what the owner read from a recorder's screen and gives the
// recorder's id. Nothing leaves by it. Cameras that it no longer names go, unless
// something was decided of them. Where the recorder tells its clock or its cameras
// itself, these stay as it tells them. Wrong values are protocol.FieldErrors with the
// names of ByHand's JSON, and nothing is changed.
func (v *Inventory) ListByHand(ctx context.Context, l ByHand) (deviceID string, err error) {
	err = v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		now := v.now()
		d := b.device(l.DeviceID)
		if d == nil && l.DeviceID != "" {
			return ErrUnknown
		}
		if errs := l.check(d, now); len(errs) > 0 {
			return errs
		}
		if d == nil {
			d = &device{id: uuid.NewString(), kind: interrogate.KindRecorder, vendor: line(l.Vendor), name: line(l.Name), needs: interrogate.NeedsNothing,
				methods: []string{string(byHand)}, firstSeen: now, seen: now}
			if d.storageNote = line(l.Room); d.storageNote != "" {
				d.storage = protocol.StorageOnPremises
			}
			b.devices = append(b.devices, d)
		}
		if l.Offset != nil && (d.clock == nil || FromScreen(*d.clock)) {
			d.clock = &protocol.Clock{OffsetMs: *l.Offset, UncertaintyMs: screenUncertainty, Method: screenMethod, At: now}
		}
		if err := d.save(ctx, tx); err != nil {
			return err
		}
		deviceID = d.id
		return b.list(ctx, tx, d, l, now)
	})
	if err != nil {
		return "", fmt.Errorf("list cameras by hand: %w", err)
	}
	return deviceID, nil
}

func (l ByHand) check(d *device, now time.Time) (errs protocol.FieldErrors) {
	add := func(field, format string, args ...any) {
		errs = append(errs, protocol.FieldError{Field: field, Why: fmt.Sprintf(format, args...)})
	}
	words := func(field, text string) {
		switch {
		case tells(text, d):
			add(field, "holds an address, serial number or other identifier of the device, which must not leave")
		case utf8.RuneCountInString(text) > maxName:
			add(field, "must have at most %d characters", maxName)
		}
	}
	words("vendor", l.Vendor)
	words("name", l.Name)
	words("room", l.Room)
	if d == nil && line(l.Vendor) == "" && line(l.Name) == "" {
		add("name", "is missing: say the maker's name, or what you call the recorder")
	}
	if d == nil && len(l.Cameras) == 0 {
		add("cameras", "are missing: say how many it shows, or their names")
	}
	if len(l.Cameras) > protocol.MaxCameras {
		add("cameras", "are %d, more than %d", len(l.Cameras), protocol.MaxCameras)
	}
	for _, name := range l.Cameras[:min(len(l.Cameras), protocol.MaxCameras)] {
		before := len(errs)
		if words("cameras", name); line(name) == "" {
			add("cameras", "has one without a name")
		}
		if len(errs) > before {
			break
		}
	}
	if l.Days < 0 || l.Days > MaxDays {
		add("days", "must be from 1 to %d", MaxDays)
	}
	if !l.Since.IsZero() && (l.Since.After(now) || now.Sub(l.Since) > MaxDays*24*time.Hour) {
		add("since", "must be a day of the past, at most %d days ago", MaxDays)
	}
	if l.Offset != nil && (*l.Offset > maxScreenOffset.Milliseconds() || *l.Offset < -maxScreenOffset.Milliseconds()) {
		add("offset_ms", "is more than twenty years: check the time that its screen shows")
	}
	return errs
}

// list keeps the cameras of d and what is said of their images.
func (b *book) list(ctx context.Context, tx *sql.Tx, d *device, l ByHand, now time.Time) error {
	of := slices.DeleteFunc(slices.Clone(b.cameras), func(c *camera) bool { return c.device != d })
	told := slices.ContainsFunc(of, func(c *camera) bool { return c.family != byHand && c.channel != "" })
	if !told && len(l.Cameras) > 0 {
		var err error
		if of, err = d.listCameras(ctx, tx, of, l, now); err != nil {
			return err
		}
	}
	for _, c := range of {
		if l.Days > 0 {
			c.hours(Edit{Days: &l.Days}, now)
		}
		if !l.Since.IsZero() {
			c.sawSince(l.Since, now)
		}
		if err := c.save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// listCameras gives d the cameras that l names, the first of which is the entry of a
// camera that was found and could not be read. What was there stays under its id.
func (d *device) listCameras(ctx context.Context, tx *sql.Tx, of []*camera, l ByHand, now time.Time) (listed []*camera, err error) {
	for i, name := range l.Cameras {
		number := strconv.Itoa(i + 1)
		at := slices.IndexFunc(of, func(c *camera) bool { return c.channel == number || i == 0 && c.channel == "" })
		var c *camera
		if at >= 0 {
			c = of[at]
			of = slices.Delete(of, at, at+1)
			c.channel, c.family = number, byHand
		} else {
			c = &camera{id: uuid.NewString(), deviceID: d.id, device: d, channel: number, family: byHand, seen: now}
		}
		if name = line(name); c.name != name && !(l.Numbered && (c.name != "" || c.foundName != "")) {
			c.name, c.nameAt, c.said.StandsIn = name, now, l.Numbered
		}
		listed = append(listed, c)
	}
	for _, c := range of {
		if c.decision != "" {
			listed = append(listed, c)
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM camera WHERE id = ?`, c.id); err != nil {
			return nil, err
		}
	}
	return listed, nil
}

// numbersOf gives each told channel the number by which its owner counted it: the
// device's own where it tells plain numbers (from 0 or from 1), else its place. The
// place counts as well where the device leaves numbers out, and the owner listed as
// many cameras as it tells.
func numbersOf(all []reportedChannel, known, listed []*camera) []string {
	places, numbers, least := make([]string, len(all)), make([]int, len(all)), 1
	plain := true
	for i, ch := range all {
		places[i] = strconv.Itoa(i + 1)
		n, err := strconv.Atoi(ch.token)
		plain = plain && err == nil && n >= 0 && n < 10_000
		numbers[i], least = n, min(least, n)
	}
	if !plain || len(listed) == len(all) && len(listed) == len(known) {
		return places
	}
	own := make([]string, len(all))
	for i, n := range numbers {
		own[i] = strconv.Itoa(n + 1 - least)
	}
	return own
}

// soleListed reports whether one channel and one listed camera bear a name.
func soleListed(all []reportedChannel, listed []*camera, name string) bool {
	n := 0
	for _, ch := range all {
		if fold(ch.Name) == fold(name) {
			n++
		}
	}
	for _, c := range listed {
		if fold(c.name) == fold(name) {
			n++
		}
	}
	return n == 2
}

// found makes a listed camera that of a told channel: what the owner said of it
// stays, but a name that stood in for the recorder's gives way to it.
func (ch *reportedChannel) found(c *camera) {
	if c.said.StandsIn && ch.Name != "" {
		c.name, c.nameAt = "", time.Time{}
	}
	c.said.StandsIn = false
}

// listedHints pairs, for the owner, what he listed and what recorders tell, where
// nothing decides which is which: listed cameras that are left over on a recorder
// that has told its own since, and those of a recorder by hand, once a single one of
// that maker was found. Both are taken in their order.
func (b *book) listedHints(hint func(x, y *camera)) {
	open := func(d *device, listed bool) (of []*camera) {
		for _, c := range b.cameras {
			if c.device == d && (c.family == byHand) == listed && c.answer() != answerNo && c.channel != "" {
				of = append(of, c)
			}
		}
		return of
	}
	zip := func(listed, told []*camera) {
		for i := range min(len(listed), len(told)) {
			hint(listed[i], told[i])
		}
	}
	for _, d := range b.devices {
		listed := open(d, true)
		if len(listed) == 0 {
			continue
		}
		if told := open(d, false); len(told) > 0 {
			zip(listed, slices.DeleteFunc(told, func(c *camera) bool { return c.answer() != answerNone }))
			continue
		}
		if !slices.Contains(d.methods, string(byHand)) || d.vendor == "" {
			continue
		}
		found := slices.DeleteFunc(slices.Clone(b.devices), func(o *device) bool {
			return o == d || o.kind != interrogate.KindRecorder || fold(o.vendor) != fold(d.vendor) || len(open(o, false)) == 0
		})
		if len(found) == 1 {
			zip(listed, open(found[0], false))
		}
	}
}

package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// Takeover is what the register already held of a site when this computer was
// enrolled for it, and what of that is found here. It waits for the owner's
// choice; nothing of it leaves before he approves the cameras.
type Takeover struct {
	SiteID   string             `json:"site_id"`
	SiteName string             `json:"site_name"`
	Others   int                `json:"others"` // other computers that spoke for it at the enrolment
	Code     string             `json:"-"`      // with which this computer was enrolled
	At       time.Time          `json:"at"`     // when the register was asked
	Recorded []Recorded         `json:"recorded"`
	Found    []FoundCamera      `json:"found"`            // what may be one of them
	Locked   []lockedDevice     `json:"locked,omitempty"` // where others of them may be
	Contacts []protocol.Contact `json:"contacts,omitempty"`
}

// Recorded is a camera in the register that is not known here by its id.
type Recorded struct {
	Camera   protocol.Camera   `json:"camera"`
	Recorder protocol.Recorder `json:"recorder"`
	Typed    bool              `json:"typed"`          // by a person on a form: no computer has ever seen it
	Here     string            `json:"here,omitempty"` // id of the found camera that it is taken for; "": none is
	On       string            `json:"on,omitempty"`   // else the locked device that it may be on
	Sure     bool              `json:"sure"`           // Here leaves no doubt
}

// Asks reports whether only a person can say which camera it is: there is a guess, or it
// was typed and belongs to some recorder.
func (r Recorded) Asks() bool { return !r.Sure && (r.Typed || r.Here != "") }

// FoundCamera is a camera of this network that is not declared from here.
type FoundCamera struct {
	ID       string `json:"id"`
	DeviceID string `json:"device_id"`
	Name     string `json:"name"`
	Channel  string `json:"channel,omitempty"`
	Recorder string `json:"recorder"` // maker and model
}

// lockedDevice is a device that lists its cameras only with its password.
type lockedDevice struct {
	ID   string `json:"id"`
	Name string `json:"name"` // maker and model, else how it calls itself, else its address
}

// Choice is what the owner says of a recorded camera.
type Choice struct {
	ID   string `json:"id"`             // of the recorded camera
	Here string `json:"here,omitempty"` // the found camera that it is; "": none
	On   string `json:"on,omitempty"`   // the locked device that it is on, in the place of Here
	Drop bool   `json:"drop,omitempty"` // not found, and not to be listed here either
}

// SetRecorded keeps what the register holds of a site: message is the encoded
// declaration, nil for none. What is known here already needs no choice.
func (v *Inventory) SetRecorded(ctx context.Context, siteID, code string, message []byte) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recorded WHERE site_id = ?`, siteID); err != nil || len(message) == 0 {
			return err
		}
		m, err := protocol.Decode(message)
		if err != nil {
			return err
		}
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		d, _ := m.Body.(protocol.Declaration)
		if b.site(siteID) == nil || m.SiteID != siteID || len(b.unknownCameras(d)) == 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO recorded (site_id, body, code, at) VALUES (?, ?, ?, ?)`, siteID, message, code, micros(v.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep what the register holds: %w", err)
	}
	return nil
}

// typedWaits reports whether what was typed of a site on a form waits for TakeOver. Of a row
// that cannot be read it must be assumed: nothing is declared in its place.
func (b *book) typedWaits(ctx context.Context, tx *sql.Tx, siteID string) (waits bool, err error) {
	err = each(ctx, tx, `SELECT body FROM recorded WHERE site_id = ?`, func(rows *sql.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		d, _ := m.Body.(protocol.Declaration)
		waits = err != nil || slices.ContainsFunc(b.unknownCameras(d), func(r Recorded) bool { return r.Typed })
		return nil
	}, siteID)
	return waits, err
}

// unknownCameras are the cameras of a declaration that are not known here.
func (b *book) unknownCameras(d protocol.Declaration) (out []Recorded) {
	for _, c := range d.Cameras {
		if b.camera(c.ID) != nil {
			continue
		}
		at := slices.IndexFunc(d.Recorders, func(r protocol.Recorder) bool { return r.ID == c.RecorderID })
		out = append(out, Recorded{Camera: c, Recorder: d.Recorders[at], Typed: typed(c, d.Recorders[at])})
	}
	return out
}

// takeovers are the sites whose recorded cameras wait for the owner's choice. One that
// cannot be read is left out: it must not close all pages to the owner.
func (v *Inventory) takeovers(ctx context.Context, tx *sql.Tx, b *book) (all []Takeover, err error) {
	err = each(ctx, tx, `SELECT site_id, s.name, s.others, body, code, at FROM recorded JOIN site s ON s.id = site_id ORDER BY at`, func(rows *sql.Rows) error {
		var t Takeover
		var body []byte
		if err := rows.Scan(&t.SiteID, &t.SiteName, &t.Others, &body, &t.Code, asTime{&t.At}); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		if err != nil {
			v.log.Warn("what the register held of a site cannot be read: enrol again for it", "site", t.SiteID, "err", err)
			return nil
		}
		d, _ := m.Body.(protocol.Declaration)
		t.Recorded, t.Contacts = b.unknownCameras(d), d.Contacts
		b.propose(t.Recorded)
		t.Locked = b.lockedFor(t.Recorded)
		for _, c := range b.free() {
			f := FoundCamera{ID: c.id, DeviceID: c.deviceID, Name: line(c.safe(c.foundName)), Recorder: line(c.device.vendor + " " + c.device.model)}
			if c.name != "" {
				f.Name = c.name
			}
			if c.family != "" && c.family != former {
				f.Channel = line(c.safe(c.channel))
			}
			t.Found = append(t.Found, f)
		}
		all = append(all, t)
		return nil
	})
	return all, err
}

// free are the cameras that may turn out to be recorded ones: they were never
// declared from here, so no register knows them by their id. The entry that stands
// for a locked device is none: there may be eight behind it.
func (b *book) free() (free []*camera) {
	for _, c := range b.cameras {
		if (c.decision == "" || c.decision == StateRefused) && !(c.channel == "" && c.device.locked()) {
			free = append(free, c)
		}
	}
	return free
}

// TakeOver does with a site's recorded cameras what the owner says. A found
// camera takes over the id of the recorded one, and what was said of it as far
// as nothing is said here; one that is not found is listed as if it had been
// found once, unless it is dropped. None is declared by it: that needs a yes
// like any other. Every recorded camera is named in choices; else the error is
// protocol.FieldErrors, and nothing is changed.
func (v *Inventory) TakeOver(ctx context.Context, siteID string, choices []Choice) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		// Ids are about to change that others refer to.
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		all, err := v.takeovers(ctx, tx, b)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(t Takeover) bool { return t.SiteID == siteID })
		if at < 0 {
			return fmt.Errorf("site %q: nothing of it waits for a choice: %w", line(siteID), ErrUnknown)
		}
		if err := all[at].Check(choices); err != nil {
			return err
		}
		return v.takeOver(ctx, tx, b, all[at], choices)
	})
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	return nil
}

// Check refuses choices that leave something open or say something twice, as
// protocol.FieldErrors.
func (t Takeover) Check(choices []Choice) error {
	var errs protocol.FieldErrors
	add := func(i int, field, why string) {
		errs = append(errs, protocol.FieldError{Field: fmt.Sprintf("choices[%d].%s", i, field), Why: why})
	}
	chosen, here := map[string]bool{}, map[string]bool{}
	for i, c := range choices {
		switch {
		case !slices.ContainsFunc(t.Recorded, func(r Recorded) bool { return r.Camera.ID == c.ID }):
			add(i, "id", "is no recorded camera of this site")
		case chosen[c.ID]:
			add(i, "id", "occurs twice")
		case c.Here != "" && !slices.ContainsFunc(t.Found, func(f FoundCamera) bool { return f.ID == c.Here }):
			add(i, "here", "is no camera that was found here and is not declared")
		case c.Here != "" && here[c.Here]:
			add(i, "here", "is chosen twice")
		case c.On != "" && (c.Here != "" || c.Drop || !slices.ContainsFunc(t.Locked, func(d lockedDevice) bool { return d.ID == c.On })):
			add(i, "on", "is no device whose cameras are not known yet")
		}
		chosen[c.ID], here[c.Here] = true, true
	}
	for _, r := range t.Recorded {
		if !chosen[r.Camera.ID] {
			errs = append(errs, protocol.FieldError{Field: "choices", Why: "do not name the recorded camera " + r.Camera.ID})
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"anagrafe/protocol"
)

// View is what is known here at one moment: all that a page shows comes from one.
type View struct {
	// Devices are all that were ever found, in the order of finding; but not a camera
	// whose entry is that of a recorder's channel, see Camera.Paths. Cameras are all
	// of them, those of a device together. Neither is nil.
	Devices []Device
	Cameras []Camera
	Sites   []Site // that this computer may speak for, oldest first
	// Contacts are, by site, whom to call: its own, and those that it inherits; by ""
	// those of the only site, or of all.
	Contacts map[string][]protocol.Contact
	// Private is, by site, what the owner keeps on this computer for himself, by name:
	// values of the site, else those of "". The pages alone read it, and it enters no
	// message.
	Private   map[string]map[string]string
	Takeovers []Takeover // sites whose recorded cameras wait for the owner's choice
	// Decided is, by site, how far the newest declaration or withdrawal has come: until
	// it is acknowledged, the register still shows what was there before.
	Decided map[string]SentState
	// NotGranted are the sites for which the collector takes nothing more under the
	// grant that this computer holds: the last message under it was refused for that,
	// whatever it was. Only a new code helps.
	NotGranted []string
	Unopened   []string // ids of the notices that nobody has opened yet, newest first

	merged map[string]string // camera's id by that of an entry that was the same camera
}

// View reads it, in one transaction.
func (v *Inventory) View(ctx context.Context) (w View, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		if err := b.loadDepths(ctx, tx); err != nil {
			return err
		}
		w = b.shownAll()
		if w.Takeovers, err = v.takeovers(ctx, tx, b); err != nil {
			return err
		}
		if w.NotGranted, err = v.notGranted(ctx, tx, b); err != nil {
			return err
		}
		return w.read(ctx, tx)
	})
	if err != nil {
		return View{}, fmt.Errorf("look up what is known here: %w", err)
	}
	return w, nil
}

// shownAll is what the book holds.
func (b *book) shownAll() View {
	w := View{Devices: []Device{}, Cameras: []Camera{}, Contacts: map[string][]protocol.Contact{}, merged: map[string]string{}}
	for _, d := range b.devices {
		if !b.elsewhere(d) {
			w.Devices = append(w.Devices, d.shown())
		}
		for _, c := range b.cameras {
			if c.device == d {
				w.Cameras = append(w.Cameras, b.shown(c))
			}
		}
	}
	for _, c := range b.cameras {
		for _, id := range c.merged {
			w.merged[id] = c.id
		}
	}
	w.Contacts[""] = b.contactsOf(nil)
	for _, s := range b.sites {
		w.Sites = append(w.Sites, s.Site)
		w.Contacts[s.SiteID] = b.contactsOf(s)
	}
	if len(b.sites) == 1 {
		w.Contacts[""] = w.Contacts[b.sites[0].SiteID]
	}
	return w
}

// read completes it by what the book does not hold.
func (w *View) read(ctx context.Context, tx *sql.Tx) error {
	w.Decided = map[string]SentState{}
	err := each(ctx, tx, `SELECT site_id, message.state FROM message JOIN site ON site.id = site_id
		WHERE kind IN ('declaration', 'withdrawal') AND seq > ended ORDER BY seq`, func(rows *sql.Rows) error {
		var site string
		var state SentState
		err := rows.Scan(&site, &state)
		w.Decided[site] = state
		return err
	})
	if err != nil {
		return err
	}
	if w.Private, err = privateOf(ctx, tx, w.Sites); err != nil {
		return err
	}
	return each(ctx, tx, `SELECT id FROM notice WHERE seen = 0 AND body IS NOT NULL ORDER BY received DESC, id`, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		w.Unopened = append(w.Unopened, id)
		return nil
	})
}

// Camera gives one, by its id or by that of an entry that was the same camera, or
// ErrUnknown.
func (w View) Camera(id string) (Camera, error) {
	if now, is := w.merged[id]; is {
		id = now
	}
	i := slices.IndexFunc(w.Cameras, func(c Camera) bool { return c.ID == id })
	if i < 0 {
		return Camera{}, fmt.Errorf("camera %q: %w", id, ErrUnknown)
	}
	return w.Cameras[i], nil
}

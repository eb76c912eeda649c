package registry

import (
	"context"
	"strings"
	"time"

	"anagrafe/protocol"
)

// Draft is what one site is to be asked, with what officers need to ask it by
// phone as well. Nothing is queued by it.
type Draft struct {
	NoticeID string            `json:"notice_id"`
	SiteID   string            `json:"site_id"`
	At       time.Time         `json:"at"`
	Asked    protocol.Preserve `json:"asked"`
	Name     string            `json:"name"`
	Address  string            `json:"address,omitempty"`
	Category protocol.Category `json:"category,omitempty"`
	Trust    string            `json:"trust,omitempty"` // how the owner's identity is checked
	Cameras  []DraftCamera     `json:"cameras"`
	Reach    Reach             `json:"reach"`
	// ByPhone: no agent is told, no mail, and the site's page does not show it.
	ByPhone bool `json:"by_phone,omitempty"`
}

// DraftCamera is a camera of a draft: under which name it stands on the recorder,
// and which interval to ask for there.
type DraftCamera struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Channel  string `json:"channel,omitempty"`
	Recorder string `json:"recorder,omitempty"` // name, maker, model, where the images are
	Zone     string `json:"zone,omitempty"`     // IANA name of what the recorder's display shows; "": not known for sure
	// Clock is its sample nearest the interval, and ClockFrom and ClockUntil what
	// it showed, widened by its uncertainty; nil and zero: never measured.
	Clock      *protocol.Clock `json:"clock,omitempty"`
	ClockFrom  time.Time       `json:"clock_from,omitzero"`
	ClockUntil time.Time       `json:"clock_until,omitzero"`
	// Exists tells whether footage of the interval's begin is still there, Until
	// when it is overwritten; zero: not known.
	Exists protocol.Answer `json:"exists"`
	Until  time.Time       `json:"until,omitzero"`
}

func (d Draft) notice() protocol.Notice {
	return protocol.Notice{ID: d.NoticeID, SiteID: d.SiteID, At: d.At, Body: d.Asked}
}

// Until is when the first of the footage is overwritten; zero: not known of one.
func (d Draft) Until() (first time.Time) {
	for i, c := range d.Cameras {
		if c.Until.IsZero() {
			return time.Time{}
		}
		if i == 0 || c.Until.Before(first) {
			first = c.Until
		}
	}
	return first
}

// Reach is the number of channels of each kind to a site; the contacts themselves are
// revealed by an officer's act.
type Reach struct {
	Agents    int       `json:"agents"`            // installed and admitted; a visit's laptop is none
	HeardAt   time.Time `json:"heard_at,omitzero"` // when one of them was last connected or sent something
	Addresses int       `json:"addresses"`         // e-mail addresses that no server has refused
	Phones    int       `json:"phones"`
	PECs      int       `json:"pecs"`
	Referents int       `json:"referents"` // contacts that are technical referents
}

// None reports whether only the phone is left.
func (r Reach) None() bool { return r.Agents == 0 && r.Addresses == 0 }

// draft reads what is known of a site for what it is asked.
func (r *Registry) draft(ctx context.Context, d Draft, now time.Time) (Draft, error) {
	p := d.Asked
	h, err := r.History(ctx, d.SiteID, p.Start)
	if err != nil {
		return d, err
	}
	d.Trust = h.Trust
	if s := len(h.Sites); s > 0 {
		site := h.Sites[s-1].Value
		d.Name, d.Address, d.Category = site.Name, site.Address, site.Category
	}
	for _, id := range p.CameraIDs {
		d.Cameras = append(d.Cameras, draftCamera(h, id, p, now))
	}
	err = r.view(ctx, func(tx *tx) (err error) {
		d.Reach, err = r.reach(ctx, tx, d.SiteID)
		return err
	})
	return d, err
}

func draftCamera(h History, id string, p protocol.Preserve, now time.Time) DraftCamera {
	c := DraftCamera{ID: id}
	if versions := h.Cameras[id]; len(versions) > 0 {
		newest := versions[len(versions)-1].Camera
		c.Name, c.Channel = newest.Name, newest.Channel
		if recorders := h.Recorders[newest.RecorderID]; len(recorders) > 0 {
			c.Recorder = recorderWords(recorders[len(recorders)-1].Value)
		}
		c.onRecorder(h.Clocks[newest.RecorderID], p)
	}
	if schedules := h.Schedules[id]; len(schedules) > 0 {
		if s := schedules[len(schedules)-1].Value; !s.ZoneAssumed {
			c.Zone = s.Zone
		}
	}
	f := protocol.FootageOf(p.Start, now, h.Schedules[id], h.Retentions[id])
	c.Exists, c.Until = f.Exists, f.Until
	return c
}

// onRecorder finds what the recorder's own clock showed.
func (c *DraftCamera) onRecorder(samples []protocol.Clock, p protocol.Preserve) {
	first, ok := protocol.ClockAt(samples, p.Start)
	if !ok {
		return
	}
	last, _ := protocol.ClockAt(samples, p.End)
	from, within := first.Shows(p.Start)
	until, withinLast := last.Shows(p.End)
	within = max(within, withinLast)
	c.Clock, c.ClockFrom, c.ClockUntil = &first, from.Add(-within), until.Add(within)
}

// recorderWords names a recorder as someone in front of it would.
func recorderWords(r protocol.Recorder) string {
	var parts []string
	for _, p := range []string{r.Name, protocol.MakerModel(r.Vendor, r.Model), r.StorageNote} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

// reach counts the ways to a site.
func (r *Registry) reach(ctx context.Context, tx *tx, siteID string) (reach Reach, err error) {
	var heard int64
	if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(a.seen_at), 0) FROM grants g JOIN agents a ON a.id = g.agent_id
		WHERE g.site_id = ? AND g.until_at IS NULL AND a.revoked_at IS NULL AND `+computer, siteID).Scan(&reach.Agents, &heard); err != nil {
		return reach, err
	}
	reach.HeardAt = fromMicros(heard)
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return reach, err
	}
	s := site{tx: tx, id: siteID, box: b}
	contacts, _, err := s.reached(ctx, r)
	if err != nil {
		return reach, err
	}
	bounced, err := s.bounced(ctx)
	if err != nil {
		return reach, err
	}
	for _, c := range contacts {
		if c.Email != "" && !bounced[r.addressHash(c.Email)] {
			reach.Addresses++
		}
		if c.Phone != "" {
			reach.Phones++
		}
		if c.PEC != "" {
			reach.PECs++
		}
		if c.Role == protocol.RoleReferent {
			reach.Referents++
		}
	}
	return reach, nil
}

package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// book is the whole inventory in memory, as one transaction sees it. A site has
// at most 512 cameras, so reading it all is cheaper than being clever.
type book struct {
	devices  []*device
	cameras  []*camera
	sites    []*site
	contacts map[string][]protocol.Contact // by site id; "" for all sites
	mayBe    map[string]string             // see maybeSame; nil: not looked for yet
}

type device struct {
	id                                          string
	kind                                        interrogate.Kind
	vendor, model, firmware, hardwareID, serial string
	macs                                        []string
	endpoint, address, name                     string
	methods                                     []string
	zone                                        string
	zoneAssumed                                 bool
	family                                      interrogate.Family
	kept                                        interrogate.Kept
	facts                                       facts
	storage                                     protocol.Storage // said by the owner, with storageNote
	storageNote                                 string
	needs                                       interrogate.Needs
	clock                                       *protocol.Clock
	stepped                                     time.Duration // of its stamps, since the look before; not kept
	problems                                    []interrogate.Problem
	firstSeen, seen, answered                   time.Time
	stored                                      time.Time // seen as the row has it; zero: there is none
	reachable, password                         bool
	reported                                    *protocol.RecorderObservation
}

func (d *device) marks() marks {
	return marks{serial: usableSerial(d.serial, d.model), macs: usableMACs(d.macs), endpoint: usableEndpoint(d.endpoint),
		name: fold(d.name), vendor: fold(d.vendor), model: fold(d.model), address: d.address}
}

type camera struct {
	id, deviceID, channel string
	family                interrogate.Family // whose word channel is
	also                  []string           // words of other interfaces for it
	facts                 facts
	device                *device
	seen                  time.Time
	stored                time.Time // seen as the row has it; zero: there is none
	foundName             string
	foundAt               time.Time
	width, height         int
	turns, infrared       bool
	viewAt                time.Time
	schedule              protocol.Schedule
	retention             protocol.Retention
	said                  hoursSaid // beside these two; see scheduleNow

	name                    string
	nameAt                  time.Time
	mine                    Mine
	outdoor                 *bool
	outdoorBy               string
	outdoorAt               time.Time
	lon, lat                *int32
	accuracy                int
	placedBy                string
	placedAt                time.Time
	direction, angle, reach *int
	aimedAt                 time.Time
	siteID                  string
	decision                State // "", StateRefused, StateDeclared, StateWithdrawn
	reported                *protocol.CameraObservation

	behind *behind      // what the recorder tells of the camera; nil: nothing
	asks   bool         // the owner's answers contradict each other, or are about another camera
	paths  []*way       // in which it is seen besides
	merged []string     // ids of entries that were the same camera
	depths []DepthPoint // only where loadDepths was called
}

type site struct {
	Site
	revision int64
	observed time.Time
	// declared is the body of the site's last declaration; nil before the first
	// and after a withdrawal. rejected: the collector refused it for good.
	declared *protocol.Declaration
	rejected bool
	before   time.Time // when declared was made, if that was under an earlier grant; zero: under this one
	stateAt  time.Time // when Grant.State was decided
	ended    int64     // seq of the messages up to which none counts any more
	left     bool      // the site was withdrawn, from here or elsewhere, and not enrolled since
	typed    bool      // what was typed of it on a form waits for TakeOver: a declaration from here would take its place
}

func (v *Inventory) load(ctx context.Context, tx *sql.Tx) (*book, error) {
	b := &book{contacts: map[string][]protocol.Contact{}}
	for _, part := range []func(context.Context, *sql.Tx) error{b.loadDevices, b.loadCameras, b.loadPaths, b.loadSites, b.loadContacts} {
		if err := part(ctx, tx); err != nil {
			return nil, fmt.Errorf("reading the inventory: %w", err)
		}
	}
	v.times.over(b)
	return b, nil
}

// each runs a query and scan for every row.
func each(ctx context.Context, tx *sql.Tx, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *book) loadDevices(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT id, kind, vendor, model, firmware, hardware_id, serial, macs, endpoint, address, name, methods,
		zone, needs, clock, problems, first_seen, seen, answered, reachable, reported, family, kept, zone_assumed, facts, storage, storage_note,
		EXISTS (SELECT 1 FROM credential WHERE device_id = device.id)
		FROM device ORDER BY first_seen, rowid`, func(rows *sql.Rows) error {
		d := &device{}
		if err := rows.Scan(&d.id, &d.kind, &d.vendor, &d.model, &d.firmware, &d.hardwareID, &d.serial, asJSON{&d.macs}, &d.endpoint,
			&d.address, &d.name, asJSON{&d.methods}, &d.zone, &d.needs, asJSON{&d.clock}, asJSON{&d.problems},
			asTime{&d.firstSeen}, asTime{&d.seen}, asTime{&d.answered}, &d.reachable, asJSON{&d.reported},
			&d.family, &d.kept, &d.zoneAssumed, asJSON{&d.facts}, &d.storage, &d.storageNote, &d.password); err != nil {
			return err
		}
		d.stored = d.seen
		b.devices = append(b.devices, d)
		return nil
	})
}

func (b *book) loadCameras(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT id, device_id, channel, seen, found_name, found_at, width_px, height_px, turns, infrared, view_at,
		schedule, retention, name, name_at, outdoor, outdoor_by, outdoor_at, lon, lat, accuracy_m, placed_by, placed_at,
		direction, angle, range_m, aimed_at, coalesce(site_id, ''), decision, reported, behind, asks,
		facts, also, family, said, mine FROM camera ORDER BY device_id, rowid`, func(rows *sql.Rows) error {
		c := &camera{}
		if err := rows.Scan(&c.id, &c.deviceID, &c.channel, asTime{&c.seen}, &c.foundName, asTime{&c.foundAt}, &c.width, &c.height,
			&c.turns, &c.infrared, asTime{&c.viewAt}, asJSON{&c.schedule}, asJSON{&c.retention}, &c.name, asTime{&c.nameAt},
			&c.outdoor, &c.outdoorBy, asTime{&c.outdoorAt}, &c.lon, &c.lat, &c.accuracy, &c.placedBy, asTime{&c.placedAt},
			&c.direction, &c.angle, &c.reach, asTime{&c.aimedAt}, &c.siteID, &c.decision, asJSON{&c.reported}, asJSON{&c.behind}, &c.asks,
			asJSON{&c.facts}, asJSON{&c.also}, &c.family, asJSON{&c.said}, &c.mine); err != nil {
			return err
		}
		c.device, c.stored = b.device(c.deviceID), c.seen
		b.cameras = append(b.cameras, c)
		return nil
	})
}

// loadPaths ties to the cameras the other ways in which they are seen, and the
// ids that they had there.
func (b *book) loadPaths(ctx context.Context, tx *sql.Tx) error {
	byID := make(map[string]*camera, len(b.cameras))
	for _, c := range b.cameras {
		byID[c.id] = c
	}
	err := each(ctx, tx, `SELECT device_id, channel, camera_id, seen FROM path ORDER BY device_id, channel`, func(rows *sql.Rows) error {
		p := &way{}
		var device, camera string
		if err := rows.Scan(&device, &p.channel, &camera, &p.seen); err != nil {
			return err
		}
		p.device, p.camera = b.device(device), byID[camera]
		p.camera.paths = append(p.camera.paths, p)
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, `SELECT id, camera_id FROM merged ORDER BY id`, func(rows *sql.Rows) error {
		var id, camera string
		err := rows.Scan(&id, &camera)
		if err == nil {
			byID[camera].merged = append(byID[camera].merged, id)
		}
		return err
	})
}

func (b *book) loadSites(ctx context.Context, tx *sql.Tx) error {
	err := each(ctx, tx, `SELECT id, name, category, address, epoch, granted, until, collector, revision, observed, agent, others, state, state_at, suspended_until, ended
		FROM site ORDER BY granted, id`, func(rows *sql.Rows) error {
		s := &site{}
		if err := rows.Scan(&s.SiteID, &s.SiteName, &s.Category, &s.Address, &s.Epoch, asTime{&s.From}, asTime{&s.Until},
			&s.Collector, &s.revision, asTime{&s.observed}, &s.AgentID, &s.Others, &s.State, asTime{&s.stateAt}, asTime{&s.SuspendedUntil}, &s.ended); err != nil {
			return err
		}
		s.left = s.State == protocol.SiteWithdrawn
		b.sites = append(b.sites, s)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range b.sites {
		err := each(ctx, tx, `SELECT body, state FROM message WHERE site_id = ? AND kind IN ('declaration', 'withdrawal')
			AND seq > ? ORDER BY seq DESC LIMIT 1`, func(rows *sql.Rows) error {
			var body []byte
			var state SentState
			if err := rows.Scan(&body, &state); err != nil {
				return err
			}
			m, err := protocol.Decode(body)
			if err != nil {
				return fmt.Errorf("the last declaration of site %s: %w", s.SiteID, err)
			}
			switch d := m.Body.(type) {
			case protocol.Declaration:
				s.declared, s.rejected = &d, state == Rejected
				if m.Epoch != s.Epoch {
					s.before = m.MadeAt
				}
			case protocol.Withdrawal:
				s.left = s.left || m.Epoch == s.Epoch
			}
			return nil
		}, s.SiteID, s.ended)
		if err != nil {
			return err
		}
		if s.typed, err = b.typedWaits(ctx, tx, s.SiteID); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) loadContacts(ctx context.Context, tx *sql.Tx) error {
	return each(ctx, tx, `SELECT site_id, name, role, phone, email, pec, hours, alerts FROM contact
		ORDER BY site_id, CASE role WHEN 'owner' THEN 0 WHEN 'referent' THEN 1 ELSE 2 END`, func(rows *sql.Rows) error {
		var siteID string
		var c protocol.Contact
		if err := rows.Scan(&siteID, &c.Name, &c.Role, &c.Phone, &c.Email, &c.PEC, &c.Hours, &c.Alerts); err != nil {
			return err
		}
		b.contacts[siteID] = append(b.contacts[siteID], c)
		return nil
	})
}

func (b *book) device(id string) *device {
	for _, d := range b.devices {
		if d.id == id {
			return d
		}
	}
	return nil
}

func (b *book) camera(id string) *camera {
	for _, c := range b.cameras {
		if c.is(id) {
			return c
		}
	}
	return nil
}

// is reports whether id is that of c, or of an entry that was the same camera.
func (c *camera) is(id string) bool { return c.id == id || slices.Contains(c.merged, id) }

func (b *book) site(id string) *site {
	for _, s := range b.sites {
		if s.SiteID == id {
			return s
		}
	}
	return nil
}

// siteOf is the site that c belongs to: the one it was given, or the only one
// there is; nil when that leaves it open.
func (b *book) siteOf(c *camera) *site {
	if s := b.site(c.siteID); s != nil {
		return s
	}
	if len(b.sites) == 1 {
		return b.sites[0]
	}
	return nil
}

// contactsOf are a site's own contacts, and those of all sites for the roles
// that it has none for. s may be nil.
func (b *book) contactsOf(s *site) []protocol.Contact {
	var out []protocol.Contact
	if s != nil {
		out = append(out, b.contacts[s.SiteID]...)
	}
inherited:
	for _, c := range b.contacts[""] {
		for _, own := range out {
			if own.Role == c.Role {
				continue inherited
			}
		}
		out = append(out, c)
	}
	return out
}

// asJSON scans a JSON column into to; NULL leaves it as it is.
type asJSON struct{ to any }

func (j asJSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), j.to)
	case []byte:
		return json.Unmarshal(v, j.to)
	}
	return fmt.Errorf("a JSON column holds %T", src)
}

// asTime scans microseconds.
type asTime struct{ to *time.Time }

func (t asTime) Scan(src any) error {
	us, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time column holds %T", src)
	}
	*t.to = instant(us)
	return nil
}

// jsonText is v for a JSON column.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

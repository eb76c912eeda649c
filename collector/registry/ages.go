package registry

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"anagrafe/protocol"
)

const agesColumns = `a.renewed_at, a.stage, a.ends_at, a.confirmed_at, coalesce(a.asked_at, 0), coalesce(a.unverified_at, 0),
	coalesce(s.heard_at, 0), coalesce(a.silence_told, 0), coalesce(a.reminded_at, 0)`

func scanAges(scan func(...any) error) (a ages, err error) {
	var renewed, ends, confirmed, asked, unverified, heard, told, reminded int64
	err = scan(&renewed, &a.stage, &ends, &confirmed, &asked, &unverified, &heard, &told, &reminded)
	a.renewed, a.ends, a.confirmed = fromMicros(renewed), fromMicros(ends), fromMicros(confirmed)
	a.asked, a.unverified, a.heard = fromMicros(asked), fromMicros(unverified), fromMicros(heard)
	a.silenceTold, a.reminded = fromMicros(told), fromMicros(reminded)
	return a, err
}

// readAges reads the clocks of a site. ErrUnknownSite when nothing is declared
// of it: then it does not age.
func readAges(ctx context.Context, tx *tx, siteID string) (ages, error) {
	a, err := scanAges(tx.QueryRowContext(ctx, "SELECT "+agesColumns+" FROM ageing a JOIN sites s ON s.id = a.site_id WHERE a.site_id = ?", siteID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrUnknownSite
	}
	return a, err
}

// writeAges keeps the clocks of a site as they stand at a moment.
func writeAges(ctx context.Context, tx *tx, siteID string, a ages, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ageing (site_id, renewed_at, stage, ends_at, confirmed_at, asked_at, unverified_at, silence_told, reminded_at, due_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (site_id) DO UPDATE SET renewed_at = excluded.renewed_at, stage = excluded.stage, ends_at = excluded.ends_at,
		confirmed_at = excluded.confirmed_at, asked_at = excluded.asked_at, unverified_at = excluded.unverified_at,
		silence_told = excluded.silence_told, reminded_at = excluded.reminded_at, due_at = excluded.due_at`,
		siteID, micros(a.renewed), a.stage, micros(a.ends), micros(a.confirmed), nullMicros(a.asked), nullMicros(a.unverified),
		nullMicros(a.silenceTold), nullMicros(a.reminded), micros(a.due(now)))
	return err
}

// Contact is a contact as authorised readers see it.
type Contact struct {
	protocol.Contact
	// Unverified is "recapito non verificato": nobody has confirmed it in time,
	// the site's agents are silent, or a server refused mail to its address.
	Unverified bool `json:"unverified,omitempty"`
	// Unconfirmed: somebody else named it, it was told by mail, and has not
	// accepted yet.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// reached reads the contacts of the site, or those that it inherits from its
// organisation.
func (s site) reached(ctx context.Context, r *Registry) (contacts []protocol.Contact, inherited bool, err error) {
	contacts, err = s.contacts(ctx)
	if err != nil || len(contacts) > 0 {
		return contacts, false, err
	}
	contacts, err = r.organisationContacts(ctx, s.tx, s.id)
	return contacts, len(contacts) > 0, err
}

// checked reads them with what is doubtful about them.
func (s site) checked(ctx context.Context, r *Registry, now time.Time) (all []Contact, inherited bool, err error) {
	contacts, inherited, err := s.reached(ctx, r)
	if err != nil || len(contacts) == 0 {
		return nil, false, err
	}
	a, err := readAges(ctx, s.tx, s.id)
	if err != nil && !errors.Is(err, ErrUnknownSite) {
		return nil, false, err
	}
	doubted := !a.unverified.IsZero() || a.silent(now)
	bounced, err := s.bounced(ctx)
	if err != nil {
		return nil, false, err
	}
	unconfirmed, err := s.unconfirmed(ctx)
	if err != nil {
		return nil, false, err
	}
	all = make([]Contact, len(contacts))
	for i, c := range contacts {
		all[i] = Contact{Contact: c, Unverified: doubted}
		if _, address := r.way(c); address != "" {
			all[i].Unverified = doubted || bounced[r.addressHash(address)]
		}
		if c.Email != "" {
			all[i].Unconfirmed = unconfirmed[r.addressHash(c.Email)]
		}
	}
	return all, inherited, nil
}

// bounced reads the hashes of the site's refused addresses.
func (s site) bounced(ctx context.Context) (map[[32]byte]bool, error) {
	return s.hashes(ctx, "SELECT address_hash FROM bounces WHERE site_id = ?")
}

// hashes reads a column of hashes of the site.
func (s site) hashes(ctx context.Context, query string) (map[[32]byte]bool, error) {
	hashes := make(map[[32]byte]bool)
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		var hash []byte
		err := scan(&hash)
		if len(hash) == 32 {
			hashes[[32]byte(hash)] = true
		}
		return err
	}, query, s.id)
	return hashes, err
}

// adhesion is how long an owner's yes lasts.
type adhesion struct {
	RenewedAt time.Time
	RemindAt  time.Time // the first reminder
	RenewBy   time.Time // a year after RenewedAt
	EndsAt    time.Time // the site is withdrawn then, unless it is renewed
}

func (a ages) adhesion() adhesion { return adhesion{a.renewed, a.moment(0), a.year(), a.ends} }

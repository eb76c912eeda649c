package registry

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// What is wrong with an organisation that was named.
var (
	// ErrUnknownOrganisation: no organisation has this id or name.
	ErrUnknownOrganisation = errors.New("organisation not known")
	// ErrOrganisationName: another organisation has the name already.
	ErrOrganisationName = errors.New("another organisation has this name")
	// ErrOtherOrganisation: the site belongs to another organisation; that is a
	// change of owner.
	ErrOtherOrganisation = errors.New("the site belongs to another organisation")
	// ErrSameOrganisation: the site belongs to this organisation already.
	ErrSameOrganisation = errors.New("the site belongs to this organisation already")
)

// OrganisationSummary is an organisation and how many sites it has.
type OrganisationSummary struct {
	protocol.Organisation
	Sites     int
	CreatedAt time.Time
}

// AddOrganisation makes an organisation. The error is protocol.FieldErrors, or
// ErrOrganisationName, because the command line identifies organisations by name.
func (r *Registry) AddOrganisation(ctx context.Context, o protocol.Organisation, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		body, err := r.encodeOrganisation(ctx, tx, o)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO organisations (id, name_hash, created_at, body) VALUES (?, ?, ?, ?)",
			o.ID, r.organisationHash(o.Name), micros(at), body)
		return errors.Join(err, r.vault.putLookups(ctx, tx, o.ID, o.Contacts))
	})
	if err != nil {
		return fmt.Errorf("add organisation %s: %w", o.ID, err)
	}
	return nil
}

// SetOrganisation replaces what is known of an organisation, e.g. when a condominium has
// another administrator. Former contacts are erased, also where sites inherited them; a
// change of representative also ends the codes that the former one has. The error is
// protocol.FieldErrors, ErrOrganisationName or ErrUnknownOrganisation.
func (r *Registry) SetOrganisation(ctx context.Context, o protocol.Organisation, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return r.setOrganisation(ctx, tx, o, at)
	})
	if err != nil {
		return fmt.Errorf("change organisation %s: %w", o.ID, err)
	}
	return nil
}

func (r *Registry) setOrganisation(ctx context.Context, tx *tx, o protocol.Organisation, at time.Time) error {
	former, err := r.organisation(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	body, err := r.encodeOrganisation(ctx, tx, o)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE organisations SET name_hash = ?, body = ? WHERE id = ?", r.organisationHash(o.Name), body, o.ID); err != nil {
		return err
	}
	// What it said before opens no more.
	if err := errors.Join(r.vault.rekey(ctx, tx, ownerOrganisation, o.ID), r.vault.putLookups(ctx, tx, o.ID, o.Contacts)); err != nil {
		return err
	}
	succeeds := !sameRepresentative(former.Representative, o.Representative)
	if slices.Equal(former.Contacts, o.Contacts) && former.Trust == o.Trust && !succeeds {
		return nil
	}
	sites, err := sitesOf(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE sites SET trust = ? WHERE organisation_id = ?", string(o.Trust), o.ID); err != nil {
		return err
	}
	for _, id := range sites {
		w := write{r: r, tx: tx, m: protocol.Message{SiteID: id}, at: exact(at)}
		if err := w.replaceContacts(ctx, o.Contacts, func(have []protocol.Contact) bool { return slices.Equal(have, former.Contacts) }); err != nil {
			return err
		}
		if succeeds {
			if err := w.endOwnerCode(ctx); err != nil {
				return err
			}
		}
		if err := errors.Join(w.finish(ctx), changed(ctx, tx, id)); err != nil {
			return err
		}
	}
	return nil
}

// sameRepresentative reports whether one person acts for the organisation as before.
func sameRepresentative(a, b *protocol.Representative) bool {
	if a == nil || b == nil {
		return a == b
	}
	return protocol.SameName(a.Name) == protocol.SameName(b.Name)
}

// Organisations lists all organisations by name.
func (r *Registry) Organisations(ctx context.Context) ([]OrganisationSummary, error) {
	var all []OrganisationSummary
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var s OrganisationSummary
			var id string
			var created int64
			var key, body []byte
			err := scan(&id, &created, &key, &body, &s.Sites)
			if err == nil {
				s.Organisation, err = r.openOrganisation(id, key, body)
			}
			s.CreatedAt = fromMicros(created)
			all = append(all, s)
			return err
		}, `SELECT id, created_at, `+organisationKey+`, body, (SELECT count(*) FROM sites s WHERE s.organisation_id = o.id AND s.declared_at IS NOT NULL)
			FROM organisations o`)
	})
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	slices.SortFunc(all, func(a, b OrganisationSummary) int {
		return cmp.Or(cmp.Compare(protocol.SameName(a.Name), protocol.SameName(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Organisation finds one by its id or name; case and spaces do not matter in a
// name. ErrUnknownOrganisation when there is none.
func (r *Registry) Organisation(ctx context.Context, idOrName string) (o protocol.Organisation, err error) {
	err = r.view(ctx, func(tx *tx) error {
		id := idOrName
		err := tx.QueryRowContext(ctx, "SELECT id FROM organisations WHERE name_hash = ?", r.organisationHash(idOrName)).Scan(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		o, err = r.organisation(ctx, tx, id)
		return err
	})
	if err != nil {
		return protocol.Organisation{}, fmt.Errorf("find organisation: %w", err)
	}
	return o, nil
}

func (r *Registry) organisation(ctx context.Context, tx *tx, id string) (protocol.Organisation, error) {
	var key, body []byte
	err := tx.QueryRowContext(ctx, "SELECT "+organisationKey+", body FROM organisations o WHERE id = ?", id).Scan(&key, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return protocol.Organisation{}, ErrUnknownOrganisation
	}
	if err != nil {
		return protocol.Organisation{}, err
	}
	return r.openOrganisation(id, key, body)
}

// encodeOrganisation checks an organisation, and that its name is its own.
func (r *Registry) encodeOrganisation(ctx context.Context, tx *tx, o protocol.Organisation) ([]byte, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var other bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM organisations WHERE name_hash = ? AND id <> ?)", r.organisationHash(o.Name), o.ID).Scan(&other)
	if err != nil {
		return nil, err
	}
	if other {
		return nil, ErrOrganisationName
	}
	return r.sealOrganisation(ctx, tx, o)
}

// organisationHash is by what an organisation is found.
func (r *Registry) organisationHash(name string) []byte {
	sum := r.ownerMAC("organisation", protocol.SameName(name))
	return sum[:]
}

// organisationKey is the sealed data key of an organisation o.
const organisationKey = "(SELECT sealed FROM data_keys k WHERE k.owner = o.id)"

// sealOrganisation and openOrganisation are the one place where the body of an
// organisation is written and read.
func (r *Registry) sealOrganisation(ctx context.Context, tx *tx, o protocol.Organisation) ([]byte, error) {
	b, err := r.vault.makeBox(ctx, tx, ownerOrganisation, o.ID)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("an organisation cannot be stored: %w", err)
	}
	return b.seal(organisationBody, body)
}

func (r *Registry) openOrganisation(id string, key, body []byte) (protocol.Organisation, error) {
	b, err := r.vault.box(id, key)
	if err != nil {
		return protocol.Organisation{}, err
	}
	o, err := openBody[protocol.Organisation](b, organisationBody, body)
	if err == nil && o.ID != id {
		err = errors.New("a stored organisation is damaged: it is another one")
	}
	return o, err
}

// Owners returns the organisations that sites belong to now, by site id; a site that
// is of none is left out. It is only for an act that is on the trail.
func (r *Registry) Owners(ctx context.Context, siteIDs []string) (map[string]protocol.Organisation, error) {
	if len(siteIDs) > maxContactSites {
		return nil, fmt.Errorf("read owners: %d sites asked for, at most %d at once", len(siteIDs), maxContactSites)
	}
	all := make(map[string]protocol.Organisation)
	err := r.view(ctx, func(tx *tx) error {
		for _, site := range siteIDs {
			var id string
			err := tx.QueryRowContext(ctx, "SELECT organisation_id FROM sites WHERE id = ? AND organisation_id IS NOT NULL", site).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if all[site], err = r.organisation(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	return all, nil
}

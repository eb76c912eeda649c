package registry

import (
	"context"
	"fmt"
	"slices"

	"anagrafe/protocol"
)

// putContacts replaces the contacts, if they differ.
func (w *write) putContacts(ctx context.Context, contacts []protocol.Contact) error {
	have, err := w.contacts(ctx)
	if err != nil || slices.Equal(have, contacts) {
		return err
	}
	if _, err := w.act(ctx); err != nil {
		return err
	}
	if len(have) > 0 {
		w.erases = true
		if err := w.exec(ctx, "DELETE FROM contacts WHERE site_id = ?", w.m.SiteID); err != nil {
			return err
		}
	}
	for i, c := range contacts {
		body, err := encode(c)
		if err != nil {
			return err
		}
		sealed, err := w.seal(ctx, contactBody(i), body)
		if err != nil {
			return err
		}
		if err := w.exec(ctx, "INSERT INTO contacts (site_id, place, body) VALUES (?, ?, ?)", w.m.SiteID, i, sealed); err != nil {
			return err
		}
	}
	if err := w.r.vault.putLookups(ctx, w.tx, w.m.SiteID, contacts); err != nil {
		return err
	}
	if err := w.wishAlerts(ctx, contacts); err != nil {
		return err
	}
	if w.first {
		return nil
	}
	return w.r.mailFollows(ctx, w.tx, w.m.SiteID, w.at)
}

// contacts reads those of the site as they stand.
func (w *write) contacts(ctx context.Context) ([]protocol.Contact, error) {
	if w.first {
		return nil, nil
	}
	b, err := w.box(ctx)
	if err != nil {
		return nil, err
	}
	return site{tx: w.tx, id: w.m.SiteID, box: b}.contacts(ctx)
}

// putLookups makes a site's or an organisation's contacts those that it is found
// by.
func (v *vault) putLookups(ctx context.Context, tx *tx, owner string, contacts []protocol.Contact) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM lookups WHERE owner = ?", owner); err != nil {
		return err
	}
	for hash := range lookupHashes(v.lookup, contacts) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO lookups (hash, owner) VALUES (?, ?)", hash[:], owner); err != nil {
			return err
		}
	}
	return nil
}

// maxContactSites bounds one reading of contacts: an officer reveals the sites
// of one list.
const maxContactSites = 1000

// Contacts returns the newest contacts of sites, by site id; a site without any,
// or that its owner has suspended, is left out. It is only for an answer that is
// on the trail.
func (r *Registry) Contacts(ctx context.Context, siteIDs []string) (map[string][]Contact, error) {
	if len(siteIDs) > maxContactSites {
		return nil, fmt.Errorf("read contacts: %d sites asked for, at most %d at once", len(siteIDs), maxContactSites)
	}
	all := make(map[string][]Contact)
	err := r.view(ctx, func(tx *tx) error {
		for _, id := range siteIDs {
			var hidden bool
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites WHERE id = ? AND suspended_at IS NOT NULL)", id).Scan(&hidden); err != nil {
				return err
			}
			if hidden {
				continue
			}
			b, err := r.vault.boxOf(ctx, tx, id)
			if err != nil {
				return err
			}
			contacts, _, err := site{tx: tx, id: id, box: b}.checked(ctx, r, r.now())
			if err != nil {
				return err
			}
			if len(contacts) > 0 {
				all[id] = contacts
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return all, nil
}

func (s site) contacts(ctx context.Context) ([]protocol.Contact, error) {
	var contacts []protocol.Contact
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		var place int
		var sealed []byte
		if err := scan(&place, &sealed); err != nil {
			return err
		}
		c, err := openBody[protocol.Contact](s.box, contactBody(place), sealed)
		contacts = append(contacts, c)
		return err
	}, "SELECT place, body FROM contacts WHERE site_id = ? ORDER BY place", s.id)
	return contacts, err
}

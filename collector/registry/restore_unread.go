package registry

import (
	"context"

	"anagrafe/protocol"
)

// A backup and a backup of the keys need not be of one time. Of a site of which
// something was erased in between, the data key that is there is not the one that
// the backup was sealed with; of one that was enrolled in between, there may be
// none. Such a site is left as one that has declared nothing yet: its agents find
// out that the register is behind, and send it again. An organisation has no agent:
// it is left with its sites, for the office to type it anew.

// dropUnread leaves out what the data keys do not open, and gives of how many
// sites and organisations.
func (r *Registry) dropUnread(ctx context.Context) (sites, organisations int, err error) {
	var unread []string
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		err := each(ctx, tx, func(scan func(...any) error) error {
			var id string
			var body, key []byte
			if err := scan(&id, &body, &key); err != nil {
				return err
			}
			if _, err := r.vault.openSite(id, key, body); err != nil {
				unread = append(unread, id)
			}
			return nil
		}, "SELECT s.id, s.body, k.sealed FROM sites s LEFT JOIN data_keys k ON k.owner = s.id WHERE s.body IS NOT NULL")
		if err != nil {
			return err
		}
		for _, id := range unread {
			if err := dropContent(ctx, tx, id); err != nil {
				return err
			}
		}
		if organisations, err = r.dropUnreadOrganisations(ctx, tx); err != nil {
			return err
		}
		if err := dropUnreadNotices(ctx, tx); err != nil {
			return err
		}
		if err := r.dropUnreadCases(ctx, tx); err != nil {
			return err
		}
		return r.dropUnreadSubmissions(ctx, tx)
	})
	return len(unread), organisations, err
}

// dropContent leaves the site's grants, messages and acts.
func dropContent(ctx context.Context, tx *tx, siteID string) error {
	w := write{tx: tx, m: protocol.Message{SiteID: siteID}}
	for _, c := range sealedColumns {
		if c.table != "sites" {
			if err := w.exec(ctx, "DELETE FROM "+c.table+" WHERE "+c.owner+" = ?", siteID); err != nil {
				return err
			}
		}
	}
	for _, query := range []string{
		"DELETE FROM lookups WHERE owner = ?",
		"DELETE FROM clocks WHERE site_id = ?",
		"DELETE FROM reachability WHERE site_id = ?",
		"UPDATE sites SET body = NULL, invited = NULL, category = '', declared_at = NULL, " + nowhere + " WHERE id = ?",
	} {
		if err := w.exec(ctx, query, siteID); err != nil {
			return err
		}
	}
	return changed(ctx, tx, siteID)
}

// dropUnreadOrganisations leaves what an organisation is found by, which sites are
// its, and how its identity was checked. The rest has to open again, or neither those sites
// nor any list of organisations could be read: it says nothing until it is typed anew.
func (r *Registry) dropUnreadOrganisations(ctx context.Context, tx *tx) (int, error) {
	var unread []protocol.Organisation
	err := each(ctx, tx, func(scan func(...any) error) error {
		o := protocol.Organisation{Kind: protocol.Firm, Contacts: []protocol.Contact{}}
		var key, body []byte
		if err := scan(&o.ID, &o.Trust, &key, &body); err != nil {
			return err
		}
		if _, err := r.openOrganisation(o.ID, key, body); err != nil {
			o.Name = "? " + o.ID
			unread = append(unread, o)
		}
		return nil
	}, "SELECT id, coalesce((SELECT min(trust) FROM sites s WHERE s.organisation_id = o.id), ?), "+organisationKey+", body FROM organisations o", string(protocol.TrustInvitation))
	if err != nil {
		return 0, err
	}
	for _, o := range unread {
		body, err := r.sealOrganisation(ctx, tx, o)
		if err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE organisations SET body = ? WHERE id = ?", body, o.ID); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM delegations WHERE organisation_id = ?", o.ID); err != nil {
			return 0, err
		}
		if err := r.vault.putLookups(ctx, tx, o.ID, nil); err != nil {
			return 0, err
		}
	}
	return len(unread), nil
}

// dropUnreadNotices leaves that they were, and how far they came.
func dropUnreadNotices(ctx context.Context, tx *tx) error {
	const unread = "body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.owner = notices.id AND k.sealed <> ?)"
	if err := forgetReplies(ctx, tx, unread, zeros[:]); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE notices SET closed_at = coalesce(closed_at, at), check_hash = NULL, body = NULL WHERE "+unread, zeros[:])
	return err
}

// dropUnreadCases leaves what a case leaves at its term: that it was. Its key was
// destroyed since, or the case was opened after the keys were backed up.
func (r *Registry) dropUnreadCases(ctx context.Context, tx *tx) error {
	ids, err := textsOf(ctx, tx, `SELECT id FROM cases WHERE body IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.owner = cases.id AND k.sealed <> ?)`, zeros[:])
	for _, id := range ids {
		if err == nil {
			err = r.dropCase(ctx, tx, id, r.now())
		}
	}
	return err
}

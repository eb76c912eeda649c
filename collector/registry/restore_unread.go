package registry

import (
	"context"

	"anagrafe/protocol"
)

// A backup and a backup of the keys need not be of one time. Of a site of which
// something was erased in between, the data key that is there is not the one that
// the backup was sealed with; of one that was enrolled in between, there may be
// none. Such a site is left as one that has declared nothing yet: its agents find
// out that the register is behind, and send it again.

// dropUnread leaves out what the data keys do not open, and gives of how many
// sites.
func (r *Registry) dropUnread(ctx context.Context) (int, error) {
	var unread []string
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
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
		if err := dropUnreadNotices(ctx, tx); err != nil {
			return err
		}
		if err := r.dropUnreadCases(ctx, tx); err != nil {
			return err
		}
		return r.dropUnreadSubmissions(ctx, tx)
	})
	return len(unread), err
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

package registry

import (
	"context"
	"fmt"
)

// ChangedSites returns the sites that changed after change number `after`, at
// most limit of them, in the order of their newest change, and the number to
// ask from next. A site that changed often is named once. No site: nothing
// has changed, and last is after. A reader that starts from 0 meets every
// site that ever said something.
func (r *Registry) ChangedSites(ctx context.Context, after int64, limit int) (sites []string, last int64, err error) {
	last = after
	rows, err := r.read.QueryContext(ctx, "SELECT number, site_id FROM changes WHERE number > ? ORDER BY number LIMIT ?", after, limit)
	if err != nil {
		return nil, after, fmt.Errorf("read changes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&last, &id); err != nil {
			return nil, after, fmt.Errorf("read changes: %w", err)
		}
		sites = append(sites, id)
	}
	if err := rows.Err(); err != nil {
		return nil, after, fmt.Errorf("read changes: %w", err)
	}
	return sites, last, nil
}

// LastChange is the number of the newest change, 0 before the first. On SQLite,
// where nobody else writes, it asks the database only after this register wrote:
// each search begins with it.
func (r *Registry) LastChange(ctx context.Context) (int64, error) {
	commits := r.commits.Load()
	if l := r.last.Load(); l != nil && l.commits == commits && r.read.engine == sqlite {
		return l.change, nil
	}
	l := lastChange{commits: commits}
	if err := r.read.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM changes").Scan(&l.change); err != nil {
		return 0, fmt.Errorf("read last change: %w", err)
	}
	r.last.Store(&l)
	return l.change, nil
}

// lastChange is the newest change, if so many commits were answered as are now.
type lastChange struct{ commits, change int64 }

// changed gives a site the next change number, and tells who follows. The writer
// is alone until it commits, so numbers become visible in their order.
func changed(ctx context.Context, tx *tx, siteID string) error {
	tx.tell("")
	if _, err := tx.ExecContext(ctx, "DELETE FROM changes WHERE site_id = ?", siteID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO changes (site_id) VALUES (?)", siteID)
	return err
}

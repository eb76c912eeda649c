package registry

import (
	"context"
	"fmt"
)

// The step of the migrations that SQL cannot do: schema 5 leaves what an older
// program wrote in clear in tables named *_plain and in two columns of sites; it
// is sealed here, site by site, and then nothing in clear is left in the files.
// Whatever interrupts it, the next start goes on where it was.

// sealingSchema is the number of the migration before this step. The statements
// below speak of the tables as that one leaves them: later ones come after.
const sealingSchema = 5

// sealedAtOnce bounds the sites, and the notices, of one transaction.
const sealedAtOnce = 16

var plainTables = []string{"versions_plain", "contacts_plain", "parts_plain", "camera_observations_plain"}

// sealPlain does the step, or what is left of it.
func (r *Registry) sealPlain(ctx context.Context) error {
	var plain, empty, dirty bool
	look := func(ctx context.Context, tx *tx) (err error) {
		if plain, err = hasTable(ctx, tx, plainTables[0]); err != nil {
			return err
		}
		if dirty, err = hasTable(ctx, tx, scrubDue); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM sites)").Scan(&empty)
	}
	if err := r.update(ctx, look); err != nil {
		return err
	}
	if plain && !empty {
		r.log.InfoContext(ctx, "the register is being sealed; this is done once")
		if err := r.sealAll(ctx); err != nil {
			return fmt.Errorf("seal what an older program wrote: %w", err)
		}
	}
	if plain {
		dirty = !empty
		if err := r.update(ctx, func(ctx context.Context, tx *tx) error { return dropPlain(ctx, tx, dirty) }); err != nil {
			return fmt.Errorf("drop what was in clear: %w", err)
		}
	}
	if !dirty {
		return nil
	}
	if err := r.scrub(ctx); err != nil {
		return fmt.Errorf("write the register anew without what was in clear: %w", err)
	}
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS "+scrubDue)
		return err
	})
}

// scrubDue is a table that is there as long as the files may hold something in
// clear of what was dropped.
const scrubDue = "scrub_due"

func hasTable(ctx context.Context, tx *tx, name string) (has bool, err error) {
	query := "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)"
	if tx.engine == postgres {
		query = "SELECT to_regclass(?) IS NOT NULL"
	}
	err = tx.QueryRowContext(ctx, query, name).Scan(&has)
	return has, err
}

// sealAll seals all sites and notices, some in each transaction.
func (r *Registry) sealAll(ctx context.Context) error {
	for _, step := range []struct {
		next string // ids after ?, in order, at most ? of them
		seal func(ctx context.Context, tx *tx, id string) error
	}{
		{"SELECT id FROM sites WHERE id > ? ORDER BY id LIMIT ?", r.sealSite},
		{`SELECT id FROM notices n WHERE id > ? AND body IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.owner = n.id) ORDER BY id LIMIT ?`, r.sealOldNotice},
	} {
		for after, done := "", false; !done; {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := r.update(ctx, func(ctx context.Context, tx *tx) error {
				ids, err := texts(ctx, tx, step.next, after, sealedAtOnce)
				if err != nil || len(ids) == 0 {
					done = true
					return err
				}
				for _, id := range ids {
					if err := step.seal(ctx, tx, id); err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
				}
				after = ids[len(ids)-1]
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func texts(ctx context.Context, tx *tx, query string, args ...any) (all []string, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		all = append(all, s)
		return err
	}, query, args...)
	return all, err
}

// dropPlain drops what was sealed, and remembers whether to scrub. Another
// collector may have done so.
func dropPlain(ctx context.Context, tx *tx, dirty bool) error {
	if plain, err := hasTable(ctx, tx, plainTables[0]); err != nil || !plain {
		return err
	}
	var statements []string
	for _, table := range plainTables {
		statements = append(statements, "DROP TABLE "+table)
	}
	statements = append(statements, "ALTER TABLE sites DROP COLUMN name", "ALTER TABLE sites DROP COLUMN address")
	if dirty {
		statements = append(statements, "CREATE TABLE "+scrubDue+" (one INTEGER)")
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// scrub writes the database anew, so that nothing that stood there in clear is
// left in its files: in the gaps of pages, in old rows, in SQLite's log, and in
// what PostgreSQL has noted for its planner of the values of a column.
func (r *Registry) scrub(ctx context.Context) error {
	conn, err := r.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if r.write.engine == postgres {
		return rewriteTables(ctx, conn, "sites", "notices", "notice_replies", "pg_statistic")
	}
	if _, err := conn.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	return emptyLog(ctx, conn)
}

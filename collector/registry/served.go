package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Served reports whether a collector has ever served with the register that is kept
// in store: its keys are then not to be made anew. (It begins the audit trail before
// it serves anybody.)
func Served(ctx context.Context, store string) (bool, error) {
	e, at, shown, err := parseStore(store)
	if err != nil {
		return false, err
	}
	is, err := served(ctx, e, at)
	if err != nil {
		return false, fmt.Errorf("open register %s: %w", shown, err)
	}
	return is, nil
}

func served(ctx context.Context, e engine, at string) (is bool, err error) {
	d, tables, err := openToLook(ctx, e, at)
	if d == nil || err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+tables+" = 'trail_head')").Scan(&is); err != nil || !is {
		return false, err
	}
	err = d.QueryRowContext(ctx, "SELECT length(checkpoint) > 0 FROM trail_head").Scan(&is)
	return is, err
}

// openToLook opens a database as it is, and says where its tables are listed; nil
// where there is none.
func openToLook(ctx context.Context, e engine, at string) (d *db, tables string, err error) {
	if e == postgres {
		d, err = openPostgres(ctx, at, 1)
		return d, "pg_tables WHERE schemaname = current_schema() AND tablename", err
	}
	if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	d, err = sqliteWriter(at)
	return d, "sqlite_schema WHERE name", err
}

package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// oldestPostgres is 15, as PostgreSQL numbers its versions.
	oldestPostgres = 150000
	// pooled bounds an instance's connections: the writer's and the readers'.
	pooled = 1 + 2*readers
	// writersTurn is the advisory lock that a writing transaction holds from its
	// begin to its end. So the collectors on one PostgreSQL write one after the
	// other, as SQLite's writers do: the numbers of changes become visible in
	// their order, and what a write has read cannot change before it is committed.
	// Each shares its turn among all that wait there (writer.go).
	writersTurn = 0x616e6167 // "anag"
)

// openPostgres opens the database at url. Reading and writing share its pool.
func openPostgres(ctx context.Context, url string) (*db, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	config.MaxConns = max(config.MaxConns, pooled)
	// A host that is gone without a word must not hold a start for minutes.
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	config.ConnConfig.RuntimeParams["application_name"] = "anagrafe-collector"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	d := &db{DB: stdlib.OpenDBFromPool(pool), engine: postgres, pool: pool}
	if err := checkPostgres(ctx, d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// checkPostgres refuses what cannot keep the register's word.
func checkPostgres(ctx context.Context, d *db) error {
	var version int
	var commit, encoding string
	err := d.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'), current_setting('server_encoding')").
		Scan(&version, &commit, &encoding)
	switch {
	case err != nil:
		return err
	case version < oldestPostgres:
		return fmt.Errorf("its version is %d, and 15 is the oldest that serves: upgrade PostgreSQL", version/10000)
	case commit == "off":
		return errors.New("synchronous_commit is off there: a message would be acknowledged and could be lost; set it to on, in postgresql.conf or for the collector's role")
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s: make it anew with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// takeTurn has a writing transaction wait for those of other collectors.
func (t *tx) takeTurn(ctx context.Context) error {
	if t.engine != postgres {
		return nil
	}
	_, err := t.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", int64(writersTurn))
	return err
}

// snapshot is how a reading transaction begins, to see one state of the record.
func (e engine) snapshot() *sql.TxOptions {
	if e != postgres {
		return nil // SQLite's readers always do, and the driver knows no options
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

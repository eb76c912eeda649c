package registry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// oldestPostgres is 15, as PostgreSQL numbers its versions.
	oldestPostgres = 150000
	// Of an instance's connections so many are the writer's, who must not wait for
	// readers: one to write, and three for a migration and its locks.
	writers = 4
	// turnWait bounds the wait for the other collectors' writes: less than what the
	// trail waits for its own, so that it is told why.
	turnWait = 15 * time.Second
	// writersTurn is the advisory lock that a writing transaction holds from its
	// begin to its end. So the collectors on one PostgreSQL write one after the
	// other, as SQLite's writers do: the numbers of changes become visible in
	// their order, and what a write has read cannot change before it is committed.
	// Each shares its turn among all that wait there (writer.go).
	writersTurn = 0x616e6167 // "anag"
	// choresTurn is that of the collector that does what an hour brings (Alone).
	choresTurn = 0x616e6168
)

// openPostgres opens the database at url. Its pool has so many connections at least;
// the url may ask for more (pool_max_conns).
func openPostgres(ctx context.Context, url string, least int32) (*db, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	config.MaxConns = max(config.MaxConns, least)
	steady(config.ConnConfig)
	config.ConnConfig.RuntimeParams["jit"] = "off" // no statement is so long that compiling it pays
	config.PingTimeout = goneAfter
	d := &db{engine: postgres}
	config.ConnConfig.OnNotice = d.onNotice
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	d.DB = stdlib.OpenDBFromPool(d.pool)
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

// takeTurn has a writing transaction wait for those of other collectors, but no longer
// than most, for this or any other lock.
func (t *tx) takeTurn(ctx context.Context, most time.Duration) error {
	if t.engine != postgres {
		return nil
	}
	_, err := t.ExecContext(ctx, "SELECT set_config('lock_timeout', ?, true), pg_advisory_xact_lock(?)", milliseconds(most), int64(writersTurn))
	return err
}

// fence refuses to write on a schema that a newer program has made meanwhile: what
// it wants of each write this one does not know. It is asked in the turn, in which no
// migration runs. SQLite's file is one program's.
func (t *tx) fence(ctx context.Context, known int64) error {
	if t.engine != postgres || known == 0 {
		return nil
	}
	var has int64
	if err := t.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&has); err != nil {
		return err
	}
	if has > known {
		return fmt.Errorf("%w: its schema is %d, this program knows %d; start the newer program here too", errNewerSchema, has, known)
	}
	return nil
}

// whileNobodyWrites runs a migration in the turn of a collector, between two writes
// of others.
func (r *Registry) whileNobodyWrites(ctx context.Context, f func() error) error {
	return r.write.locked(ctx, "SELECT true FROM pg_advisory_lock($1)", writersTurn, f)
}

// Alone runs f unless another collector on the same register runs its own: then
// it does nothing. That ends with f, or with the connection to PostgreSQL.
func (r *Registry) Alone(ctx context.Context, f func() error) error {
	return r.read.locked(ctx, "SELECT pg_try_advisory_lock($1)", choresTurn, f)
}

// locked runs f while a connection of its own holds an advisory lock, if take gets it.
func (d *db) locked(ctx context.Context, take string, lock int64, f func() error) (err error) {
	if d.engine != postgres {
		return f()
	}
	c, err := d.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var got bool
	if err := c.QueryRowContext(ctx, take, lock).Scan(&got); err != nil || !got {
		return err
	}
	defer func() {
		_, unlock := c.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock)
		err = errors.Join(err, unlock)
	}()
	return f()
}

// commit ends a writing transaction. One that PostgreSQL has committed without
// its synchronous standby, because somebody broke off the wait (pg_cancel_backend),
// is not acknowledged: it comes with a warning alone, and is lost if the standby is
// promoted. The one writer calls it, and nothing else waits for a standby.
func (d *db) commit(t *tx) error {
	d.alone.Store(false)
	if err := t.Commit(); err != nil {
		return err
	}
	if d.alone.Load() {
		return errors.New("PostgreSQL has committed, but not on the standby: the wait for it was broken off")
	}
	return nil
}

// onNotice reads what PostgreSQL says beside its answers. The routine's name is the
// same in every language.
func (d *db) onNotice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == "SyncRepWaitForLSN" {
		d.alone.Store(true)
	}
}

// snapshot is how a reading transaction begins, to see one state of the record.
func (e engine) snapshot() driver.TxOptions {
	if e != postgres {
		return driver.TxOptions{} // SQLite's readers always do, and the driver knows no options
	}
	return driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelRepeatableRead), ReadOnly: true}
}

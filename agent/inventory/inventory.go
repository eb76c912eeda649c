package inventory

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var embedded embed.FS

// schema holds the migrations. A test adds one of a later program.
var schema fs.FS = embedded

// Inventory is the open file. Its methods may be called concurrently.
type Inventory struct {
	writer  *sql.DB // one connection: SQLite has one writer
	reader  *sql.DB
	secrets *secrets
	times   times
	waiting chan struct{}
	asItWas chan struct{} // see Unhurried
	log     *slog.Logger
	now     func() time.Time
	strange []string // the last ids of notices of unknown sites; the writer's
}

// Open opens dir/inventory.db and dir/secrets.key, and makes what is not there
// yet. The caller holds the directory's lock; only a scan, which writes nothing
// but refused passwords, may have it open beside.
func Open(ctx context.Context, dir string, log *slog.Logger) (_ *Inventory, err error) {
	v := &Inventory{waiting: make(chan struct{}, 1), asItWas: make(chan struct{}, 1), log: log, now: time.Now}
	path, err := filepath.Abs(filepath.Join(dir, "inventory.db"))
	if err != nil {
		return nil, fmt.Errorf("open the inventory: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open the inventory %s: %w", path, err), v.Close())
		}
	}()
	if err := closed(path); err != nil {
		return nil, err
	}
	// FULL: a decision that was answered "done" survives a power cut.
	if v.writer, err = sql.Open("sqlite3", dsn(path, "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"+
		"&_busy_timeout=10000&_foreign_keys=1&_secure_delete=on&_stmt_cache_size=64")); err != nil {
		return nil, err
	}
	v.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, v.writer); err != nil {
		return nil, err
	}
	if v.reader, err = sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_busy_timeout=10000&_stmt_cache_size=64")); err != nil {
		return nil, err
	}
	v.reader.SetMaxOpenConns(4)
	if v.secrets, err = v.openSecrets(ctx, filepath.Join(dir, "secrets.key")); err != nil {
		return nil, err
	}
	var waits bool
	if err := v.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM message WHERE state = 'waiting')`).Scan(&waits); err != nil {
		return nil, err
	}
	if waits {
		v.signal()
	}
	return v, nil
}

// Close closes the file. Calls under way fail.
func (v *Inventory) Close() error {
	var errs []error
	for _, db := range []*sql.DB{v.reader, v.writer} { // the writer last: it empties the log
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// dsn names the file as a URI, in which any character of a path is allowed.
func dsn(path, options string) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options}).String()
}

// closed makes the file readable by its owner alone before SQLite, which would
// leave it open to all, makes it. Its journal files take over the mode.
func closed(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	// goose reports each step on its own; an error says all that matters here.
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	is, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading its schema version: %w", err)
	}
	if is > knows {
		return fmt.Errorf("it was written by a newer program (schema %d, this program knows %d): install the newer program again", is, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing its schema from %d to %d: %w", is, knows, err)
	}
	return nil
}

// write runs f in one transaction: all of it happens, durably, or nothing.
func (v *Inventory) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := v.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	err = f(tx)
	if err == nil {
		err = tx.Commit()
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok && e.Code == sqlite3.ErrFull {
		return fmt.Errorf("%w: nothing was changed; make room on the disk of this computer and do it again", err)
	}
	return err
}

// read runs f on one snapshot.
func (v *Inventory) read(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := v.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(tx)
}

// signal tells uplink that a message waits.
func (v *Inventory) signal() { wake(v.waiting) }

// urgency is of what a look has queued.
type urgency int

const (
	nothingQueued urgency = iota
	queuedAsItWas         // all is as it was, and well
	queuedNews
)

// signalOf tells uplink what a look has queued.
func (v *Inventory) signalOf(u urgency) {
	switch u {
	case queuedAsItWas:
		wake(v.asItWas)
	case queuedNews:
		v.signal()
	}
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // signalled already
	}
}

// micros is t as it is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the reverse of micros.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

package registry

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
	"sync"
	"time"

	"filippo.io/age"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
	"github.com/pressly/goose/v3"

	"anagrafe/collector/ingest"
)

//go:embed schema/sqlite/*.sql
var schema embed.FS

// ErrNewerSchema is returned by Open for a database that a newer program wrote.
var ErrNewerSchema = errors.New("the register was written by a newer version of this program")

// Registry is the open register. Its methods may be called from many
// goroutines at once.
type Registry struct {
	write *sql.DB // one connection
	read  *sql.DB
	log   *slog.Logger
	now   func() time.Time // for what ends by itself

	writes   chan *pending       // to the writer, unbuffered: who has not been taken may leave
	closing  chan struct{}       // closed: the writer ends
	closed   chan struct{}       // closed by the writer when it has ended
	stop     func()              // closes closing, once
	consult  *age.X25519Identity // nil until Unseal
	ownerKey []byte              // nil until UseOwnerKey

	wiping wiping
}

var _ ingest.Register = (*Registry)(nil)

// readers bounds the read-only connections: a query is short, and each
// connection keeps its own page cache.
const readers = 4

// statements has each connection keep its queries prepared: a message takes
// about fifteen, of some forty in all.
const statements = "&_stmt_cache_size=100"

// Open opens the register in the SQLite file at path, makes it if it is not
// there, and brings its schema up to date. The caller holds the lock of the
// data directory: two programs must not have the file open for writing.
func Open(ctx context.Context, path string, log *slog.Logger) (*Registry, error) {
	r, err := open(ctx, path, log)
	if err != nil {
		return nil, fmt.Errorf("open register %s: %w", path, err)
	}
	return r, nil
}

func open(ctx context.Context, path string, log *slog.Logger) (_ *Registry, err error) {
	// SQLite would make the file readable by all; the log and shared-memory
	// files beside it take its mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	r := &Registry{log: log, now: time.Now, writes: make(chan *pending), closing: make(chan struct{}), closed: make(chan struct{})}
	r.stop = sync.OnceFunc(func() { close(r.closing) })
	r.wiping.short = wipeShort
	// Immediate transactions: one that reads before it writes would otherwise
	// fail at once when another has written meanwhile.
	r.write, err = sql.Open("sqlite3", dsn(path, "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"+
		"&_busy_timeout=10000&_foreign_keys=1&_secure_delete=1&_cache_size=-32768"+statements))
	if err != nil {
		return nil, err
	}
	r.write.SetMaxOpenConns(1)
	go r.runWrites()
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := r.migrate(ctx); err != nil {
		return nil, err
	}
	if err := r.wipeLeft(ctx); err != nil {
		return nil, err
	}
	// mode=ro needs the log's files: the writer has made them by now.
	r.read, err = sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_busy_timeout=10000&_cache_size=-16384"+statements))
	if err != nil {
		return nil, err
	}
	r.read.SetMaxOpenConns(readers)
	r.read.SetMaxIdleConns(readers)
	return r, r.read.PingContext(ctx)
}

// dsn escapes the path, so that a "?" in a directory's name cannot end it.
func dsn(path, options string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options
}

// Close waits for the writes under way, refuses those that come later, empties
// the log into the database and closes it.
func (r *Registry) Close() error {
	r.stop()
	<-r.closed
	var errs []error
	if r.read != nil {
		errs = append(errs, r.read.Close())
	}
	errs = append(errs, r.write.Close())
	return errors.Join(errs...)
}

func (r *Registry) migrate(ctx context.Context) error {
	files, err := fs.Sub(schema, "schema/sqlite")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, r.write, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("%w: its schema is %d, this program knows %d; "+
			"install the newer program again, or restore a backup made before the upgrade", ErrNewerSchema, have, want)
	}
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", have, want, err)
	}
	for _, m := range done {
		r.log.InfoContext(ctx, "register migrated", "schema", m.Source.Version, "took", m.Duration)
	}
	return nil
}

package registry

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"anagrafe/collector/ingest"
	"anagrafe/collector/trail"
)

//go:embed schema/*/*.sql
var embedded embed.FS

// schema holds the migrations, a folder an engine. A test adds one of a later program.
var schema fs.FS = embedded

// errNewerSchema is returned by Open for a database that a newer program wrote.
var errNewerSchema = errors.New("the register was written by a newer version of this program")

// Registry is the open register. Its methods may be called from many
// goroutines at once.
type Registry struct {
	write *db // on SQLite one connection
	read  *db // nil until the schema is the program's own
	log   *slog.Logger
	now   func() time.Time // for what ends by itself

	followPoll time.Duration // followPoll, shorter in tests
	turnWait   time.Duration // turnWait, shorter in tests

	writes   chan *pending           // to the writer, unbuffered: who has not been taken may leave
	idle     chan *pending           // the same, for what is done when nobody else writes
	closing  chan struct{}           // closed: the writer ends
	closed   chan struct{}           // closed by the writer when it has ended
	stop     func()                  // closes closing, once
	consult  *age.X25519Identity     // Keys.Consult
	ownerKey []byte                  // Keys.Owners
	ledger   *ledgerFile             // nil: Restore does what a ledger says, and adds nothing to it
	locator  atomic.Pointer[Locator] // nil until UseLocator
	sms      bool                    // Options.SMS

	bulletin *bulletin // of SQLite

	commits atomic.Int64               // counts those that the writer has tried
	last    atomic.Pointer[lastChange] // nil: not asked yet

	schema   int64 // that this program knows; 0: it is not migrated yet
	vault    *vault
	rotating sync.Mutex // held while the master key is changed
	wiping   wiping     // the writer's alone
	unaged   sync.Map   // unaged by site: see Age
}

var _ ingest.Register = (*Registry)(nil)

// Options are what main gives to Open.
type Options struct {
	// Store is sqlite:FILE (made if it is not there) or postgres://HOST/DATABASE (which
	// is there, and empty at first).
	Store string
	Keys  Keys
	// Ledger is the file of this collector's ledger of erasures, begun where there is
	// none. Each erasure stands there before it is acknowledged.
	Ledger string
	// SMS says that a gateway sends them: contacts of whom no more is known than a
	// mobile phone are told by SMS.
	SMS bool
	Log *slog.Logger
}

// Open opens a register, with the audit trail that lies in its database, and brings its
// schema up to date. It refuses what is missing of Options: nothing is left for a later
// call, or undone in silence. Of SQLite's file the caller holds the lock of the data
// directory: two programs must not have it open for writing. On PostgreSQL many
// collectors may share one database and, each in its own file, one master key.
func Open(ctx context.Context, o Options) (*Registry, trail.Store, error) {
	e, at, shown, err := parseStore(o.Store)
	if err != nil {
		return nil, nil, err
	}
	r, err := open(ctx, e, at, o)
	if err != nil {
		return nil, nil, fmt.Errorf("open register %s: %w", shown, explained(err))
	}
	return r, trailStore{r}, nil
}

// connect opens the database and starts its writer; the schema is as it is.
func connect(ctx context.Context, e engine, at string, keys Keys, log *slog.Logger) (_ *Registry, err error) {
	if err := keys.check(); err != nil {
		return nil, err
	}
	r := &Registry{log: log, now: time.Now, followPoll: followPoll, turnWait: turnWait, writes: make(chan *pending), idle: make(chan *pending),
		closing: make(chan struct{}), closed: make(chan struct{}), consult: keys.Consult, ownerKey: keys.Owners,
		bulletin: &bulletin{news: make(map[string]bool), more: make(chan struct{}, 1)}}
	r.stop = sync.OnceFunc(func() { close(r.closing) })
	r.wiping.short, r.wiping.wiped = wipeShort, -1 // what ran before may have left something
	if e == postgres {
		r.write, err = openPostgres(ctx, at, writers)
	} else {
		r.write, err = sqliteWriter(at)
	}
	if err != nil {
		return nil, err
	}
	go r.runWrites()
	return r, nil
}

func open(ctx context.Context, e engine, at string, o Options) (_ *Registry, err error) {
	if o.Ledger == "" {
		return nil, errors.New("no ledger of erasures was given: what is erased would come back with the next restore")
	}
	if o.Log == nil {
		return nil, errors.New("no log was given")
	}
	r, err := connect(ctx, e, at, o.Keys, o.Log)
	if err != nil {
		return nil, err
	}
	r.sms = o.SMS
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := r.refuseRestoring(ctx); err != nil {
		return nil, err
	}
	if err := r.migrate(ctx, o.Keys); err != nil {
		return nil, err
	}
	if r.vault.master.changing() {
		if err := r.endRotation(ctx); err != nil {
			return nil, err
		}
	}
	if e == postgres {
		r.read, err = openPostgres(ctx, at, 2*readers)
	} else {
		r.read, err = sqliteReaders(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	return r, r.openLedger(ctx, o.Ledger, o.Keys.Ledger)
}

// Close waits for the writes under way, refuses those that come later, and
// closes the database; on SQLite it empties the log into it.
func (r *Registry) Close() error {
	r.stop()
	<-r.closed
	var errs []error
	if r.read != nil {
		errs = append(errs, r.read.Close())
	}
	errs = append(errs, r.write.Close(), r.ledger.close())
	return errors.Join(errs...)
}

// migrations gives the numbered changes of an engine's schema.
func migrations(d *db) (*goose.Provider, error) {
	files, err := fs.Sub(schema, "schema/"+string(d.engine))
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger())}
	if d.engine == sqlite {
		return goose.NewProvider(goose.DialectSQLite3, d.DB, files, options...)
	}
	// Two collectors that start at once do not migrate at once.
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, d.DB, files, append(options, goose.WithSessionLocker(locker))...)
}

// migrate brings the schema up to date, and opens the data keys.
func (r *Registry) migrate(ctx context.Context, keys Keys) error {
	p, err := migrations(r.write)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("%w: its schema is %d, this program knows %d; "+
			"install the newer program again, or restore a backup made before the upgrade", errNewerSchema, have, want)
	}
	err = r.whileNobodyWrites(ctx, func() error {
		done, err := p.Up(ctx)
		for _, m := range done {
			r.log.InfoContext(ctx, "register migrated", "schema", m.Source.Version, "took", m.Duration)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", have, want, err)
	}
	r.schema = want
	return r.openVault(ctx, keys)
}

// newestSchema is the one that this program makes; it is the same on both
// engines.
func newestSchema() (newest int64, err error) {
	files, err := fs.ReadDir(schema, "schema/"+string(sqlite))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		n, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, nil
}

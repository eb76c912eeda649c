package registry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// engine is the database under the register, and the folder of its schema.
type engine string

const (
	sqlite   engine = "sqlite"
	postgres engine = "postgres"
)

// parseStore reads where the register is kept: sqlite:FILE, or the URL of a
// PostgreSQL database. shown is the same without a password, for messages.
func parseStore(store string) (e engine, at, shown string, err error) {
	if path, ok := strings.CutPrefix(store, "sqlite:"); ok && path != "" {
		return sqlite, path, store, nil
	}
	if strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://") {
		u, err := url.Parse(store)
		if err != nil {
			return "", "", "", fmt.Errorf("the register's URL of PostgreSQL cannot be read: check it for characters that must be written as %%XX")
		}
		return postgres, store, u.Redacted(), nil
	}
	return "", "", "", fmt.Errorf("the register is kept in sqlite:FILE or postgres://HOST/DATABASE, not in %q", store)
}

// Statements are written once, in what SQLite and PostgreSQL have in common,
// with SQLite's placeholders (? and ?1). db and tx are database/sql's, speaking
// that.

// db is a pool of connections.
type db struct {
	*sql.DB
	engine engine
	pool   *pgxpool.Pool // of PostgreSQL, under DB; nil: SQLite
	alone  atomic.Bool   // PostgreSQL has said that it no longer waits for the standby
}

// Close waits for what is under way.
func (d *db) Close() error {
	err := d.DB.Close()
	if d.pool != nil {
		d.pool.Close()
	}
	return err
}

func (d *db) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.DB.ExecContext(ctx, d.engine.placeholders(query), args...)
}

func (d *db) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.DB.QueryContext(ctx, d.engine.placeholders(query), args...)
}

func (d *db) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.DB.QueryRowContext(ctx, d.engine.placeholders(query), args...)
}

// begin starts a transaction.
func (d *db) begin(ctx context.Context, o driver.TxOptions) (*tx, error) {
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if d.engine == sqlite {
		ctx = context.WithoutCancel(ctx) // it begins at once: its driver would start a goroutine to watch over that
	}
	t := &tx{conn: conn, engine: d.engine}
	err = conn.Raw(func(c any) (err error) {
		t.open, err = c.(driver.ConnBeginTx).BeginTx(ctx, o)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// tx is a transaction: the driver's, on a connection that is its own until it ends.
// A sql.Tx would start a goroutine for every query, to end it with the transaction:
// each wakes a thread, which was a fifth of what recording a message takes.
type tx struct {
	conn   *sql.Conn
	open   driver.Tx
	engine engine
	news   map[string]bool // to tell at its commit: see tell

	erasures []Erasure // for the ledger, once it is committed
}

// Commit ends the transaction, and gives the connection back.
func (t *tx) Commit() error { return t.end(t.open.Commit) }

// Rollback undoes the transaction, and gives the connection back.
func (t *tx) Rollback() error { return t.end(t.open.Rollback) }

func (t *tx) end(how func() error) error {
	err := t.conn.Raw(func(any) error { return how() })
	if closed := t.conn.Close(); !errors.Is(closed, sql.ErrConnDone) { // the driver may have given it up
		err = errors.Join(err, closed)
	}
	return err
}

func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.conn.ExecContext(ctx, t.engine.placeholders(query), args...)
}

func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.conn.QueryContext(ctx, t.engine.placeholders(query), args...)
}

func (t *tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.conn.QueryRowContext(ctx, t.engine.placeholders(query), args...)
}

var (
	placeholder = regexp.MustCompile(`\?(\d*)`)
	rewritten   sync.Map // engine and query as written -> as the engine reads it; there are some hundreds
)

// written is a statement before it is rewritten.
type written struct {
	engine engine
	query  string
}

// placeholders returns a statement as the engine reads it.
func (e engine) placeholders(query string) string {
	if q, ok := rewritten.Load(written{e, query}); ok {
		return q.(string)
	}
	q := e.rewrite(query)
	rewritten.Store(written{e, query}, q)
	return q
}

// rewrite numbers the placeholders for PostgreSQL. For SQLite it puts a plus before
// each, which changes no value of any type: of a bare one in "column = ?" the planner
// asks what is bound there, to guess how many rows there are, and compiles the
// statement anew at every execution, in spite of the driver's cache. In a join or an
// order that was a sixth of what recording a message takes.
func (e engine) rewrite(query string) string {
	if e == sqlite {
		return placeholder.ReplaceAllString(query, "+$0")
	}
	n := 0
	return placeholder.ReplaceAllStringFunc(query, func(p string) string {
		if p != "?" {
			return "$" + p[1:]
		}
		n++
		return "$" + strconv.Itoa(n)
	})
}

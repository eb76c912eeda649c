package registry

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

const (
	// readers bounds the read-only connections: a query is short, and each
	// connection keeps its own page cache.
	readers = 4
	// statements has each connection keep its queries prepared: a declaration takes
	// some thirty.
	statements = "&_stmt_cache_size=100"
	// lockWait is how long a connection waits for another's lock, in milliseconds.
	lockWait = "10000"
)

// sqliteWriter opens the file at path, which it makes if it is not there, on one
// connection.
func sqliteWriter(path string) (*db, error) {
	// SQLite would make the file readable by all; the log and shared-memory
	// files beside it take its mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// Immediate transactions: one that reads before it writes would otherwise
	// fail at once when another has written meanwhile.
	pool, err := sql.Open("sqlite3", dsn(path, "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"+
		"&_busy_timeout="+lockWait+"&_foreign_keys=1&_secure_delete=1&_cache_size=-32768"+statements))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	// A savepoint keeps a copy of each page that is changed in it, and past 64 KiB in a
	// temporary file: a declaration changes some forty pages. In memory they cost less,
	// and no page of the register lies anywhere else.
	if _, err := pool.Exec("PRAGMA temp_store = MEMORY"); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &db{DB: pool, engine: sqlite}, nil
}

// sqliteReaders opens the file for reading alone. mode=ro needs the log's files:
// the writer has made them.
func sqliteReaders(ctx context.Context, path string) (*db, error) {
	pool, err := sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_busy_timeout="+lockWait+"&_cache_size=-16384"+statements))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	return &db{DB: pool, engine: sqlite}, pool.PingContext(ctx)
}

// dsn escapes the path, so that a "?" in a directory's name cannot end it.
func dsn(path, options string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// What fails below the register fails its methods with an error that is no
// refusal: who called comes again, nothing that was acknowledged is lost, and
// writing goes on by itself once the cause is gone. The operator is told what to
// do about the cause.

const (
	remedyFull        = "make room on its disk; nothing that was acknowledged is lost, and writing goes on by itself"
	remedyFiles       = "too many files are open: raise the limit of the collector's process (LimitNOFILE of its service, ulimit -n)"
	remedyPermission  = "give the collector's user its file and directory back, to read, write and enter"
	remedyReadOnly    = "it cannot be written: see that its directory belongs to the collector's user, and if its disk was mounted read-only, why (the system's log says so; a disk that fails is)"
	remedyDisk        = "the disk does not do what it is told: look into the system's log, and at the disk before anything else is written there"
	remedyDamaged     = "this is no register, or a damaged one: keep a copy, and restore a backup"
	remedyReadServer  = "the server takes no writing: it is a standby, or set to read only; name the primary in -store, or all hosts of the cluster (postgres://HOST1,HOST2/DATABASE)"
	remedyConnections = "PostgreSQL has no connection left: raise its max_connections, or stop what else uses it"
	remedyTurn        = "something holds a lock in PostgreSQL for long, another collector or a migration: see pg_stat_activity; what was refused comes again"
	remedyServer      = "PostgreSQL does not answer: see that it runs, and that -store names it; the collector goes on by itself once it answers"
)

// explained adds to an error of an engine what can be done about it.
func explained(err error) error {
	if do := remedy(err); do != "" {
		return fmt.Errorf("%w: %s", err, do)
	}
	return err
}

// Unavailable reports whether the database failed or did not answer in time, so that the
// caller may try again.
func Unavailable(err error) bool {
	return remedy(err) != "" || errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err)
}

// remedy is "" for what no operator can do anything about.
func remedy(err error) string {
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		if do := remedyOf(e.SystemErrno); do != "" {
			return do
		}
		return remedySQLite(e)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return remedyPostgres(e.Code)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		if do := remedyOf(errno); do != "" {
			return do
		}
	}
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return remedyReadServer
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return remedyServer
	}
	return ""
}

// remedyOf reads what the operating system said.
func remedyOf(errno syscall.Errno) string {
	switch errno {
	case syscall.ENOSPC, syscall.EDQUOT:
		return remedyFull
	case syscall.EMFILE, syscall.ENFILE:
		return remedyFiles
	case syscall.EACCES, syscall.EPERM:
		return remedyPermission
	case syscall.EROFS:
		return remedyReadOnly
	case syscall.EIO:
		return remedyDisk
	case syscall.EPIPE, syscall.ECONNRESET:
		return remedyServer
	}
	return ""
}

func remedySQLite(e sqlite3.Error) string {
	switch e.Code {
	case sqlite3.ErrFull:
		return remedyFull
	case sqlite3.ErrReadonly:
		return remedyReadOnly
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return remedyPermission
	case sqlite3.ErrIoErr:
		return remedyDisk
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return remedyDamaged
	}
	return ""
}

// remedyPostgres reads a code of PostgreSQL (its manual, appendix A).
func remedyPostgres(code string) string {
	switch code {
	case "53100": // disk_full
		return remedyFull
	case "53300": // too_many_connections
		return remedyConnections
	case "25006": // read_only_sql_transaction
		return remedyReadServer
	case "55P03": // lock_not_available: see takeTurn
		return remedyTurn
	case "57P01", "57P02", "57P03": // admin_shutdown, crash_shutdown, cannot_connect_now
		return remedyServer
	case "58030": // io_error
		return remedyDisk
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return remedyDamaged
	}
	return ""
}

package registry

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"
)

// What is deleted must not be readable in the files either. secure_delete
// overwrites the deleted rows themselves, but two kinds of copies remain: the
// pages as they were before, in the write-ahead log; and rows that SQLite once
// moved when it balanced a table's tree, in the gaps of pages. So the database
// is rewritten (VACUUM) and the log emptied after an erasure.
//
// That takes the time of writing the whole file (about a second for 100 MB),
// during which nothing is recorded: where it is long, it is done at most for a
// twentieth of the time, so that an agent that changes its contacts all day
// cannot stop the collector. What waits is done by a later write, or by Open:
// the database's user_version says that something waits. (Once bodies are
// sealed with a key for each site, destroying the key makes this needless.)

const (
	wipeShort = time.Second // after a shorter one, the next need not wait
	wipePause = 20          // times its own length from a long one to the next
)

// wiping counts erasures, and knows what is to be done about them.
type wiping struct {
	erased, wiped atomic.Int64 // erasures begun; those of them that left no copy
	next          atomic.Int64 // no earlier than this, in microseconds
	short         time.Duration
}

// erasing notes within a transaction that it erases something.
func (r *Registry) erasing(ctx context.Context, tx *tx) error {
	if tx.engine == postgres {
		return nil // what it leaves in its files is PostgreSQL's: until VACUUM, and in its own log
	}
	r.wiping.erased.Add(1)
	_, err := tx.ExecContext(ctx, "PRAGMA user_version = 1")
	return err
}

// wipeIfDue is called by the writer after each commit, before it answers. What
// cannot be wiped now is no error of those writes: the erasure itself is on
// disk.
func (r *Registry) wipeIfDue(ctx context.Context) {
	if r.wiping.erased.Load() == r.wiping.wiped.Load() || time.Now().UnixMicro() < r.wiping.next.Load() {
		return
	}
	if err := r.wipe(ctx); err != nil {
		r.log.WarnContext(ctx, "copies of erased data remain in the register's files until a later write", "err", err)
	}
}

// wipe leaves no copy of anything that is erased.
func (r *Registry) wipe(ctx context.Context) error {
	// The writer's only connection, from the first step to the last: an erasure
	// in between would be marked as wiped without having been.
	conn, err := r.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	n := r.wiping.erased.Load() // all of them have ended: none runs but on this connection
	start := time.Now()
	defer func() { // also when it failed: it would be tried again with every write
		if took := time.Since(start); took > r.wiping.short {
			r.wiping.next.Store(time.Now().Add(wipePause * took).UnixMicro())
		}
	}()
	if _, err := conn.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	if err := emptyLog(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA user_version = 0"); err != nil {
		return err
	}
	r.wiping.wiped.Store(n)
	return nil
}

// emptyLog moves the write-ahead log into the database and truncates its file.
func emptyLog(ctx context.Context, conn *sql.Conn) error {
	var busy, frames, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("a reader holds the log")
	}
	return nil
}

// wipeLeft does at start what an earlier run could not.
func (r *Registry) wipeLeft(ctx context.Context) error {
	var waits bool
	if err := r.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&waits); err != nil || !waits {
		return err
	}
	return r.wipe(ctx)
}

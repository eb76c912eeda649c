package registry

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"
)

// What was sealed is gone when its data key is. The key itself is overwritten in
// its row; a copy of it, sealed, remains in SQLite's write-ahead log until that is
// emptied, and in PostgreSQL's table, as an old row, until the table is written
// anew. Both are done after a commit in which a key was overwritten, before who
// waits for it is answered.
//
// SQLite's log can be emptied while no reader holds it; PostgreSQL's table is
// small and locked for it. No write is done meanwhile, so a reader that stays (a
// backup) is hardly waited for; and where it takes long, it is done at most for a
// twentieth of the time. What waits is done after a later commit, and at start.
//
// PostgreSQL's own log, a copy of the database, and a row that an older snapshot
// still sees, keep the sealed key longer: it opens nothing any more once the
// master key was changed.

const (
	wipeShort = time.Second      // after a shorter one, the next need not wait
	wipePause = 20               // times its own length from a long one to the next
	wipeAgain = 10 * time.Second // at least, from one that failed to the next
	// wipeWait is how long SQLite waits for readers, in milliseconds: longer than most
	// take. Those that come meanwhile do not hold what is moved already.
	wipeWait = "200"
)

// wiping is what the writer knows of copies of overwritten keys.
type wiping struct {
	wiped int64        // of the vault's overwritten keys, those that left no copy
	next  atomic.Int64 // no earlier than this, in microseconds
	short time.Duration
}

// wipeIfDue is called by the writer after each commit, before it answers. What
// cannot be wiped now is no error of those writes: the erasure itself is on
// disk.
func (r *Registry) wipeIfDue(ctx context.Context) {
	if r.vault == nil || r.vault.overwritten.Load() == r.wiping.wiped || time.Now().UnixMicro() < r.wiping.next.Load() {
		return
	}
	n := r.vault.overwritten.Load()
	start := time.Now()
	err := r.wipe(ctx)
	var pause time.Duration
	if took := time.Since(start); took > r.wiping.short {
		pause = wipePause * took
	}
	if err != nil { // it would be tried again with every write
		pause = max(pause, wipeAgain)
	}
	r.wiping.next.Store(time.Now().Add(pause).UnixMicro())
	if err != nil {
		r.log.WarnContext(ctx, "copies of destroyed data keys remain in the register's files until a later write", "err", err)
		return
	}
	r.wiping.wiped = n
}

// wipe leaves no copy of an overwritten key in the database's files.
func (r *Registry) wipe(ctx context.Context) error {
	conn, err := r.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if r.write.engine == sqlite {
		return emptyLog(ctx, conn)
	}
	return rewriteTable(ctx, conn, dataKeysTable)
}

// emptyLog moves the write-ahead log into the database and truncates its file.
func emptyLog(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = "+wipeWait); err != nil {
		return err
	}
	var busy, frames, moved int
	err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = errors.New("a reader holds the log")
	}
	_, reset := conn.ExecContext(ctx, "PRAGMA busy_timeout = "+lockWait)
	return errors.Join(err, reset)
}

// rewriteTable writes a table of PostgreSQL anew, without the rows that were. It does
// not wait long for readers: others would wait behind it.
func rewriteTable(ctx context.Context, conn *sql.Conn, table string) error {
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = '1s'"); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "VACUUM (FULL) "+table)
	_, reset := conn.ExecContext(ctx, "RESET lock_timeout")
	return errors.Join(err, reset)
}

package registry

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime/debug"
)

// What makes a write slow is the wait for the disk at its commit. So writes
// that come at the same time share one: a single goroutine takes all that
// wait, runs them one after the other in one transaction, commits, and only
// then answers them. Under load the batches grow by themselves; a write that
// comes alone waits for nobody.
//
// Each write stands in a savepoint: one that is refused leaves nothing behind,
// and the others are recorded. When the transaction itself is lost (the disk
// is full, the commit fails), all of its writes fail with an error that is no
// refusal: their senders come again.

// maxBatch bounds the writes of one transaction, and with it how long the
// first of them waits for the last: some tens of milliseconds.
const maxBatch = 256

var errClosed = errors.New("the register is closed")

// pending is a write that waits for its turn.
type pending struct {
	ctx  context.Context
	f    func(ctx context.Context, tx *tx) error
	err  error         // set before done is closed
	done chan struct{} // closed when the write is on disk, or never will be
}

// update runs f in a transaction of the writer, and returns nil only when it
// is on disk. When it returns an error, f has either not run or left nothing
// behind, with two exceptions: where the commit itself failed (PostgreSQL is gone,
// the disk fails to sync) nobody knows, and where the batch erased something that the
// ledger could then not take, it is committed. So who asks again must not do a thing
// twice. update may return before f has run if ctx ends while no writer has taken it;
// once taken, it waits for the outcome.
//
// f runs in another goroutine, after or before other writes of the same
// transaction. It must use the context that it is given, which does not end:
// SQLite undoes a whole transaction, with the others' writes, when a statement
// in it is interrupted.
func (r *Registry) update(ctx context.Context, f func(ctx context.Context, tx *tx) error) error {
	ctx, span := traced(ctx, "registry write")
	defer span.End()
	return r.hand(ctx, r.writes, f)
}

// updateIdle is update for housekeeping: it waits until no other write does.
func (r *Registry) updateIdle(ctx context.Context, f func(ctx context.Context, tx *tx) error) error {
	return r.hand(ctx, r.idle, f)
}

func (r *Registry) hand(ctx context.Context, writer chan<- *pending, f func(ctx context.Context, tx *tx) error) error {
	w := &pending{ctx: ctx, f: f, done: make(chan struct{})}
	select {
	case writer <- w: // taken: from here on it is answered in any case
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closing:
		return errClosed
	}
	<-w.done
	return explained(w.err)
}

// runWrites is the writer. It ends when closing is closed, after the batch
// under way; nothing that it has taken stays without an answer.
func (r *Registry) runWrites() {
	defer close(r.closed)
	for {
		select {
		case first := <-r.writes:
			r.commit(r.gather(first))
			continue
		default:
		}
		select {
		case first := <-r.writes:
			r.commit(r.gather(first))
		case alone := <-r.idle:
			r.commit([]*pending{alone})
		case <-r.closing:
			return
		}
	}
}

// gather takes what waits behind the first write, and waits for nothing.
func (r *Registry) gather(first *pending) []*pending {
	batch := []*pending{first}
	for len(batch) < maxBatch {
		select {
		case w := <-r.writes:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and answers all of it.
func (r *Registry) commit(batch []*pending) {
	ctx := context.Background() // a batch has many owners: none may break it off
	err := r.transact(ctx, batch)
	r.commits.Add(1)
	if err == nil {
		r.wipeIfDue(ctx)
	}
	for _, w := range batch {
		if err != nil {
			w.err = err // also of those that were refused: what they saw is not on disk
		}
		close(w.done)
	}
}

// transact returns nil when the batch is committed, and the ledger says what it
// erased; what each write has to say for itself is then in its err.
func (r *Registry) transact(ctx context.Context, batch []*pending) error {
	// What the ledger could not take goes first: while it cannot be written nothing is
	// committed, for it would be reported as failed.
	if err := r.ledger.add(nil); err != nil {
		return err
	}
	tx, err := r.write.begin(ctx, driver.TxOptions{})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := tx.takeTurn(ctx, r.turnWait); err != nil {
		return errors.Join(fmt.Errorf("wait for the turn to write: %w", err), tx.Rollback())
	}
	if err := tx.fence(ctx, r.schema); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	for _, w := range batch {
		if w.err = w.ctx.Err(); w.err != nil {
			continue
		}
		if err := w.run(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.notifyOnCommit(ctx); err != nil {
		return errors.Join(fmt.Errorf("tell who follows: %w", err), tx.Rollback())
	}
	if err := r.write.commit(tx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if tx.engine == sqlite { // PostgreSQL tells with the commit
		r.bulletin.add(tx.news)
	}
	return r.ledger.add(tx.erasures)
}

// run runs one write. Its own failure goes to its err; the error that run
// returns means that the transaction cannot go on: SQLite has undone it, so
// the savepoint is not there any more.
func (w *pending) run(tx *tx) error {
	ctx := context.WithoutCancel(w.ctx)
	if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	erasures := len(tx.erasures)
	if w.err = guarded(ctx, tx, w.f); w.err != nil {
		tx.erasures = tx.erasures[:erasures]
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO one"); err != nil {
			// Not %w: the others in the batch are not refused for what this one was.
			return fmt.Errorf("go back to the savepoint: %w, after: %v", err, w.err)
		}
	}
	if _, err := tx.ExecContext(ctx, "RELEASE one"); err != nil {
		return fmt.Errorf("release the savepoint: %w", err)
	}
	return nil
}

// guarded turns a panic into an error: a message that makes one must not end
// the writer, and with it the collector, each time it is sent again.
func guarded(ctx context.Context, tx *tx, f func(context.Context, *tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f(ctx, tx)
}

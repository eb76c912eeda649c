package registry

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"anagrafe/collector/ingest"
)

// insert writes a row with this name.
func insert(name string) func(context.Context, *tx) error {
	return func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO links (hash, user_id, expires_at) VALUES (?, 'u', 1)", []byte(name))
		return err
	}
}

func inserted(t *testing.T, r *Registry, name string) bool {
	t.Helper()
	var is bool
	if err := r.read.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM links WHERE hash = ?)", []byte(name)).Scan(&is); err != nil {
		t.Fatal(err)
	}
	return is
}

// runTogether runs writes in one transaction, as the writer does. It gives what each was answered.
func runTogether(t *testing.T, r *Registry, writes ...func(context.Context, *tx) error) []error {
	t.Helper()
	batch := make([]*pending, len(writes))
	for i, f := range writes {
		batch[i] = &pending{ctx: t.Context(), f: f, done: make(chan struct{})}
	}
	r.commit(batch)
	errs := make([]error, len(writes))
	for i, w := range batch {
		<-w.done
		errs[i] = w.err
	}
	return errs
}

func openWithUser(t *testing.T) *Registry {
	t.Helper()
	r := openNew(t)
	if err := r.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWritesShareACommit(t *testing.T) {
	r := openWithUser(t)
	var early bool
	errs := runTogether(t, r, insert("one"), insert("two"), func(ctx context.Context, tx *tx) error {
		early = inserted(t, r, "one") // another connection sees only what is committed
		return nil
	})
	if err := errors.Join(errs...); err != nil || early {
		t.Fatalf("%v; committed before its batch: %v", err, early)
	}
	if !inserted(t, r, "one") || !inserted(t, r, "two") {
		t.Error("answered, but not there")
	}
}

func TestARefusedWriteLeavesNothing(t *testing.T) {
	r := openWithUser(t)
	errs := runTogether(t, r,
		insert("before"),
		func(ctx context.Context, tx *tx) error {
			return errors.Join(insert("refused")(ctx, tx), ingest.ErrStale)
		},
		func(ctx context.Context, tx *tx) error {
			_ = insert("panicked")(ctx, tx)
			panic("a bug")
		},
		insert("after"))
	if errs[0] != nil || !errors.Is(errs[1], ingest.ErrStale) || errs[2] == nil || errs[3] != nil {
		t.Fatalf("answers: %v", errs)
	}
	for name, want := range map[string]bool{"before": true, "refused": false, "panicked": false, "after": true} {
		if inserted(t, r, name) != want {
			t.Errorf("%s: on disk %v, want %v", name, !want, want)
		}
	}
}

// When SQLite gives up the whole transaction, which a ROLLBACK in a write
// stands for here, none of the batch may be told that it is recorded, nor that
// it is refused for what another one was.
func TestALostTransactionFailsItsWholeBatch(t *testing.T) {
	for name, lost := range map[string]func(context.Context, *tx) error{
		"told": func(ctx context.Context, tx *tx) error {
			_, err := tx.ExecContext(ctx, "ROLLBACK")
			return errors.Join(err, ingest.ErrConflict)
		},
		"not told": func(ctx context.Context, tx *tx) error {
			_, err := tx.ExecContext(ctx, "ROLLBACK")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := openWithUser(t)
			errs := runTogether(t, r, insert("before"), lost, insert("after"))
			for i, err := range errs {
				if err == nil || errors.Is(err, ingest.ErrConflict) {
					t.Errorf("write %d: %v", i, err)
				}
			}
			if inserted(t, r, "before") || inserted(t, r, "after") {
				t.Error("a write of a lost transaction is on disk")
			}
			if err := r.update(t.Context(), insert("next")); err != nil || !inserted(t, r, "next") {
				t.Errorf("the next write: %v", err)
			}
		})
	}
}

// A commit that fails (on SQLite for a foreign key that is checked at its end)
// fails all, and undoes all.
func TestAFailedCommitFailsItsWholeBatch(t *testing.T) {
	r := openWithUser(t)
	errs := runTogether(t, r, insert("one"), func(ctx context.Context, tx *tx) error {
		if tested == postgres { // the connection is lost before it
			_, err := tx.ExecContext(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
			return err
		}
		if _, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO links (hash, user_id, expires_at) VALUES (?, 'nobody', 1)", []byte{0})
		return err
	})
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was acknowledged", i)
		}
	}
	if inserted(t, r, "one") {
		t.Error("on disk after a failed commit")
	}
	if err := r.update(t.Context(), insert("next")); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

func TestAWriteWhoseContextEnds(t *testing.T) {
	r := openWithUser(t)
	ctx, cancel := context.WithCancel(t.Context())
	// Under way: it is finished, and the others with it.
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		cancel()
		return insert("under way")(ctx, tx)
	})
	if err != nil || !inserted(t, r, "under way") {
		t.Errorf("ended under way: %v", err)
	}
	// Before its turn: it does not run.
	w := &pending{ctx: ctx, f: insert("late"), done: make(chan struct{})}
	r.commit([]*pending{w})
	if <-w.done; !errors.Is(w.err, context.Canceled) || inserted(t, r, "late") {
		t.Errorf("ended before its turn: %v", w.err)
	}
	// While it waits: the caller does not.
	held, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- r.update(context.Background(), func(context.Context, *tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	if err := r.update(ctx, insert("waiting")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended while it waits: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestCloseWhileWritesWait(t *testing.T) {
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	r, _, err := Open(t.Context(), optionsOf(t, store))
	if err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	answers := make(chan error, 9)
	go func() {
		answers <- r.update(context.Background(), func(context.Context, *tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	for range 8 { // they wait, or come too late: both end
		go func() { answers <- r.update(context.Background(), insert("x")) }()
	}
	closed := make(chan error, 1)
	go func() { closed <- r.Close() }()
	<-r.closing
	close(release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for range 9 {
		<-answers
	}
	if err := r.update(context.Background(), insert("x")); !errors.Is(err, errClosed) {
		t.Errorf("a write after Close: %v", err)
	}
}

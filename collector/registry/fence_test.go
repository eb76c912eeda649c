package registry

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"anagrafe/collector/trail"
)

// A collector whose program is older than the schema writes nothing any more, and goes on
// once the schema is its own again.
func TestOlderProgramWritesNothing(t *testing.T) {
	a, b := openTwo(t)
	s := enrol(t, b, noon)
	s.say(noon, declaration(camera(1, "one")))
	newer := func(query string) {
		t.Helper()
		if _, err := a.read.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	newer("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)")
	if err := b.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); !errors.Is(err, errNewerSchema) {
		t.Errorf("an account: %v", err)
	}
	if _, err := s.deliver(s.next(noon, declaration(camera(1, "two"))), noon); !errors.Is(err, errNewerSchema) {
		t.Errorf("a message: %v", err)
	}
	if err := (trailStore{b}).Append(t.Context(), func(context.Context, trail.State) (trail.Batch, error) {
		return trail.Batch{Checkpoint: []byte("a tree")}, nil
	}); !errors.Is(err, errNewerSchema) {
		t.Errorf("the trail: %v", err)
	}
	newer("DELETE FROM goose_db_version WHERE version_id = 9999")
	s.say(noon, declaration(camera(1, "two")))
}

// A later program that is started beside today's brings the schema forward between two
// writes; today's writes nothing from then on, and the later one goes on.
func TestUpgradeBesideAnother(t *testing.T) {
	onlyPostgres(t)
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	a := openStore(t, store)
	s := enrol(t, a, noon)
	s.say(noon, declaration(camera(1, "one")))
	began, end := make(chan struct{}), make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		if err := a.update(context.Background(), func(context.Context, *tx) error { close(began); <-end; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-began
	laterSchema(t)
	var b *Registry
	opened := make(chan struct{})
	both.Go(func() {
		defer close(opened)
		var err error
		if b, _, err = Open(context.Background(), optionsOf(t, store)); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the migration to wait", func() bool {
		select {
		case <-opened:
			return true
		default:
		}
		n := 0
		if err := a.read.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 1
	})
	if has, needs, err := a.Schema(t.Context()); err != nil || has != needs-1 {
		t.Errorf("schema %d of %d during a write, %v", has, needs, err)
	}
	close(end)
	both.Wait()
	if b == nil {
		return
	}
	defer b.Close()
	if has, needs, err := b.Schema(t.Context()); err != nil || has != needs {
		t.Errorf("schema %d of %d, %v", has, needs, err)
	}
	if _, err := s.deliver(s.next(noon, declaration(camera(1, "two"))), noon); !errors.Is(err, errNewerSchema) {
		t.Errorf("a message to the older one: %v", err)
	}
	s.r = b
	s.revision--
	s.say(noon, declaration(camera(1, "two")))
}

// A migration begins when no write is under way, and no other begins during it.
func TestMigrationInItsTurn(t *testing.T) {
	a, b := openTwo(t)
	if err := a.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Fatal(err)
	}
	waits := func(instead <-chan struct{}) bool {
		select {
		case <-instead: // it did not
			return true
		default:
		}
		n := 0
		if err := b.read.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 1
	}
	began, end := make(chan struct{}), make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() {
		if err := a.update(context.Background(), func(context.Context, *tx) error { close(began); <-end; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-began
	migrates, migrated := make(chan struct{}), make(chan struct{})
	both.Go(func() {
		if err := b.whileNobodyWrites(context.Background(), func() error { close(migrates); <-migrated; return nil }); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the migration to wait", func() bool { return waits(migrates) })
	select {
	case <-migrates:
		t.Error("it did not wait")
	default:
	}
	close(end)
	<-migrates
	written := make(chan struct{})
	both.Go(func() {
		defer close(written)
		if err := a.update(context.Background(), insert("one")); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the write to wait", func() bool { return waits(written) })
	select {
	case <-written:
		t.Error("a write came in between")
	default:
	}
	close(migrated)
	both.Wait()
}

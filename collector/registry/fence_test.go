package registry

import (
	"context"
	"errors"
	"sync"
	"testing"
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
	if err := b.AppendTrail(t.Context(), func(context.Context, TrailState) (TrailBatch, error) {
		return TrailBatch{Checkpoint: []byte("a tree")}, nil
	}); !errors.Is(err, errNewerSchema) {
		t.Errorf("the trail: %v", err)
	}
	newer("DELETE FROM goose_db_version WHERE version_id = 9999")
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

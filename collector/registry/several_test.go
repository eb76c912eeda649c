package registry

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/collector/registry/pgtest"

	"anagrafe/collector/trail"
)

// patience bounds what a test waits for.
const patience = time.Minute

// openTwo are the registers of two collectors on one database.
func openTwo(t *testing.T) (a, b *Registry) {
	onlyPostgres(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	return openAt(t, path), openAt(t, path)
}

// eventually polls for what PostgreSQL alone can tell.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	end := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-end:
			t.Fatalf("waited %v for %s", patience, what)
		case <-again.C:
		}
	}
}

// reader follows the changes from a cursor, as the search index does: it knows of
// each site what stood there when it looked.
type reader struct {
	r     *Registry
	last  int64
	known map[string]int // messages, by site
}

func (f *reader) catchUp(ctx context.Context) error {
	for {
		sites, last, err := f.r.ChangedSites(ctx, f.last, 3)
		if err != nil || len(sites) == 0 {
			return err
		}
		if last <= f.last {
			return fmt.Errorf("change number %d after %d", last, f.last)
		}
		f.last = last
		for _, id := range sites {
			var n int
			if err := f.r.read.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE site_id = ?", id).Scan(&n); err != nil {
				return err
			}
			f.known[id] = n
		}
	}
}

func (f *reader) mustCatchUp(t *testing.T) {
	t.Helper()
	if err := f.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Two transactions overlap, and the one that began later would be committed first:
// a reader between the two misses neither.
func TestOverlappingWritesInReverseOrder(t *testing.T) {
	a, b := openTwo(t)
	early, late := enrol(t, a, noon), enrol(t, b, noon)
	f := &reader{r: b, known: map[string]int{}}
	f.mustCatchUp(t)
	change := func(r *Registry, s *sender, number, then chan struct{}) error {
		return r.update(context.Background(), func(ctx context.Context, tx *tx) error {
			err := changed(ctx, tx, s.site)
			close(number)
			<-then
			return err
		})
	}
	var both sync.WaitGroup
	numbered, release := make(chan struct{}), make(chan struct{})
	both.Go(func() {
		if err := change(a, early, numbered, release); err != nil {
			t.Error(err)
		}
	})
	<-numbered
	over, at := make(chan struct{}), make(chan struct{})
	close(at)
	both.Go(func() {
		defer close(over)
		if err := change(b, late, make(chan struct{}), at); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the later write to wait for its turn", func() bool {
		select {
		case <-over: // it did not
			return true
		default:
		}
		var waits bool
		if err := b.read.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)").Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	f.mustCatchUp(t)
	close(release)
	both.Wait()
	f.mustCatchUp(t)
	for name, s := range map[string]*sender{"the early": early, "the late": late} {
		if _, seen := f.known[s.site]; !seen {
			t.Errorf("%s change was missed", name)
		}
	}
}

// Two collectors record at once, with a reader of the changes at each: in the end
// the readers know of each site what its sender counted. A change that becomes
// visible after a later one would be missed, if it is its site's last.
func TestTwoCollectorsHammerOneDatabase(t *testing.T) {
	const senders, sites, messages = 16, 8, 2
	a, b := openTwo(t)
	registries := []*Registry{a, b}
	var reading, sending sync.WaitGroup
	done := make(chan struct{})
	readers := []*reader{{r: a, known: map[string]int{}}, {r: b, known: map[string]int{}}}
	for _, f := range readers {
		reading.Go(func() {
			for over := false; !over; {
				select {
				case <-done:
					over = true // after one more look
				default:
				}
				if err := f.catchUp(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var mu sync.Mutex
	acknowledged := map[string]int{} // the independent count
	var all []*sender
	for i := range senders * sites {
		all = append(all, enrol(t, registries[i%2], noon))
	}
	for i := range senders {
		sending.Go(func() {
			for n := range sites * messages {
				s := all[i*sites+n%sites]
				s.say(noon.Add(time.Duration(n)*time.Second), declaration(camera(i+1, fmt.Sprint(n))))
				mu.Lock()
				acknowledged[s.site]++
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	close(done)
	reading.Wait()
	for i, f := range readers {
		for site, n := range acknowledged {
			if f.known[site] != n {
				t.Errorf("reader %d, at change %d, knows %d of the %d messages of site %s", i, f.last, f.known[site], n, site)
			}
		}
	}
	if len(acknowledged) != senders*sites {
		t.Errorf("%d sites", len(acknowledged))
	}
}

// What one collector records, and whom it revokes, the other hears of; also what
// came while its connection was lost.
func TestFollow(t *testing.T) {
	a, b := openTwo(t)
	b.followPoll = time.Hour
	s := enrol(t, a, noon)
	ctx, stop := context.WithCancel(t.Context())
	heard := make(chan string, 1000)
	done := make(chan error, 1)
	go func() { done <- b.Follow(ctx, func(revoked string) { heard <- revoked }) }()
	f := &reader{r: b, known: map[string]int{}}
	listener := func() (pid int) {
		_ = b.read.QueryRowContext(t.Context(), "SELECT coalesce(max(pid), 0) FROM pg_stat_activity "+
			"WHERE datname = current_database() AND application_name = ? AND state = 'idle' AND query = ?", follower, "LISTEN "+newsChannel).Scan(&pid)
		return pid
	}
	knows := func(n int) {
		t.Helper()
		end := time.After(patience)
		for f.known[s.site] != n {
			select {
			case <-heard:
				f.mustCatchUp(t)
			case <-end:
				t.Fatalf("of %d messages %d were heard of", n, f.known[s.site])
			}
		}
	}
	s.say(noon, declaration(camera(1, "one")))
	knows(1)

	first := 0
	eventually(t, "the listener", func() bool { first = listener(); return first != 0 })
	s.say(noon.Add(time.Second), declaration(camera(1, "two")))
	if _, err := a.write.ExecContext(t.Context(), "SELECT pg_terminate_backend(?)", first); err != nil {
		t.Fatal(err)
	}
	s.say(noon.Add(2*time.Second), declaration(camera(1, "three")))
	knows(3)
	eventually(t, "another connection", func() bool { now := listener(); return now != 0 && now != first })

	if err := a.Revoke(t.Context(), s.agent, noon); err != nil {
		t.Fatal(err)
	}
	for end := time.After(patience); ; {
		select {
		case who := <-heard:
			if who == "" {
				continue
			}
			if who != s.agent {
				t.Errorf("%s was revoked, not %s", s.agent, who)
			}
		case <-end:
			t.Fatal("nobody was revoked")
		}
		break
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A revocation while nobody listened is told to who listens anew.
func TestFollowTellsRecentRevocations(t *testing.T) {
	a, b := openTwo(t)
	s := enrol(t, a, noon)
	if err := a.Revoke(t.Context(), s.agent, time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	told := false
	if err := b.Follow(ctx, func(revoked string) {
		if revoked == s.agent {
			told = true
			stop()
		}
	}); err != nil || !told {
		t.Errorf("told: %v, %v", told, err)
	}
}

// Who follows looks now and then though no notification told anything.
func TestFollowWithoutNews(t *testing.T) {
	r, _ := openTwo(t)
	r.followPoll = time.Millisecond
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	told := 0
	if err := r.Follow(ctx, func(string) {
		if told++; told == 3 {
			stop()
		}
	}); err != nil || told < 3 {
		t.Errorf("told %d times, %v", told, err)
	}
}

// A commit that PostgreSQL has made without its standby is not acknowledged.
func TestACommitWithoutItsStandby(t *testing.T) {
	onlyPostgres(t)
	server, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	r := openStore(t, server.URL("postgres"))
	if err := r.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"} {
		if _, err := r.read.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the setting", func() bool {
		var names string
		return r.read.QueryRowContext(t.Context(), "SHOW synchronous_standby_names").Scan(&names) == nil && names == "nobody"
	})
	answered := make(chan error, 1)
	go func() { answered <- r.update(context.Background(), insert("one")) }()
	eventually(t, "the wait for the standby", func() bool {
		var broken bool
		err := r.read.QueryRowContext(t.Context(), "SELECT coalesce(bool_or(pg_cancel_backend(pid)), false) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&broken)
		return err == nil && broken
	})
	if err := <-answered; err == nil {
		t.Error("acknowledged, and the standby does not have it")
	}
	if _, err := r.read.ExecContext(t.Context(), "ALTER SYSTEM RESET synchronous_standby_names"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.read.ExecContext(t.Context(), "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	if err := r.update(t.Context(), insert("two")); err != nil {
		t.Error(err)
	}
}

// A server that takes no writes is not the register's.
func TestOpenRefusesAStandby(t *testing.T) {
	onlyPostgres(t)
	store := storeAt(t, t.TempDir())
	r, _, err := Open(t.Context(), optionsOf(t, store+"&default_transaction_read_only=on"))
	if err == nil {
		t.Fatal("opened", r.Close())
	}
	if !strings.Contains(err.Error(), "name the primary") {
		t.Error(err)
	}
}

// A register was served when its trail was begun: not when it was made, and not
// where there is none.
func TestServed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	store := storeAt(t, path)
	is := func(want bool) {
		t.Helper()
		if got, err := Served(t.Context(), store); err != nil || got != want {
			t.Errorf("served: %v, %v", got, err)
		}
	}
	is(false)
	r := openAt(t, path)
	is(false)
	if err := (trailStore{r}).Append(t.Context(), func(context.Context, trail.State) (trail.Batch, error) {
		return trail.Batch{Checkpoint: []byte("empty tree")}, nil
	}); err != nil {
		t.Fatal(err)
	}
	is(true)
	if _, err := Served(t.Context(), "sqlite:"+t.TempDir()); err == nil {
		t.Error("a directory is no register")
	}
}

// A collector that waits for another's writes says so in the end, and goes on afterwards.
func TestTurnIsBounded(t *testing.T) {
	a, b := openTwo(t)
	b.turnWait = 50 * time.Millisecond
	began, end := make(chan struct{}), make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		if err := a.update(context.Background(), func(context.Context, *tx) error { close(began); <-end; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-began
	err := b.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"})
	if !Unavailable(err) || !strings.Contains(err.Error(), remedyTurn) {
		t.Errorf("while another writes: %v", err)
	}
	close(end)
	other.Wait()
	if err := b.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// Readers that take all their connections leave the writer its own.
func TestReadersDoNotStopTheWriter(t *testing.T) {
	onlyPostgres(t)
	r := openNew(t)
	for range r.read.pool.Config().MaxConns {
		tx, err := r.read.begin(t.Context(), r.read.engine.snapshot())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
	}
	if err := r.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Error(err)
	}
}

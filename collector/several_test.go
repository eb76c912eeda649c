package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

// withKeysOf makes a directory for a further collector on the same register, as
// the operator does: with root.secret and keys/ of the first.
func withKeysOf(t *testing.T, first string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "keys"), os.DirFS(filepath.Join(first, "keys"))); err != nil {
		t.Fatal(err)
	}
	// CopyFS gives all the right to read.
	if err := filepath.WalkDir(filepath.Join(dir, "keys"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	}); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(first, "root.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root.secret"), secret, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTwoCollectors: an agent that one collector holds hears at once what an officer
// asks of the other, whose search has found the agent's camera; revoked there, it is
// told here.
func TestTwoCollectors(t *testing.T) {
	store, dir := pgtest.Database(t, t.Name()), t.TempDir()
	here, consult := freePort(t, "127.83.41.9"), freePort(t, "127.0.0.1")
	a := serveIn(t, store, dir, here, freePort(t, "127.0.0.1"))
	b := serveIn(t, store, withKeysOf(t, dir), freePort(t, "127.83.41.10"), consult)
	agent, camera := play(t, a, here), uuid.NewString()
	defer func() {
		agent.leave()
		a.stop()
		b.stop()
	}()
	older := filepath.Join(t.TempDir(), "older.checkpoint")
	if checkpoint, err := a.o.trail.Checkpoint(t.Context()); err != nil || os.WriteFile(older, checkpoint, 0o600) != nil {
		t.Fatal(err)
	}
	agent.say(declared(camera))
	stream := agent.listen()

	credential := filepath.Join(t.TempDir(), "rossi.json")
	b.officer(credential)
	found := b.command("search", "-credential", credential, "-at", "9.19,45.464", "-time", time.Now().UTC().Format(time.RFC3339),
		"-case", "annotation:12/2026", "-offence", "robbery", "-reason", "rapina in piazza", "-json")
	if !strings.Contains(found, camera) {
		t.Errorf("the other collector's search found\n%s", found)
	}
	var asked struct {
		Notices []struct {
			Notice string `json:"notice_id"`
		}
	}
	out := b.command("preserve", "-credential", credential, "-camera", camera, "-from", "2026-11-21T22:00:00Z", "-until", "2026-11-21T22:30:00Z",
		"-kind", "order", "-phone", "+39 02 5555 0113", "-case", "annotation:12/2026", "-offence", "robbery", "-reason", "rapina in piazza", "-json")
	since := time.Now()
	if err := json.Unmarshal([]byte(out), &asked); err != nil || len(asked.Notices) != 1 {
		t.Fatalf("%s: %v", out, err)
	}
	if id, _ := agent.hears(stream); id != asked.Notices[0].Notice {
		t.Errorf("heard %s, asked %s", id, asked.Notices[0].Notice)
	}
	t.Logf("heard %v after the answer to the officer", time.Since(since))

	// Addresses that are imported at one are found at the other.
	places := filepath.Join(t.TempDir(), "civici.csv")
	if err := os.WriteFile(places, []byte("street,number,lon,lat\nVia Roma,1,9.19,45.464\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.command("addresses", places, "-data", a.dir)
	for again, end := time.NewTicker(5*time.Millisecond), time.After(time.Minute); b.o.places.Index().Numbers() != 1; {
		select {
		case <-end:
			t.Fatal("the other collector did not hear of the addresses")
		case <-again.C:
		}
	}

	known, err := b.o.reg.AgentRows(t.Context(), registry.AgentFilter{}, registry.AgentsByEnrolment, registry.Window{Limit: 100})
	if err != nil || len(known) != 1 {
		t.Fatal(known, err)
	}
	b.command("revoke", known[0].ID, "-data", b.dir)
	since = time.Now()
	for stream.Receive() {
		if stream.Msg().GetRevocation() == nil {
			t.Errorf("heard %v", stream.Msg())
		}
	}
	if connect.CodeOf(stream.Err()) != connect.CodePermissionDenied {
		t.Errorf("the stream ended with %v", stream.Err())
	}
	t.Logf("dropped %v after", time.Since(since))

	// Both wrote on one trail.
	for _, s := range []*serving{a, b} {
		s.command("audit", "verify", "-key", a.o.trail.VerifierKey(), "-checkpoint", older, "-data", s.dir)
	}
}

// A further collector that was given no keys, or not all of them, makes none of
// its own.
func TestACollectorWithoutTheOthersKeys(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dir := t.TempDir()
			store := "sqlite:" + filepath.Join(t.TempDir(), "registry.db")
			if engine == "postgres" {
				store = pgtest.Database(t, t.Name())
			}
			c := defaults()
			c.Store = store
			open := func(dir string) error {
				o, err := openCollector(t.Context(), dir, c, discard())
				if err == nil {
					err = o.Close()
				}
				return err
			}
			if err := open(dir); err != nil {
				t.Fatal(err)
			}
			if err := open(withKeysOf(t, dir)); err != nil {
				t.Errorf("with all keys: %v", err)
			}
			for _, name := range []string{"root.secret", "keys/ca.key", "keys/checkpoint.key", "keys/consult.key", "keys/receipt.key"} {
				other := withKeysOf(t, dir)
				if err := os.Remove(filepath.Join(other, name)); err != nil {
					t.Fatal(err)
				}
				if err := open(other); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "copy them from the collector") {
					t.Errorf("without %s: %v", name, err)
				}
				if _, err := os.Stat(filepath.Join(other, name)); err == nil {
					t.Errorf("%s was made anew", name)
				}
			}
		})
	}
}

// openTwo opens the offices of two collectors on one register.
func openTwo(t *testing.T) (offices []*collector) {
	t.Helper()
	store, dir := pgtest.Database(t, t.Name()), t.TempDir()
	c := defaults()
	c.Store = store
	for range 2 {
		if len(offices) > 0 {
			dir = withKeysOf(t, dir)
		}
		o, err := openCollector(t.Context(), dir, c, discard())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		})
		offices = append(offices, o)
	}
	return offices
}

// Two collectors do what an hour brings at the same time: the trail says once what was
// done once.
func TestTwoCollectorsAgeOnce(t *testing.T) {
	offices := openTwo(t)
	now := time.Now().UTC()
	for range 20 {
		ageingSite(t, offices[0].reg, now.AddDate(-3, 0, 0))
	}
	for range 5 {
		_, say := ageingAgent(t, offices[0].reg, now.Add(-time.Hour))
		say(now.Add(-time.Hour), protocol.SiteSuspension{Until: now.Add(-time.Minute), Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: now.Add(-time.Hour)}})
	}
	var wg sync.WaitGroup
	for _, o := range offices {
		wg.Go(func() {
			if err := o.chores(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	said := map[act.Kind]int{}
	for h, err := range offices[0].trail.Headers(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		said[h.Kind] += h.Count
	}
	if said[act.AgeingReminded] != 20 || said[act.AgeingResumed] != 5 {
		t.Errorf("the trail says %v", said)
	}
}

// Two collectors write on one trail at once: every entry has its place, and either
// proves the whole of it.
func TestTwoCollectorsOneTrail(t *testing.T) {
	const each = 40
	offices := openTwo(t)
	older, err := offices[1].trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range each / 4 {
				if _, err := offices[i%2].trail.Append(t.Context(), trail.Entry{Actor: "a", Kind: "search"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, o := range offices {
		var out bytes.Buffer
		if err := o.trail.Export(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if report, err := trail.Verify(&out, o.trail.VerifierKey(), older); err != nil || report.Size != 2*each {
			t.Errorf("%d entries, %v", report.Size, err)
		}
	}
}

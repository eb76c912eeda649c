package installer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

// archived is a backup of the world's collector, as the operator makes it, and
// what the simulation knew by then.
type archived struct {
	backup, keys bytes.Buffer
	known        backup
}

func (w *world) archive() (*archived, error) {
	a := &archived{known: backup{taken: time.Now(), ledger: w.ledger.copy(), asked: len(w.notices)}}
	to := []age.Recipient{w.key.Recipient()}
	_, err1 := w.collector.reg.Backup(w.ctx, &a.backup, to, "1.0")
	files, err2 := registrytest.KeyFiles(w.collectorDir())
	_, err3 := w.collector.reg.BackupKeys(w.ctx, &a.keys, to, "1.0", files)
	return a, errors.Join(err1, err2, err3)
}

// restoreArchive has the register made anew from a backup, and starts the
// collector on it.
func (w *world) restoreArchive(a *archived) (done registry.Restored, err error) {
	if err := w.killCollector(); err != nil {
		return done, err
	}
	files, err := filepath.Glob(filepath.Join(w.collectorDir(), registerName+"*"))
	if err != nil {
		return done, err
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			return done, err
		}
	}
	o := registrytest.Options(w.collectorDir(), w.log)
	b, err := os.ReadFile(o.Ledger)
	if err != nil {
		return done, err
	}
	text, _, err := registry.ReadLedger(bytes.NewReader(b), o.Keys.Ledger)
	if err != nil {
		return done, err
	}
	again := func(b []byte) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	}
	done, err = registry.Restore(w.ctx, registry.Restoration{Store: o.Store, Keys: o.Keys,
		Backup: again(a.backup.Bytes()), KeysBackup: again(a.keys.Bytes()), Identities: []age.Identity{w.key}, Ledger: text.Erasures, Log: w.log})
	if err != nil {
		return done, err
	}
	w.ledger.goBack(a.known.ledger)
	w.notices = w.notices[:a.known.asked]
	return done, w.startCollector()
}

// TestRestoreIsCaughtUp: after the register is restored from a backup, agents send
// again by themselves what it does not know, from the real outbox through the real
// services; and what an owner took out since stays out.
func TestRestoreIsCaughtUp(t *testing.T) {
	dir := scratch(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(begins, 1, dir, quiet, fault{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.close(); err != nil {
				t.Error(err)
			}
		}()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do := func(name string, n uint32) { t.Helper(); must(w.do(step{name, n, time.Minute})) }
		declared := func(site string) (cameras int) {
			t.Helper()
			own, err := w.collector.reg.Own(w.ctx, site)
			if errors.Is(err, registry.ErrUnknownSite) {
				return -1
			}
			must(err)
			return len(own.Declared)
		}
		for n := range uint32(2) {
			do("enrol", n)
		}
		do("look", 0)
		for n := range uint32(2) {
			do("confirm", n)
		}
		must(w.settle())
		a, err := w.archive()
		must(err)
		before := []int{declared(w.sites[0]), declared(w.sites[1])}

		for n := uint32(2); n < 12; n++ {
			do("confirm", n)
		}
		must(w.settle())
		after := []int{declared(w.sites[0]), declared(w.sites[1])}
		if after[0] <= before[0] && after[1] <= before[1] {
			t.Fatalf("nothing was declared after the backup: %v, then %v", before, after)
		}
		done, err := w.restoreArchive(a)
		must(err)
		if got := []int{declared(w.sites[0]), declared(w.sites[1])}; done.Sites != 0 || got[0] != before[0] || got[1] != before[1] {
			t.Fatalf("restored: %v cameras, %d sites erased again; %v at the backup", got, done.Sites, before)
		}
		must(w.settle()) // compares the register with the owner's last decisions
		if got := []int{declared(w.sites[0]), declared(w.sites[1])}; got[0] != after[0] || got[1] != after[1] {
			t.Errorf("%v cameras after all came to rest, %v before the loss", got, after)
		}

		// What the owner takes out with the link, and with it only, comes from no agent.
		a, err = w.archive()
		must(err)
		if declared(w.sites[0]) < 0 {
			t.Fatal("nothing to withdraw")
		}
		must(w.collector.reg.Act(w.ctx, w.sites[0], protocol.SiteWithdrawn, time.Now()))
		if done, err = w.restoreArchive(a); err != nil || done.Sites != 1 {
			t.Fatalf("%d sites were erased again, %v", done.Sites, err)
		}
		if declared(w.sites[0]) >= 0 || declared(w.sites[1]) != after[1] {
			t.Errorf("%d and %d cameras", declared(w.sites[0]), declared(w.sites[1]))
		}
	})
}

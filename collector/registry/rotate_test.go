package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/protocol"
)

// keysInUse are the master keys that the data keys are sealed with.
func keysInUse(t testing.TB, r *Registry) map[uint32]bool {
	t.Helper()
	used := make(map[uint32]bool)
	err := r.view(t.Context(), func(tx *tx) error {
		return each(t.Context(), tx, func(scan func(...any) error) error {
			var b []byte
			err := scan(&b)
			if !destroyed(b) {
				used[wrappedWith(b)] = true
			}
			return err
		}, "SELECT sealed FROM data_keys")
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// While the master key is changed, everything is read and written as before; then
// the old key, and what was sealed with it, opens nothing.
func TestRotateWhileServing(t *testing.T) {
	r := openNew(t)
	senders := town(t, r, "Town", 4)
	for i := range rewrappedAtOnce { // more than one transaction of it
		enrol(t, r, noon.Add(time.Duration(i)*time.Second))
	}
	want := told(t, r, senders)
	before := stolen(t, r, senders[0].site)
	old := r.vault.master.seals()

	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for i := range 4 {
		s := enrol(t, r, noon)
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				d := declaration(camera(1, fmt.Sprint(n)), camera(2, "2"))
				if n%2 == 0 {
					d.Cameras = d.Cameras[:1] // a new data key each time
				}
				if _, err := s.deliver(s.next(noon, d), noon); err != nil {
					t.Error(err)
				}
				if h, err := r.History(context.Background(), s.site, time.Time{}); err != nil || len(h.Sites) == 0 {
					t.Errorf("agent %d: %v", i, err)
				}
			}
		})
	}
	for range 3 {
		if err := r.RotateMaster(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	busy.Wait()

	if used := keysInUse(t, r); len(used) != 1 || !used[r.vault.master.seals()] || used[old] || r.vault.master.changing() {
		t.Errorf("in use are %v, the file has %d keys", used, r.vault.master.handle.Len())
	}
	sites, err := r.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want[0] = sites // of which there are more now
	if got := told(t, r, senders); !reflect.DeepEqual(got, want) {
		t.Error("the register says something else")
	}
	r.vault.forget(before.wrapped)
	if before.opens(t, before.wrapped) {
		t.Error("the key as it was stolen before opens still")
	}
	r.rotating.Lock()
	if err := r.RotateMaster(t.Context()); !errors.Is(err, ErrRotating) {
		t.Errorf("two changes at once: %v", err)
	}
	r.rotating.Unlock()
}

// Wherever the change of the master key is cut off, the next start reads
// everything and ends it.
func TestRotationCutOff(t *testing.T) {
	r := openNew(t)
	senders := town(t, r, "Town", 4)
	want, all := told(t, r, senders), r.copies(t, backupKey(t))
	errCut := errors.New("cut off")
	rewrapOne := func(r *Registry, number int64) error {
		_, _, err := r.rewrapSome(t.Context(), number)
		return err
	}
	for name, until := range map[string]func(r *Registry) error{
		"before anything":           func(*Registry) error { return nil },
		"while the file is written": func(r *Registry) error { return os.WriteFile(r.vault.master.path+".new-1", []byte("{"), 0o600) },
		"with two keys in the file": func(r *Registry) error { return r.vault.master.next() },
		"with some data keys done":  func(r *Registry) error { return errors.Join(r.vault.master.next(), rewrapOne(r, 20)) },
		"with all but the old key done": func(r *Registry) error {
			return errors.Join(r.vault.master.next(), rewrapOne(r, 0), rewrapOne(r, rewrappedAtOnce))
		},
		"in a transaction": func(r *Registry) error {
			err := r.update(t.Context(), func(ctx context.Context, tx *tx) error {
				wrapped, err := wrappedOf(ctx, tx, senders[0].site)
				if err == nil {
					err = r.vault.rewrap(ctx, tx, senders[0].site, wrapped)
				}
				return errors.Join(err, errCut)
			})
			if errors.Is(err, errCut) {
				err = nil
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
			restoreInto(t, all.into(t, store))
			first, _, err := Open(t.Context(), optionsOf(t, store))
			if err != nil {
				t.Fatal(err)
			}
			if err := until(first); err != nil {
				t.Fatal(err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := openStore(t, store)
			if got := told(t, second, senders); !reflect.DeepEqual(got, want) {
				t.Error("the register says something else")
			}
			if used := keysInUse(t, second); len(used) != 1 || !used[second.vault.master.seals()] || second.vault.master.changing() {
				t.Errorf("in use are %v, and the file has %d keys", used, second.vault.master.handle.Len())
			}
		})
	}
}

// Wherever the master key is changed between the reading of its file and the backup of
// the data keys, the file opens all of them, or there is no backup.
func TestBackupKeysWhileRotating(t *testing.T) {
	r := openNew(t)
	key := backupKey(t)
	back := func(files ...KeyFile) (keys bytes.Buffer, err error) {
		_, err = r.BackupKeys(t.Context(), &keys, []age.Recipient{key.Recipient()}, "1.0", files)
		return keys, err
	}
	file := func() KeyFile { return KeyFile{"keys/master.key", readFile(t, r.vault.master.path)} }
	good := func(when string, f KeyFile) {
		t.Helper()
		if _, err := back(f); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		m := &master{}
		if err := m.take(f.Content); err != nil {
			t.Fatal(err)
		}
		for used := range keysInUse(t, r) {
			if !m.holds(used) {
				t.Errorf("%s: a backup that does not open all", when)
			}
		}
	}
	enrol(t, r, noon)
	before := file()
	good("before", before)
	if err := r.vault.master.next(); err != nil {
		t.Fatal(err)
	}
	during := file()
	good("no data key sealed with the new one", before)
	if _, _, err := r.rewrapSome(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	enrol(t, r, noon)
	good("during", during)
	if err := r.RotateMaster(t.Context()); err != nil {
		t.Fatal(err)
	}
	good("read during, backed up after", during)
	good("after", file())
	if keys, err := back(before); !errors.Is(err, errKeyChanged) || keys.Len() > 0 {
		t.Errorf("read before, backed up after: %d bytes, %v", keys.Len(), err)
	}
	if keys, err := back(KeyFile{"root.secret", []byte("secret")}); !errors.Is(err, errKeyChanged) || keys.Len() > 0 {
		t.Errorf("without the master key: %d bytes, %v", keys.Len(), err)
	}
}

// The key of another register, or none, does not start it.
func TestMasterKeyIsTheRegisters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	store := storeAt(t, path)
	r := openStore(t, store)
	enrol(t, r, noon)
	refused := func(what, hint string, keys Keys) {
		t.Helper()
		o := optionsOf(t, store)
		o.Keys = keys
		again, _, err := Open(t.Context(), o)
		if err == nil {
			again.Close()
		}
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := keysOf(store)
	other.Master = newMaster(t).path
	refused("another key", "restore the file from the backup", other)
	other.Master = filepath.Join(t.TempDir(), "none")
	refused("no key", "is missing", other)
	if _, err := os.Stat(other.Master); !os.IsNotExist(err) {
		t.Errorf("a key was made for a register that is sealed with another: %v", err)
	}
}

// Two collectors on one PostgreSQL, each with the key in its own file: the one
// that has not heard of a change makes no data key with the old one.
func TestRotationBesideAnother(t *testing.T) {
	onlyPostgres(t)
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	a := openStore(t, store)
	s := enrol(t, a, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	o := optionsOf(t, store)
	o.Keys.Master = filepath.Join(t.TempDir(), "master.key")
	if err := writeSecretCopy(o.Keys.Master, keysOf(store).Master); err != nil {
		t.Fatal(err)
	}
	b := openWith(t, o)
	if err := a.RotateMaster(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: s.code("b"), ExpiresAt: noon.Add(time.Hour), At: noon}); !errors.Is(err, errOtherMaster) {
		t.Errorf("a data key was made with the old master key: %v", err)
	}
	if err := writeSecretCopy(o.Keys.Master, keysOf(store).Master); err != nil {
		t.Fatal(err)
	}
	enrol(t, b, noon)
	if h, err := b.History(t.Context(), s.site, time.Time{}); err != nil || !equal(names(h), []string{"Ingresso"}) {
		t.Errorf("after the file was copied: %v", err)
	}
}

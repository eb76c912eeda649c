package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

// backupKey opens the backups of these tests.
func backupKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	k, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// copies are what a restore is made from.
type copies struct {
	backup, keys []byte
	key          *age.X25519Identity
	master       []byte // the file of the master key; nil: none
}

func (r *Registry) copies(t testing.TB, key *age.X25519Identity) copies {
	t.Helper()
	var backup, keys bytes.Buffer
	if _, err := r.Backup(t.Context(), &backup, []age.Recipient{key.Recipient()}, "1.0"); err != nil {
		t.Fatal(err)
	}
	master, err := os.ReadFile(r.vault.master.path)
	if err != nil {
		t.Fatal(err)
	}
	files := []KeyFile{{"root.secret", []byte("secret")}, {"keys/master.key", master}}
	if _, err := r.BackupKeys(t.Context(), &keys, []age.Recipient{key.Recipient()}, "1.0", files); err != nil {
		t.Fatal(err)
	}
	return copies{backup.Bytes(), keys.Bytes(), key, master}
}

// into says how the copies are restored into a store.
func (c copies) into(t testing.TB, store string) Restoration {
	again := func(b []byte) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	}
	keys := keysOf(store)
	if c.master != nil {
		if err := wholefile.Write(keys.Master, c.master, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Restoration{Store: store, Keys: keys, Backup: again(c.backup), KeysBackup: again(c.keys), Identities: []age.Identity{c.key},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func restoreInto(t testing.TB, o Restoration) Restored {
	t.Helper()
	done, err := Restore(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// contents are the rows of each table, as text, whatever the engine.
func contents(t testing.TB, r *Registry) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	err := r.view(context.Background(), func(tx *tx) error {
		list, err := tables(context.Background(), tx)
		if err != nil {
			return err
		}
		for _, tb := range list {
			values, into := make([]any, len(tb.Columns)), make([]any, len(tb.Columns))
			for i := range into {
				into[i] = &values[i]
			}
			rows := []string{fmt.Sprint("counter ", tb.Counter)}
			if err := each(context.Background(), tx, func(scan func(...any) error) error {
				if err := scan(into...); err != nil {
					return err
				}
				line := ""
				for i, v := range values {
					if b, ok := v.(bool); ok {
						v = map[bool]int64{true: 1}[b]
					}
					line += fmt.Sprintf("%s %T %v; ", tb.Columns[i].Name, v, v)
				}
				rows = append(rows, line)
				return nil
			}, "SELECT "+tb.names()+" FROM "+tb.Name); err != nil {
				return err
			}
			slices.Sort(rows)
			all[tb.Name] = rows
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A backup of either engine restores into either, row for row, and the register
// goes on from there.
func TestBackupRestores(t *testing.T) {
	r := filled(t)
	c := r.copies(t, backupKey(t))
	want := contents(t, r)
	for _, name := range leftOut {
		if name != dataKeysTable { // which comes with the keys
			delete(want, name)
		}
	}
	for name, rows := range want {
		if len(rows) < 2 {
			t.Errorf("nothing in %s: what is not there is not compared", name)
		}
	}
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			store := "sqlite:" + filepath.Join(t.TempDir(), "restored.db")
			if e == postgres {
				store = pgtest.Database(t, t.Name()+string(tested))
			}
			if done := restoreInto(t, c.into(t, store)); done.Rows == 0 || done.Sites != 0 {
				t.Errorf("%+v", done)
			}
			back := openStore(t, store)
			got := contents(t, back)
			for name, rows := range want {
				if !slices.Equal(got[name], rows) {
					t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got[name], "\n"), strings.Join(rows, "\n"))
				}
			}
			if keys, err := back.Passkeys(t.Context(), id(70), "consult.example"); err != nil || len(keys) != 1 || keys[0].Name != "Telefono" {
				t.Errorf("passkeys that do not open: %+v %v", keys, err)
			}
			s := enrol(t, back, noon.Add(24*time.Hour))
			s.say(noon.Add(24*time.Hour), declaration(camera(9, "Nuova")))
			s.queue(noon.Add(25*time.Hour), protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
			if _, err := Restore(t.Context(), c.into(t, store)); !errors.Is(err, errNotEmpty) {
				t.Errorf("over a register that is there: %v", err)
			}
		})
	}
}

// Who is signed in is in no backup, nor a link that may have been used.
func TestBackupLeavesSessionsOut(t *testing.T) {
	r := filled(t)
	if _, err := r.write.ExecContext(t.Context(), "INSERT INTO links (hash, user_id, expires_at) VALUES (?, ?, 1)", []byte("h"), id(70)); err != nil {
		t.Fatal(err)
	}
	store := storeAt(t, filepath.Join(t.TempDir(), "restored.db"))
	restoreInto(t, r.copies(t, backupKey(t)).into(t, store))
	if got := contents(t, openStore(t, store))["links"]; len(got) != 1 {
		t.Errorf("a link came back: %q", got)
	}
}

// While a backup is read, the register is written, and the backup is of one state.
func TestBackupWhileWriting(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Before")))
	key := backupKey(t)
	out := &interrupting{do: func() { s.say(noon.Add(time.Hour), declaration(camera(1, "After"), camera(2, "New"))) }}
	if _, err := r.Backup(t.Context(), out, []age.Recipient{key.Recipient()}, "1.0"); err != nil {
		t.Fatal(err)
	}
	c := r.copies(t, key)
	c.backup = out.Bytes()
	store := storeAt(t, filepath.Join(t.TempDir(), "restored.db"))
	restoreInto(t, c.into(t, store))
	s.r = openStore(t, store)
	if h := s.history(); len(h.Cameras) != 1 || len(h.Cameras[id(1)]) != 1 {
		t.Errorf("%+v", h.Cameras)
	}
}

// interrupting does something once, at the first write.
type interrupting struct {
	bytes.Buffer
	do func()
}

func (i *interrupting) Write(b []byte) (int, error) {
	if i.do != nil {
		i.do()
		i.do = nil
	}
	return i.Buffer.Write(b)
}

// Whatever byte is changed, and wherever the file ends too early: it is refused.
func TestBackupDamaged(t *testing.T) {
	r := openNew(t)
	enrol(t, r, noon).say(noon, declaration(camera(1, "Ingresso")))
	c := r.copies(t, backupKey(t))
	check := func(b []byte) error {
		_, err := CheckBackup(bytes.NewReader(b), []age.Identity{c.key})
		return err
	}
	if err := check(c.backup); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, b []byte) {
		t.Helper()
		if err := check(b); !errors.Is(err, ErrDamaged) && !errors.Is(err, errWrongKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range c.backup {
		b := bytes.Clone(c.backup)
		b[i] ^= 1 << (i % 8)
		refused(fmt.Sprintf("byte %d of %d changed", i, len(b)), b)
		refused(fmt.Sprintf("%d of %d bytes", i, len(b)), c.backup[:i])
	}
	refused("longer", append(bytes.Clone(c.backup), 0))
	o := c.into(t, storeAt(t, filepath.Join(t.TempDir(), "restored.db")))
	o.Backup = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.backup[:len(c.backup)-1])), nil }
	if _, err := Restore(t.Context(), o); !errors.Is(err, ErrDamaged) {
		t.Errorf("restored from a file that is cut short: %v", err)
	}
	if r, _, err := Open(t.Context(), optionsOf(t, o.Store)); !errors.Is(err, errRestoring) {
		if err == nil {
			r.Close()
		}
		t.Errorf("half a restore is opened: %v", err)
	}
	if _, err := Restore(t.Context(), c.into(t, o.Store)); !errors.Is(err, errNotEmpty) && !errors.Is(err, errRestoring) {
		t.Errorf("restored over half a restore: %v", err)
	}
}

func TestBackupRefused(t *testing.T) {
	r := openNew(t)
	c := r.copies(t, backupKey(t))
	newer := func(h archiveHeader) []byte {
		var b bytes.Buffer
		w, err := newArchive(&b, []age.Recipient{c.key.Recipient()}, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	newest, err := newestSchema()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		file []byte
		key  *age.X25519Identity
		want string
	}{
		"another key":    {c.backup, backupKey(t), "cannot be opened with this key"},
		"a newer schema": {newer(archiveHeader{ArchiveInfo: ArchiveInfo{Kind: kindRegister, Schema: newest + 1, Version: "9.9"}}), c.key, "install that version (9.9)"},
		"a newer kind":   {newer(archiveHeader{ArchiveInfo: ArchiveInfo{Kind: "cloud"}}), c.key, "newer version"},
		"the keys":       {c.keys, c.key, "this is a backup of keys"},
		"something else": {[]byte("PK\x03\x04"), c.key, "damaged"},
		"nothing":        {nil, c.key, "damaged"},
	} {
		if _, err := CheckBackup(bytes.NewReader(x.file), []age.Identity{x.key}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := CheckKeys(bytes.NewReader(c.backup), []age.Identity{c.key}); err == nil || !strings.Contains(err.Error(), "backup of the register") {
		t.Error(err)
	}
	if _, files, err := CheckKeys(bytes.NewReader(c.keys), []age.Identity{c.key}); err != nil || len(files) != 2 || string(files[0].Content) != "secret" {
		t.Error(files, err)
	}
	sealed, err := age.Decrypt(bytes.NewReader(c.backup), c.key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(sealed)
	if err != nil {
		t.Fatal(err)
	}
	records, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	for extra, damaged := range map[string]bool{"": false, "x": true} {
		a, err := openRecords(io.MultiReader(bytes.NewReader(records), strings.NewReader(extra)))
		if err == nil {
			err = a.rest(nil)
		}
		if errors.Is(err, ErrDamaged) != damaged || !damaged && err != nil {
			t.Errorf("followed by %q: %v", extra, err)
		}
	}
	if _, err := openRecords(strings.NewReader("h\x0c{\"format\":2}")); !errors.Is(err, errNewerArchive) {
		t.Error(err)
	}
}

func TestTablesInOrder(t *testing.T) {
	if _, err := inOrder([]table{{Name: "a", refers: []string{"b"}}, {Name: "b", refers: []string{"a"}}}); err == nil {
		t.Error("a circle has an order")
	}
	got, err := inOrder([]table{{Name: "a", refers: []string{"b", "a"}}, {Name: "b", refers: []string{"c"}}, {Name: "c"}})
	if err != nil || got[0].Name != "c" || got[2].Name != "a" {
		t.Error(got, err)
	}
}

// Both engines have the same tables, with the same columns of the same types, or
// no backup of one would restore into the other.
func TestTablesAlike(t *testing.T) {
	of := func(store string) map[string][]column {
		r := openStore(t, store)
		all := make(map[string][]column)
		if err := r.view(t.Context(), func(tx *tx) error {
			list, err := tables(t.Context(), tx)
			for _, tb := range list {
				for i, c := range tb.Columns {
					if c.Type == "bool" {
						tb.Columns[i].Type = "int" // as SQLite keeps it
					}
				}
				slices.SortFunc(tb.Columns, func(a, b column) int { return strings.Compare(a.Name, b.Name) })
				all[tb.Name] = tb.Columns
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	one, two := of("sqlite:"+filepath.Join(t.TempDir(), "registry.db")), of(pgtest.Database(t, t.Name()+string(tested)))
	if len(one) == 0 || len(one) != len(two) {
		t.Errorf("%d and %d tables", len(one), len(two))
	}
	for name := range one {
		if !slices.Equal(one[name], two[name]) {
			t.Errorf("%s:\n%v\n%v", name, one[name], two[name])
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte("h\x1c{\"format\":1,\"tables\":[{\"name\":\"a\",\"columns\":[{}]}]}t\x00r\x02i\x02"))
	f.Add([]byte("h\x0c{\"format\":2}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := openRecords(bytes.NewReader(b))
		if err == nil {
			err = r.rest(nil)
		}
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, errNewerArchive) {
			t.Error(err)
		}
	})
}

package registry

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"filippo.io/age"

	"anagrafe/protocol"
)

// testdata/registry holds, of each released schema, a backup of a register with
// something in every table (backup.NUMBER.age, and keys.NUMBER.age with the master key,
// opened by releasedKey), and the sums of the migrations. They are the ground of every
// later upgrade, and never edited.
const (
	releasedKey  = "AGE-SECRET-KEY-1H48UZNTT4DUL24PEXEFNL43V2H88FMAH68KLWQXWDZK32VZMGVNSZHT2P3"
	releasedSums = fixtures + "/migrations.sha256"
)

var release = flag.Bool("release", false, "write the backup of today's schema, and the sums of its migrations, into testdata/registry: once for each schema, with its release")

// releases gives the backups of the released schemas, by their numbers.
func releases(t *testing.T) map[string]copies {
	t.Helper()
	key, err := age.ParseX25519Identity(releasedKey)
	if err != nil {
		t.Fatal(err)
	}
	if *release && tested == sqlite {
		writeRelease(t, key)
	}
	files, err := filepath.Glob(fixtures + "/backup.*.age")
	if err != nil || len(files) == 0 {
		t.Fatal("no backups of released schemas", err)
	}
	all := make(map[string]copies)
	for _, file := range files {
		c := copies{key: key, backup: readFile(t, file), keys: readFile(t, strings.Replace(file, "/backup.", "/keys.", 1))}
		_, kept, err := CheckKeys(bytes.NewReader(c.keys), []age.Identity{key})
		if err != nil || len(kept) != 1 {
			t.Fatal(kept, err)
		}
		c.master = kept[0].Content
		all[strings.Split(filepath.Base(file), ".")[1]] = c
	}
	return all
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeRelease(t *testing.T, key *age.X25519Identity) {
	t.Helper()
	newest, err := newestSchema()
	if err != nil {
		t.Fatal(err)
	}
	r := filled(t)
	var keys bytes.Buffer
	if _, err := r.BackupKeys(t.Context(), &keys, []age.Recipient{key.Recipient()}, "1.0", []KeyFile{{"master.key", readFile(t, r.vault.master.path)}}); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"/backup": r.copies(t, key).backup, "/keys": keys.Bytes()} {
		if err := os.WriteFile(fmt.Sprintf("%s%s.%05d.age", fixtures, name, newest), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(releasedSums, []byte(sums(t)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sums are those of all migrations, as sha256sum writes them.
func sums(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	files, err := fs.Glob(embedded, "schema/*/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := fs.ReadFile(embedded, file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%x  %s\n", sha256.Sum256(b), file)
	}
	return all.String()
}

// A register that has had a migration never has it again: what a release brought is
// changed by another, and not in its place.
func TestReleasedMigrationsStay(t *testing.T) {
	now := sums(t)
	for _, line := range strings.SplitAfter(string(readFile(t, releasedSums)), "\n") {
		if !strings.Contains(now, line) {
			t.Errorf("changed since it was written down: %s"+
				"add a migration with the next number; before the release that brings it, write it down anew: go test ./collector/registry -run TestUpgrade -release", line)
		}
	}
}

// laterSchema has this process be a later program, whose schema goes one step further,
// until back is called, or the test ends.
func laterSchema(t *testing.T) (back func()) {
	t.Helper()
	today := schema
	newest, err := newestSchema()
	if err != nil {
		t.Fatal(err)
	}
	later := fstest.MapFS{}
	for _, e := range []engine{sqlite, postgres} {
		dir := "schema/" + string(e)
		files, err := fs.ReadDir(today, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := fs.ReadFile(today, dir+"/"+f.Name())
			if err != nil {
				t.Fatal(err)
			}
			later[dir+"/"+f.Name()] = &fstest.MapFile{Data: b}
		}
		later[fmt.Sprintf("%s/%05d_later.sql", dir, newest+1)] = &fstest.MapFile{Data: []byte(`-- +goose Up
ALTER TABLE versions ADD COLUMN later TEXT NOT NULL DEFAULT 'later';
CREATE TABLE later (site_id TEXT PRIMARY KEY REFERENCES sites (id)) ` + map[engine]string{sqlite: "STRICT, WITHOUT ROWID"}[e] + `;
INSERT INTO later SELECT id FROM sites;
`)}
	}
	schema, back = later, func() { schema = today }
	t.Cleanup(back)
	return back
}

// ofRelease makes a register as the program of a release has left it.
func ofRelease(t *testing.T, c copies) (store string) {
	t.Helper()
	o := c.into(t, storeAt(t, filepath.Join(t.TempDir(), "registry.db")))
	e, at, _, err := parseStore(o.Store)
	if err != nil {
		t.Fatal(err)
	}
	r, err := connect(t.Context(), e, at, o.Keys, o.Log)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.loadBackup(t.Context(), o)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return o.Store
}

// restored is a register that a release's backup was restored into.
func restored(t *testing.T, c copies) (store string) {
	t.Helper()
	store = storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	restoreInto(t, c.into(t, store))
	return store
}

// A register of each released schema keeps what it says under today's program, and under
// a later one with a further step: in its place, and restored from its backup. The program
// of before refuses it then.
func TestUpgradeReleased(t *testing.T) {
	for number, c := range releases(t) {
		for _, how := range []struct {
			name string
			make func(*testing.T, copies) string
		}{{"in its place", ofRelease}, {"restored", restored}} {
			t.Run(number+" "+how.name, func(t *testing.T) { upgraded(t, openStore(t, how.make(t, c))) })
			t.Run(number+" "+how.name+", by a later program", func(t *testing.T) { upgradedLater(t, how.make(t, c)) })
		}
	}
}

func upgradedLater(t *testing.T, store string) {
	t.Helper()
	back := laterSchema(t)
	r := openStore(t, store)
	upgraded(t, r)
	if has, needs, err := r.Schema(t.Context()); err != nil || has != needs {
		t.Errorf("%d of %d, %v", has, needs, err)
	}
	var sites, later int
	if err := r.read.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM sites), (SELECT count(*) FROM later)").Scan(&sites, &later); err != nil || later == 0 || later > sites {
		t.Errorf("the step was not taken over %d sites: %d, %v", sites, later, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	back()
	r, _, err := Open(t.Context(), optionsOf(t, store))
	if err == nil {
		err = r.Close()
	}
	if !errors.Is(err, errNewerSchema) || !strings.Contains(err.Error(), "restore a backup made before the upgrade") {
		t.Errorf("%v, want %v and what to do", err, errNewerSchema)
	}
}

// upgraded checks that what stood in the register of a release stands in today's, and
// that its agent goes on.
func upgraded(t *testing.T, r *Registry) {
	t.Helper()
	sites, err := r.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	for _, s := range sites {
		states[string(s.State)]++
	}
	if len(states) < 3 {
		t.Errorf("sites are %v", states)
	}
	s := &sender{t: t, r: r, revision: 40}
	if err := r.read.QueryRowContext(t.Context(), `SELECT g.site_id, g.agent_id, g.epoch FROM grants g JOIN notice_replies p ON p.agent_id = g.agent_id LIMIT 1`).
		Scan(&s.site, &s.agent, &s.epoch); err != nil {
		t.Fatal(err)
	}
	own := mustOwn(t, r, s.site)
	if own.Name != "Farmacia Centrale" || own.Address != "Via Torino 1" || len(own.Contacts) != 1 || own.Contacts[0].Name != "Perché Ω" ||
		len(own.Declared) != 1 || own.Declared[0].Name != "Ingresso" {
		t.Errorf("%+v", own)
	}
	h := s.history()
	if len(h.Acts) < 4 || len(h.Cameras[id(1)]) == 0 || len(h.Cameras[id(2)]) == 0 {
		t.Errorf("acts %+v, cameras %+v", h.Acts, h.Cameras)
	}
	if users, err := r.Users(t.Context()); err != nil || len(users) != 3 {
		t.Error(users, err)
	}
	if headers, err := (trailStore{r}).Headers(t.Context(), 0, 9); err != nil || len(headers) != 1 {
		t.Errorf("%q, %v", headers, err)
	}
	before, err := r.LastChange(t.Context())
	if err != nil || before == 0 {
		t.Error(before, err)
	}
	s.say(hour(48), declaration(camera(1, "Ingresso"), camera(4, "Nuova")))
	if own := mustOwn(t, r, s.site); len(own.Declared) != 2 {
		t.Errorf("%+v", own)
	}
	if after, err := r.LastChange(t.Context()); err != nil || after <= before {
		t.Errorf("change %d after %d, %v", after, before, err)
	}
	enrol(t, r, hour(48)).say(hour(49), declaration(camera(5, "Altra")))
	if err := r.Act(t.Context(), s.site, protocol.SiteWithdrawn, hour(50)); err != nil {
		t.Error(err)
	}
}

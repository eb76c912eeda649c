package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
)

// testdata/registry holds, of each released schema, a dump of either engine
// (dump.NUMBER.ENGINE.sql) and a backup (backup.NUMBER.age, keys.NUMBER.age, opened by
// releasedKey) with the same made-up rows. They are never edited.
const (
	released    = "../../testdata/registry/"
	releasedKey = "AGE-SECRET-KEY-1H48UZNTT4DUL24PEXEFNL43V2H88FMAH68KLWQXWDZK32VZMGVNSZHT2P3"
)

func TestUpgradeDumps(t *testing.T) {
	dumps, err := filepath.Glob(released + "dump.*." + string(tested) + ".sql")
	if err != nil || len(dumps) == 0 {
		t.Fatal("no dumps", err)
	}
	for _, file := range dumps {
		t.Run(filepath.Base(file), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "registry.db")
			loadDump(t, path, file)
			upgraded(t, openAt(t, path))
		})
	}
}

// A backup of an older schema is loaded as it is, and then brought up to date.
func TestUpgradeBackups(t *testing.T) {
	key, err := age.ParseX25519Identity(releasedKey)
	if err != nil {
		t.Fatal(err)
	}
	backups, err := filepath.Glob(released + "backup.*.age")
	if err != nil || len(backups) == 0 {
		t.Fatal("no backups", err)
	}
	for _, file := range backups {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c := copies{key: key}
			if c.backup, err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
			if c.keys, err = os.ReadFile(strings.Replace(file, "backup.", "keys.", 1)); err != nil {
				t.Fatal(err)
			}
			store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
			restoreInto(t, c.into(t, store))
			upgraded(t, openStore(t, store))
		})
	}
}

func loadDump(t *testing.T, path, file string) {
	t.Helper()
	dump, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if tested == sqlite {
		db, err := sql.Open("sqlite3", dsn(path, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(string(dump)); err != nil {
			t.Fatal(err)
		}
		return
	}
	c, err := pgx.Connect(t.Context(), pgtest.Database(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.PgConn().Exec(t.Context(), string(dump)).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// upgraded checks that what stood in the released schema stands in today's, and
// that its agent goes on.
func upgraded(t *testing.T, r *Registry) {
	t.Helper()
	r.Unseal(newConsultKey(t))
	own, err := r.Own(t.Context(), id(50))
	if err != nil {
		t.Fatal(err)
	}
	if own.Name != "Farmacia Centrale" || own.Address != "Via Torino 1" || len(own.Contacts) != 1 || own.Contacts[0].Phone != "+39 02 1234567" ||
		len(own.Declared) != 1 || own.Declared[0].Name != "Ingresso di Perché" || len(own.Acts) != 2 {
		t.Errorf("%+v", own)
	}
	s := &sender{t: t, r: r, agent: id(60), key: sha256.Sum256([]byte{0}), site: id(50), epoch: 1, revision: 40}
	if h := s.history(); len(h.Cameras[id(1)]) != 2 {
		t.Errorf("%d versions of the camera", len(h.Cameras[id(1)]))
	}
	sites, err := r.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, s := range sites {
		states[s.ID] = string(s.State) + " " + s.Name
	}
	if states[id(51)] != "withdrawn " || states[id(52)] != "invited Invitato" {
		t.Error(states)
	}
	if users, err := r.Users(t.Context()); err != nil || len(users) != 1 {
		t.Error(users, err)
	}
	if size, err := r.TrailSize(t.Context()); err != nil || size != 1 {
		t.Error(size, err)
	}
	before, err := r.LastChange(t.Context())
	if err != nil || before == 0 {
		t.Error(before, err)
	}
	s.say(hour(6), declaration(camera(1, "Ingresso di Perché"), camera(4, "Nuova")))
	if own, err = r.Own(t.Context(), id(50)); err != nil || len(own.Declared) != 2 {
		t.Errorf("%+v, %v", own, err)
	}
	if after, err := r.LastChange(t.Context()); err != nil || after <= before {
		t.Errorf("change %d after %d, %v", after, before, err)
	}
	other := &sender{t: t, r: r, agent: id(90), key: sha256.Sum256([]byte{9}), site: id(52)}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: id(52), CodeHash: other.code("x"), ExpiresAt: hour(100), At: hour(6)}); err != nil {
		t.Fatal(err)
	}
	other.redeem("x", hour(6))
	other.say(hour(7), declaration(camera(5, "Altra")))
	if err := r.Act(t.Context(), id(50), protocol.SiteWithdrawn, hour(8)); err != nil {
		t.Error(err)
	}
}

package inventory

import (
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"anagrafe/agent/interrogate"
)

// earlierSchema makes the file that an earlier version of the program had, with
// all of the inventory in dir that it could hold, and gives its directory.
func earlierSchema(t *testing.T, dir string, version int64) string {
	t.Helper()
	old := t.TempDir()
	db, err := sql.Open("sqlite3", dsn(filepath.Join(old, "inventory.db"), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`ATTACH ? AS now`, filepath.Join(dir, "inventory.db")); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(`SELECT m.name, group_concat(c.name, ', ') FROM main.sqlite_schema m JOIN pragma_table_info(m.name, 'main') c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' GROUP BY m.name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string]string{}
	for rows.Next() {
		var table, of string
		if err := rows.Scan(&table, &of); err != nil {
			t.Fatal(err)
		}
		columns[table] = of
	}
	if err := rows.Close(); err != nil || len(columns) < 6 || strings.Contains(columns["camera"], "asks") != (version >= 2) || strings.Contains(columns["device"], "family") != (version >= 3) || columns["notice"] != "" {
		t.Fatalf("these are not the tables of schema %d: %v, %v", version, columns, err)
	}
	copied := int64(0)
	for table, of := range columns {
		done, err := db.Exec(`INSERT INTO main.` + table + ` (` + of + `) SELECT ` + of + ` FROM now.` + table)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		n, _ := done.RowsAffected()
		copied += n
	}
	if copied < 8 {
		t.Fatalf("only %d rows were copied: the test wants a used inventory", copied)
	}
	key, err := os.ReadFile(filepath.Join(dir, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(old, "secrets.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return old
}

// An inventory of an earlier version, with cameras declared, refused and found, a
// password and messages, is the same one after the program was replaced; and a
// camera that was two entries becomes one when the recorder tells.
func TestUpgradeFromEarlierSchemas(t *testing.T) {
	for version := range int64(5) {
		if version > 0 {
			t.Run(fmt.Sprint("schema ", version), func(t *testing.T) { upgrade(t, version) })
		}
	}
}

func upgrade(t *testing.T, version int64) {
	dir := t.TempDir()
	v := open(t, dir)
	enrol(t, v, siteA)
	contact(t, v)
	nvr := recorder(nil, 0)
	record(t, v, noon, nvr, cameraDevice(0), cameraDevice(1))
	own, _ := on(t, v, "Ingresso via Torino")
	outdoors(t, v, own.ID, true)
	approve(t, v, own.ID)
	refused, _ := on(t, v, "Magazzino")
	allWords[6].say(t, v, refused.ID)
	secret := interrogate.Credential{User: "u", Password: "p"}
	if err := v.SetCredential(t.Context(), own.Device.ID, secret); err != nil {
		t.Fatal(err)
	}
	before, sent := cameras(t, v), outbox(t, v)
	for i := range before { // what those versions did not keep
		if version < 3 {
			before[i].Facts, before[i].Depth = nil, Depth{}
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}

	v = open(t, earlierSchema(t, dir, version))
	if after := cameras(t, v); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if after := outbox(t, v); !reflect.DeepEqual(sent, after) {
		t.Errorf("before %+v\nafter %+v", sent, after)
	}
	if got, ok, err := v.Credential(t.Context(), cameraDevice(0).Sighting); err != nil || !ok || got.User != secret.User || got.Password != secret.Password {
		t.Errorf("the password: %v %v", ok, err)
	}
	nvr.Channels[1].Camera = byMAC(cameraDevice(0))
	record(t, v, noon.Add(time.Hour), nvr, cameraDevice(0), cameraDevice(1))
	c, _ := on(t, v, "Canale 1")
	if c.ID != own.ID || c.State != StateDeclared || len(c.Paths) != 2 || len(cameras(t, v)) != len(before)-1 {
		t.Errorf("%+v", cameras(t, v))
	}
	if len(c.Facts) == 0 || len(c.Depth.Points) != 1 {
		t.Errorf("nothing new is kept: facts %v, depth %v", c.Facts, c.Depth)
	}
}

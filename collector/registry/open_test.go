package registry

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

var rewrite = flag.Bool("update", false, "write schema/current.*.sql and testdata/registry anew, after a change that is meant")

const fixtures = "../../testdata/registry"

// currentHead is what the schema's golden begins with.
const currentHead = `-- What the migrations make of a new register, table by table; written by TestSchema.
-- Contents, and what each table means: sqlite/00001_register.sql. THE CAMERAS are rows of
-- versions, of the kind 'camera'; who declared them stands in acts.

`

// The schema that the migrations end with is the declared one, schema/current.ENGINE.sql.
func TestSchema(t *testing.T) {
	dump := sqliteSchema
	if tested == postgres {
		dump = postgresSchema
	}
	golden(t, "schema/current."+string(tested)+".sql", currentHead+dump(t, openNew(t)))
}

func sqliteSchema(t *testing.T, r *Registry) string {
	var dump strings.Builder
	rows, err := r.read.QueryContext(t.Context(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY type <> 'table', type, name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(s, "CREATE TABLE") && !strings.Contains(s[strings.LastIndex(s, ")"):], "STRICT") {
			t.Errorf("not a STRICT table:\n%s", s)
		}
		dump.WriteString(s + ";\n\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return dump.String()
}

// postgresSchema is one line a column, index and constraint.
func postgresSchema(t *testing.T, r *Registry) string {
	var dump strings.Builder
	rows, err := r.read.QueryContext(t.Context(), `SELECT format('%s.%s %s%s%s', table_name, column_name, data_type,
			CASE WHEN is_nullable = 'NO' THEN ' not null' END, ' default ' || column_default) AS line
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'
		UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose_%'
		UNION SELECT format('%s: %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'goose_%'
		UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY line`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		dump.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return dump.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the change is meant, run: go test ./collector/registry -update\ngot:\n%s", path, got)
	}
}

// Bodies outlive the program that wrote them: those of the fixture are read
// with the types of today and written as they were.
func TestBodies(t *testing.T) {
	at := protocol.Fact{Source: protocol.Confirmed, At: noon}
	full := camera(1, "Ingresso")
	height := 350
	full.Channel, full.View.HeightCm, full.View.Turns, full.View.Infrared = "3", &height, true, true
	full.Schedule = protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: "Europe/Rome", ZoneAssumed: true, Fact: at,
		Suspensions: []protocol.Suspension{{From: noon, To: noon.Add(time.Hour)}, {From: noon.Add(2 * time.Hour)}}}
	full.Schedule.Days[time.Monday] = []protocol.Interval{{From: 0, To: 480, Mode: protocol.Motion}, {From: 480, To: 1440, Mode: protocol.Continuous}}
	full.Schedule.Days[protocol.Holiday] = []protocol.Interval{}
	full.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, EventAge: 240 * time.Hour, Settled: true,
		OldestFootage: noon.Add(-72 * time.Hour), ObservedAt: noon, Fact: at}
	bodies := map[string]any{
		"site":     protocol.Site{Name: "Bar", Category: "bar-restaurant", Address: "Via Torino 1"},
		"recorder": protocol.Recorder{ID: id(2), Vendor: "Acme", Model: "N8", Name: "NVR", Storage: protocol.StorageOnPremises, StorageNote: "retro"},
		"camera":   full,
		"contact":  protocol.Contact{Name: "Anna", Role: protocol.RoleOwner, Phone: "1", Email: "a@b", PEC: "p@q", Hours: "9-18"},
	}
	got, err := json.MarshalIndent(bodies, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(fixtures, "bodies.json"), string(got)+"\n")

	kept, err := os.ReadFile(filepath.Join(fixtures, "bodies.json"))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(kept, &raw); err != nil {
		t.Fatal(err)
	}
	if c, err := decode[protocol.Camera](string(raw["camera"])); err != nil || !reflect.DeepEqual(c, full) {
		t.Errorf("camera reads back as\n%+v, %v\nwas\n%+v", c, err, full)
	}
	seen := seenCamera{full.RecorderID, full.Position, full.View, full.Schedule, seenRetention{Kind: protocol.RetentionAge, AgeSeconds: 259200, EventAgeSeconds: 864000,
		OldestFootage: full.Retention.OldestFootage, ObservedAt: full.Retention.ObservedAt, Settled: true, Fact: at}}
	if c, err := decodeSeen(raw["camera"]); err != nil || !reflect.DeepEqual(c, seen) {
		t.Errorf("the search sees\n%+v, %v\nwas\n%+v", c, err, seen)
	}
	if c, err := decodeSeen([]byte(`{"position": 3}`)); err == nil {
		t.Errorf("of a damaged camera the search sees %+v", c)
	}
	if c, err := decode[protocol.Camera](`{"name": 3}`); err == nil {
		t.Errorf("a damaged camera reads as %+v", c)
	}
}

// The same camera said in other words is not a new version.
func TestNormal(t *testing.T) {
	a, b := camera(1, "Ingresso"), camera(1, "Ingresso")
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	b.NameFact.At = b.NameFact.At.In(rome).Add(time.Nanosecond)
	b.Schedule.Days[2] = []protocol.Interval{}
	one, err1 := encode(normal(a))
	two, err2 := encode(normal(b))
	if one != two || err1 != nil || err2 != nil {
		t.Errorf("%s\n%s\n%v %v", one, two, err1, err2)
	}
	b.Schedule.Days[protocol.Holiday] = []protocol.Interval{}
	if two, _ = encode(normal(b)); one == two {
		t.Error("a camera that rests on holidays reads as one without a holiday row")
	}
}

func TestOpenInOddPlaces(t *testing.T) {
	onlySQLite(t)
	dir := filepath.Join(t.TempDir(), "a?b #100%")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "registry.db")
	r := openAt(t, path)
	enrol(t, r, noon)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), mode)
		}
	}
	if _, _, err := Open(t.Context(), optionsOf(t, "sqlite:"+filepath.Join(dir, "no", "registry.db"))); err == nil {
		t.Error("opened in a directory that is not there")
	}
	if err := os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(t.Context(), optionsOf(t, "sqlite:"+filepath.Join(dir, "text.db"))); err == nil {
		t.Error("opened a text file")
	}
}

// Open refuses what is missing: a register that is open leaves nothing undone.
func TestOpenNeedsAll(t *testing.T) {
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	for hint, spoil := range map[string]func(*Options){
		"key of consultation":   func(o *Options) { o.Keys.Consult = nil },
		"have 0, 32 and 32":     func(o *Options) { o.Keys.Lookup = nil },
		"have 32, 31 and 32":    func(o *Options) { o.Keys.Owners = o.Keys.Owners[1:] },
		"have 32, 32 and 0":     func(o *Options) { o.Keys.Ledger = nil },
		"no ledger of erasures": func(o *Options) { o.Ledger = "" },
		"file of the master":    func(o *Options) { o.Keys.Master = "" },
		"no log":                func(o *Options) { o.Log = nil },
	} {
		o := optionsOf(t, store)
		spoil(&o)
		r, _, err := Open(t.Context(), o)
		if err == nil {
			r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%v, want %q", err, hint)
		}
	}
}

func TestPragmas(t *testing.T) {
	onlySQLite(t)
	r := openNew(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "10000",
	} {
		if got := pragmaOf(t, r.write, pragma); got != want {
			t.Errorf("writer: %s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := r.read.ExecContext(t.Context(), "DELETE FROM users"); err == nil {
		t.Error("a reader can write")
	}
}

func pragmaOf(t *testing.T, db *db, pragma string) string {
	t.Helper()
	var v string
	if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

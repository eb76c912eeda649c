package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// played is a register that was asked things, with the ledger of that.
type played struct {
	task
	sites  []string // in the order of the ledger
	newest []string // messages

}

// play asks a register things, as the askers of a run do: messages of three sites,
// searches and other entries of the trail.
func play(t *testing.T, store string) *played {
	t.Helper()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	o := registrytest.Options(dir, log)
	o.Store = store
	reg, entries := registrytest.OpenTrail(t, o)
	defer reg.Close()
	tr, err := trail.Open(t.Context(), entries, trail.Options{KeyDir: filepath.Join(dir, "keys"), PseudonymKey: bytes.Repeat([]byte{7}, 32), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	p := &played{task: task{ledgers: []string{filepath.Join(dir, "ledger.jsonl")}, store: store, key: tr.VerifierKey()}}
	for n := range 3 {
		code, agent := protocol.NewCode(), uuid.NewString()
		site, err := reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar", Category: "shop", Address: "Via Larga 1"},
			CodeHash: code.Hash(), At: time.Now(), ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		g, err := reg.Redeem(t.Context(), ingest.Redemption{CodeHash: code.Hash(), KeyHash: sha256.Sum256([]byte(agent)), AgentID: agent, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		p.sites = append(p.sites, site)
		for revision := range int64(3) {
			m := protocol.Message{ID: uuid.NewString(), SiteID: site, Epoch: g.Epoch, Revision: revision + 1, MadeAt: time.Now().UTC().Truncate(time.Microsecond), Body: declaration(n + 1)}
			p.declare(t, reg, agent, m)
		}
	}
	for n := range 9 {
		e := trail.Entry{Actor: "somebody", Kind: "login", Body: n}
		if n%3 == 0 {
			e.Kind = "search"
			p.write(t, map[string]any{"event": "asked", "search": fmt.Sprint(n)})
		}
		proof, err := tr.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if n%3 == 0 {
			p.write(t, map[string]any{"event": "answered", "search": fmt.Sprint(n), "entry": proof.Index, "checkpoint": string(proof.Checkpoint)})
		}
	}
	return p
}

func (p *played) declare(t *testing.T, reg *registry.Registry, agent string, m protocol.Message) {
	t.Helper()
	raw, err := protocol.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	p.newest = append(p.newest, m.ID)
	p.write(t, map[string]any{"event": "sent", "message": m.ID, "agent": agent, "site": m.SiteID, "sha256": hex.EncodeToString(sum[:]), "kind": m.Kind(),
		"epoch": m.Epoch, "revision": m.Revision, "cameras": len(m.Body.(protocol.Declaration).Cameras)})
	for range 2 { // the first answer was lost
		if _, err := reg.Record(t.Context(), agent, m, raw, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	p.write(t, map[string]any{"event": "acknowledged", "message": m.ID, "sha256": hex.EncodeToString(sum[:])})
}

func declaration(cameras int) protocol.Declaration {
	now := time.Now().UTC().Truncate(time.Microsecond)
	declared := protocol.Fact{Source: protocol.Declared, At: now}
	recorder := uuid.NewString()
	d := protocol.Declaration{
		Site:      protocol.Site{Name: "Bar", Category: "shop", Address: "Via Larga 1"},
		Contacts:  []protocol.Contact{{Name: "Ada Bianchi", Role: protocol.RoleOwner, Phone: "+39 02 5555 0100"}},
		Recorders: []protocol.Recorder{{ID: recorder, Name: "retro", Storage: protocol.StorageOnPremises}},
		Approval:  protocol.Approval{By: "Ada Bianchi", Role: protocol.RoleOwner, At: now},
	}
	for i := range cameras {
		d.Cameras = append(d.Cameras, protocol.Camera{ID: uuid.NewString(), RecorderID: recorder, Channel: fmt.Sprint(i + 1), Name: "Ingresso", NameFact: declared,
			Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, AccuracyM: 4, Method: "map", Fact: declared},
			View:          protocol.View{Fact: declared},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: declared},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 168 * time.Hour, Fact: declared},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Ada Bianchi", At: now}})
	}
	return d
}

// write adds a line to the ledger.
func (p *played) write(t *testing.T, line map[string]any) {
	t.Helper()
	line["at"] = time.Now()
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(p.ledgers[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
}

// change does something to the register behind the collector's back.
func (p *played) change(t *testing.T, queries ...string) {
	t.Helper()
	driver, at := "pgx", p.store
	unbind := "ALTER TABLE trail_entries DISABLE TRIGGER ALL; ALTER TABLE trail_hashes DISABLE TRIGGER ALL"
	if path, ok := strings.CutPrefix(p.store, "sqlite:"); ok {
		driver, at = "sqlite3", path
		unbind = "DROP TRIGGER trail_entries_stay; DROP TRIGGER trail_entries_hold"
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range append(strings.Split(unbind, ";"), queries...) {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

func (p *played) check(t *testing.T) *report {
	t.Helper()
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// engines runs a test on registers of both kinds, each of its own.
func engines(t *testing.T, test func(t *testing.T, fresh func(t *testing.T) string)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "registry.db") })
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, func(t *testing.T) string { return pgtest.Database(t, t.TempDir()) })
	})
}

func TestNothingIsFoundWhereAllIsHeld(t *testing.T) {
	engines(t, func(t *testing.T, fresh func(*testing.T) string) {
		r := play(t, fresh(t)).check(t)
		if m := r.Messages; !r.OK || m.Sent != 9 || m.Acknowledged != 9 || m.Held != 9 ||
			r.Searches.Asked != 3 || r.Searches.Entries != 3 || r.Trail.Entries != 9 || r.Trail.Verified != 9 || r.Trail.Checkpoints != 4 {
			t.Errorf("%+v\n%v", r, r)
		}
	})
}

// TestPlanted: what the checker is for is found, each time.
func TestPlanted(t *testing.T) {
	// Each changes a register of its own; NEWEST is the newest message of the last
	// site, SITE that site.
	const of = "'NEWEST'"
	for _, c := range []struct {
		name    string
		queries []string
		has     func(*report) bool
		says    string
	}{
		{"a message deleted", []string{"DELETE FROM messages WHERE id = " + of}, func(r *report) bool { return r.Messages.Lost > 0 }, "is not held"},
		{"other bytes", []string{"UPDATE messages SET sha256 = (SELECT sha256 FROM messages WHERE id <> " + of + " LIMIT 1) WHERE id = " + of},
			func(r *report) bool { return r.Messages.Lost > 0 && r.Messages.Doubled == 1 }, "other bytes"},
		{"a message of another site", []string{"UPDATE messages SET site_id = (SELECT site_id FROM messages WHERE site_id <> 'SITE' LIMIT 1) WHERE id = " + of},
			func(r *report) bool { return r.Messages.Lost > 0 }, "stands as another message"},
		{"a message doubled", []string{`INSERT INTO messages (id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at)
			SELECT '0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02', site_id, agent_id, epoch, revision, kind, sha256, recorded_at FROM messages WHERE id = ` + of},
			func(r *report) bool { return r.Messages.Doubled == 1 && r.Messages.Unsent == 1 }, "nobody sent it"},
		{"a declaration of before", []string{"UPDATE parts SET revision = 2 WHERE site_id = 'SITE'"}, func(r *report) bool { return r.Messages.Lost == 1 }, "and it declared"},
		{"a camera gone", []string{"DELETE FROM versions WHERE site_id = 'SITE' AND kind = 'camera' AND id = (SELECT max(id) FROM versions WHERE site_id = 'SITE' AND kind = 'camera' AND valid_until IS NULL AND body IS NOT NULL)"},
			func(r *report) bool { return r.Messages.Lost == 1 }, "2 cameras in force, and declared 3"},
		{"a version twice", []string{`INSERT INTO versions (site_id, kind, id, version, valid_from, recorded_at, body)
			SELECT site_id, kind, id, version + 1000, valid_from, recorded_at, body FROM versions WHERE site_id = 'SITE' AND kind = 'site' AND valid_until IS NULL`},
			func(r *report) bool { return r.Messages.Doubled == 1 }, "two versions are in force"},
		{"an entry's header", []string{"UPDATE trail_entries SET header = (SELECT header FROM trail_entries WHERE number = 3) WHERE number = 4"},
			func(r *report) bool { return r.Trail.Unverifiable > 0 }, "entry 4 of the trail"},
		{"an entry's body", []string{"UPDATE trail_entries SET body = (SELECT body FROM trail_entries WHERE number = 3) WHERE number = 4"},
			func(r *report) bool { return r.Trail.Unverifiable > 0 }, "entry 4 of the trail: its body"},
		{"a body gone before its term", []string{"UPDATE trail_entries SET body = CAST('' AS BLOB) WHERE number = 0"}, func(r *report) bool { return r.Trail.Unverifiable == 1 }, "no body"},
		{"an entry gone", []string{"DELETE FROM trail_entries WHERE number = 4"}, func(r *report) bool { return r.Trail.Unverifiable == 5 && r.Trail.Verified == 4 }, "has only 4"},
		{"a stored hash", []string{"UPDATE trail_hashes SET hash = (SELECT hash FROM trail_hashes WHERE number = 0) WHERE number = 2"},
			func(r *report) bool { return r.Trail.Unverifiable == 2 }, "over entries 0 to 1"},
		{"a search's entry", []string{"UPDATE trail_entries SET header = CAST(replace(CAST(header AS TEXT), 'search', 'seerch') AS BLOB) WHERE number = 3"},
			func(r *report) bool { return r.Trail.Unverifiable > 0 && r.Searches.Lost == 1 }, "none of a search"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := play(t, "sqlite:"+filepath.Join(t.TempDir(), "registry.db"))
			fill := strings.NewReplacer("NEWEST", p.newest[len(p.newest)-1], "SITE", p.sites[len(p.sites)-1])
			for i, q := range c.queries {
				c.queries[i] = fill.Replace(q)
			}
			p.change(t, c.queries...)
			if r := p.check(t); r.OK || !c.has(r) || !strings.Contains(r.String(), c.says) {
				t.Errorf("%v", r)
			}
		})
	}
}

// TestPlantedOnPostgreSQL: the same queries read the other engine.
func TestPlantedOnPostgreSQL(t *testing.T) {
	p := play(t, pgtest.Database(t, t.TempDir()))
	p.change(t, "DELETE FROM messages WHERE id = '"+p.newest[8]+"'", "DELETE FROM trail_entries WHERE number = 8")
	if r := p.check(t); r.Messages.Lost != 2 || r.Trail.Unverifiable != 2 { // no checkpoint but the witnessed ones proves the last but one

		t.Errorf("%v", r)
	}
}

// TestRolledBack: a copy of before is whole in itself, and yet is not what was
// acknowledged and witnessed since.
func TestRolledBack(t *testing.T) {
	store := filepath.Join(t.TempDir(), "registry.db")
	p := play(t, "sqlite:"+store)
	ledger, err := os.ReadFile(p.ledgers[0])
	if err != nil {
		t.Fatal(err)
	}
	before := play(t, "sqlite:"+filepath.Join(t.TempDir(), "registry.db")) // with other keys, sites and messages
	if err := os.WriteFile(before.ledgers[0], ledger, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := before.check(t); r.Messages.Lost < 9 || r.Trail.Inconsistent != 3 {
		t.Errorf("another register: %v", r)
	}
	// The trail as it was three entries ago, with the checkpoint of then.
	older := ""
	for line := range strings.Lines(string(ledger)) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Entry == 3 {
			older = e.Checkpoint
		}
	}
	p.change(t, "DELETE FROM trail_entries WHERE number > 3", "DELETE FROM trail_hashes WHERE number > 6",
		"UPDATE trail_head SET size = 4, checkpoint = CAST('"+older+"' AS BLOB)")
	r := p.check(t)
	if r.Trail.Entries != 4 || r.Trail.Verified != 4 || r.Trail.Unverifiable != 3 || r.Trail.Inconsistent != 1 || r.Searches.Lost != 1 {
		t.Errorf("rolled back: %v", r)
	}
}

// TestLedger: a torn last line is not there yet; others are errors.
func TestLedger(t *testing.T) {
	sent := `{"event":"sent","message":"1","site":"s"}` + "\n"
	for _, c := range []struct {
		text               string
		acknowledged, sent int
		wrong              bool
	}{
		{sent + `{"event":"acknowledged","message":"1"}` + "\n", 1, 1, false},
		{sent + `{"event":"acknowledged","mess`, 0, 1, false},
		{`{"event":"acknowledged","message":"1"}` + "\n", 0, 0, true},
		{`{"event":"answered","search":"1"}` + "\n", 0, 0, true},
		{`{"event":"dance"}` + "\n", 0, 0, true},
		{"what?\n", 0, 0, true},
	} {
		file := filepath.Join(t.TempDir(), "ledger")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		l := newLedger()
		err := l.read([]string{file}, true)
		if (err != nil) != c.wrong || err == nil && (len(l.acknowledged) != c.acknowledged || len(l.sent) != c.sent) {
			t.Errorf("%q: %v, %d acknowledged, %d sent", c.text, err, len(l.acknowledged), len(l.sent))
		}
	}
}

// TestLedgerGoesOn: what is acknowledged after the register was read need not be
// in it.
func TestLedgerGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger")
	write := func(text string) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	l := newLedger()
	for _, answers := range []bool{true, false} {
		write(`{"event":"sent","message":"` + fmt.Sprint(answers) + `","site":"s"}` + "\n" + `{"event":"acknowledged","message":"` + fmt.Sprint(answers) + `"}` + "\n")
		if err := l.read([]string{file}, answers); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.sent) != 2 || len(l.acknowledged) != 1 {
		t.Errorf("%d sent, %d acknowledged", len(l.sent), len(l.acknowledged))
	}
}

func TestParse(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "keys", "checkpoint.key"), []byte("PRIVATE+KEY+x\nname+hash+key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		store string // "": refused
	}{
		{[]string{"-ledger", "a", "-ledger", "b", "-data", data}, "sqlite:" + data + "/registry.db"},
		{[]string{"-ledger", "a", "-data", data, "-store", "postgres://h/d"}, "postgres://h/d"},
		{[]string{"-ledger", "a", "-key", "k", "-store", "postgres://h/d"}, "postgres://h/d"},
		{[]string{"-ledger", "a", "-store", "postgres://h/d"}, ""},
		{[]string{"-ledger", "a", "-data", t.TempDir()}, ""},
		{[]string{"-data", data}, ""},
		{[]string{"-ledger", "a", "-data", data, "now"}, ""},
	} {
		task, err := parse(c.args, io.Discard)
		if (err != nil) != (c.store == "") || err == nil && task.store != c.store {
			t.Errorf("%v: %v, %+v", c.args, err, task)
		}
		if err == nil && c.args[2] != "-key" && task.key != "name+hash+key" {
			t.Errorf("%v: the key is %q", c.args, task.key)
		}
	}
}

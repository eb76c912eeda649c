package registry

import (
	"crypto/sha256"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"anagrafe/protocol"
)

// TestMigrateMessages: a register of schema 1 keeps its messages when their
// table is made anew, and takes replies from then on.
func TestMigrateMessages(t *testing.T) {
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	db, err := sql.Open("sqlite3", dsn(path, "_foreign_keys=1"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(schema, "schema/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s := &sender{t: t, agent: id(1), site: id(2), epoch: 1}
	old := s.next(noon, protocol.Observation{})
	raw, err := protocol.Encode(old)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"INSERT INTO sites (id, trust, name, category, address, invited_at, epoch) VALUES (?, '', 'Bar', 'shop', '', 1, 1)", []any{s.site}},
		{"INSERT INTO agents (id, key_hash, version, enrolled_at) VALUES (?, x'01', '1', 1)", []any{s.agent}},
		{"INSERT INTO grants (site_id, epoch, agent_id, from_at) VALUES (?, 1, ?, ?)", []any{s.site, s.agent, micros(noon)}},
		{"INSERT INTO messages (id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at) VALUES (?, ?, ?, 1, 1, 'observation', ?, ?)",
			[]any{old.ID, s.site, s.agent, sum[:], micros(noon)}},
	} {
		if _, err := db.Exec(q.query, q.args...); err != nil {
			t.Fatal(q.query, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r := openAt(t, path)
	r.Unseal(newConsultKey(t))
	s.r = r
	receipt, err := s.deliver(old, noon)
	if err != nil || !receipt.Duplicate || !receipt.RecordedAt.Equal(noon) {
		t.Errorf("the message of before: %+v, %v", receipt, err)
	}
	n := s.queue(noon, preserve(id(1)))
	s.say(noon, reply(n, protocol.ReplyReceived, noon))
}

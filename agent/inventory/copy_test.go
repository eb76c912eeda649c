package inventory

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// A copy of before an update is whole, for its owner alone, and put back whatever a
// newer program did to the schema; it can be put back twice, and is gone when dropped.
func TestCopyAndRestore(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	if err := v.AddGrant(t.Context(), protocol.Grant{AgentID: "a", SiteID: "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02", SiteName: "Bar Sport", Category: "shop", Epoch: 1}, ""); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(dir); err != nil {
		t.Fatalf("without a copy: %v", err)
	}
	schema, err := SchemaOf(t.Context(), dir)
	if err != nil || schema < 1 {
		t.Fatalf("%d, %v", schema, err)
	}
	for range 2 { // in place of one of before
		if err := Copy(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, copyName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for range 2 {
		// A newer program, killed with a write-ahead log of its own beside.
		db, err := sql.Open("sqlite3", dsn(filepath.Join(dir, "inventory.db"), "_journal_mode=WAL"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1); DROP TABLE message`); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(filepath.Join(dir, "inventory.db-wal"))
		if err != nil || len(log) == 0 {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "inventory.db-wal"), log, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, v.log); err == nil || !strings.Contains(err.Error(), "newer program") {
			t.Fatalf("the old program opened it: %v", err)
		}
		if err := Restore(dir); err != nil {
			t.Fatal(err)
		}
		back := open(t, dir)
		grants := view(t, back).Sites
		if len(grants) != 1 || grants[0].SiteName != "Bar Sport" {
			t.Errorf("%v", grants)
		}
		if err := back.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := DropCopy(dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*before*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "inventory.db")); err != nil || !bytes.HasPrefix(raw, []byte("SQLite format 3")) {
		t.Errorf("%v", err)
	}
}

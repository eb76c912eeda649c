package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnrolledWithoutAGrant: where the grant cannot be kept, the line goes on with the
// identity that is on the disk by then.
func TestEnrolledWithoutAGrant(t *testing.T) {
	link := startCollector(t)
	s := siteFor(t, defaults())
	db, err := sql.Open("sqlite3", filepath.Join(s.dir, "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TRIGGER full BEFORE INSERT ON site BEGIN SELECT RAISE(ABORT, 'no space is left'); END`); err != nil {
		t.Fatal(err)
	}
	if err := s.link.enrol(t.Context(), link, "", false); err == nil || !strings.Contains(err.Error(), "no space is left") {
		t.Fatalf("the grant: %v", err)
	}
	if now := s.link.up.Status(); now.AgentID == "" {
		t.Error("the line goes on with the identity of before")
	}
}

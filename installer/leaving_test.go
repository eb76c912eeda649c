package installer

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"anagrafe/protocol/pages/pagestest"
)

// mostUntilGone is in what time at most what an owner takes away is found by nobody.
// The test does not wait for it: it fails if it took longer.
const mostUntilGone = time.Minute

// TestLeaving: an owner suspends, resumes and withdraws on the agent's pages, and an
// officer's search follows; the register keeps nothing of what was withdrawn, and the
// owner's page says so with the receipt.
func TestLeaving(t *testing.T) {
	s := newScene(t)
	creds := filepath.Join(t.TempDir(), "agente.json")
	for _, args := range anOfficer(s.collectorDir, creds) {
		if _, err := command(t, "anagrafe-collector", args...); err != nil {
			t.Fatal(err)
		}
	}
	found := func() int {
		t.Helper()
		var answer struct{ Results []struct{} }
		mustJSON(t, &answer, "anagrafe-collector", "search", "-server", s.consult, "-credential", creds, "-at", "9.1903,45.464", "-radius", "500",
			"-time", time.Now().UTC().Format(time.RFC3339), "-case", "event112:prova", "-offence", "other", "-reason", "prova del ritiro")
		return len(answer.Results)
	}
	// until waits for as many results, and tells how long it took since the press.
	until := func(what string, want int, pressed time.Time) {
		t.Helper()
		for found() != want {
			if time.Since(pressed) > patience {
				t.Fatalf("%s: a search finds %d cameras after %v", what, found(), patience)
			}
		}
		took := time.Since(pressed)
		t.Logf("%s: a search followed within %v", what, took.Round(time.Millisecond))
		if took > mostUntilGone {
			t.Errorf("%s took %v", what, took)
		}
	}
	says := func(tab *pagestest.Tab, path, words string) {
		t.Helper()
		for began := time.Now(); ; {
			tab.Visit(path)
			text := pagestest.Eval[string](tab, `document.querySelector("main").innerText`)
			if strings.Contains(text, words) {
				return
			}
			if time.Since(began) > patience {
				t.Fatalf("%s does not say %q:\n%s", path, words, text)
			}
		}
	}
	if n := found(); n != 1 {
		t.Fatalf("%d cameras at the beginning", n)
	}
	tab := s.ownersPages(390)

	tab.Visit("/suspend?lang=it")
	tab.Check("leaving-1-suspend")
	pressed := time.Now()
	tab.Press("form[action='/suspend'] button")
	until("suspended", 0, pressed)
	says(tab, "/suspend", "Registrato dal Comune")
	tab.Check("leaving-2-suspended")
	pressed = time.Now()
	tab.Press("form[action='/resume'] button")
	until("resumed", 1, pressed)

	tab.Visit("/withdraw")
	pressed = time.Now()
	tab.Press("main form button")
	until("withdrawn", 0, pressed)
	says(tab, "/receipt", "non ha più niente di questa sede")
	says(tab, "/receipt", "Questo computer l'ha controllata")
	tab.Check("leaving-3-withdrawn")
	s.empty()
}

// empty fails if the register's file holds anything of a site but that it was there.
// A key that was destroyed is zeros.
func (s *scene) empty() {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.collectorDir, "registry.db")+"?mode=ro&_busy_timeout=10000")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, of := range []string{"versions", "contacts", "parts", "clocks", "reachability", "camera_observations", "ageing",
		"sites WHERE body IS NOT NULL OR declared_at IS NOT NULL", "acts WHERE name IS NOT NULL",
		"data_keys WHERE replace(hex(sealed), '0', '') <> '' AND owner IN (SELECT id FROM sites)"} {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + of).Scan(&n); err != nil || n > 0 {
			s.t.Errorf("%s: %d rows, %v", of, n, err)
		}
	}
}

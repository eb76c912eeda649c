package audit

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	_ "github.com/mattn/go-sqlite3"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// room is the auditors' face over a real register with a real trail.
type room struct {
	t       *testing.T
	dir     string
	reg     *registry.Registry
	store   trail.Store
	trail   *trail.Trail
	web     *web.Web
	audit   *Audit
	handler http.Handler
	key     *age.X25519Identity // of the Questura
}

func (m *room) options() trail.Options {
	return trail.Options{KeyDir: filepath.Join(m.dir, "keys"), PseudonymKey: make([]byte, 32), Log: slog.New(slog.NewTextHandler(m.t.Output(), nil))}
}

func newRoom(t *testing.T) *room {
	t.Helper()
	m := &room{t: t, dir: t.TempDir()}
	log := m.options().Log
	var err error
	m.reg, m.store = registrytest.OpenTrail(t, registrytest.Options(m.dir, log))
	if m.trail, err = trail.Open(t.Context(), m.store, m.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.trail.Close() })
	m.web, err = web.New(web.Options{Registry: m.reg, Face: pages.FaceConsult, PublicURL: "http://127.0.0.1:8082", Secret: make([]byte, 32), Log: log,
		Roles:  []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleDPO},
		Record: func(context.Context, web.Act) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if m.audit, err = New(Options{Web: m.web, Trail: m.trail, Registry: m.reg, Log: log}); err != nil {
		t.Fatal(err)
	}
	if m.handler, err = m.web.Handler(m.audit.Routes()); err != nil {
		t.Fatal(err)
	}
	if m.key, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	if err := m.reg.AddForce(t.Context(), "Questura", m.key.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *room) user(role string) (secret string) {
	m.t.Helper()
	secret, hash := m.web.NewSecret()
	id := uuid.NewString()
	u := registry.User{ID: id, Name: role + " " + id[:8], Role: role, SecretHash: hash, At: time.Now()}
	if role != registry.RoleDPO {
		u.Force = "Questura"
	}
	if err := m.reg.AddUser(m.t.Context(), u); err != nil {
		m.t.Fatal(err)
	}
	return secret
}

// consult leaves n searches of an officer on the trail.
func (m *room) consult(n int) {
	m.t.Helper()
	for range n {
		_, _, err := trail.Answer(m.t.Context(), m.trail, trail.Entry{Actor: "officer-1", Force: "Questura", Kind: "search", Case: "112:4711",
			Body: map[string]string{"reason": "rapina"}, Recipient: m.key.Recipient().String()},
			func(context.Context) (int, int, any, error) { return 1, 2, []string{"c1", "c2"}, nil })
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *room) get(h http.Handler, path, secret string) *httptest.ResponseRecorder {
	m.t.Helper()
	r := httptest.NewRequestWithContext(m.t.Context(), "GET", "http://127.0.0.1:8082"+path, nil)
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, r)
	return rw
}

func TestRoutesNeedTheirRole(t *testing.T) {
	m := newRoom(t)
	secrets := map[string]string{"": ""}
	for _, role := range []string{registry.RoleDPO, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleOfficer} {
		secrets[role] = m.user(role)
	}
	for _, r := range m.audit.Routes() {
		path, get := strings.CutPrefix(r.Pattern, "GET ")
		if r.Open || !get {
			continue // TestAWitnessNeedsNoCredential, TestOnlyAForcesAuditorOpens
		}
		for role, secret := range secrets {
			want := http.StatusForbidden
			if slices.Contains(r.Roles, role) {
				want = http.StatusOK
			} else if role == "" {
				want = http.StatusSeeOther
			}
			if got := m.get(m.handler, path, secret).Code; got != want {
				t.Errorf("%s for %q answers %d", r.Pattern, role, got)
			}
		}
	}
}

func TestWhatIsHandedOutVerifies(t *testing.T) {
	m := newRoom(t)
	auditor := m.user(registry.RoleForceAuditor)
	for name, c := range map[string]struct {
		h      http.Handler
		secret string
	}{"pages": {m.handler, auditor}, "control socket": {m.audit.Control(), ""}} {
		key := strings.TrimSpace(m.get(c.h, "/audit/key", c.secret).Body.String())
		older := m.get(c.h, "/audit/checkpoint", c.secret).Body.Bytes()
		m.consult(3)
		export := m.get(c.h, "/audit/export", c.secret)
		if got := export.Header().Get("Content-Type"); got != "application/jsonl" {
			t.Errorf("%s: %s", name, got)
		}
		report, err := trail.Verify(bytes.NewReader(export.Body.Bytes()), key, older)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if report.Kinds["trail-export"] == 0 || report.Kinds["search"]%3 != 0 {
			t.Errorf("%s: the export is not itself on the trail, before it leaves: %+v", name, report)
		}
		if strings.Contains(export.Body.String(), "rapina") || strings.Contains(export.Body.String(), "4711") {
			t.Errorf("%s: what an officer asked leaves in clear", name)
		}
		opened := 0
		err = trail.Show(export.Body, strings.NewReader(m.key.String()), func(s trail.Shown) error {
			if s.Content != nil && strings.Contains(string(s.Content.Details), "rapina") && s.Content.Actor == "officer-1" {
				opened++
			}
			return nil
		})
		if err != nil || int64(opened) != report.Kinds["search"] {
			t.Errorf("%s: the force's auditor opens %d of %d, %v", name, opened, report.Kinds["search"], err)
		}
	}
}

func TestAnExportThatCannotBeRecordedIsRefused(t *testing.T) {
	m := newRoom(t)
	auditor := m.user(registry.RoleForceAuditor)
	m.trail.Close()
	if rw := m.get(m.handler, "/audit/export", auditor); rw.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", rw.Code, rw.Body)
	}
}

// What somebody with the register's file can do to it, and what an auditor with
// the key and an older checkpoint finds.
func TestTamperingWithTheRegistersFile(t *testing.T) {
	for name, c := range map[string]struct {
		sql         string
		kind        trail.Tampering
		first, last int64
	}{
		"untouched":   {"", "", 0, 0},
		"edit":        {`UPDATE trail_entries SET header = CAST(replace(CAST(header AS TEXT), '"count":2', '"count":0') AS BLOB) WHERE number = 4`, trail.Edited, 4, 4},
		"edit a body": {`UPDATE trail_entries SET body = (SELECT body FROM trail_entries WHERE number = 5) WHERE number = 4`, trail.Edited, 4, 4},
		"delete":      {`DELETE FROM trail_entries WHERE number = 4`, trail.Deleted, 4, 4},
		"reorder": {`UPDATE trail_entries SET number = CASE number WHEN 3 THEN -6 WHEN 6 THEN -3 END WHERE number IN (3, 6); UPDATE trail_entries SET number = -number WHERE number < 0`,
			trail.Reordered, 3, 6},
		"edit a hash": {`UPDATE trail_hashes SET hash = zeroblob(32) WHERE number = 0`, trail.Edited, 0, 0},
		"cut the end": {`DELETE FROM trail_entries WHERE number >= 8`, trail.Truncated, 8, 9},
	} {
		t.Run(name, func(t *testing.T) {
			m := newRoom(t)
			older, err := m.trail.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m.consult(10)
			m.tamper(c.sql)
			var export bytes.Buffer
			if err := m.trail.Export(t.Context(), &export); err != nil {
				t.Fatal(err)
			}
			report, err := trail.Verify(&export, m.trail.VerifierKey(), older)
			if c.kind == "" {
				if err != nil || report.Size != 10 {
					t.Errorf("%+v, %v", report, err)
				}
				return
			}
			got, ok := errors.AsType[*trail.Tampered](err)
			if !ok || got.Kind != c.kind || got.First != c.first || got.Last != c.last {
				t.Errorf("got %v, want %s of entries %d to %d", err, c.kind, c.first, c.last)
			}
		})
	}
}

func (m *room) tamper(statements string) {
	m.t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(m.dir, "registry.db"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(m.t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'trail_%'`)
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() { // what guards against accidents does not hold up who means it
		var trigger string
		if err := rows.Scan(&trigger); err != nil {
			m.t.Fatal(err)
		}
		statements = "DROP TRIGGER " + trigger + ";" + statements
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	if _, err := db.ExecContext(m.t.Context(), statements); err != nil {
		m.t.Fatal(err)
	}
}

func TestARegisterThatIsRolledBackIsFound(t *testing.T) {
	m := newRoom(t)
	m.consult(3)
	copied := filepath.Join(m.dir, "yesterday.db")
	m.tamper("VACUUM INTO '" + copied + "'")
	m.consult(4)
	older, err := m.trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := registrytest.Options(m.dir, m.options().Log)
	o.Store, o.Ledger = "sqlite:"+copied, filepath.Join(m.dir, "yesterday.ledger")
	_, yesterday := registrytest.OpenTrail(t, o)
	again, err := trail.Open(t.Context(), yesterday, m.options())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	var export bytes.Buffer
	if err := again.Export(t.Context(), &export); err != nil {
		t.Fatal(err)
	}
	_, err = trail.Verify(&export, m.trail.VerifierKey(), older)
	if got, ok := errors.AsType[*trail.Tampered](err); !ok || got.Kind != trail.RolledBack || got.First != 3 || got.Last != 6 {
		t.Errorf("got %v", err)
	}
}

func TestATrailThatWasTamperedWithDoesNotOpen(t *testing.T) {
	for name, sql := range map[string]string{
		"size":       `UPDATE trail_head SET size = size - 1`,
		"checkpoint": `UPDATE trail_head SET checkpoint = x''`,
		"edge":       `UPDATE trail_hashes SET hash = zeroblob(32)`,
	} {
		m := newRoom(t)
		m.consult(3)
		m.trail.Close()
		m.tamper(sql)
		if again, err := trail.Open(t.Context(), m.store, m.options()); err == nil {
			again.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

func TestManyOfficersAtOnce(t *testing.T) {
	m := newRoom(t)
	older, err := m.trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { m.consult(10) })
	}
	wg.Wait()
	var export bytes.Buffer
	if err := m.trail.Export(t.Context(), &export); err != nil {
		t.Fatal(err)
	}
	if report, err := trail.Verify(&export, m.trail.VerifierKey(), older); err != nil || report.Size != 80 {
		t.Errorf("%+v, %v", report, err)
	}
	m.trail.Close()
	again, err := trail.Open(t.Context(), m.store, m.options())
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

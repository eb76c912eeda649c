package audit

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
)

func (m *room) post(path, secret string, form url.Values) *httptest.ResponseRecorder {
	m.t.Helper()
	r := httptest.NewRequestWithContext(m.t.Context(), "POST", "http://127.0.0.1:8082"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	rw := httptest.NewRecorder()
	m.handler.ServeHTTP(rw, r)
	return rw
}

// kinds counts the entries of a kind on the trail.
func (m *room) kinds(kind act.Kind) (n int) {
	m.t.Helper()
	for h, err := range m.trail.Headers(m.t.Context(), 0) {
		if err != nil {
			m.t.Fatal(err)
		} else if h.Kind == kind {
			n++
		}
	}
	return n
}

// work leaves what officers of two forces did, and a case without a reference. It
// gives the id of one officer and of the case.
func (m *room) work() (officer, theCase string) {
	m.t.Helper()
	other, err := age.GenerateX25519Identity()
	if err != nil {
		m.t.Fatal(err)
	}
	ctx := m.t.Context()
	if err := m.reg.AddForce(ctx, "Carabinieri", other.Recipient().String()); err != nil {
		m.t.Fatal(err)
	}
	officer, theCase = uuid.NewString(), uuid.NewString()
	_, hash := m.web.NewSecret()
	if err := m.reg.AddUser(ctx, registry.User{ID: officer, Name: "Isp. Bianchi", Role: registry.RoleOfficer, Force: "Questura", SecretHash: hash, At: time.Now()}); err != nil {
		m.t.Fatal(err)
	}
	if err := m.reg.OpenCase(ctx, registry.Case{ID: theCase, Force: "Questura", OpenedBy: officer, OpenedAt: time.Now().Add(-80 * time.Hour), Kind: "event112", Offence: "robbery", Reason: "rapina"}); err != nil {
		m.t.Fatal(err)
	}
	add := func(force, recipient, actor string, kind act.Kind, of string, body map[string]string) {
		if _, err := m.trail.Append(ctx, trail.Entry{Actor: actor, Force: force, Kind: kind, Case: of, Count: 1, Recipient: recipient, Body: map[string]any{"asked": body}}); err != nil {
			m.t.Fatal(err)
		}
	}
	mine := m.key.Recipient().String()
	for i := range 60 {
		add("Questura", mine, officer, "search", theCase, map[string]string{"reason": fmt.Sprintf("rapina in via Torino %d", i)})
	}
	for i := range 12 {
		add("Questura", mine, officer, "reveal", theCase, map[string]string{"reason": "=CMD()", "site_id": fmt.Sprintf("sito-%d", i)})
	}
	for i := range 3 {
		add("Questura", mine, officer, "reveal", fmt.Sprintf("case-%d", i), map[string]string{"site_id": "sito-0"})
	}
	add("Carabinieri", other.Recipient().String(), "altro", "search", "loro", map[string]string{"reason": "loro segreto"})
	return officer, theCase
}

func TestAnAuditorReadsTheirOwnForce(t *testing.T) {
	m := newRoom(t)
	officer, theCase := m.work()
	secret := m.user(registry.RoleForceAuditor)
	closed := m.get(m.handler, "/audit/entries", secret)
	page := closed.Body.String()
	if closed.Code != http.StatusOK {
		t.Fatalf("%d %s", closed.Code, page)
	}
	for _, shown := range []string{"75 registrazioni", "12 recapiti scoperti senza una richiesta", "senza riferimento da 80 ore",
		m.trail.ActorPseudonym(officer)[:8], m.trail.CasePseudonym("Questura", theCase)[:8], "Pagina 1 di 2"} {
		if !strings.Contains(page, shown) {
			t.Errorf("closed, the page lacks %q", shown)
		}
	}
	for _, hidden := range []string{"Bianchi", "rapina", "Torino", "event112", "Carabinieri", m.trail.ActorPseudonym("altro")[:8], "stesso sito scoperto in"} {
		if strings.Contains(page, hidden) {
			t.Errorf("closed, the page tells %q", hidden)
		}
	}
	if rw := m.post("/audit/entries", secret, url.Values{"text": {"torino"}}); rw.Code != http.StatusUnprocessableEntity || strings.Contains(rw.Body.String(), "Torino 1") {
		t.Errorf("a word looked for in closed bodies: %d", rw.Code)
	}
	if rw := m.post("/audit/open", secret, url.Values{"identity": {m.key.String()}}); rw.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", rw.Code, rw.Body)
	}
	if m.kinds("trail-open") != 1 || m.kinds("trail-read") != 0 {
		t.Error("the opening is not on the trail")
	}
	open := m.get(m.handler, "/audit/entries?sort=old", secret).Body.String()
	for _, shown := range []string{"Isp. Bianchi", "rapina in via Torino 7", "event112", "stesso sito scoperto in 4 pratiche (sito-0)"} {
		if !strings.Contains(open, shown) {
			t.Errorf("open, the page lacks %q", shown)
		}
	}
	if strings.Contains(open, m.key.String()) || strings.Contains(open, "loro segreto") {
		t.Error("open, the page tells the key or another force's words")
	}
	if m.kinds("trail-read") != 1 {
		t.Error("the reading is not on the trail")
	}
	if rw := m.post("/audit/entries", secret, url.Values{"text": {"TORINO 17"}}); !strings.Contains(rw.Body.String(), "Una registrazione") || !strings.Contains(rw.Body.String(), "via Torino 17") {
		t.Errorf("looked for a word: %d %s", rw.Code, rw.Body)
	}
	// Another session of the same force has its bodies closed.
	if page := m.get(m.handler, "/audit/entries", m.user(registry.RoleForceAuditor)).Body.String(); strings.Contains(page, "Bianchi") {
		t.Error("another session reads what this one opened")
	}
	if rw := m.post("/audit/close", secret, nil); rw.Code != http.StatusSeeOther {
		t.Errorf("%d", rw.Code)
	}
	if page := m.get(m.handler, "/audit/entries", secret).Body.String(); strings.Contains(page, "Bianchi") {
		t.Error("after closing it is still open")
	}
}

func TestTheListAndItsCSV(t *testing.T) {
	m := newRoom(t)
	officer, theCase := m.work()
	secret := m.user(registry.RoleForceAuditor)
	rows := func(query string) [][]string {
		t.Helper()
		rw := m.get(m.handler, "/audit/entries.csv"+query, secret)
		all, err := csv.NewReader(rw.Body).ReadAll()
		if err != nil || rw.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", query, rw.Code, err)
		}
		return all[1:]
	}
	if got := rows("?kind=reveal"); len(got) != 15 {
		t.Errorf("%d reveals", len(got))
	}
	if n := m.kinds("trail-csv"); n != 1 {
		t.Errorf("%d downloads on the trail", n)
	}
	if got := rows("?case=" + m.trail.CasePseudonym("Questura", theCase)); len(got) != 72 || got[0][6] != "" || got[0][8] != "" {
		t.Errorf("%d in the case, first %v", len(got), got[0])
	}
	if got := rows("?actor=" + m.trail.ActorPseudonym(officer) + "&sort=old"); len(got) != 75 || got[0][0] != "0" || got[1][0] != "1" {
		t.Errorf("%d of the officer, first %v", len(got), got[0])
	}
	today := time.Now()
	for query, want := range map[string]int{
		"?to=" + today.AddDate(0, 0, -2).Format(time.DateOnly):  0,
		"?from=" + today.AddDate(0, 0, 2).Format(time.DateOnly): http.StatusUnprocessableEntity,
		"?from=yesterday":                                 http.StatusUnprocessableEntity,
		"?from=2020-01-01&to=2026-01-01":                  http.StatusUnprocessableEntity,
		"?from=2026-01-01&to=" + strings.Repeat("9", 300): http.StatusUnprocessableEntity,
	} {
		if want == 0 {
			if got := rows(query); len(got) != 0 {
				t.Errorf("%s: %d rows", query, len(got))
			}
		} else if rw := m.get(m.handler, "/audit/entries"+query, secret); rw.Code != want {
			t.Errorf("%s: %d", query, rw.Code)
		}
	}
	if rw := m.post("/audit/open", secret, url.Values{"identity": {m.key.String()}}); rw.Code != http.StatusSeeOther {
		t.Fatal(rw.Code)
	}
	got := rows("?kind=reveal&sort=old")
	if got[0][6] != "Isp. Bianchi" || got[0][7] != "event112" || got[0][8] != "'=CMD()" || got[0][10] != "sito-0" {
		t.Errorf("open: %v", got[0])
	}
}

func TestOnlyAForcesAuditorOpens(t *testing.T) {
	m := newRoom(t)
	m.work()
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	auditor := m.user(registry.RoleForceAuditor)
	for name, pasted := range map[string]string{"another key": stranger.String(), "nothing": "", "its public key": m.key.Recipient().String(), "rubbish": "AGE-SECRET-KEY-1RUBBISH"} {
		rw := m.post("/audit/open", auditor, url.Values{"identity": {pasted}})
		if rw.Code != http.StatusUnprocessableEntity || pasted != "" && strings.Contains(rw.Body.String(), pasted) {
			t.Errorf("%s: %d", name, rw.Code)
		}
	}
	for _, role := range []string{"", registry.RoleDPO, registry.RoleOfficer, registry.RoleForceAdmin} {
		secret := ""
		if role != "" {
			secret = m.user(role)
		}
		for _, path := range []string{"/audit/open", "/audit/close", "/audit/entries"} {
			if rw := m.post(path, secret, url.Values{"identity": {m.key.String()}}); rw.Code != http.StatusForbidden && rw.Code != http.StatusUnauthorized {
				t.Errorf("%s for %q: %d", path, role, rw.Code)
			}
		}
	}
	for _, path := range []string{"/audit/entries", "/audit/entries.csv"} {
		if rw := m.get(m.audit.Control(), path, ""); rw.Code != http.StatusForbidden {
			t.Errorf("%s over the control socket: %d", path, rw.Code)
		}
	}
	if m.kinds("trail-open") != 0 {
		t.Error("an opening that was refused stands as one")
	}
}

func TestBodiesStayClosedIfTheTrailCannotBeWritten(t *testing.T) {
	m := newRoom(t)
	m.work()
	auditor := m.user(registry.RoleForceAuditor)
	if rw := m.post("/audit/open", auditor, url.Values{"identity": {m.key.String()}}); rw.Code != http.StatusSeeOther {
		t.Fatal(rw.Code)
	}
	m.trail.Close()
	for _, path := range []string{"/audit/entries", "/audit/entries.csv"} {
		if rw := m.get(m.handler, path, auditor); rw.Code != http.StatusServiceUnavailable || strings.Contains(rw.Body.String(), "Torino") {
			t.Errorf("%s: %d", path, rw.Code)
		}
	}
}

func TestAKeyIsForgottenAfterAQuarterOfAnHour(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var k keyring
	session := [32]byte{1}
	if err := k.put(session, "Questura", key.Recipient().String(), "# comment\n"+key.String(), day); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		session [32]byte
		force   string
		after   time.Duration
		open    bool
	}{
		{session, "Questura", openFor - time.Second, true}, {[32]byte{2}, "Questura", 0, false}, {session, "Carabinieri", 0, false},
		{[32]byte{}, "Questura", 0, false}, {session, "Questura", openFor, false}, {session, "Questura", 0, false}, // gone for good
	} {
		if got, _ := k.get(c.session, c.force, day.Add(c.after)); (got != nil) != c.open {
			t.Errorf("%v", c)
		}
	}
	if len(k.keys) != 0 {
		t.Error("the key is still in memory")
	}
	for i := range maxOpened + 1 {
		err = k.put([32]byte{byte(i), 1}, "Questura", key.Recipient().String(), key.String(), day)
	}
	if err == nil {
		t.Error("keys without end")
	}
}

func TestTheDPOSeesCountsAlone(t *testing.T) {
	m := newRoom(t)
	m.work()
	secret := m.user(registry.RoleDPO)
	for range 2 { // counted once each
		page := m.get(m.handler, "/audit", secret).Body.String()
		cells := strings.Fields(strings.NewReplacer("<", " ", ">", " ").Replace(page))
		if !slices.Contains(cells, "Carabinieri") || !slices.Contains(cells, "60") || !strings.Contains(page, "ricerca") {
			t.Errorf("%s", page)
		}
		for _, hidden := range []string{"Bianchi", "rapina", "segreto", m.trail.ActorPseudonym("altro")} {
			if strings.Contains(page, hidden) {
				t.Errorf("the DPO reads %q", hidden)
			}
		}
	}
	m.consult(1)
	if page := m.get(m.handler, "/audit", secret).Body.String(); !strings.Contains(page, ">61<") {
		t.Error("what came later is not counted")
	}
}

package registry

import (
	"slices"
	"strings"
	"testing"
)

// The audit of the fault tests notices what they look for, each time.
func TestAuditNoticesALoss(t *testing.T) {
	s := newSiege(t)
	s.strike(t, 600, 0)
	if found := s.look(t, true); len(found) > 0 {
		t.Fatalf("before anything was taken away: %q", found)
	}
	r := openStore(t, s.store)
	// Whether there is one of each that the cases below name is chance.
	for !hasAll(t, r, "grants WHERE until_at IS NOT NULL", "sites WHERE withdrawn_at IS NOT NULL", "sites WHERE suspended_at IS NOT NULL",
		"parts p JOIN clocks c ON c.site_id = p.site_id JOIN notices n ON n.site_id = p.site_id") {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		s.strike(t, 100, 0)
		if found := s.look(t, true); len(found) > 0 {
			t.Fatalf("before anything was taken away: %q", found)
		}
		r = openStore(t, s.store)
	}
	first := func(query string) (found string) {
		t.Helper()
		if err := r.read.QueryRowContext(t.Context(), query).Scan(&found); err != nil {
			t.Fatal(query, err)
		}
		return found
	}
	declared := func() string {
		return first(`SELECT p.site_id FROM parts p JOIN clocks c ON c.site_id = p.site_id
			JOIN notices n ON n.site_id = p.site_id ORDER BY p.site_id LIMIT 1`)
	}
	allTrail := []string{"ALTER TABLE trail_entries DISABLE TRIGGER ALL"}
	if tested == sqlite {
		allTrail = []string{"DROP TRIGGER trail_entries_stay", "DROP TRIGGER trail_entries_hold"}
	}
	for _, c := range []struct {
		name    string
		of      string   // "": of no site
		queries []string // ?1 is of
		says    string   // what the audit says
	}{
		{"a message", s.observed, []string{"DELETE FROM messages WHERE id = ?1"}, "was acknowledged and is not there"},
		{"a message that nobody sent", id(77), []string{`INSERT INTO messages (id, site_id, agent_id, epoch, revision, kind, sha256, recorded_at)
			SELECT ?1, site_id, agent_id, epoch, 9999, kind, sha256, recorded_at FROM messages WHERE kind = 'observation' LIMIT 1`}, "is there and nobody sent it"},
		{"what a declaration says", declared(), []string{"DELETE FROM versions WHERE site_id = ?1 AND kind = 'camera'"}, "Declared:0"},
		{"what an observation says", declared(), []string{"DELETE FROM clocks WHERE site_id = ?1"}, "Observed:0"},
		{"a notice", declared(), []string{"DELETE FROM notice_replies WHERE notice_id IN (SELECT id FROM notices WHERE site_id = ?1)", "DELETE FROM notices WHERE site_id = ?1"}, "Notices:0"},
		{"a withdrawal's effect", first("SELECT id FROM sites WHERE withdrawn_at IS NOT NULL LIMIT 1"), []string{"DELETE FROM acts WHERE site_id = ?1 AND reason = 'withdrawn'"}, "Withdrawn:false"},
		{"a grant's end", first("SELECT site_id FROM grants WHERE until_at IS NOT NULL LIMIT 1"), []string{"UPDATE grants SET until_at = NULL WHERE site_id = ?1"}, "Granted:true"},
		{"a site's suspension", first("SELECT id FROM sites WHERE suspended_at IS NOT NULL LIMIT 1"), []string{"DELETE FROM acts WHERE site_id = ?1 AND reason = 'suspended'"}, "Suspended:false"},
		{"a number given again", declared(), []string{"UPDATE changes SET number = -1 WHERE site_id = ?1"}, "its newest change is -1"},
		{"what stands where a destroyed key was", first("SELECT id FROM sites WHERE withdrawn_at IS NOT NULL ORDER BY id DESC LIMIT 1"),
			[]string{"UPDATE data_keys SET sealed = (SELECT sealed FROM data_keys WHERE owner = 'register') WHERE owner = ?1"}, "the data key of"},
		{"all newer changes", "", []string{"DELETE FROM changes WHERE number > 3"}, "the newest change is"},
		{"an entry of the trail", "", append(allTrail, "DELETE FROM trail_entries WHERE number = 1"), "does not verify"},
		{"the trail's end", "", []string{"UPDATE trail_head SET size = size - 1"}, "changed from outside"},
	} {
		for _, q := range c.queries {
			var args []any
			if strings.Contains(q, "?1") {
				args = []any{c.of}
			}
			if _, err := r.write.ExecContext(t.Context(), q, args...); err != nil {
				t.Fatal(c.name, err)
			}
		}
		found, err := s.audit(t.Context(), r, s.keys, true)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.of) && strings.Contains(f, c.says) }) {
			t.Errorf("%s: the audit does not say %q of %q: %q", c.name, c.says, c.of, found)
		}
	}
}

// hasAll tells whether the register has a row of each.
func hasAll(t *testing.T, r *Registry, from ...string) bool {
	t.Helper()
	for _, f := range from {
		var has bool
		if err := r.read.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM "+f+")").Scan(&has); err != nil {
			t.Fatal(f, err)
		}
		if !has {
			return false
		}
	}
	return true
}

// A register that acknowledges before it has committed is found out.
func TestAuditNoticesAnEarlyAnswer(t *testing.T) {
	s := newSiege(t)
	s.early = true
	for range 25 {
		acts, moment := anywhere()
		s.strike(t, acts, moment)
		if found := s.look(t, true); len(found) > 0 {
			t.Log(found[0])
			return
		}
	}
	t.Error("25 kills, and nothing noticed")
}

// Of what is torn, the last line alone is forgiven.
func TestLedgerNoticesATornLine(t *testing.T) {
	var lines []string
	for n := range 3 {
		line, err := noted{deed: deed{Kind: actDeclare, Site: id(1), ID: id(n), N: n}}.line()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	for torn := range lines {
		broken := slices.Clone(lines)
		broken[torn] = broken[torn][:len(broken[torn])/2] + "\n"
		l := newLedger()
		err := l.follow(strings.NewReader(strings.Join(broken, "")), 0, nil)
		if last := torn == len(lines)-1; (err == nil) != last || last && len(l.messages) != 2 {
			t.Errorf("line %d torn: %v, %d messages", torn, err, len(l.messages))
		}
	}
}

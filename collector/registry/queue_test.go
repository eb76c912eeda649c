package registry

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// TestTechnicalQueue: each cause has its lines, and they stand behind the counts.
func TestTechnicalQueue(t *testing.T) {
	r := unsealed(t)
	r.UseOwnerKey(make([]byte, 32))
	now := noon.AddDate(0, 0, 5)
	r.now = func() time.Time { return now }
	s, well := enrol(t, r, noon), enrol(t, r, noon.Add(time.Hour))
	s.say(noon, mailed("anna@example.it"))
	s.say(noon, sick(noon, protocol.FaultUnread))
	well.say(now.Add(-time.Hour), declaration(camera(2, "B")))
	if err := r.Certified(t.Context(), s.agent, "1", now.AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := r.Certified(t.Context(), well.agent, "2", now.AddDate(0, 0, 20)); err != nil {
		t.Fatal(err)
	}
	f := QueueFilter{SilentSince: now.AddDate(0, 0, -3), CertificateBefore: now.AddDate(0, 0, 7), Old: []string{"v2.0.0"}}
	lines := func(f QueueFilter) (all []string) {
		t.Helper()
		err := r.QueueRows(t.Context(), f, Window{Ascending: true, Limit: 10}, func(q QueueRow) error {
			if q.SiteID != s.site || q.Name != "Invited" {
				t.Errorf("%+v", q)
			}
			all = append(all, fmt.Sprintf("%s %s%s%s", q.Cause, q.Maker, q.Version, q.Firmware))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := r.CountQueue(t.Context(), f); err != nil || n != len(all) {
			t.Errorf("%d lines are counted as %d (%v)", len(all), n, err)
		}
		slices.Sort(all)
		return all
	}
	want := []string{"certificate ", "offline ", "recorder-unread hikvision4.30", "version v2.0.0"}
	if got := lines(f); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	g, err := r.QueueGroups(t.Context(), f)
	if err != nil || len(g.Causes) != 4 || len(g.Makers) != 2 || g.Makers[0].Maker != "hikvision" || g.Makers[0].Faulty != 1 || g.Makers[0].Faults["recorder-unread"] != 1 ||
		len(g.Unnamed) != 1 || g.Unnamed[0] != (Unnamed{"dahua", protocol.FaultPassword, 2}) {
		t.Errorf("%+v %v", g, err)
	}
	for _, c := range Causes {
		f := f
		if f.Cause = c; len(lines(f)) != g.Causes[c] {
			t.Errorf("%s: %d lines", c, g.Causes[c])
		}
	}
	for _, f := range []QueueFilter{{Maker: "axis"}, {Cause: CauseOffline, Maker: "hikvision"}, {SiteID: well.site}} {
		if got := lines(f); got != nil {
			t.Errorf("%+v: %q", f, got)
		}
	}
	state, err := r.Technical(t.Context(), s.site)
	if err != nil || len(state.Agents) != 1 || state.Agents[0].Found != 3 || len(state.Recorders) != 1 || len(state.Recorders[0].Faults) != 1 {
		t.Errorf("%+v %v", state, err)
	}
	sites, err := r.QueueSites(t.Context(), f)
	if err != nil || !slices.Equal(sites, []string{s.site}) {
		t.Errorf("%q %v", sites, err)
	}
	if n, err := r.WriteTo(t.Context(), append(sites, id(999)), "Buongiorno", now); err != nil || n != 1 {
		t.Errorf("written to %d: %v", n, err)
	}
	if all, err := r.Letters(t.Context(), s.site); err != nil || len(all) != 1 || all[0].Text != "Buongiorno" || all[0].Received {
		t.Errorf("%+v %v", all, err)
	}
	n, err := r.Waiting(t.Context(), s.agent, now)
	if err != nil || len(n) != 1 || n[0].Body != (protocol.Letter{Text: "Buongiorno"}) {
		t.Fatalf("%+v %v", n, err)
	}
	s.say(now, reply(n[0], protocol.ReplySeen, now))
	if state, err = r.Technical(t.Context(), s.site); err != nil || len(state.Letters) != 1 || !state.Letters[0].Seen || state.Letters[0].Text != "" {
		t.Errorf("%+v %v", state.Letters, err)
	}
	if f, err := r.Firmwares(t.Context()); err != nil || !slices.Equal(f, []string{"4.30"}) {
		t.Errorf("%q %v", f, err)
	}
}

// TestCodesAreListed by how far they have come, and taken back.
func TestCodesAreListed(t *testing.T) {
	r := openNew(t)
	now := noon.AddDate(0, 0, 15)
	r.now = func() time.Time { return now }
	s := enrol(t, r, noon)
	for i, at := range []time.Time{noon, now} { // one expired, one waits
		if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: [32]byte{byte(i + 1)}, ExpiresAt: at.Add(CodeLife), At: at.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	states := func(f CodeFilter) (all []string) {
		t.Helper()
		if err := r.CodeRows(t.Context(), f, Window{Ascending: true, Limit: 10}, func(c CodeRow) error { all = append(all, string(c.State)); return nil }); err != nil {
			t.Fatal(err)
		}
		if n, err := r.CountCodes(t.Context(), f); err != nil || n != len(all) {
			t.Errorf("%d are counted as %d (%v)", len(all), n, err)
		}
		return all
	}
	if got := states(CodeFilter{SiteID: s.site}); !slices.Equal(got, []string{"used", "expired", "issued"}) {
		t.Errorf("%q", got)
	}
	if n, err := r.RevokeCodes(t.Context(), s.site, now.Add(time.Hour), now.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if got := states(CodeFilter{State: CodeRevoked, From: now}); !slices.Equal(got, []string{"revoked"}) {
		t.Errorf("%q", got)
	}
}

package registry

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// TestTechnicalQueue: each cause has its lines, each once, the counts are theirs, and
// no line is of an agent that was shut out.
func TestTechnicalQueue(t *testing.T) {
	r := openNew(t)
	now := noon.AddDate(0, 0, 5)
	r.now = func() time.Time { return now }
	s, well := enrol(t, r, noon), enrol(t, r, noon.Add(time.Hour))
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: s.code("second"), ExpiresAt: noon.Add(CodeLife), At: noon}); err != nil {
		t.Fatal(err)
	}
	s.redeem("second", noon) // the agent has two grants now
	s.say(noon, mailed("anna@example.it"))
	s.say(noon, sick(noon, protocol.FaultUnread, protocol.FaultPassword))
	well.say(now.Add(-time.Hour), declaration(camera(2, "B")))
	if err := r.Certified(t.Context(), s.agent, "1", now.AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := r.Certified(t.Context(), well.agent, "2", now.AddDate(0, 0, 20)); err != nil {
		t.Fatal(err)
	}
	read := func(want ...string) *FaultList {
		t.Helper()
		q, err := r.ReadFaults(t.Context(), FaultLimits{At: now, SilentSince: now.AddDate(0, 0, -3), CertificateBefore: now.AddDate(0, 0, 7), Old: []string{"v1.9.0", "v2.0.0"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		causes := map[Cause]int{}
		for _, l := range q.Lines {
			if l.SiteID.String() != s.site || l.AgentID != uuid.Nil && l.AgentID.String() != s.agent || l.RecorderID != uuid.Nil && l.RecorderID.String() != id(recorderNumber) {
				t.Errorf("%+v", l)
			}
			causes[l.Cause]++
			got = append(got, fmt.Sprintf("%s %s%s%s %s", l.Cause, l.Kind.Maker, l.Version, l.Kind.Firmware, l.Since.Sub(noon)))
		}
		if !slices.Equal(got, want) || !maps.Equal(causes, q.Causes) {
			t.Errorf("%q (%v), want %q", got, q.Causes, want)
		}
		return q
	}
	q := read("certificate  192h0m0s", "offline  1s", "version v2.0.0 0s", "recorder-unread hikvision4.30 0s", "recorder-no-password hikvision4.30 0s")
	if len(q.Makers) != 2 || q.Makers[0].Maker != "hikvision" || q.Makers[0].Recorders != 1 || q.Makers[0].Faulty != 1 || q.Makers[0].Faults["recorder-unread"] != 1 || q.Makers[1].Faulty != 0 ||
		len(q.Unnamed) != 1 || q.Unnamed[0] != (unnamedDevice{"dahua", protocol.FaultPassword, 2}) {
		t.Errorf("%+v", q)
	}
	state, err := r.Technical(t.Context(), s.site)
	if err != nil || len(state.Agents) != 1 || state.Agents[0].Found != 3 || len(state.Recorders) != 1 || len(state.Recorders[0].Faults) != 2 {
		t.Errorf("%+v %v", state, err)
	}
	if n, err := r.WriteTo(t.Context(), []string{s.site, id(999)}, "Buongiorno", now); err != nil || n != 1 {
		t.Errorf("written to %d: %v", n, err)
	}
	if all, err := r.Letters(t.Context(), s.site); err != nil || len(all) != 1 || all[0].Text != "Buongiorno" || all[0].Received {
		t.Errorf("%+v %v", all, err)
	}
	n, _, err := r.Waiting(t.Context(), s.agent, now, 0)
	if err != nil || len(n) != 1 || n[0].Body != (protocol.Letter{Text: "Buongiorno"}) {
		t.Fatalf("%+v %v", n, err)
	}
	s.say(now, reply(n[0], protocol.ReplySeen, now))
	if state, err = r.Technical(t.Context(), s.site); err != nil || len(state.Letters) != 1 || !state.Letters[0].Seen || state.Letters[0].Text != "" {
		t.Errorf("%+v %v", state.Letters, err)
	}
	if stands, err := r.FaultsStand(t.Context(), q); err != nil || !stands {
		t.Errorf("it does not stand: %v", err)
	}
	if err := r.Revoke(t.Context(), s.agent, now); err != nil {
		t.Fatal(err)
	}
	if stands, err := r.FaultsStand(t.Context(), q); err != nil || stands {
		t.Errorf("it stands: %v", err)
	}
	read("recorder-unread hikvision4.30 0s", "recorder-no-password hikvision4.30 0s")
}

// TestInvitedNames of any number of sites, some twice.
func TestInvitedNames(t *testing.T) {
	r := openNew(t)
	var sites []uuid.UUID
	for n := range 2*namesAtOnce + 3 {
		site, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: fmt.Sprint("Sito ", n), Category: "shop"}, CodeHash: [32]byte{byte(n), 1}, At: noon, ExpiresAt: noon.Add(CodeLife)})
		if err != nil {
			t.Fatal(err)
		}
		sites = append(sites, uuid.MustParse(site))
	}
	for _, n := range []int{0, 1, namesAtOnce, len(sites)} {
		names, err := r.InvitedNames(t.Context(), append(sites[:n:n], sites[:min(n, 1)]...))
		if err != nil || len(names) != n {
			t.Fatalf("%d of %d names: %v", len(names), n, err)
		}
		for i, site := range sites[:n] {
			if want := fmt.Sprint("Sito ", i); names[site] != want {
				t.Errorf("%s is called %q, want %q", site, names[site], want)
			}
		}
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

package inventory

import (
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// Of two grants the one counts that was given later, whatever its epoch: a
// collector that was restored from a backup counts its epochs anew.
func TestTheLaterGrantCounts(t *testing.T) {
	v := open(t, t.TempDir())
	grant := func(epoch int64, from time.Time) {
		t.Helper()
		if err := v.AddGrant(t.Context(), protocol.Grant{AgentID: "x", SiteID: siteA, SiteName: "Bar", Category: "other", Epoch: epoch, From: from}, ""); err != nil {
			t.Fatal(err)
		}
	}
	epoch := func(want int64) {
		t.Helper()
		grants := view(t, v).Sites
		if len(grants) != 1 || grants[0].Epoch != want {
			t.Errorf("%+v, want epoch %d", grants, want)
		}
	}
	grant(3, noon)
	grant(3, noon) // the same code once more
	epoch(3)
	grant(1, noon.Add(time.Hour))
	epoch(1)
	grant(3, noon) // an answer from before
	epoch(1)
	record(t, v, noon, cameraDevice(0))
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	contact(t, v)
	approve(t, v, id)
	grant(2, noon.Add(2*time.Hour))
	approve(t, v, id)
	sent := outbox(t, v)
	if first, second := sent[0].Message, sent[1].Message; first.Epoch != 1 || second.Epoch != 2 || second.Revision <= first.Revision {
		t.Errorf("epoch %d revision %d, then epoch %d revision %d", first.Epoch, first.Revision, second.Epoch, second.Revision)
	}
}

// What waits for a site is only for the identity that holds its grant.
func TestNextIsForWhoHoldsTheGrant(t *testing.T) {
	v, _ := declared(t, 1)
	grant := func(site, agent string, at time.Time) {
		t.Helper()
		if err := v.AddGrant(t.Context(), protocol.Grant{AgentID: agent, SiteID: site, SiteName: "Bar", Category: "other", Epoch: 1, From: at}, ""); err != nil {
			t.Fatal(err)
		}
	}
	next := func(agent string, want bool) {
		t.Helper()
		if _, _, _, ok, err := v.Next(t.Context(), agent); err != nil || ok != want {
			t.Errorf("for agent %q: %t, %v", agent, ok, err)
		}
	}
	deliver(t, v)
	grant(siteA, "old", noon)
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	next("old", true)
	next("new", false)
	for range 2 { // AddGrant and WithdrawSite each may have signalled
		select {
		case <-v.Waiting():
		default:
		}
	}
	grant(siteA, "new", noon.Add(time.Hour))
	select {
	case <-v.Waiting():
	default:
		t.Error("nobody is told that what waited may leave now")
	}
	next("old", false)
	next("new", true)
}

// A schedule that was told with a time to come, before the computer's clock was
// put back, is in force in the register from then on: so it is told again then.
func TestToldAgainAfterTheClockWasPutBack(t *testing.T) {
	v, _ := declared(t, 1)
	deliver(t, v)
	told := func(at time.Time, schedule string) (n int) {
		t.Helper()
		before := len(outbox(t, v))
		d := cameraDevice(0)
		if schedule == "off" {
			d.Channels[0].Schedule.Kind, d.Channels[0].Schedule.Mode = "off", ""
		}
		record(t, v, at, d)
		deliver(t, v)
		for _, s := range outbox(t, v)[before:] {
			o, _ := s.Message.Body.(protocol.Observation)
			for _, c := range o.Cameras {
				if c.Schedule != nil && string(c.Schedule.Kind) == schedule {
					n++
				}
			}
		}
		return n
	}
	if told(noon.Add(8*time.Hour), "off") != 1 {
		t.Fatal("the change is not told")
	}
	if told(noon.Add(2*time.Hour), "always") != 1 {
		t.Error("put back, and the change is not told")
	}
	if told(noon.Add(9*time.Hour), "always") != 1 {
		t.Error("it is not told again once the wrong time has passed")
	}
	if told(noon.Add(11*time.Hour), "always") != 0 {
		t.Error("it is told once more")
	}
}

// All identities that this computer had for a site are remembered, each once
// however often a code is used again.
func TestSpokeAs(t *testing.T) {
	v := open(t, t.TempDir())
	for i, agent := range []string{"", "first", "first", "second", "third"} {
		if err := v.AddGrant(t.Context(), protocol.Grant{AgentID: agent, SiteID: siteA, SiteName: "Bar", Category: "other", Epoch: 1, From: noon.Add(time.Duration(i) * time.Hour)}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := v.SpokeAs(t.Context(), siteA); err != nil || !slices.Equal(got, []string{"first", "second", "third"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := v.SpokeAs(t.Context(), siteB); err != nil || len(got) != 0 {
		t.Errorf("of a site that is not known: %q, %v", got, err)
	}
}

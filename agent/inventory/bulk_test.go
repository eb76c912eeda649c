package inventory

import (
	"fmt"
	"slices"
	"testing"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// four is a recorder with four cameras, enrolled and with somebody to call; by name.
func four(t *testing.T) (*Inventory, map[string]string) {
	t.Helper()
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	nvr := cameraDevice(0)
	nvr.Kind = interrogate.KindRecorder
	nvr.Channels = []interrogate.Channel{channel("1", "Ingresso via Roma"), channel("2", "Ingresso 1/2"), channel("3", "Cassa"), channel("4", "ingresso")}
	record(t, v, noon, nvr)
	ids := map[string]string{}
	for _, c := range cameras(t, v) {
		ids[c.Values.Name] = c.ID
	}
	return v, ids
}

func TestSetManyKeepsAllOrNothing(t *testing.T) {
	for _, tc := range []struct {
		name          string
		bad           bool
		partial, dry  bool
		kept, changed bool
	}{
		{"all right", false, false, false, true, true},
		{"one wrong", true, false, false, false, false},
		{"one wrong, partial", true, true, false, true, true},
		{"dry", false, false, true, false, false},
		{"one wrong, partial, dry", true, true, true, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, ids := four(t)
			changes := []Change{{ids["Ingresso 1/2"], Edit{Outdoor: new(true)}}, {ids["Cassa"], Edit{Outdoor: new(false), Direction: new(90)}}}
			if tc.bad {
				changes = append(changes, Change{ids["ingresso"], Edit{Outdoor: new(true), Direction: new(400)}}, Change{"no-such", Edit{}})
			}
			all, kept, err := v.SetMany(t.Context(), changes, tc.partial, tc.dry)
			if err != nil || kept != tc.kept || len(all) != len(changes) || all[0].Bad() || tc.bad && (len(all[2].Wrong) != 1 || !all[3].Unknown) {
				t.Fatalf("%+v, kept %t, %v", all, kept, err)
			}
			for _, c := range cameras(t, v) {
				want := tc.changed && (c.ID == ids["Ingresso 1/2"] || c.ID == ids["Cassa"])
				if is := c.Outdoor != nil; is != want {
					t.Errorf("%s: answered %t, want %t", c.Values.Name, is, want)
				}
			}
			if n := len(outbox(t, v)); n != 0 {
				t.Errorf("%d messages left", n)
			}
		})
	}
}

// A file's no takes declared cameras out, in one message; what stands so already
// keeps who said it.
func TestSetManyTakesOut(t *testing.T) {
	v, ids := four(t)
	for _, name := range []string{"Ingresso via Roma", "Ingresso 1/2", "Cassa"} {
		outdoors(t, v, ids[name], true)
		approve(t, v, ids[name])
	}
	sent := len(outbox(t, v))
	changes := []Change{{ids["Ingresso via Roma"], Edit{Outdoor: new(true), By: "Altri"}},
		{ids["Ingresso 1/2"], Edit{Outdoor: new(false), By: "Altri"}}, {ids["Cassa"], Edit{Outdoor: new(false), By: "Altri"}}}
	for _, dry := range []bool{true, false} {
		all, _, err := v.SetMany(t.Context(), changes, false, dry)
		if err != nil || !all[0].Same || all[0].TakesOut || !all[1].TakesOut || !all[2].TakesOut {
			t.Fatalf("dry %t: %+v, %v", dry, all, err)
		}
		if dry && len(outbox(t, v)) != sent {
			t.Fatal("a dry run sends")
		}
	}
	if n := len(outbox(t, v)); n != sent+1 {
		t.Errorf("%d messages more, want one", n-sent)
	}
	d := last[protocol.Declaration](t, v)
	if len(d.Cameras) != 1 || d.Cameras[0].ID != ids["Ingresso via Roma"] || d.Cameras[0].OutdoorPublic.By == "Altri" || d.Approval.By != "Altri" {
		t.Errorf("declared %+v by %+v", d.Cameras, d.Approval)
	}
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		rule, name string
		want, ok   bool
	}{
		{"Ingresso*", "Ingresso", true, true}, {"Ingresso*", "Ingresso via Roma 1/2", true, true}, {"Ingresso*", "ingresso", false, true},
		{"Ingresso", "Ingresso 2", false, true}, {"*1/2", "Ingresso 1/2", true, true}, {"Cassa ?", "Cassa 1", true, true},
		{"[", "x", false, false}, {"", "x", false, false}, {" ", " ", false, false}, {"*", "", true, true},
	} {
		if got, err := MatchesRule(tc.rule, tc.name); got != tc.want || (err == nil) != tc.ok {
			t.Errorf("%q, %q: %t, %v", tc.rule, tc.name, got, err)
		}
	}
}

// A rule approves what was answered yes and waits, and nothing else: neither what was
// answered no, nor at all, nor what the owner keeps out.
func TestApproveRule(t *testing.T) {
	v, ids := four(t)
	place := Edit{Lon: new(9.19), Lat: new(45.46)}
	for _, id := range ids {
		if err := v.Set(t.Context(), id, place); err != nil {
			t.Fatal(err)
		}
	}
	by := protocol.Approval{By: "Ugo Verdi", Role: protocol.RoleReferent}
	outdoors(t, v, ids["Ingresso via Roma"], true)
	outdoors(t, v, ids["Cassa"], true)
	outdoors(t, v, ids["ingresso"], false)
	p, err := v.Preview(t.Context(), Selection{Rule: "Ingresso*"}, by)
	if err != nil || len(p.Messages) != 1 || len(p.Results) != 2 || len(outbox(t, v)) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	results, err := v.Approve(t.Context(), Selection{Rule: "Ingresso*"}, by)
	if err != nil || fmt.Sprint(results) != fmt.Sprint(p.Results) {
		t.Fatalf("%+v, tried %+v: %v", results, p.Results, err)
	}
	i := slices.IndexFunc(results, func(r Result) bool { return r.ID == ids["Ingresso 1/2"] })
	if i < 0 || !slices.Equal(results[i].Missing, []string{"outdoor_public"}) {
		t.Errorf("not answered: %+v", results)
	}
	d := last[protocol.Declaration](t, v)
	if len(d.Cameras) != 1 || d.Cameras[0].ID != ids["Ingresso via Roma"] || d.Approval.By != by.By || d.Approval.Role != by.Role {
		t.Errorf("declared %+v by %+v", d.Cameras, d.Approval)
	}
	if _, err := v.KeepOut(t.Context(), []string{ids["Cassa"]}, by); err != nil {
		t.Fatal(err)
	}
	if results, err := v.Approve(t.Context(), Selection{Rule: "C*"}, by); err != nil || len(results) != 0 {
		t.Errorf("what is kept out: %+v, %v", results, err)
	}
	for _, rule := range []string{" ", "["} {
		if _, err := v.Approve(t.Context(), Selection{Rule: rule}, by); err == nil {
			t.Errorf("the rule %q is taken", rule)
		}
	}
	outdoors(t, v, ids["ingresso"], true)
	if results, err := v.Approve(t.Context(), Selection{}, by); err != nil || len(results) != 0 {
		t.Errorf("nothing was selected: %+v, %v", results, err)
	}
}

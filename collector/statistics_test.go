package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/disclosure"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

func TestSharedBy(t *testing.T) {
	shared := []registry.Shared{{Municipio: "Municipio 1", Category: "bank", Sites: 3, Cameras: 9}, {Municipio: "Municipio 2", Category: "bank", Sites: 1, Cameras: 1},
		{Municipio: "Comune vicino", Category: "shop", Sites: 2, Cameras: 2}, {Category: "castle", Sites: 1, Cameras: 4}}
	line := func(c disclosure.Counts, of, name string) []int {
		for _, m := range c {
			for _, p := range m.Parts {
				if m.Of == of && p.Name == name {
					return p.N
				}
			}
		}
		return nil
	}
	c := sharedBy(shared, []string{"Municipio 1", "Municipio 2", "Municipio 3"})
	for _, want := range []struct {
		of, name string
		n        []int
	}{{"municipio", "Municipio 1", []int{3, 9}}, {"municipio", "Municipio 2", []int{1, 1}}, {"municipio", "Municipio 3", []int{0, 0}}, {"municipio", "", []int{3, 6}},
		{"category", "bank", []int{4, 10}}, {"category", "school", []int{0, 0}}, {"category", "", []int{1, 4}}} {
		if got := line(c, want.of, want.name); fmt.Sprint(got) != fmt.Sprint(want.n) {
			t.Errorf("%s %q: %v, want %v", want.of, want.name, got, want.n)
		}
	}
	if c := sharedBy(shared, nil); len(c) != 1 {
		t.Errorf("without districts: %v", c)
	}
}

// Once a day, and only if enough has changed.
func TestSharingIsPublished(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	day := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC) // the 23rd in Rome
	for range 2 {
		for _, now := range []time.Time{day, day.Add(time.Hour), day.AddDate(0, 0, 1)} {
			if err := o.publishSharing(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := o.reg.Publications(t.Context(), registry.PublishedSharing, "")
	if err != nil || len(all) != 1 || all[0].Period != "2026-11-23" {
		t.Fatalf("%+v %v", all, err)
	}
	var n disclosure.Numbers
	if err := json.Unmarshal(all[0].Body, &n); err != nil || !n.Total[0].Hidden || !n.Margins[0].Withheld {
		t.Errorf("%+v %v", n, err)
	}
	if _, err := o.reg.Publish(t.Context(), registry.Publication{Kind: registry.PublishedSharing, Period: "2026-11-25", At: day, Body: []byte("damaged")}, ""); err != nil {
		t.Fatal(err)
	}
	if err := o.publishSharing(t.Context(), day.AddDate(0, 0, 9)); err == nil {
		t.Error("numbers were published that were compared with nothing")
	}
}

// A month is counted when it is over, by what was done in it in Rome, and never again.
func TestMonthsArePublished(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, force := range []string{"Questura", "Carabinieri"} {
		if err := o.reg.AddForce(t.Context(), force, key.Recipient().String()); err != nil {
			t.Fatal(err)
		}
	}
	did := func(n int, at time.Time, kind act.Kind, force string) {
		t.Helper()
		for range n {
			if _, err := o.trail.Append(t.Context(), trail.Entry{At: at, Actor: "officer", Force: force, Kind: kind, Count: 1, Recipient: key.Recipient().String()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	september := time.Date(2026, 9, 30, 21, 59, 0, 0, time.UTC) // a minute before October in Rome
	did(30, september, "search", "Questura")
	october := september.Add(time.Minute)
	did(24, october, "search", "Questura")
	did(23, october, "search", "Carabinieri")
	did(12, october, "request", "Questura")
	did(9, october, "reveal", "Questura")
	november := time.Date(2026, 11, 1, 0, 0, 0, 0, pages.Rome())
	did(40, november, "search", "Carabinieri")
	months := func(now time.Time) (all []registry.Publication) {
		t.Helper()
		if err := o.publishMonths(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		all, err := o.reg.Publications(t.Context(), registry.PublishedConsultation, "")
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := months(november)
	if len(all) != 1 || all[0].Period != "2026-10" || all[0].Basis != nil {
		t.Fatalf("%+v", all)
	}
	var m disclosure.Month
	if err := json.Unmarshal(all[0].Body, &m); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.Searches.Total, m.Requests.Total); got != "[{45 false}] [{10 false}]" {
		t.Error(got)
	}
	// Nobody's are hidden for being few; with them one force's, so that they cannot be subtracted.
	if got := fmt.Sprint(m.Searches.Margins[0].Lines); got != "[{Carabinieri [{0 true}]} {Questura [{25 false}]} { [{0 true}]}]" {
		t.Error(got)
	}
	if all := months(november.AddDate(0, 0, 29)); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	if all := months(november.AddDate(0, 2, 0)); len(all) != 3 || all[0].Period != "2026-12" || all[1].Period != "2026-11" {
		t.Errorf("%+v", all)
	}
}

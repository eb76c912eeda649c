package review

import (
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// filming is a camera whose images stay for days, as configured.
func filming(days float64, outdoor bool) inventory.Camera {
	return inventory.Camera{ID: "c", Outdoor: &outdoor, Values: protocol.Camera{Retention: protocol.Retention{
		Kind: protocol.RetentionAge, Age: time.Duration(days * 24 * float64(time.Hour))}}}
}

func TestAdvise(t *testing.T) {
	said := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	calm := said("sign", "yes", "employees", "no", "resolution", "yes")
	with := func(c inventory.Camera, change func(*inventory.Camera)) inventory.Camera {
		change(&c)
		return c
	}
	disk := with(filming(0, false), func(c *inventory.Camera) { c.Values.Retention = protocol.Retention{Kind: protocol.RetentionCapacity} })
	for name, tc := range map[string]struct {
		category protocol.Category
		cameras  []inventory.Camera
		said     map[string]string
		want     string
	}{
		"a day":                       {"shop", []inventory.Camera{filming(1, false)}, calm, ""},
		"72 hours":                    {"shop", []inventory.Camera{filming(3, false)}, calm, ""},
		"four days":                   {"shop", []inventory.Camera{filming(4, false)}, calm, "retention.reasons"},
		"four days of a bank":         {"bank", []inventory.Camera{filming(4, false)}, calm, ""},
		"a week of a bank":            {"bank", []inventory.Camera{filming(7, false)}, calm, ""},
		"a month of a bank":           {"bank", []inventory.Camera{filming(30, false)}, calm, "retention.week"},
		"a month of the municipality": {"public-body", []inventory.Camera{filming(30, false)}, calm, "retention.town"},
		"a month":                     {"shop", []inventory.Camera{filming(30, false), filming(1, false)}, calm, "retention.week"},
		"a month and four days":       {"shop", []inventory.Camera{filming(30, false), filming(4, false)}, calm, "retention.week retention.reasons"},
		"events longer": {"shop", []inventory.Camera{with(filming(1, false), func(c *inventory.Camera) { c.Values.Retention.EventAge = 96 * time.Hour })},
			calm, "retention.reasons"},
		"a month set, a full disk of two days": {"shop", []inventory.Camera{with(filming(30, false), func(c *inventory.Camera) {
			r := &c.Values.Retention
			r.Settled, r.ObservedAt = true, time.Unix(1e9, 0)
			r.OldestFootage = r.ObservedAt.Add(-48 * time.Hour)
		})}, calm, ""},
		"a disk": {"shop", []inventory.Camera{disk}, calm, "retention.disk"},
		"a disk that holds ten days": {"shop", []inventory.Camera{with(disk, func(c *inventory.Camera) {
			c.Values.Retention.ObservedAt = time.Unix(1e9, 0)
			c.Values.Retention.OldestFootage = time.Unix(1e9, 0).Add(-240 * time.Hour)
		})}, calm, "retention.week"},
		"not known": {"shop", []inventory.Camera{with(filming(0, false), func(c *inventory.Camera) { c.Values.Retention = protocol.Retention{} })},
			calm, "retention.unknown"},
		"put aside": {"shop", []inventory.Camera{with(filming(30, true), func(c *inventory.Camera) { c.State = inventory.StateRefused })}, said("sign", "no"), ""},
		"a narrow view": {"shop", []inventory.Camera{with(filming(1, true), func(c *inventory.Camera) {
			c.Values.View.AngleDeg, c.Values.View.RangeM = new(80), new(20)
		})}, calm, ""},
		"a wide view":          {"shop", []inventory.Camera{with(filming(1, true), func(c *inventory.Camera) { c.Values.View.AngleDeg = new(110) })}, calm, "view"},
		"a far view":           {"shop", []inventory.Camera{with(filming(1, true), func(c *inventory.Camera) { c.Values.View.RangeM = new(60) })}, calm, "view"},
		"it moves":             {"shop", []inventory.Camera{with(filming(1, true), func(c *inventory.Camera) { c.Values.View.Turns = true })}, calm, "view"},
		"it moves, indoors":    {"shop", []inventory.Camera{with(filming(1, false), func(c *inventory.Camera) { c.Values.View.Turns = true })}, calm, ""},
		"a home":               {"private-home", []inventory.Camera{filming(1, false)}, said("sign", "no", "employees", "yes", "agreement", "no"), ""},
		"a home on a street":   {"private-home", []inventory.Camera{filming(1, true)}, calm, "home"},
		"and without a sign":   {"private-home", []inventory.Camera{filming(1, true)}, said("sign", "no"), "sign home"},
		"no sign":              {"shop", []inventory.Camera{filming(1, false)}, said("sign", "no"), "sign"},
		"who knows":            {"shop", []inventory.Camera{filming(1, false)}, said("sign", "unknown"), "sign"},
		"not answered":         {"shop", []inventory.Camera{filming(1, false)}, nil, ""},
		"no agreement":         {"shop", []inventory.Camera{filming(1, false)}, said("employees", "yes", "agreement", "no"), "employees"},
		"an agreement":         {"shop", []inventory.Camera{filming(1, false)}, said("employees", "yes", "agreement", "yes"), ""},
		"nobody works there":   {"shop", []inventory.Camera{filming(1, false)}, said("employees", "no", "agreement", "no"), ""},
		"no resolution":        {"condominium", []inventory.Camera{filming(1, false)}, said("resolution", "no"), "resolution"},
		"a shop needs none":    {"shop", []inventory.Camera{filming(1, false)}, said("resolution", "no"), ""},
		"nothing found":        {"shop", nil, said("sign", "no"), ""},
		"before the enrolment": {"", []inventory.Camera{filming(30, true)}, said("sign", "no"), "sign retention.week"},
	} {
		c := coached{Category: tc.category, Cameras: tc.cameras, Said: tc.said}
		var got []string
		for _, a := range advise(c) {
			got = append(got, a.Key)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// What a category is asked, and that what was answered is asked no more.
func TestQuestions(t *testing.T) {
	cameras := []inventory.Camera{filming(1, true)}
	for category, want := range map[protocol.Category]string{
		"shop": "sign employees", "condominium": "sign employees resolution", "private-home": "sign", "": "sign employees",
	} {
		c := coached{Category: category, Cameras: cameras}
		if got := strings.Join(unanswered(c), " "); got != want {
			t.Errorf("%s: %s, want %s", category, got, want)
		}
		c.Said = map[string]string{"employees": "yes", "sign": "unknown"}
		if slices.Contains(unanswered(c), "sign") || slices.Contains(unanswered(c), "agreement") != (category != "private-home") {
			t.Errorf("%s is asked %v", category, unanswered(c))
		}
	}
}

// Each piece of advice has its words and at least one source with a date; the
// sources are not of a day to come.
func TestTipsAreWhole(t *testing.T) {
	o := start(t)
	for _, tip := range tips {
		for _, w := range []string{"advice." + tip.Key, "advice." + tip.Key + ".why", "advice." + tip.Key + ".do"} {
			if !o.pages.Words("it").Has(w) || !o.pages.Words("en").Has(w) {
				t.Errorf("no words for %s", w)
			}
		}
		if len(tip.Sources) == 0 {
			t.Errorf("%s has no source", tip.Key)
		}
		for _, s := range tip.Sources {
			if s.Cite == "" || s.Date.Year() < 1950 || s.Date.After(sourcesAsOf) {
				t.Errorf("%s: source %+v", tip.Key, s)
			}
		}
	}
	for _, key := range allQuestions {
		if w := o.pages.Words("it"); !w.Has("ask."+key) || !w.Has("ask."+key+".hint") {
			t.Errorf("no words for the question %s", key)
		}
	}
}

func TestAlerts(t *testing.T) {
	o := start(t)
	w := o.pages.Words("it")
	fact := protocol.Fact{Source: protocol.Measured, At: at(t, "2026-11-21T12:00:00Z")}
	device := inventory.Device{ID: "d", Vendor: "Ditta", Model: "NVR 8", Reachable: true, AnsweredAt: fact.At}
	camera := inventory.Camera{ID: "c", State: inventory.StateDeclared, Device: device, Values: protocol.Camera{Name: "Ingresso",
		Schedule: protocol.Schedule{Kind: protocol.ScheduleOff, Fact: fact}, Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 24 * time.Hour, Fact: fact}},
		Declared: &protocol.Camera{Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour}}}
	for name, tc := range map[string]struct {
		change func(*inventory.Device, *inventory.Camera)
		want   string
	}{
		"all well":       {func(*inventory.Device, *inventory.Camera) {}, ""},
		"silent":         {func(d *inventory.Device, _ *inventory.Camera) { d.Reachable = false }, "non risponde"},
		"never answered": {func(d *inventory.Device, _ *inventory.Camera) { d.Reachable, d.AnsweredAt = false, time.Time{} }, ""},
		"clock": {func(d *inventory.Device, _ *inventory.Camera) {
			d.Clock = &protocol.Clock{OffsetMs: 20 * 60_000, At: fact.At}
		}, "avanti di 20 minuti"},
		"hours": {func(d *inventory.Device, _ *inventory.Camera) {
			d.Clock = &protocol.Clock{OffsetMs: 58 * 60_000, At: fact.At}
		}, "ora italiana"},
		"off":     {func(_ *inventory.Device, c *inventory.Camera) { c.Differs = []string{"schedule"} }, "non registra più"},
		"shorter": {func(_ *inventory.Device, c *inventory.Camera) { c.Differs = []string{"retention"} }, "1 giorno, prima 3 giorni"},
		"longer": {func(_ *inventory.Device, c *inventory.Camera) {
			c.Differs, c.Values.Retention.Age = []string{"retention"}, 96*time.Hour
		}, ""},
		"shrinking": {func(_ *inventory.Device, c *inventory.Camera) {
			c.Depth = inventory.Depth{About: 50 * time.Hour, Trend: inventory.TrendShrinking}
		}, "meno indietro di prima: circa 2 giorni"},
		"put aside": {func(d *inventory.Device, c *inventory.Camera) { d.Reachable, c.State = false, inventory.StateRefused }, ""},
	} {
		d, c := device, camera
		tc.change(&d, &c)
		got := alertsOf(w, []inventory.Device{d}, []inventory.Camera{c})
		if len(got) > 1 || len(got) == 1 != (tc.want != "") || len(got) == 1 && !strings.Contains(got[0].What, tc.want) {
			t.Errorf("%s: %+v, want %q", name, got, tc.want)
		}
		for _, a := range got {
			if strings.Contains(a.Do, "[alert") || a.Of == "" {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

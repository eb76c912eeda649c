package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// What is old, dark or yet to come makes a yes a may, and is said; the class and
// the order stay.
func TestDoubts(t *testing.T) {
	day := 24 * time.Hour
	// It is noon, and the camera was declared by somebody just before.
	r, x := openNew(t)
	for _, c := range []struct {
		name   string
		change func(*protocol.Camera)
		clock  time.Duration // ago; 0: never read
		from   time.Duration // after noon
		want   string        // sees, exists, doubts
	}{
		{"all is well", func(*protocol.Camera) {}, 0, hours(1), "yes yes"},
		{"position of two years ago", func(c *protocol.Camera) { c.Position.Fact.At = noon.Add(-oldPlace) }, 0, hours(1), "unknown yes old-position"},
		{"position of just less", func(c *protocol.Camera) { c.Position.Fact.At = noon.Add(-oldPlace + hours(2)) }, 0, hours(1), "yes yes"},
		{"view of three years ago", func(c *protocol.Camera) { c.View.Fact.At = noon.Add(-3 * 365 * day) }, 0, hours(1), "unknown yes old-view"},
		{"both, and it looks away", func(c *protocol.Camera) {
			c.View.Fact.At, c.Position.Fact.At = noon.Add(-3*365*day), noon.Add(-3*365*day)
			*c.View.DirectionDeg = east
		}, 0, hours(1), "no yes"},
		{"schedule not read for 61 days", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
		}, 0, hours(1), "yes unknown old-schedule"},
		{"but the clock was yesterday", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
		}, day, hours(1), "yes yes"},
		{"and the clock long ago too", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Confirmed, At: noon.Add(-90 * day)}
		}, 61 * day, hours(1), "yes unknown old-schedule"},
		{"but its footage was looked at", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
			c.Retention.OldestFootage, c.Retention.ObservedAt = noon.Add(-3*day), noon.Add(-day)
		}, 0, hours(1), "yes yes"},
		{"schedule that somebody declared last year", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Declared, At: noon.Add(-400 * day)}
		}, 0, hours(1), "yes yes"},
		{"schedule that somebody declared long ago", func(c *protocol.Camera) {
			c.Schedule.Fact = protocol.Fact{Source: protocol.Declared, At: noon.Add(-oldPlace)}
		}, 0, hours(1), "yes unknown old-schedule"},
		{"retention not read for 61 days", func(c *protocol.Camera) {
			c.Retention.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
		}, 0, hours(1), "yes unknown old-retention"},
		{"the same, and it records on motion", func(c *protocol.Camera) {
			c.Retention.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
			c.Schedule.Mode = protocol.Motion
		}, 0, hours(1), "yes on-event old-retention"},
		{"the same, and it is off", func(c *protocol.Camera) {
			c.Retention.Fact = protocol.Fact{Source: protocol.Measured, At: noon.Add(-61 * day)}
			c.Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: c.Schedule.Fact}
		}, 0, hours(1), "yes no"},
		{"before it was declared", func(*protocol.Camera) {}, 0, -hours(1), "unknown unknown before-declared"},
		{"at night", func(*protocol.Camera) {}, 0, hours(8), "unknown yes night"},
		{"at night, with infrared", func(c *protocol.Camera) { c.View.Infrared = true }, 0, hours(8), "yes yes"},
		{"at night, and it turns", func(c *protocol.Camera) { c.View.Turns = true }, 0, hours(8), "unknown yes turns night"},
	} {
		t.Run(c.name, func(t *testing.T) {
			camera := cam(1, 20, west)
			c.change(&camera)
			d := declaration(camera)
			if c.clock != 0 {
				d.Recorders[0].Clock = &protocol.Clock{Method: "onvif", At: noon.Add(-c.clock)}
			}
			o := enrol(t, r, noon)
			o.say(noon, d)
			got := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(c.from), Now: noon.Add(max(c.from, 0) + hours(1))})
			got = slices.DeleteFunc(got, func(r Result) bool { return r.SiteID != o.site })
			if len(got) != 1 {
				t.Fatalf("%d results", len(got))
			}
			says := []string{string(got[0].Sight.Sees), string(got[0].Footage.Exists)}
			says = append(says, got[0].Doubts.Names()...)
			if s := strings.Join(says, " "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
			if got[0].Class != ClassA && got[0].Sight.Sees != protocol.No && got[0].Footage.Exists != protocol.No {
				t.Errorf("class %s", got[0].Class)
			}
		})
	}
}

// Who set out a minute ago has not come by where they will be in an hour.
func TestRouteIntoTheFuture(t *testing.T) {
	r, x := openNew(t)
	near, far := cam(1, 30, west), cam(2, 5000, 0)
	far.Position.Lat -= 270
	far.View.Infrared, near.View.Infrared = true, true
	enrol(t, r, noon).declare(noon, near, far)
	got := find(t, x, Query{In: Route{Line: ring(0, 0, 5000, 0)}, From: noon.Add(hours(1)), Now: noon.Add(hours(1) + time.Minute)})
	var says []string
	for _, r := range got {
		says = append(says, fmt.Sprint(r.CameraName, " ", r.Class, " ", r.Sight.Sees, " ", r.Recording, " ", r.Footage.Exists, " ", r.Doubts.Names()))
	}
	slices.Sort(says)
	if want := []string{"Camera 1 A yes yes yes []", "Camera 2 A yes yes unknown [not-yet]"}; !slices.Equal(says, want) {
		t.Errorf("%q, want %q", says, want)
	}
}

func TestOnly(t *testing.T) {
	r, x := openNew(t)
	enrol(t, r, noon).declare(noon, cam(1, 20, west), func() protocol.Camera {
		c := cam(2, 20, west)
		c.Schedule.Mode = protocol.Motion
		return c
	}(), cam(3, 20, east), func() protocol.Camera {
		c := cam(4, 20, west)
		c.View.Turns = true
		return c
	}(), func() protocol.Camera {
		c := cam(5, 20, west)
		c.Retention = protocol.Retention{}
		return c
	}())
	bank := enrol(t, r, noon)
	d := declaration(cam(6, 20, west))
	d.Site.Category = "bank"
	bank.say(noon, d)
	for _, c := range []struct {
		only   Only
		names  string
		hidden Hidden
	}{
		{Only{}, "1 2 3 4 5 6", Hidden{}},
		{Only{Categories: []protocol.Category{"bank"}}, "6", Hidden{Category: 5}},
		{Only{Categories: []protocol.Category{"bank", "bar-restaurant"}}, "1 2 3 4 5 6", Hidden{}},
		{Only{Continuous: true}, "1 3 4 5 6", Hidden{Continuous: 1}},
		{Only{Certain: true}, "1 6", Hidden{Certain: 4}},
		{Only{Categories: []protocol.Category{"bar-restaurant"}, Continuous: true, Certain: true}, "1", Hidden{1, 1, 3}},
	} {
		a, err := x.Search(t.Context(), Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2)), Only: c.only})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, h := range a.Hits {
			names = append(names, strings.TrimLeft(h.CameraID[24:], "0"))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != c.names || a.Hidden != c.hidden || a.Hidden.All()+len(a.Hits) != 6 {
			t.Errorf("%+v: %s, hidden %+v", c.only, got, a.Hidden)
		}
	}
	_, err := x.Search(t.Context(), Query{In: Circle{At: duomo}, From: noon, Now: noon, Only: Only{Categories: []protocol.Category{"pub"}}})
	if err == nil || !strings.Contains(err.Error(), `category: "pub" is not a category`) {
		t.Error(err)
	}
}

// The sun of known days: civil twilight of Milan and of other places as
// almanacs give it, to the minute.
func TestSun(t *testing.T) {
	minute := time.Minute
	for _, c := range []struct {
		name string
		at   protocol.Point
		when time.Time
		deg  float64
	}{
		// At noon by the sun on an equinox it stands 90 degrees less the latitude high,
		// on the solstices 23.44 more or less.
		{"Milan, June solstice", duomo, time.Date(2026, 6, 21, 11, 25, 0, 0, time.UTC), 90 - 45.464 + 23.44},
		{"Milan, December solstice", duomo, time.Date(2026, 12, 21, 11, 21, 0, 0, time.UTC), 90 - 45.464 - 23.44},
		{"Milan, equinox", duomo, time.Date(2026, 3, 20, 11, 30, 40, 0, time.UTC), 90 - 45.464 - 0.05},
		{"Quito, equinox", protocol.Point{Lon: -78_510_000, Lat: -220_000}, time.Date(2026, 3, 20, 17, 21, 20, 0, time.UTC), 89.7},
		{"the pole, June", protocol.Point{Lon: 1, Lat: 90_000_000}, time.Date(2026, 6, 21, 3, 0, 0, 0, time.UTC), 23.44},
	} {
		if got := sunAt(c.when).deg(c.at); got < c.deg-0.3 || got > c.deg+0.3 {
			t.Errorf("%s: %.2f degrees, want %.2f", c.name, got, c.deg)
		}
	}
	sunset := time.Date(2026, 11, 20, 15, 49, 0, 0, time.UTC) // 16:49 in Milan
	morning := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		from, until time.Time
		want        bool
	}{
		{"by day", sunset.Add(-hours(3)), sunset.Add(-hours(2)), false},
		{"at sunset", sunset, sunset.Add(10 * minute), false},
		{"into the dark", sunset, sunset.Add(50 * minute), true},
		{"out of the dark", morning.Add(-hours(4)), morning, true},
		{"over a night", sunset.Add(-hours(3)), morning, true},
		{"over many", sunset.Add(-hours(3)), morning.Add(hours(72)), true},
		{"midnight", sunset.Add(hours(7)), sunset.Add(hours(7)), true},
	} {
		if got := dark(duomo, c.from, c.until, sunAt); got != c.want {
			t.Errorf("%s: dark %t", c.name, got)
		}
	}
	if tromso := (protocol.Point{Lon: 18_955_000, Lat: 69_649_000}); dark(tromso, time.Date(2026, 6, 20, 10, 0, 0, 0, time.UTC), time.Date(2026, 6, 23, 10, 0, 0, 0, time.UTC), sunAt) {
		t.Error("it is never dark in Tromsø in June")
	}
}

// What a filter hides stays hidden when its site is asked anew.
func TestOnlyWhatIsShown(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	o.declare(noon, cam(1, 20, west), cam(2, 20, west))
	a, err := x.Search(t.Context(), Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2)), Only: Only{Certain: true}})
	if err != nil || len(a.Hits) != 2 {
		t.Fatalf("%d hits, %v", len(a.Hits), err)
	}
	turns := cam(2, 20, west)
	turns.View.Turns = true
	o.declare(noon, cam(1, 20, west), turns)
	shown, results, err := x.Show(t.Context(), a, 0, 2)
	if err != nil || len(shown.Hits) != 1 || len(results) != 1 || results[0].CameraID != id(1) {
		t.Errorf("%d hits, %d results, %v", len(shown.Hits), len(results), err)
	}
}

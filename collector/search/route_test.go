package search

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// They run 600 m to the east at 3.6 to 18 km/h: 1 to 5 m/s.
func TestRoute(t *testing.T) {
	way := Route{Line: ring(0, 0, 600, 0), RadiusM: 100, Speeds: Speeds{3.6, 18}}
	arriving := way
	arriving.Arrival = noon.Add(300 * time.Second) // 2 m/s on average
	for _, c := range []struct {
		name         string
		route        Route
		east, north  float64
		view         protocol.View
		sees         protocol.Answer // "": not listed
		distance     float64
		first, last  float64 // metres along the way
		after, until float64 // seconds; 0, 0: first / 5 and last
	}{
		{"along the way", way, 200, 10, look0(90, 90, 100), protocol.Yes, 12.2, 207.2, 301.5, 0, 0},
		{"across it", way, 300, -50, look0(0, 90, 80), protocol.Yes, 50, 247, 353, 0, 0},
		{"looks away, and is near", way, 300, -50, look0(180, 90, 80), protocol.No, 50, 213.4, 386.6, 0, 0},
		{"near its beginning", way, -60, 0, look0(270, 90, 30), protocol.No, 60, 0, 40, 0, 0},
		{"off the way, and sees it", way, 300, -150, look0(0, 90, 200), protocol.Yes, 150, 164.7, 435.3, 0, 0},
		{"off the way, and looks away", way, 300, -150, look0(180, 90, 200), "", 0, 0, 0, 0, 0},
		{"nobody knows where it looks", way, 300, 60, turning(80), protocol.Unknown, 60, 243, 357, 0, 0},
		// After 300 s they are at the end; at 247 m not before 300 - 353/1 nor, at 353 m, after 300 - 247/5.
		{"arriving, across it", arriving, 300, -50, look0(0, 90, 80), protocol.Yes, 50, 247, 353, 49.4, 250.6},
		{"arriving, at the end", arriving, 600, -50, look0(0, 90, 80), protocol.Yes, 50, 547, 600, 247, 300},
	} {
		l, listed := ready(t, c.route).look(protocol.Position{Point: metres(c.east, c.north), AccuracyM: 2}, c.view)
		if listed != (c.sees != "") {
			t.Errorf("%s: listed %t", c.name, listed)
			continue
		}
		if !listed {
			continue
		}
		if c.after == 0 && c.until == 0 {
			c.after, c.until = c.first/5, c.last
		}
		if l.Sees != c.sees || math.Abs(l.DistanceM-c.distance) > 0.3 || math.Abs(l.after.Seconds()-c.after) > 0.5 || math.Abs(l.until.Seconds()-c.until) > 1.5 {
			t.Errorf("%s: %s at %.2f m, from %s to %s; want %s at %.0f m, %.1f to %.1f s", c.name, l.Sees, l.DistanceM, l.after, l.until, c.sees, c.distance, c.after, c.until)
		}
	}
}

func TestRouteLimits(t *testing.T) {
	way := ring(0, 0, 3600, 0)
	for _, c := range []struct {
		field, why string
		route      Route
		departing  time.Duration
	}{
		{"route", "needs from 2", Route{Line: way[:1]}, 0},
		{"route", "needs from 2", Route{Line: make([]protocol.Point, maxRouteVertices+1)}, 0},
		{"route", "vertex 1 is not a place", Route{Line: make([]protocol.Point, 2)}, 0},
		{"route", "shorter than a metre", Route{Line: []protocol.Point{duomo, duomo}}, 0},
		{"route", "km: at most 40 km a side", Route{Line: ring(0, 0, 45_000, 0)}, 0},
		{"route", "km long: at most 50", Route{Line: ring(0, 0, 30_000, 0, 0, 1)}, 0},
		{"radius", "must be from 50", Route{Line: way, RadiusM: 49}, 0},
		{"speed", "a lower and a higher", Route{Line: way, Speeds: Speeds{15, 4}}, 0},
		{"speed", "a lower and a higher", Route{Line: way, Speeds: Speeds{0.5, 4}}, 0},
		{"speed", "a lower and a higher", Route{Line: way, Speeds: Speeds{math.NaN(), 4}}, 0},
		{"speed", "a lower and a higher", Route{Line: way, Speeds: Speeds{4, 251}}, 0},
		{"speed", "more than 7 days", Route{Line: way, Speeds: Speeds{1, 2}}, MaxWindow - 3*time.Hour},
		{"arrival", "is too early: 3.6 km take at least 12m2s at 18 km/h, and it is 11m0s after the time", Route{Line: way, Arrival: noon.Add(11 * time.Minute)}, 0},
		{"arrival", "is too late: 3.6 km take at most 1h12m11s at 3 km/h, and it is 1h13m0s after the last departure", Route{Line: way, Arrival: noon.Add(73 * time.Minute)}, 0},
	} {
		_, err := c.route.check(noon, noon.Add(c.departing))
		bad, ok := errors.AsType[QueryError](err)
		if !ok || bad.Field != c.field || !strings.Contains(bad.Why, c.why) {
			t.Errorf("%s, %s: %v", c.field, c.why, err)
		}
	}
	r := ready(t, Route{Line: way}).(Route)
	if r.RadiusM != DefaultRadiusM || r.Speeds != (Speeds{3, 18}) {
		t.Errorf("defaults %d, %v", r.RadiusM, r.Speeds)
	}
	for _, m := range AllMeans {
		if s, ok := m.Usual(); !ok || s.MinKmh < minSpeedKmh || s.MaxKmh > maxSpeedKmh || s.MinKmh >= s.MaxKmh {
			t.Errorf("%s: %v", m, s)
		}
	}
}

// A camera is asked for no time at which they cannot have been where it sees,
// and for each at which they can: walk the way in steps of a metre at both
// speeds.
func TestRouteEqualsItsPlaces(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 9))
	counts := make(map[protocol.Answer]int)
	for range 300 {
		r := Route{RadiusM: 50 + dice.IntN(60), Speeds: Speeds{MinKmh: 2 + dice.Float64()*4}}
		r.Speeds.MaxKmh = r.Speeds.MinKmh + dice.Float64()*30
		for range 2 + dice.IntN(6) {
			r.Line = append(r.Line, metres(dice.Float64()*300-150, dice.Float64()*300-150))
		}
		departing := time.Duration(dice.IntN(600)) * time.Second
		until := noon.Add(departing)
		checked := ready(t, r).(Route)
		if dice.IntN(2) == 0 { // an arrival that is possible
			quickest, slowest := checked.lengthM/checked.fastest, checked.lengthM/checked.slowest+departing.Seconds()
			r.Arrival = noon.Add(seconds(quickest + dice.Float64()*(slowest-quickest)))
			a, err := r.check(noon, until)
			if err != nil {
				t.Fatal(err)
			}
			checked = a.(Route)
		}
		at := protocol.Position{Point: metres(dice.Float64()*360-180, dice.Float64()*360-180), AccuracyM: 2 + dice.IntN(10)}
		view := randomView(dice)
		l, listed := checked.look(at, view)
		exact, wider := walked(r, departing, at, view, 0), walked(r, departing, at, view, 1)
		narrower := walked(r, departing, at, view, -1)
		switch {
		case !listed && exact.any:
			t.Fatalf("not listed, but sees or is near: %+v from %+v %s", r, at, words(view))
		case !listed:
			counts[""]++
			continue
		case !wider.any:
			t.Fatalf("listed, and neither sees it nor is near: %+v from %+v %s", r, at, words(view))
		case exact.sees == protocol.Yes && l.Sees != protocol.Yes, l.Sees == protocol.Yes && narrower.sees != protocol.Yes:
			t.Fatalf("%s, walked %s, %s: %+v from %+v %s", l.Sees, exact.sees, narrower.sees, r, at, words(view))
		case (l.Sees == protocol.No) != (exact.sees == protocol.No) && (l.Sees == protocol.No) == (wider.sees == protocol.No):
			counts["at the edge"]++
			continue
		case (l.Sees == protocol.No) != (exact.sees == protocol.No):
			t.Fatalf("%s, walked %s: %+v from %+v %s", l.Sees, exact.sees, r, at, words(view))
		}
		// A metre of the way, and what rounding to a microdegree makes of the edge
		// of what is seen, in seconds.
		slack := 3 / checked.slowest
		from, to := l.after.Seconds(), (departing + l.until).Seconds()
		if math.Abs(from-exact.from) > slack && from < wider.from-slack || from > exact.from+0.3/checked.slowest || math.Abs(to-exact.to) > slack &&
			to > wider.to+slack || to < exact.to-0.3/checked.slowest {
			t.Fatalf("asked for %.1f to %.1f s, walked %.1f to %.1f, with a wider error %.1f to %.1f: %+v from %+v %s", from, to, exact.from, exact.to, wider.from, wider.to, r, at, words(view))
		}
		counts[l.Sees]++
	}
	if counts[""] < 20 || counts[protocol.Yes] < 20 || counts[protocol.No] < 20 || counts[protocol.Unknown] < 20 || counts["at the edge"] > 3 {
		t.Errorf("one-sided: %v", counts)
	}
}

type walk struct {
	any      bool
	sees     protocol.Answer
	from, to float64 // seconds after noon
}

// walked walks the way and looks for the camera, whose error is so many metres
// more. Both of the first departure at the higher and the last at the lower
// speed are walked, forward from the beginning and back from the arrival.
func walked(r Route, departing time.Duration, at protocol.Position, view protocol.View, more int) walk {
	at.AccuracyM += more
	whole, before := 0.0, 0.0
	for i := 1; i < len(r.Line); i++ {
		whole += protocol.DistanceM(r.Line[i-1], r.Line[i])
	}
	seen, near := walk{from: math.Inf(1), to: math.Inf(-1)}, walk{from: math.Inf(1), to: math.Inf(-1)}
	note := func(w *walk, m float64) {
		from, to := m/(r.Speeds.MaxKmh/3.6), departing.Seconds()+m/(r.Speeds.MinKmh/3.6)
		if !r.Arrival.IsZero() {
			there := r.Arrival.Sub(noon).Seconds()
			from, to = max(from, there-(whole-m)/(r.Speeds.MinKmh/3.6)), min(to, there-(whole-m)/(r.Speeds.MaxKmh/3.6))
		}
		w.any, w.from, w.to = true, min(w.from, from), max(w.to, to)
	}
	sees := protocol.No
	for i := 1; i < len(r.Line); i++ {
		between(r.Line[i-1], r.Line[i], 0.5, func(p protocol.Point, m float64) {
			s := protocol.See(at, view, p)
			if s.Sees != protocol.No {
				note(&seen, before+m)
			}
			if s.Sees == protocol.Yes || s.Sees == protocol.Unknown && sees == protocol.No {
				sees = s.Sees
			}
			if s.DistanceM <= float64(r.RadiusM+more) {
				note(&near, before+m)
			}
		})
		before += protocol.DistanceM(r.Line[i-1], r.Line[i])
	}
	if seen.any {
		near = seen
	}
	near.sees = sees
	return near
}

// What a camera is asked for is the time at which they come by.
func TestRouteAsksForThePassing(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	early, late := cam(1, 100, 0), cam(2, 900, 0)
	for _, c := range []*protocol.Camera{&early, &late} { // each looks north over 20 m of the way
		c.Position.Point.Lat -= 90
	}
	// The second is off from 12:10 on.
	late.Schedule.Suspensions = []protocol.Suspension{{From: noon.Add(10 * time.Minute)}}
	o.declare(noon, early, late)
	ask := func(s Speeds) []Result {
		return find(t, x, Query{In: Route{Line: ring(0, 0, 1000, 0), RadiusM: 50, Speeds: s}, From: noon.Add(time.Minute), Until: noon.Add(2 * time.Minute), Now: noon.Add(hours(5))})
	}
	running := ask(Speeds{7.2, 14.4}) // 2 to 4 m/s: 900 m take 225 to 450 s
	if got := classes(running); len(got) != 2 || running[0].Class != ClassA || running[1].Class != ClassA {
		t.Fatalf("%q", got)
	}
	second := running[0]
	if second.CameraID != id(2) {
		second = running[1]
	}
	if from, to := second.From.Sub(noon).Minutes(), second.Until.Sub(noon).Minutes(); math.Abs(from-(1+890/4.0/60)) > 0.2 || math.Abs(to-(2+910/2.0/60)) > 0.2 {
		t.Errorf("asked for minutes %.1f to %.1f", from, to)
	}
	slow := ask(Speeds{2, 3.6})
	if got := classes(slow); len(got) != 2 || slow[0].CameraID != id(1) || slow[1].Class != ClassC {
		t.Errorf("at a walk they come by after it was switched off: %q", got)
	}
}

func FuzzRoute(f *testing.F) {
	f.Add([]byte("\x00\x00\x10\x00\x10\x10"), int16(5), int16(5), uint16(90), uint16(60), uint16(20), 3.0, 18.0, int32(600))
	f.Add([]byte("\x00\x00\x00\x00\xff\xff"), int16(-900), int16(5), uint16(0), uint16(359), uint16(1), 1.0, 250.0, int32(0))
	f.Fuzz(func(t *testing.T, raw []byte, east, north int16, direction, angle, reach uint16, slow, fast float64, arrival int32) {
		r := Route{Speeds: Speeds{slow, fast}}
		for i := 0; i+1 < len(raw); i += 2 {
			r.Line = append(r.Line, metres(float64(raw[i])*4, float64(raw[i+1])*4))
		}
		if arrival > 0 {
			r.Arrival = noon.Add(time.Duration(arrival) * time.Second)
		}
		departing := time.Duration(reach) * time.Second
		a, err := r.check(noon, noon.Add(departing))
		if err != nil {
			if _, ok := errors.AsType[QueryError](err); !ok {
				t.Fatal(err)
			}
			return
		}
		at := protocol.Position{Point: metres(float64(east)/8, float64(north)/8), AccuracyM: int(reach % 30)}
		l, listed := a.look(at, look0(int(direction), int(angle), int(reach)))
		if !listed {
			return
		}
		if math.IsNaN(l.DistanceM) || math.IsInf(l.DistanceM, 0) || l.after < 0 || departing+l.until < l.after-2*time.Microsecond || departing+l.until > MaxWindow+time.Second {
			t.Errorf("%+v, departing within %s", l, departing)
		}
		if arrival > 0 && departing+l.until > time.Duration(arrival)*time.Second+time.Millisecond {
			t.Errorf("asked for %s after the arrival", departing+l.until-time.Duration(arrival)*time.Second)
		}
	})
}

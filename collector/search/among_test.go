package search

import (
	"fmt"
	"testing"

	"anagrafe/protocol"
)

// screens is what stands around the Duomo in these tests: it hides what each
// camera's place says, and remembers what was asked of whom.
type screens struct {
	hides map[protocol.Point]protocol.Answer // by where the camera hangs
	asked map[protocol.Point]protocol.Point
}

func (s *screens) Hides(at protocol.Position, _ protocol.View, p protocol.Point) protocol.Answer {
	s.asked[at.Point] = p
	return s.hides[at.Point]
}

func TestSearchAmongBuildings(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	// All look at the Duomo, but for the fifth; the sixth turns.
	turning := cam(6, 60, west)
	turning.View.Turns = true
	turning.View.DirectionDeg = nil
	o.declare(noon, cam(1, 10, west), cam(2, 20, west), cam(3, 30, west), cam(4, 40, west), cam(5, 50, east), turning)
	walls := &screens{asked: map[protocol.Point]protocol.Point{}, hides: map[protocol.Point]protocol.Answer{
		metres(10, 0): protocol.No, metres(20, 0): protocol.Unknown, metres(30, 0): protocol.Yes,
		metres(40, 0): protocol.No, metres(60, 0): protocol.Yes,
	}}
	q := Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2))}
	open := find(t, x, q)
	if got := brief(open); got != "1A yes , 2A yes , 3A yes , 4A yes , 6A unknown , 5B no " {
		t.Fatalf("without buildings: %s", got)
	}
	q.Buildings = walls
	among := find(t, x, q)
	if got := brief(among); got != "1A yes no, 2A unknown unknown, 4A yes no, 3B no yes, 5B no , 6B no yes" {
		t.Errorf("among buildings: %s", got)
	}
	for _, r := range among {
		if r.Sight.Sees == protocol.No && (r.Sight.PixelsPerMetre != 0 || r.Sight.Class != protocol.ClassNone) {
			t.Errorf("camera %s sees nothing with %v", r.CameraID, r.Sight)
		}
		if r.Hidden != "" && (r.Open.Sight.Sees == protocol.No || r.Open.Sight.DistanceM != r.Sight.DistanceM || r.Open.Sight.BearingDeg != r.Sight.BearingDeg) {
			t.Errorf("camera %s: %v among, %v without buildings", r.CameraID, r.Sight, r.Open.Sight)
		}
	}
	if len(walls.asked) != 5 { // the fifth sees nothing that could be hidden
		t.Errorf("asked for %v", walls.asked)
	}
	for camera, p := range walls.asked {
		if p != duomo {
			t.Errorf("of the camera at %v it is asked what hides %v", camera, p)
		}
	}
	if got, want := brief(WithoutBuildings(among)), brief(open); got != want {
		t.Errorf("seen through: %s, want %s", got, want)
	}
	if got := brief(among); got[:12] != "1A yes no, 2" {
		t.Errorf("seeing through changed the answer: %s", got)
	}
}

func brief(results []Result) string {
	out := ""
	for i, r := range results {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%s%s %s %s", r.CameraID[len(r.CameraID)-1:], r.Class, r.Sight.Sees, r.Hidden)
	}
	return out
}

// wallsOf hides what lies beyond them from every camera: from the first metres
// east of the Duomo surely, up to the second perhaps.
type wallsOf struct{ surely, perhaps float64 }

func (w wallsOf) Hides(_ protocol.Position, _ protocol.View, p protocol.Point) protocol.Answer {
	switch {
	case p.Lon <= metres(w.surely, 0).Lon:
		return protocol.Yes
	case p.Lon <= metres(w.perhaps, 0).Lon:
		return protocol.Unknown
	}
	return protocol.No
}

// TestRouteAmongBuildings has somebody go east past a camera that looks north at
// the way from 30 m south of it, and sees it from 30 m west to 30 m east.
func TestRouteAmongBuildings(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	c := cam(1, 0, 0)
	c.Position.Point = metres(0, -30)
	o.declare(noon, c)
	there := Route{Line: []protocol.Point{metres(-200, 0), metres(200, 0)}, RadiusM: 50}
	q := Query{In: there, From: noon.Add(hours(1)), Now: noon.Add(hours(2))}
	open := find(t, x, q)[0]
	if open.Sight.Sees != protocol.Yes || open.Sight.DistanceM > 30.2 {
		t.Fatalf("%+v", open.Sight)
	}
	for i, w := range []struct {
		name   string
		walls  wallsOf
		sees   protocol.Answer
		hidden protocol.Answer
		class  Class
		east   float64 // of the place that the sight is of
	}{
		{"nothing hides it", wallsOf{-100, -100}, protocol.Yes, protocol.No, ClassA, 0},
		{"the nearest is hidden, from 12 m on nothing", wallsOf{12, 12}, protocol.Yes, protocol.No, ClassA, 15},
		{"what is not hidden is at the edge of its view", wallsOf{27, 27}, protocol.Unknown, protocol.No, ClassA, 30},
		{"some may be hidden, some not", wallsOf{-100, 12}, protocol.Yes, protocol.No, ClassA, 15},
		{"all may be hidden", wallsOf{-100, 100}, protocol.Unknown, protocol.Unknown, ClassA, 0},
		{"all is hidden", wallsOf{100, 100}, protocol.No, protocol.Yes, ClassB, 0},
	} {
		q.Buildings = w.walls
		if i%2 == 1 { // and back
			q.In = Route{Line: []protocol.Point{metres(200, 0), metres(-200, 0)}, RadiusM: 50}
		} else {
			q.In = there
		}
		got := find(t, x, q)[0]
		place := placeOf(c.Position.Point, got.Sight)
		if got.Sight.Sees != w.sees || got.Hidden != w.hidden || got.Class != w.class || protocol.DistanceM(place, metres(w.east, 0)) > 3.5 {
			t.Errorf("%s: sees %s, hidden %s, class %s, of %.1f m east", w.name, got.Sight.Sees, got.Hidden, got.Class, protocol.DistanceM(metres(0, 0), place))
		}
		if got.Open.Sight != open.Sight || got.From != open.From || got.Until != open.Until {
			t.Errorf("%s: without buildings %+v from %v until %v, want %+v from %v until %v", w.name, got.Open.Sight, got.From, got.Until, open.Sight, open.From, open.Until)
		}
		if doubted := got.Doubts&protocol.DoubtHidden != 0; doubted != (w.hidden == protocol.Unknown) {
			t.Errorf("%s: doubts %v", w.name, got.Doubts.Names())
		}
	}
	// Of an area only the nearest place is asked for: others may be seen.
	q.Buildings = wallsOf{100, 100}
	q.In = Polygon{Rings: [][]protocol.Point{{metres(-50, 0), metres(50, 0), metres(50, 40), metres(-50, 40)}}}
	if got := find(t, x, q)[0]; got.Sight.Sees != protocol.Unknown || got.Hidden != protocol.Unknown || got.Class != ClassA {
		t.Errorf("an area: sees %s, hidden %s, class %s", got.Sight.Sees, got.Hidden, got.Class)
	}
	// One that hangs inside is not asked what hides its own foot.
	q.In = Polygon{Rings: [][]protocol.Point{{metres(-50, -50), metres(50, -50), metres(50, 40), metres(-50, 40)}}}
	if got := find(t, x, q)[0]; got.Sight.Sees != protocol.Yes || got.Hidden != "" {
		t.Errorf("within the area: sees %s, hidden %s", got.Sight.Sees, got.Hidden)
	}
}

// TestOldFactsBehindWalls: seen through, a camera is doubted as if there had never
// been a wall.
func TestOldFactsBehindWalls(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	c := cam(1, 30, west)
	c.View.Fact.At = noon.Add(-3 * 365 * 24 * hours(1))
	o.declare(noon, c)
	q := Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2))}
	open := find(t, x, q)
	if open[0].Doubts != protocol.DoubtOldView || open[0].Sight.Sees != protocol.Unknown {
		t.Fatalf("%v %v", open[0].Sight, open[0].Doubts.Names())
	}
	q.Buildings = wallsOf{100, 100}
	among := find(t, x, q)
	if among[0].Doubts != 0 || among[0].Class != ClassB {
		t.Errorf("behind a wall: class %s, doubts %v", among[0].Class, among[0].Doubts.Names())
	}
	through := WithoutBuildings(among)[0]
	if through.Class != ClassA || through.Doubts != protocol.DoubtOldView || through.Sight.Sees != protocol.Unknown {
		t.Errorf("seen through: class %s, %v, doubts %v", through.Class, through.Sight, through.Doubts.Names())
	}
	q.Buildings = wallsOf{-100, 100}
	if got := find(t, x, q)[0]; got.Doubts != protocol.DoubtOldView|protocol.DoubtHidden || WithoutBuildings([]Result{got})[0].Doubts != protocol.DoubtOldView {
		t.Errorf("maybe behind a wall: doubts %v", got.Doubts.Names())
	}
}

func TestPlaceOf(t *testing.T) {
	for _, to := range []protocol.Point{metres(0, 0), metres(80, -35), metres(-120, 15), metres(3, 190), metres(-1, -1)} {
		s := protocol.Sight{DistanceM: protocol.DistanceM(duomo, to), BearingDeg: protocol.BearingDeg(to, duomo)}
		if off := protocol.DistanceM(placeOf(duomo, s), to); off > 0.15 {
			t.Errorf("the place of a sight of %v is %.2f m off", to, off)
		}
	}
}

package search

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// ring is a ring of points so many metres east and north of the Duomo.
func ring(eastNorth ...float64) (points []protocol.Point) {
	for i := 0; i+1 < len(eastNorth); i += 2 {
		points = append(points, metres(eastNorth[i], eastNorth[i+1]))
	}
	return points
}

func ready(t testing.TB, a Area) Area {
	t.Helper()
	a, err := a.check(noon, noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPolygon(t *testing.T) {
	square := [][]protocol.Point{ring(0, 0, 60, 0, 60, 60, 0, 60)}
	holed := [][]protocol.Point{ring(0, 0, 60, 0, 60, 60, 0, 60, 0, 0), ring(10, 10, 50, 10, 50, 50, 10, 50)}
	parts := [][]protocol.Point{ring(0, 0, 20, 0, 20, 60, 0, 60), ring(40, 0, 60, 0, 60, 60, 40, 60)}
	for _, c := range []struct {
		name        string
		rings       [][]protocol.Point
		east, north float64
		accuracy    int
		view        protocol.View
		sees        protocol.Answer // "": not listed
		distance    float64
		bearing     float64
		doubts      string
	}{
		{"inside, of unknown direction", square, 30, 30, 2, protocol.View{}, protocol.Yes, 0, 0, ""},
		{"inside, by less than its error", square, 30, 3, 5, protocol.View{}, protocol.Unknown, 0, 0, "direction angle range"},
		{"inside, near a side, looking in", square, 30, 3, 5, look0(0, 90, 40), protocol.Yes, 0, 0, ""},
		{"inside, near a side, looking out", square, 30, 3, 5, look0(180, 90, 40), protocol.Unknown, 0, 0, "accuracy"},
		{"without, looking in", square, 30, -20, 2, look0(0, 90, 40), protocol.Yes, 20, 180, ""},
		{"without, looking in from afar", square, 30, -39, 2, look0(0, 90, 40), protocol.Unknown, 39, 180, "accuracy"},
		{"without, looking aside", square, 30, -20, 2, look0(90, 60, 40), "", 0, 0, ""},
		{"without, looking aside by a corner", square, -20, -20, 2, look0(90, 80, 30), protocol.Unknown, 28.64, 226, "accuracy"},
		{"without, of unknown direction", square, -30, 30, 2, protocol.View{}, protocol.Unknown, 30, 270, "direction angle range"},
		{"without, of unknown direction, beyond its range", square, -103, 30, 2, protocol.View{}, "", 0, 0, ""},
		{"without, turning", square, 30, 80, 2, turning(30), protocol.Unknown, 20, 0, "turns"},
		{"a wide view that holds all of it", [][]protocol.Point{ring(0, 0, 4, 0, 4, 4, 0, 4)}, 2, -30, 2, look0(0, 90, 100), protocol.Yes, 30, 180, ""},
		{"a narrow view that lies wholly inside", square, -20, 30, 1, look0(90, 10, 60), protocol.Yes, 20, 270, ""},
		{"in the hole, looking at the hole", holed, 30, 30, 1, look0(0, 90, 15), "", 0, 0, ""},
		{"in the hole, looking beyond it", holed, 30, 30, 1, look0(0, 90, 30), protocol.Yes, 20, 180, ""},
		{"in the ring around the hole", holed, 5, 30, 1, look0(0, 90, 30), protocol.Yes, 0, 0, ""},
		{"between two parts", parts, 30, 30, 1, look0(90, 60, 30), protocol.Yes, 10, 270, ""},
		{"in the second part", parts, 50, 30, 1, protocol.View{}, protocol.Yes, 0, 0, ""},
	} {
		l, listed := ready(t, Polygon{Rings: c.rings}).look(protocol.Position{Point: metres(c.east, c.north), AccuracyM: c.accuracy}, c.view)
		if listed != (c.sees != "") {
			t.Errorf("%s: listed %t", c.name, listed)
			continue
		}
		if !listed {
			continue
		}
		if l.Sees != c.sees || math.Abs(l.DistanceM-c.distance) > 0.3 || math.Abs(l.BearingDeg-c.bearing) > 1 && c.distance > 0 || strings.Join(l.Doubts.Names(), " ") != c.doubts {
			t.Errorf("%s: %s at %.2f m, %.1f degrees, doubts %q", c.name, l.Sees, l.DistanceM, l.BearingDeg, l.Doubts.Names())
		}
		if l.DistanceM == 0 && l.PixelsPerMetre != 0 {
			t.Errorf("%s: %.0f px/m at its own foot", c.name, l.PixelsPerMetre)
		}
	}
}

func look0(direction, angle, reach int) protocol.View {
	return protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920}
}

func turning(reach int) protocol.View {
	angle := 60
	return protocol.View{AngleDeg: &angle, RangeM: &reach, Turns: true}
}

func TestPolygonLimits(t *testing.T) {
	many := make([]protocol.Point, maxVertices+1)
	for i := range many {
		sin, cos := math.Sincos(float64(i) * 2 * math.Pi / float64(len(many)))
		many[i] = metres(3000*sin, 3000*cos)
	}
	for why, rings := range map[string][][]protocol.Point{
		"is missing":               nil,
		"at least three vertices":  {ring(0, 0, 10, 0)},
		"three vertices":           {ring(0, 0, 10, 0, 0, 0)}, // closed
		"vertex 2 is not a place":  {{duomo, {Lon: 181e6, Lat: 0}, metres(10, 10)}},
		"within 85 degrees":        {{{Lon: 1, Lat: 89e6}, {Lon: 2, Lat: 89e6}, {Lon: 2, Lat: 89_000_100}}},
		"crosses itself: the side": {ring(0, 0, 60, 60, 60, 0, 0, 60)},
		"and the one from":         {ring(0, 0, 60, 0, 60, 60, 0, 60), ring(30, 30, 90, 30, 90, 50)}, // a hole that leaves it
		"square metre":             {ring(0, 0, 20, 0, 40, 0)},
		"km²: at most 50":          {ring(0, 0, 8000, 0, 8000, 8000, 0, 8000)},
		"km: at most 40":           {ring(0, 0, 41_000, 0, 41_000, 10, 0, 10)},
		"km a side":                {{{Lon: 179_999_000, Lat: 1}, {Lon: -179_999_000, Lat: 1}, {Lon: -179_999_000, Lat: 1000}}},
		"more than 20000":          {many},
	} {
		_, err := Polygon{Rings: rings}.check(noon, noon)
		if bad, ok := errors.AsType[QueryError](err); !ok || bad.Field != "area" || !strings.Contains(bad.Why, why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	ready(t, Polygon{Rings: [][]protocol.Point{ring(0, 0, 10, 0, 10, 10, 0, 0, -10, 0, -10, -10)}}) // touches itself in a point
	ready(t, Polygon{Rings: [][]protocol.Point{many[1:]}})
}

// A polygon's answer is that of its places: a dense sampling of them finds
// nothing that the answer denies, and with a margin a metre wider or narrower
// all that it says.
func TestPolygonEqualsItsPlaces(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 7))
	counts := make(map[string]int)
	for range 400 {
		p := randomPolygon(dice)
		at := protocol.Position{Point: metres(dice.Float64()*160-80, dice.Float64()*160-80), AccuracyM: 1 + dice.IntN(12)}
		view := randomView(dice)
		l, listed := ready(t, p).look(at, view)
		inside := odd(p.Rings, at.Point)
		less, more := at, at
		less.AccuracyM, more.AccuracyM = max(at.AccuracyM-1, 1), at.AccuracyM+1
		exact, wide, narrow := sample(p, at, view), sample(p, more, view), sample(p, less, view)
		switch {
		case !listed:
			counts["not listed"]++
			if inside || exact.may {
				t.Fatalf("not listed, but inside %t, seen %t: %+v from %+v %s", inside, exact.may, p.Rings, at, words(view))
			}
			continue
		case !inside && !wide.may:
			t.Fatalf("listed, and sees nothing: %+v from %+v %s", p.Rings, at, words(view))
		case exact.yes && l.Sees != protocol.Yes:
			t.Fatalf("%s, but surely sees a place: %+v from %+v %s", l.Sees, p.Rings, at, words(view))
		case l.Sees == protocol.Yes && !inside && at.AccuracyM > 1 && !narrow.yes:
			t.Fatalf("Yes, but of no place: %+v from %+v %s", p.Rings, at, words(view))
		case !inside && (l.DistanceM > exact.nearest+0.2 || l.DistanceM < wide.nearest-0.2):
			t.Fatalf("nearest at %.2f m, sampled %.2f, %.2f: %+v from %+v %s", l.DistanceM, exact.nearest, wide.nearest, p.Rings, at, words(view))
		}
		counts[string(l.Sees)]++
	}
	if counts["not listed"] < 20 || counts["yes"] < 20 || counts["unknown"] < 20 {
		t.Errorf("one-sided: %v", counts)
	}
}

// randomPolygon is a star around a place, some with a hole.
func randomPolygon(dice *rand.Rand) Polygon {
	east, north := dice.Float64()*60-30, dice.Float64()*60-30
	star := func(from, to float64) (points []protocol.Point) {
		n := 3 + dice.IntN(9)
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * (float64(i) + dice.Float64()*0.8) / float64(n))
			r := from + dice.Float64()*(to-from)
			points = append(points, metres(east+r*sin, north+r*cos))
		}
		return points
	}
	p := Polygon{Rings: [][]protocol.Point{star(12, 50)}}
	if dice.IntN(3) == 0 {
		hole := Polygon{Rings: append(slices.Clone(p.Rings), star(2, 5))}
		if _, err := hole.check(noon, noon); err == nil {
			return hole
		}
	}
	return p
}

func randomView(dice *rand.Rand) protocol.View {
	direction, angle, reach := dice.IntN(360), 5+dice.IntN(356), 5+dice.IntN(90)
	v := protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, Turns: dice.IntN(8) == 0}
	for _, field := range []**int{&v.DirectionDeg, &v.AngleDeg, &v.RangeM} {
		if dice.IntN(10) == 0 {
			*field = nil
		}
	}
	return v
}

func words(v protocol.View) string {
	var b strings.Builder
	for _, n := range []*int{v.DirectionDeg, v.AngleDeg, v.RangeM} {
		if n == nil {
			b.WriteString("? ")
		} else {
			b.WriteString(time.Duration(*n).String() + " ")
		}
	}
	return b.String()
}

// odd is the rule of the rings, by a ray to the north in microdegrees.
func odd(rings [][]protocol.Point, p protocol.Point) bool {
	in := false
	for _, r := range rings {
		for i, a := range r {
			b := r[(i+1)%len(r)]
			if (a.Lon > p.Lon) != (b.Lon > p.Lon) {
				lat := float64(a.Lat) + float64(p.Lon-a.Lon)*float64(b.Lat-a.Lat)/float64(b.Lon-a.Lon)
				in = in != (lat > float64(p.Lat))
			}
		}
	}
	return in
}

type sampled struct {
	may, yes bool
	nearest  float64
}

// sample asks See for a grid of places inside, and for places along the sides.
func sample(p Polygon, at protocol.Position, view protocol.View) sampled {
	s := sampled{nearest: math.Inf(1)}
	ask := func(place protocol.Point) {
		sight := protocol.See(at, view, place)
		if sight.Sees != protocol.No {
			s.may, s.nearest = true, min(s.nearest, sight.DistanceM)
		}
		s.yes = s.yes || sight.Sees == protocol.Yes
	}
	b := boxOf(slices.Concat(p.Rings...)...)
	for lon := b.west; lon <= b.east; lon += 13 { // a metre
		for lat := b.south; lat <= b.north; lat += 9 {
			if place := (protocol.Point{Lon: int32(lon), Lat: int32(lat)}); odd(p.Rings, place) {
				ask(place)
			}
		}
	}
	for _, r := range p.Rings {
		for i, from := range r {
			between(from, r[(i+1)%len(r)], 0.25, func(place protocol.Point, _ float64) { ask(place) })
		}
	}
	return s
}

// between calls f for places along a straight line, so many metres apart, with
// their distance from its beginning.
func between(a, b protocol.Point, step float64, f func(protocol.Point, float64)) {
	length := protocol.DistanceM(a, b)
	for m := 0.0; m < length; m += step {
		f(protocol.Point{Lon: a.Lon + int32(math.Round(m/length*float64(b.Lon-a.Lon))), Lat: a.Lat + int32(math.Round(m/length*float64(b.Lat-a.Lat)))}, m)
	}
	f(b, length)
}

// Many vertices are read strip by strip, with the same answer.
func TestPolygonOfManyVertices(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var round []protocol.Point
	for i := range 4000 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 4000)
		r := 1500 + dice.Float64()*3
		round = append(round, metres(r*sin, r*cos))
	}
	p := ready(t, Polygon{Rings: [][]protocol.Point{round}}).(Polygon)
	whole := p
	whole.lines.strips, whole.lines.height = [][]int32{nil}, math.MaxInt32
	for i := range p.lines.edges {
		whole.lines.strips[0] = append(whole.lines.strips[0], int32(i))
	}
	listed := 0
	for range 500 {
		sin, cos := math.Sincos(dice.Float64() * 2 * math.Pi)
		r := 1300 + dice.Float64()*400
		at := protocol.Position{Point: metres(r*sin, r*cos), AccuracyM: 3}
		view := randomView(dice)
		got, ok := p.look(at, view)
		want, also := whole.look(at, view)
		if got != want || ok != also {
			t.Fatalf("%+v %t, one strip: %+v %t", got, ok, want, also)
		}
		if ok {
			listed++
		}
	}
	if listed < 100 || listed > 450 {
		t.Errorf("%d of 500 listed", listed)
	}
}

func FuzzPolygon(f *testing.F) {
	f.Add([]byte("\x00\x00\x10\x00\x10\x10\x00\x10"), int16(5), int16(5), uint16(90), uint16(60), uint16(20))
	f.Add([]byte("\x00\x00\x10\x10\x10\x00\x00\x10\xff\x00\x02\x02\x09\x09"), int16(-5), int16(5), uint16(0), uint16(359), uint16(1))
	f.Fuzz(func(t *testing.T, raw []byte, east, north int16, direction, angle, reach uint16) {
		var p Polygon
		rings := [][]protocol.Point{nil}
		for i := 0; i+1 < len(raw); i += 2 {
			if raw[i] == 0xff {
				rings = append(rings, nil)
				continue
			}
			rings[len(rings)-1] = append(rings[len(rings)-1], metres(float64(raw[i]), float64(raw[i+1])))
		}
		p.Rings = rings
		a, err := p.check(noon, noon)
		if err != nil {
			if bad, ok := errors.AsType[QueryError](err); !ok || bad.Field != "area" {
				t.Fatal(err)
			}
			return
		}
		at := protocol.Position{Point: metres(float64(east)/8, float64(north)/8), AccuracyM: int(reach % 30)}
		l, listed := a.look(at, look0(int(direction), int(angle), int(reach)))
		if listed && (math.IsNaN(l.DistanceM) || math.IsInf(l.DistanceM, 0) || l.Sees == protocol.No || l.after != 0 || l.until != 0) {
			t.Errorf("%+v", l)
		}
	})
}

package protocol

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomSector is a camera at the Duomo, of any kind.
func randomSector(dice *rand.Rand) (Position, View) {
	v := View{DirectionDeg: deg(dice.IntN(360)), AngleDeg: deg(1 + dice.IntN(360)), RangeM: deg(1 + dice.IntN(80)), Turns: dice.IntN(10) == 0}
	for _, field := range []**int{&v.DirectionDeg, &v.AngleDeg, &v.RangeM} {
		if dice.IntN(12) == 0 {
			*field = nil
		}
	}
	return Position{Point: duomo, AccuracyM: dice.IntN(30)}, v
}

// What is said of a line is what its places say, one every five centimetres.
func TestAlongEqualsItsPlaces(t *testing.T) {
	dice := rand.New(rand.NewPCG(11, 4))
	some, surely := 0, 0
	for range 1000 {
		pos, view := randomSector(dice)
		s := SectorOf(pos, view)
		reach := s.ReachM() * 1.3
		random := func() float64 { return (dice.Float64()*2 - 1) * reach }
		l := line{random(), random(), 0, 0}
		if dice.IntN(20) > 0 { // else a line that is one place
			l.wayEast, l.wayNorth = random()-l.east, random()-l.north
		}
		length := math.Hypot(l.wayEast, l.wayNorth)
		first, last, nearest, yes := math.Inf(1), math.Inf(-1), math.Inf(1), false
		const step = 0.05
		steps := int(length/step) + 1
		for i := range steps + 1 {
			at := float64(i) / float64(steps)
			switch s.sees(l.at(at)) {
			case No:
				continue
			case Yes:
				yes = true
			}
			first, last, nearest = min(first, at), max(last, at), min(nearest, l.distance(at))
		}
		got, seen := s.Along(l.east, l.north, l.east+l.wayEast, l.north+l.wayNorth)
		slack := 2 * step / math.Max(length, step) // of the line
		// A piece shorter than the steps may be met by no place.
		if !seen && last >= first || seen && last < first && (got.Last-got.First)*length > 2*step {
			t.Fatalf("seen %t from %v to %v, places from %v to %v: %+v %+v, %+v", seen, got.First, got.Last, first, last, pos, view, l)
		}
		if !seen || last < first {
			continue
		}
		some++
		if math.Abs(got.First-first) > slack || math.Abs(got.Last-last) > slack || math.Abs(got.DistanceM-nearest) > 2*step ||
			math.Abs(l.distance(got.Nearest)-got.DistanceM) > 1e-9 {
			t.Fatalf("%+v, places from %v to %v, nearest %v: %+v %+v, %+v", got, first, last, nearest, pos, view, l)
		}
		if yes && !got.Surely {
			t.Fatalf("not surely, but a place is: %+v %+v, %+v", pos, view, l)
		}
		if got.Surely {
			surely++
		}
		if got.Surely && !yes && length > 1 {
			t.Fatalf("surely, but no place is: %+v %+v, %+v", pos, view, l)
		}
	}
	if some < 300 || surely < 50 {
		t.Errorf("%d lines seen, %d surely", some, surely)
	}
}

// The place that is said to be surely seen is, and where none is said there is
// none: a grid of places finds none.
func TestDeepest(t *testing.T) {
	dice := rand.New(rand.NewPCG(2, 8))
	there := 0
	for range 300 {
		pos, view := randomSector(dice)
		s := SectorOf(pos, view)
		if east, north, ok := s.Deepest(); ok {
			there++
			if s.sees(east, north) != Yes {
				t.Fatalf("%.1f, %.1f is not surely seen: %+v %+v", east, north, pos, view)
			}
			continue
		}
		for range 3000 {
			east, north := (dice.Float64()*2-1)*s.reach, (dice.Float64()*2-1)*s.reach
			if s.sees(east, north) == Yes {
				t.Fatalf("%.1f, %.1f is surely seen: %+v %+v", east, north, pos, view)
			}
		}
	}
	if there < 50 || there > 250 {
		t.Errorf("%d of 300 have such a place", there)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		name                   string
		a, b                   [2]float64
		first, last, near, far float64
		within                 bool
	}{
		{"through the middle", [2]float64{-20, 0}, [2]float64{20, 0}, 0.25, 0.75, 0.5, 0, true},
		{"beside", [2]float64{-20, 6}, [2]float64{20, 6}, 0.3, 0.7, 0.5, 6, true},
		{"begins inside", [2]float64{0, 5}, [2]float64{0, 25}, 0, 0.25, 0, 5, true},
		{"ends inside", [2]float64{0, 25}, [2]float64{0, 5}, 0.75, 1, 1, 5, true},
		{"all inside", [2]float64{1, 1}, [2]float64{5, 1}, 0, 1, 0, math.Sqrt2, true},
		{"a place inside", [2]float64{3, 4}, [2]float64{3, 4}, 0, 1, 0, 5, true},
		{"a place outside", [2]float64{30, 4}, [2]float64{30, 4}, 0, 0, 0, 0, false},
		{"passes by", [2]float64{-20, 11}, [2]float64{20, 11}, 0, 0, 0, 0, false},
		{"stops short", [2]float64{-30, 0}, [2]float64{-11, 0}, 0, 0, 0, 0, false},
	} {
		p, within := Within(10, c.a[0], c.a[1], c.b[0], c.b[1])
		if want := (Part{First: c.first, Last: c.last, Nearest: c.near, DistanceM: c.far}); within != c.within || within && (math.Abs(p.First-want.First) > 1e-9 ||
			math.Abs(p.Last-want.Last) > 1e-9 || math.Abs(p.Nearest-want.Nearest) > 1e-9 || math.Abs(p.DistanceM-want.DistanceM) > 1e-9) {
			t.Errorf("%s: %+v %t, want %+v", c.name, p, within, want)
		}
	}
}

// A plane agrees with the distances of pairs of points.
func TestPlane(t *testing.T) {
	plane := PlaneAt(duomo)
	for _, c := range []struct{ east, north, within float64 }{{200, 0, 0.01}, {140, 140, 0.01}, {0, -200, 0.01}, {2000, 0, 0.01}, {1400, 1400, 0.3}, {-1400, -1400, 0.3}} {
		p := from(c.east, c.north)
		east, north := plane.Offset(p)
		if d := math.Abs(math.Hypot(east, north) - DistanceM(duomo, p)); d > c.within {
			t.Errorf("%.0f, %.0f: %.3f m off", c.east, c.north, d)
		}
		if d := math.Abs(bearingOf(east, north) - BearingDeg(duomo, p)); d > 0.02 {
			t.Errorf("%.0f, %.0f: %.3f degrees off", c.east, c.north, d)
		}
	}
	if east, north := PlaneAt(Point{179_999_900, 1}).Offset(Point{-179_999_900, 1}); math.Abs(east-22.26) > 0.01 || north != 0 {
		t.Errorf("across the date line: %.2f, %.2f", east, north)
	}
	if east, _ := PlaneAt(Point{-179_999_900, 1}).Offset(Point{179_999_900, 1}); math.Abs(east+22.26) > 0.01 {
		t.Errorf("and back: %.2f", east)
	}
	for _, north := range []float64{0, 100, -100} {
		if lat, want := plane.Latitude(north), from(0, north).Lat; lat < int64(want)-1 || lat > int64(want)+1 {
			t.Errorf("%.0f m to the north lies at %d, want %d", north, lat, want)
		}
	}
}

package buildings

import (
	"math"
	"math/rand/v2"
	"testing"

	"anagrafe/collector/basemap/maptest"
)

// TestSweepEqualsLooking holds the shape against looking at each point.
func TestSweepEqualsLooking(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		somewhere := func() point { return point{r.Float64()*160 - 80, r.Float64()*160 - 80} }
		eye := point{r.Float64()*20 - 10, r.Float64()*20 - 10}
		walls := make([]wall, r.IntN(40))
		for i := range walls {
			a := somewhere()
			b := point{a.x + r.NormFloat64()*15, a.y + r.NormFloat64()*15}
			if i%4 == 0 { // as streets run
				b.x = a.x
			}
			if i%9 == 8 {
				a, b = walls[i-1].b, walls[i-2].a // some share a corner
			}
			walls[i] = wall{a, b}
		}
		from, over := r.Float64()*2*math.Pi-math.Pi, r.Float64()*2*math.Pi
		if seed%3 == 0 {
			over = 2 * math.Pi
		}
		const reach = 60
		shape := visibilityPolygon(eye, walls, from, over, reach)
		for range 300 {
			p := somewhere()
			far := math.Hypot(p.x-eye.x, p.y-eye.y)
			// An arc is drawn as chords of 8 degrees.
			if fromRing(shape, p) < 0.01 || far > reach*0.995 && far < reach {
				continue
			}
			want := far < reach && angle(point{p.x - eye.x, p.y - eye.y}, from) < over && !blocked(wall{eye, p}, walls)
			if got := within(shape, p); got != want {
				t.Fatalf("seed %d: %v from %v over %v to %v is in the shape: %v, seen: %v", seed, eye, from, over, p, got, want)
			}
		}
	}
}

func TestSeen(t *testing.T) {
	o := openMap(t, maptest.Margin, quarter()...)
	g := o.around(middle)
	draw := func(east, north float64, accuracy, direction int) ([]point, bool) {
		t.Helper()
		at, view := camera(east, north, accuracy, direction)
		ring, ok := o.VisibilityPolygon(at, view, 100)
		var shape []point
		for _, p := range ring {
			shape = append(shape, g.place(p))
		}
		if ok && ring[0] != ring[len(ring)-1] {
			t.Errorf("the ring is open: %v", ring)
		}
		if len(ring) > maxRing+1 {
			t.Errorf("%d points", len(ring))
		}
		return shape, ok
	}
	// From the courtyard's west wall eastwards: the courtyard and nothing else.
	shape, ok := draw(9, 20, 3, 90)
	if !ok || !within(shape, point{28, 28}) || !within(shape, point{12, 20}) {
		t.Errorf("the courtyard is not seen: %v %v", ok, shape)
	}
	for _, p := range shape {
		if p.x < 9 || p.x > 31 || p.y < 9 || p.y > 31 {
			t.Errorf("through the courtyard's walls: %v", p)
		}
	}
	// From the street northwards: along it, and below the arcade.
	shape, ok = draw(46, 5, 3, 0)
	if !ok || !within(shape, point{46, 80}) || !within(shape, point{30, 60}) && within(shape, point{30, 30}) || within(shape, point{60, 30}) {
		t.Errorf("along the street: %v %v", ok, shape)
	}
	// Nothing can be told of one deep within, of one known to nothing, and where
	// there is no building.
	for _, c := range [][2]float64{{62, 20}, {600, 600}} {
		if shape, ok := draw(c[0], c[1], 2, 0); ok {
			t.Errorf("from %v: %v", c, shape)
		}
	}
	if _, ok := draw(46, 5, 200, 0); ok {
		t.Error("a shape from nowhere")
	}
}

func TestThinned(t *testing.T) {
	var circle []point
	for i := range 1000 {
		sin, cos := math.Sincos(float64(i) / 1000 * 2 * math.Pi)
		circle = append(circle, point{50 * cos, 50 * sin})
	}
	out := thinned(circle, 60)
	if len(out) > 60 || out[0] != circle[0] {
		t.Fatalf("%d points, first %v", len(out), out[0])
	}
	for _, p := range circle {
		if far := fromRing(out, p); far > 0.3 {
			t.Errorf("%v is %.2f m off", p, far)
		}
	}
	if square := thinned([]point{{0, 0}, {5, 0}, {10, 0}, {10, 10}, {0, 10}}, 60); len(square) != 4 {
		t.Errorf("a point on a straight side is kept: %v", square)
	}
}

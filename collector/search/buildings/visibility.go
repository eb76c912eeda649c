package buildings

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"

	"anagrafe/protocol"
)

const (
	// maxReachM is the longest range that a camera may be declared with.
	maxReachM = 2000
	// maxWalls bounds the work for one shape: some 30 ms.
	maxWalls = 20_000
	// maxRing is how many points are drawn: a page may hold some hundreds of rings.
	maxRing = 120
)

// VisibilityPolygon draws what a camera sees among the buildings: a ring of points within
// reach metres, the last the first again. It is seen from the declared place, or
// from the wall that it hangs on. Not ok: it cannot be told, or no building
// stands within reach.
func (o *Outlines) VisibilityPolygon(at protocol.Position, view protocol.View, reach float64) (ring []protocol.Point, ok bool) {
	g := o.around(at.Point)
	accuracy := accuracyM(at)
	if accuracy > maxAccuracyM || !(reach > 0) || reach > maxReachM {
		return nil, false
	}
	walls, err := g.walls(point{}, point{}, reach+accuracy+drawnM)
	if err != nil || len(walls) == 0 || len(walls) > maxWalls {
		return nil, false
	}
	eye, ok, err := g.eye(accuracy, direction(view))
	if err != nil || !ok {
		return nil, false
	}
	from, over := 0.0, 2*math.Pi
	if d := direction(view); view.AngleDeg != nil && d != (point{}) {
		over = float64(*view.AngleDeg) * math.Pi / 180
		from = math.Atan2(d.y, d.x) - over/2
	}
	shape := visibilityPolygon(eye, walls, from, over, reach)
	for _, p := range thinned(shape, maxRing) {
		ring = append(ring, g.earth(p))
	}
	return append(ring, ring[0]), true
}

// A piece is a wall, or part of one, over an interval of angles as an eye sees
// it. Angles are radians anticlockwise from the edge of what it sees.
type piece struct {
	from, until float64
	w           wall // from the eye, metres
	turn        float64
}

// thin is the angle below which a piece is not seen: a wall edge on.
const thin = 1e-9

// visibilityPolygon returns the shape that an eye sees within reach metres, from an angle on
// (radians anticlockwise from east) over so many. It is the lower envelope of
// the walls in polar coordinates, found by halving and merging (J. Hershberger,
// "Finding the upper envelope of n line segments in O(n log n) time",
// Information Processing Letters 33(4), 1989; the merge here is the plain one).
// Unlike a sweep with a list of walls in order of distance, it bears walls that
// cross, as outlines of a building and its parts do.
func visibilityPolygon(eye point, walls []wall, from, over, reach float64) []point {
	var pieces []piece
	for _, w := range walls {
		w = wall{point{w.a.x - eye.x, w.a.y - eye.y}, point{w.b.x - eye.x, w.b.y - eye.y}}
		if w, ok := inReach(w, reach); ok {
			pieces = appendPieces(pieces, w, from, over)
		}
	}
	shape := outlineOf(envelope(pieces), from, over, reach)
	for i := range shape {
		shape[i].x, shape[i].y = shape[i].x+eye.x, shape[i].y+eye.y
	}
	return shape
}

// inReach cuts a wall to the circle of that radius around the eye.
func inReach(w wall, reach float64) (wall, bool) {
	d := point{w.b.x - w.a.x, w.b.y - w.a.y}
	// |a + t d| = reach
	a, b, c := d.x*d.x+d.y*d.y, w.a.x*d.x+w.a.y*d.y, w.a.x*w.a.x+w.a.y*w.a.y-reach*reach
	root := b*b - a*c
	if a == 0 || root <= 0 {
		return w, false
	}
	root = math.Sqrt(root)
	from, until := max((-b-root)/a, 0), min((-b+root)/a, 1)
	if from >= until {
		return w, false
	}
	return wall{point{w.a.x + from*d.x, w.a.y + from*d.y}, point{w.a.x + until*d.x, w.a.y + until*d.y}}, true
}

// appendPieces adds what of a wall lies within the angles that the eye sees: one
// piece, or two where it lies across the edge.
func appendPieces(all []piece, w wall, from, over float64) []piece {
	add := func(a, b float64) {
		if b = min(b, over); b-a > thin {
			all = append(all, piece{a, b, w, from})
		}
	}
	a, b := angle(w.a, from), angle(w.b, from)
	if a > b {
		a, b = b, a
	}
	if b-a <= math.Pi {
		add(a, b)
	} else {
		add(b, 2*math.Pi)
		add(0, a)
	}
	return all
}

// angle is the direction of p from the eye, in [0, 2 pi) anticlockwise from an
// edge.
func angle(p point, from float64) float64 {
	a := math.Mod(math.Atan2(p.y, p.x)-from, 2*math.Pi)
	if a < 0 {
		a += 2 * math.Pi
	}
	return min(a, math.Nextafter(2*math.Pi, 0))
}

// distance is how far the wall is in a direction, metres.
func (p piece) distance(angle float64) float64 {
	sin, cos := math.Sincos(angle + p.turn)
	d := point{p.w.b.x - p.w.a.x, p.w.b.y - p.w.a.y}
	far := max(math.Hypot(p.w.a.x, p.w.a.y), math.Hypot(p.w.b.x, p.w.b.y))
	r := (p.w.a.x*d.y - p.w.a.y*d.x) / (cos*d.y - sin*d.x)
	if !(r >= 0 && r <= far) { // edge on, where the line says little
		return far
	}
	return r
}

// envelope returns what the eye sees of the pieces: the nearest in each direction,
// in order of angle and without overlap.
func envelope(pieces []piece) []piece {
	if len(pieces) <= 1 {
		return pieces
	}
	half := len(pieces) / 2
	return merge(envelope(pieces[:half]), envelope(pieces[half:]))
}

// merge lays two envelopes over one another. It changes both.
func merge(a, b []piece) []piece {
	out := make([]piece, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].until <= b[0].from:
			out, a = join(out, a[0]), a[1:]
		case b[0].until <= a[0].from:
			out, b = join(out, b[0]), b[1:]
		case a[0].from < b[0].from:
			out = join(out, a[0].between(a[0].from, b[0].from))
			a[0].from = b[0].from
		case b[0].from < a[0].from:
			out = join(out, b[0].between(b[0].from, a[0].from))
			b[0].from = a[0].from
		default:
			until := min(a[0].until, b[0].until)
			out = nearer(out, a[0], b[0], until)
			a, b = after(a, until), after(b, until)
		}
	}
	for _, p := range a {
		out = join(out, p)
	}
	for _, p := range b {
		out = join(out, p)
	}
	return out
}

func (p piece) between(from, until float64) piece {
	p.from, p.until = from, until
	return p
}

// after drops what of the first piece lies before an angle.
func after(all []piece, until float64) []piece {
	if all[0].until <= until {
		return all[1:]
	}
	all[0].from = until
	return all
}

// join adds a piece, as part of the last one where it goes on with that wall.
func join(all []piece, p piece) []piece {
	if n := len(all); n > 0 && all[n-1].w == p.w && all[n-1].until == p.from {
		all[n-1].until = p.until
		return all
	}
	return append(all, p)
}

// nearer adds the nearer of two pieces from where both begin until an angle, or
// first one and then the other where they cross.
func nearer(out []piece, a, b piece, until float64) []piece {
	from := a.from
	first, last := a.distance(from)-b.distance(from), a.distance(until)-b.distance(until)
	switch {
	case first <= 0 && last <= 0:
		return join(out, a.between(from, until))
	case first >= 0 && last >= 0:
		return join(out, b.between(from, until))
	case first > 0:
		a, b = b, a
	}
	at := crossing(a, b, from, until)
	out = join(out, a.between(from, at))
	return join(out, b.between(at, until))
}

// crossing is the angle between two at which two walls cross.
func crossing(a, b piece, from, until float64) float64 {
	d, e := point{a.w.b.x - a.w.a.x, a.w.b.y - a.w.a.y}, point{b.w.b.x - b.w.a.x, b.w.b.y - b.w.a.y}
	cross := d.x*e.y - d.y*e.x
	if cross == 0 {
		return from
	}
	t := ((b.w.a.x-a.w.a.x)*e.y - (b.w.a.y-a.w.a.y)*e.x) / cross
	return min(max(angle(point{a.w.a.x + t*d.x, a.w.a.y + t*d.y}, a.turn), from), until)
}

// outlineOf draws an envelope: walls where there are, else the circle.
func outlineOf(seen []piece, from, over, reach float64) []point {
	var shape []point
	if over < 2*math.Pi {
		shape = append(shape, point{})
	}
	to := func(angle, r float64) {
		sin, cos := math.Sincos(angle + from)
		shape = append(shape, point{r * cos, r * sin})
	}
	arc := func(a, b float64) {
		if b-a <= thin {
			return
		}
		steps := math.Ceil((b - a) / (8 * math.Pi / 180))
		for i := 0.0; i <= steps; i++ {
			to(a+(b-a)*i/steps, reach)
		}
	}
	at := 0.0
	for _, p := range seen {
		arc(at, p.from)
		to(p.from, p.distance(p.from))
		to(p.until, p.distance(p.until))
		at = p.until
	}
	arc(at, over)
	return shape
}

// grain is the area below which a corner is not drawn, square metres.
const grain = 0.05

// thinned leaves out the corners of a ring that matter least, by the triangle that each
// makes with its neighbours, until at most so many are left. The first stays.
func thinned(shape []point, most int) (ring []point) {
	line := make(orb.Ring, len(shape)+1)
	for i := range line {
		p := shape[i%len(shape)]
		line[i] = orb.Point{p.x, p.y}
	}
	line = simplify.VisvalingamKeep(most + 1).Ring(simplify.VisvalingamThreshold(grain).Ring(line))
	for _, p := range line[:len(line)-1] {
		ring = append(ring, point{p[0], p[1]})
	}
	return ring
}

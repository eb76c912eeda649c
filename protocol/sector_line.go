package protocol

import "math"

// Part is what a camera may see of a straight line from a to b. First, Last and
// Nearest count from 0 at a to 1 at b.
type Part struct {
	First, Last float64 // the first and the last place that it may see
	Nearest     float64 // of these, the place nearest to the camera
	DistanceM   float64 // from the camera to it
	Surely      bool    // it surely sees some place of the line
}

// Along returns what the camera may see of the line from a to b, both offsets from the
// camera: the points for which See is not No. Seen false: none.
//
// It cuts the line where it crosses the edges of the sector grown and of the
// sector shrunk by the margin. Between two cuts the answer does not change, so
// that the middle of each piece tells it exactly. (What only touches an edge in
// one place is left out.)
func (s *Sector) Along(aEast, aNorth, bEast, bNorth float64) (p Part, seen bool) {
	l := line{aEast, aNorth, bEast - aEast, bNorth - aNorth}
	if l.distance(l.nearest(0, 1)) > s.ReachM() {
		return Part{}, false
	}
	cuts := s.cuts(l)
	p.DistanceM = math.Inf(1)
	from := 0.0
	for _, to := range cuts.in() {
		// A piece of no length is a place only where the whole line is one.
		if to <= from && to < 1 {
			continue
		}
		switch s.sees(l.at((from + to) / 2)) {
		case No:
			from = to
			continue
		case Yes:
			p.Surely = true
		}
		if !seen {
			p.First, seen = from, true
		}
		p.Last = to
		if at := l.nearest(from, to); l.distance(at) < p.DistanceM {
			p.Nearest, p.DistanceM = at, l.distance(at)
		}
		from = to
	}
	return p, seen
}

// cuts are the places where a line crosses any of the curves that the edges of
// the grown and of the shrunk sector are made of.
func (s *Sector) cuts(l line) cuts {
	var c cuts
	c.circle(l, 0, 0, s.reach+s.margin)
	c.circle(l, 0, 0, s.reach-s.margin)
	if s.round {
		return c
	}
	c.circle(l, 0, 0, s.margin)
	for _, side := range [2]float64{-1, 1} {
		// The direction of the straight edge: the axis turned by half the angle.
		east := s.axisEast*s.cos + side*s.axisNorth*s.sin
		north := s.axisNorth*s.cos - side*s.axisEast*s.sin
		c.circle(l, east*s.reach, north*s.reach, s.margin)
		c.straight(l, east, north, s.margin)
		c.straight(l, east, north, -s.margin)
	}
	return c
}

// line is a place and the way from it to another, metres.
type line struct{ east, north, wayEast, wayNorth float64 }

func (l line) at(t float64) (east, north float64) {
	return l.east + t*l.wayEast, l.north + t*l.wayNorth
}

func (l line) distance(t float64) float64 { return math.Hypot(l.at(t)) }

// nearest is the place between two others that is nearest to the camera.
func (l line) nearest(from, to float64) float64 {
	length := l.wayEast*l.wayEast + l.wayNorth*l.wayNorth
	if length == 0 {
		return from
	}
	return min(max(-(l.east*l.wayEast+l.north*l.wayNorth)/length, from), to)
}

// cuts are places on a line between 0 and 1, in order; at the most two for each
// of five circles and one for each of four straight lines, and the end.
type cuts struct {
	list [15]float64
	n    int
}

// in returns the cuts and, last, the end of the line.
func (c *cuts) in() []float64 {
	c.list[c.n] = 1
	return c.list[:c.n+1]
}

func (c *cuts) add(t float64) {
	if !(t > 0 && t < 1) { // also not a number
		return
	}
	i := c.n
	for ; i > 0 && c.list[i-1] > t; i-- {
		c.list[i] = c.list[i-1]
	}
	c.list[i] = t
	c.n++
}

// circle adds where the line crosses a circle.
func (c *cuts) circle(l line, east, north, radius float64) {
	if radius < 0 {
		return
	}
	dx, dy := l.east-east, l.north-north
	a := l.wayEast*l.wayEast + l.wayNorth*l.wayNorth
	b := dx*l.wayEast + dy*l.wayNorth
	root := b*b - a*(dx*dx+dy*dy-radius*radius)
	if a == 0 || root < 0 {
		return
	}
	root = math.Sqrt(root)
	c.add((-b - root) / a)
	c.add((-b + root) / a)
}

// straight adds where the line crosses the straight line of that direction that
// lies so many metres to the right of the camera.
func (c *cuts) straight(l line, east, north, right float64) {
	// How far to the right of the camera a place lies, seen along the direction.
	at := l.east*north - l.north*east
	way := l.wayEast*north - l.wayNorth*east
	if way != 0 {
		c.add((right - at) / way)
	}
}

// Within is the part of the line from a to b that lies within so many metres of
// the camera; within false: none.
func Within(metres, aEast, aNorth, bEast, bNorth float64) (p Part, within bool) {
	l := line{aEast, aNorth, bEast - aEast, bNorth - aNorth}
	p.Nearest = l.nearest(0, 1)
	if p.DistanceM = l.distance(p.Nearest); p.DistanceM > metres {
		return Part{}, false
	}
	// The circle holds one piece of the line, and its nearest place is in it.
	p.Last = 1
	var c cuts
	c.circle(l, 0, 0, metres)
	for _, t := range c.list[:c.n] {
		if t <= p.Nearest {
			p.First = t
		} else {
			p.Last = t
		}
	}
	return p, true
}

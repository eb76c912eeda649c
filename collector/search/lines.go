package search

import (
	"cmp"
	"fmt"
	"slices"

	"anagrafe/protocol"
)

// Limits of what is drawn. The largest municipio of Milan measures 31 km² and
// has 9,300 vertices.
const (
	maxVertices = 20_000
	maxSideM    = 40_000 // of the box around it
	// maxLatitude is where a plane still serves, microdegrees.
	maxLatitude = 85_000_000
)

// edge is a straight piece of a ring or of a route.
type edge struct {
	a, b           protocol.Point
	startM, length float64 // along the route, metres; not of a ring
}

// lines are edges in strips of latitude, so that a camera reads only those near
// it. An edge lies in each strip that it touches.
type lines struct {
	box    box
	edges  []edge
	strips [][]int32 // of edges
	height int64     // of a strip, microdegrees
}

// perStrip is how many edges share a strip, were all of them short.
const perStrip = 8

func newLines(edges []edge) lines {
	l := lines{edges: edges, box: edges[0].box()}
	for _, e := range edges[1:] {
		b := e.box()
		l.box = box{min(l.box.west, b.west), min(l.box.south, b.south), max(l.box.east, b.east), max(l.box.north, b.north)}
	}
	n := int64(len(edges)/perStrip + 1)
	l.height = (l.box.north-l.box.south)/n + 1
	l.strips = make([][]int32, n)
	for i, e := range edges {
		b := e.box()
		for s := l.strip(b.south); s <= l.strip(b.north); s++ {
			l.strips[s] = append(l.strips[s], int32(i))
		}
	}
	return l
}

func (e edge) box() box { return boxOf(e.a, e.b) }

// strip is the number of the strip in which a latitude lies, or the nearest.
func (l *lines) strip(lat int64) int {
	return int(min(max((lat-l.box.south)/l.height, 0), int64(len(l.strips)-1)))
}

// near calls f for each edge that may lie within so many metres of the plane's
// point, some of them more than once, with the offsets of its ends.
func (l *lines) near(p protocol.Plane, m float64, f func(e *edge, aEast, aNorth, bEast, bNorth float64)) {
	south, north := p.Latitude(-m), p.Latitude(m)+1
	if north < l.box.south || south > l.box.north {
		return
	}
	for s := l.strip(south); s <= l.strip(north); s++ {
		for _, i := range l.strips[s] {
			e := &l.edges[i]
			aEast, aNorth := p.Offset(e.a)
			bEast, bNorth := p.Offset(e.b)
			if min(aEast, bEast) > m || max(aEast, bEast) < -m || min(aNorth, bNorth) > m || max(aNorth, bNorth) < -m {
				continue
			}
			f(e, aEast, aNorth, bEast, bNorth)
		}
	}
}

// encloses reports whether the rings have the offset inside: whether a ray to the
// east crosses them an odd number of times.
func (l *lines) encloses(p protocol.Plane, east, north float64) bool {
	lat := p.Latitude(north)
	if lat < l.box.south || lat > l.box.north {
		return false
	}
	odd := false
	for _, i := range l.strips[l.strip(lat)] {
		aEast, aNorth := p.Offset(l.edges[i].a)
		bEast, bNorth := p.Offset(l.edges[i].b)
		if (aNorth > north) != (bNorth > north) && aEast+(north-aNorth)*(bEast-aEast)/(bNorth-aNorth) > east {
			odd = !odd
		}
	}
	return odd
}

// farther reports whether the plane's point is more than so many metres outside
// the box: a quick no.
func (l *lines) farther(p protocol.Plane, m float64) bool {
	west, south := p.Offset(protocol.Point{Lon: int32(l.box.west), Lat: int32(l.box.south)})
	east, north := p.Offset(protocol.Point{Lon: int32(l.box.east), Lat: int32(l.box.north)})
	return west > m || east < -m || south > m || north < -m
}

// checkPoints reports what is wrong with the vertices of what field holds.
func checkPoints(field string, points []protocol.Point) error {
	for i, p := range points {
		if !p.Placed() || max(p.Lat, -p.Lat) > maxLatitude {
			return QueryError{field, fmt.Sprintf("vertex %d is not a place within 85 degrees of the equator: longitude and latitude in degrees are needed", i+1)}
		}
	}
	return nil
}

// checkSides refuses what is too wide or too high; what lies across the date
// line counts as very wide.
func (l *lines) checkSides(field string) error {
	if width, height := l.box.sides(); max(width, height) > maxSideM {
		return QueryError{field, fmt.Sprintf("measures %.0f by %.0f km: at most %d km a side, ask for parts of it", width/1000, height/1000, maxSideM/1000)}
	}
	return nil
}

// crossing finds two edges that cross each other. What only touches does not
// cross, as the rings of districts do that meet in a point.
func (l *lines) crossing() (a, b edge, found bool) {
	byWest := slices.Clone(l.edges)
	slices.SortFunc(byWest, func(a, b edge) int { return cmp.Compare(min(a.a.Lon, a.b.Lon), min(b.a.Lon, b.b.Lon)) })
	for i, e := range byWest {
		east := max(e.a.Lon, e.b.Lon)
		for _, other := range byWest[i+1:] {
			if min(other.a.Lon, other.b.Lon) > east {
				break
			}
			if e.crosses(other) {
				return e, other, true
			}
		}
	}
	return edge{}, edge{}, false
}

// crosses reports whether two edges have one place inside both in common; exactly,
// for the products of microdegrees fit an int64.
func (e edge) crosses(o edge) bool {
	return side(e.a, e.b, o.a)*side(e.a, e.b, o.b) < 0 && side(o.a, o.b, e.a)*side(o.a, o.b, e.b) < 0
}

// side is 1 where p lies to the left of the way from a to b, -1 to the right,
// 0 on it.
func side(a, b, p protocol.Point) int {
	x1, y1 := int64(b.Lon)-int64(a.Lon), int64(b.Lat)-int64(a.Lat)
	x2, y2 := int64(p.Lon)-int64(a.Lon), int64(p.Lat)-int64(a.Lat)
	return cmp.Compare(x1*y2, x2*y1)
}

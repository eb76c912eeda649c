package search

import (
	"fmt"
	"math"
	"time"

	"anagrafe/protocol"
)

// maxAreaM2 is the largest area that one query may cover.
const maxAreaM2 = 50_000_000

// Polygon is an area with any outline: one that was drawn, or a district. A
// place is inside when it lies within an odd number of its rings, so that a
// district in two parts has two rings and one with a hole in it as well.
type Polygon struct {
	Rings [][]protocol.Point // each closed or not; straight lines in between, which cross none
	Name  string             // of a district, to be shown; "": it has none

	lines lines // set by check
}

func (p Polygon) check(_, _ time.Time) (Area, error) {
	var edges []edge
	n := 0
	for _, ring := range p.Rings {
		if len(ring) > 1 && ring[0] == ring[len(ring)-1] {
			ring = ring[:len(ring)-1]
		}
		if n += len(ring); n > maxVertices {
			return p, QueryError{"area", fmt.Sprintf("has more than %d vertices", maxVertices)}
		}
		if len(ring) < 3 {
			return p, QueryError{"area", "is no area: at least three vertices are needed, lon,lat with a space in between"}
		}
		if err := checkPoints("area", ring); err != nil {
			return p, err
		}
		for i, a := range ring {
			edges = append(edges, edge{a: a, b: ring[(i+1)%len(ring)]})
		}
	}
	if len(edges) == 0 {
		return p, QueryError{"area", "is missing"}
	}
	p.lines = newLines(edges)
	if err := p.lines.checkSides("area"); err != nil {
		return p, err
	}
	if a, b, found := p.lines.crossing(); found {
		return p, QueryError{"area", fmt.Sprintf("crosses itself: the side from %s to %s and the one from %s to %s; give the vertices in their order around the area",
			written(a.a), written(a.b), written(b.a), written(b.b))}
	}
	switch m2 := p.areaM2(); {
	case m2 > maxAreaM2:
		return p, QueryError{"area", fmt.Sprintf("covers %.1f km²: at most %d, ask for parts of it", m2/1e6, maxAreaM2/1_000_000)}
	case m2 < 1:
		return p, QueryError{"area", "covers less than a square metre"}
	}
	return p, nil
}

func written(p protocol.Point) string {
	return fmt.Sprintf("%.6f,%.6f", float64(p.Lon)/1e6, float64(p.Lat)/1e6)
}

// areaM2 is what the rings enclose, at most: parts add up, holes as well.
func (p *Polygon) areaM2() float64 {
	plane := protocol.PlaneAt(p.lines.edges[0].a)
	all := 0.0
	for _, ring := range p.Rings {
		twice := 0.0
		for i, a := range ring {
			aEast, aNorth := plane.Offset(a)
			bEast, bNorth := plane.Offset(ring[(i+1)%len(ring)])
			twice += aEast*bNorth - bEast*aNorth
		}
		all += math.Abs(twice) / 2
	}
	return all
}

func (p Polygon) box() box { return p.lines.box.grown(farthestM) }

// look lists a camera that hangs inside, or that may see some place of the area
// from without. It surely sees the area if it surely sees some place of it, or
// hangs inside by more than its position's error.
func (p Polygon) look(at protocol.Position, view protocol.View) (look, bool) {
	plane := protocol.PlaneAt(at.Point)
	s := protocol.SectorOf(at, view)
	reach := min(s.ReachM(), farthestM)
	if p.lines.farther(plane, reach) {
		return look{}, false
	}
	seen, surely := false, false
	nearest, outline := place{metres: math.Inf(1)}, math.Inf(1)
	p.lines.near(plane, reach, func(_ *edge, aEast, aNorth, bEast, bNorth float64) {
		outline = min(outline, closest(aEast, aNorth, bEast, bNorth).metres)
		part, sees := s.Along(aEast, aNorth, bEast, bNorth)
		if !sees || part.DistanceM > farthestM {
			return
		}
		seen, surely = true, surely || part.Surely
		if part.DistanceM < nearest.metres {
			nearest = place{aEast + part.Nearest*(bEast-aEast), aNorth + part.Nearest*(bNorth-aNorth), part.DistanceM}
		}
	})
	inside := p.lines.encloses(plane, 0, 0)
	if !inside && !seen {
		return look{}, false
	}
	if inside {
		nearest = place{}
		surely = surely || outline >= s.MarginM() && s.MarginM() <= reach
	}
	if !surely {
		// All that it surely sees may lie inside without touching the outline.
		east, north, any := s.Deepest()
		surely = any && p.lines.encloses(plane, east, north)
	}
	sees := protocol.Unknown
	if surely {
		sees = protocol.Yes
	}
	sight := s.Sight(nearest.east, nearest.north, sees)
	if inside { // at its own foot a density means nothing
		sight.PixelsPerMetre, sight.Class = 0, protocol.ClassNone
	}
	return look{Sight: sight}, true
}

// place is an offset from a camera, metres.
type place struct{ east, north, metres float64 }

// closest is the place of a straight line that is nearest to the camera.
func closest(aEast, aNorth, bEast, bNorth float64) place {
	wayEast, wayNorth := bEast-aEast, bNorth-aNorth
	t := 0.0
	if length := wayEast*wayEast + wayNorth*wayNorth; length > 0 {
		t = min(max(-(aEast*wayEast+aNorth*wayNorth)/length, 0), 1)
	}
	east, north := aEast+t*wayEast, aNorth+t*wayNorth
	return place{east, north, math.Hypot(east, north)}
}

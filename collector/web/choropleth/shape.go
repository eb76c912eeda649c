package choropleth

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"

	"anagrafe/protocol"
)

// kmPerDegree is a degree of latitude of the mean sphere.
const kmPerDegree = math.Pi / 180 * 6371.0088

// flatten returns each district in kilometres east and south of a corner of the city, by
// the equirectangular projection at the city's own latitude: over the 20 km of a city
// lengths are true to some parts in a thousand, both ways.
func flatten(districts []District) []orb.MultiPolygon {
	south, north := int32(math.MaxInt32), int32(math.MinInt32)
	for _, d := range districts {
		for _, polygon := range d.Polygons {
			for _, ring := range polygon {
				for _, p := range ring {
					south, north = min(south, p.Lat), max(north, p.Lat)
				}
			}
		}
	}
	x := kmPerDegree / 1e6 * math.Cos(float64(south/2+north/2)/1e6*math.Pi/180)
	var all []orb.MultiPolygon
	for _, d := range districts {
		var area orb.MultiPolygon
		for _, rings := range d.Polygons {
			var polygon orb.Polygon
			for _, ring := range rings {
				polygon = append(polygon, flat(ring, x))
			}
			area = append(area, polygon)
		}
		all = append(all, area)
	}
	return all
}

func flat(ring []protocol.Point, x float64) orb.Ring {
	r := make(orb.Ring, len(ring))
	for i, p := range ring {
		r[i] = orb.Point{float64(p.Lon) * x, -float64(p.Lat) * kmPerDegree / 1e6}
	}
	return r
}

// areaOf is in km2, holes left out, whichever way round the rings go.
func areaOf(area orb.MultiPolygon) (km2 float64) {
	for _, polygon := range area {
		for i, ring := range polygon {
			a := math.Abs(planar.Area(ring))
			if i > 0 {
				a = -a
			}
			km2 += a
		}
	}
	return km2
}

// The drawing, in its units: at the widest that it is shown a unit is below a pixel.
const (
	sheetSize = 1000 // of the longer side
	margin    = 6
	coarse    = 1.2 // how far a simplified border is from the real one at most: below the stroke that is drawn on it
	nameSize  = 26  // of the letters of a name, as in choropleth.css
	countSize = 24
)

// sheet is where the city lies on the drawing.
type sheet struct {
	west, north, scale float64 // kilometres, units a kilometre
	width, height      int
}

func newSheet(b orb.Bound) sheet {
	wide, high := b.Max[0]-b.Min[0], b.Max[1]-b.Min[1]
	s := sheet{west: b.Min[0], north: b.Min[1], scale: (sheetSize - 2*margin) / max(wide, high, 1e-6)}
	s.width, s.height = int(math.Ceil(wide*s.scale))+2*margin, int(math.Ceil(high*s.scale))+2*margin
	return s
}

// shape is a district as it is drawn.
type shape struct {
	path string // of SVG
	x, y int    // where its label stands
	room float64
}

// draw simplifies a district (Douglas and Peucker) and writes its path. A district
// keeps its largest part, however small that is.
func (s sheet) draw(area orb.MultiPolygon) (one shape) {
	var rings []orb.Ring
	var largest orb.Ring
	for _, polygon := range area {
		for _, ring := range polygon {
			r := make(orb.Ring, len(ring))
			for i, p := range ring {
				r[i] = orb.Point{margin + (p[0]-s.west)*s.scale, margin + (p[1]-s.north)*s.scale}
			}
			if math.Abs(planar.Area(r)) >= math.Abs(planar.Area(largest)) {
				largest = r
			}
			if r = simplify.DouglasPeucker(coarse).Ring(r.Clone()); len(r) > 3 {
				rings = append(rings, r)
			}
		}
	}
	if len(rings) == 0 && len(largest) > 3 {
		rings = append(rings, largest)
	}
	if len(rings) == 0 { // it is a point, or nothing
		return one
	}
	var b strings.Builder
	for _, r := range rings {
		write(&b, r)
	}
	one.path = b.String()
	one.label(rings)
	return one
}

// write appends a ring in whole units, each corner relative to the last.
func write(b *strings.Builder, r orb.Ring) {
	x, y := int(math.Round(r[0][0])), int(math.Round(r[0][1]))
	fmt.Fprintf(b, "M%d %dl", x, y)
	for _, p := range r[1 : len(r)-1] { // z draws the last
		dx, dy := int(math.Round(p[0]))-x, int(math.Round(p[1]))-y
		if dx == 0 && dy == 0 {
			continue
		}
		if s := b.String(); s[len(s)-1] != 'l' && dx >= 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(b, dx)
		if dy >= 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(b, dy)
		x, y = x+dx, y+dy
	}
	b.WriteByte('z')
}

// label finds where a line of text has most room: in the middle of the widest of some
// lines from east to west, not too near the northern and southern ends.
func (one *shape) label(rings []orb.Ring) {
	bound := rings[0].Bound()
	for _, r := range rings {
		bound = bound.Union(r.Bound())
	}
	const lines = 16
	for i := range lines {
		y := bound.Min[1] + (bound.Max[1]-bound.Min[1])*(0.25+0.5*(float64(i)+0.5)/lines)
		xs := crossings(rings, y)
		for j := 0; j+1 < len(xs); j += 2 {
			if room := xs[j+1] - xs[j]; room > one.room {
				one.room, one.x, one.y = room, int((xs[j]+xs[j+1])/2), int(y)
			}
		}
	}
}

// crossings are where the borders cross a line from west to east.
func crossings(rings []orb.Ring, y float64) (xs []float64) {
	for _, r := range rings {
		for i := range len(r) - 1 {
			if a, b := r[i], r[i+1]; (a[1] > y) != (b[1] > y) {
				xs = append(xs, a[0]+(b[0]-a[0])*(y-a[1])/(b[1]-a[1]))
			}
		}
	}
	slices.Sort(xs)
	return xs
}

// fits reports whether a text of letters of that size has room in the district.
func (one shape) fits(text string, size int) bool {
	return float64(utf8.RuneCountInString(text)*size)*0.55 <= one.room
}

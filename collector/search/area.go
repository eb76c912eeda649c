package search

import (
	"fmt"
	"math"
	"time"

	"anagrafe/protocol"
)

// Area is where a query looks: a Circle, a Polygon or a Route.
type Area interface {
	// check fills in the defaults and makes ready what look reads, or tells what
	// is wrong: a QueryError. From and until are the query's.
	check(from, until time.Time) (Area, error)
	// box holds every camera that look may list.
	box() box
	// look tells what a camera sees of the area; not listed, it is no result.
	look(protocol.Position, protocol.View) (l look, listed bool)
}

// look is what a camera sees of an area, and when.
type look struct {
	protocol.Sight
	// The camera is asked for Query.From + after to Query.Until + until: in a
	// circle both are zero, on a route it takes time to come by.
	after, until time.Duration
}

// farthestM is how far from a polygon or a route a camera may hang and still be
// listed: no range is longer than 2,000 m, and a position known no better
// than to half a kilometre knows too little to look farther for it.
const farthestM = 2500

// Circle is a point and what is around it.
type Circle struct {
	At      protocol.Point
	RadiusM int // MinRadiusM to MaxRadiusM; 0: DefaultRadiusM
}

func (c Circle) check(_, _ time.Time) (Area, error) {
	var err error
	c.RadiusM, err = checkRadius(c.RadiusM)
	if !c.At.Placed() {
		return c, QueryError{"at", "is not a place: longitude and latitude in degrees are needed, e.g. 9.190000,45.464200"}
	}
	return c, err
}

func checkRadius(m int) (int, error) {
	if m == 0 {
		return DefaultRadiusM, nil
	}
	if m < MinRadiusM || m > MaxRadiusM {
		return m, QueryError{"radius", fmt.Sprintf("must be from %d to %d metres", MinRadiusM, MaxRadiusM)}
	}
	return m, nil
}

func (c Circle) box() box { return boxOf(c.At).grown(float64(c.RadiusM)) }

func (c Circle) look(at protocol.Position, view protocol.View) (l look, listed bool) {
	l.Sight = protocol.See(at, view, c.At)
	return l, l.DistanceM <= float64(c.RadiusM)
}

// box is a part of the world, microdegrees with its edges. Its west may be
// below -180 degrees and its east above 180: it then lies across the date line.
type box struct{ west, south, east, north int64 }

func boxOf(points ...protocol.Point) box {
	b := box{math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64}
	for _, p := range points {
		b.west, b.east = min(b.west, int64(p.Lon)), max(b.east, int64(p.Lon))
		b.south, b.north = min(b.south, int64(p.Lat)), max(b.north, int64(p.Lat))
	}
	return b
}

// sides are the width and the height of the box in metres, at its middle.
func (b box) sides() (width, height float64) {
	middle := protocol.Point{Lon: int32(b.west), Lat: int32((b.south + b.north) / 2)}
	perEast, perNorth := protocol.PlaneAt(middle).Offset(protocol.Point{Lon: middle.Lon + 1, Lat: middle.Lat + 1})
	return float64(b.east-b.west) * perEast, float64(b.north-b.south) * perNorth
}

const (
	quarterTurn = 90_000_000
	fullTurn    = 360_000_000
)

// grown is the box with at least so many metres more on each side.
func (b box) grown(m float64) box {
	// A degree of latitude is 110.57 to 111.70 km; of longitude 111.32 km times
	// the cosine of the latitude, at the side nearest to the pole.
	lat := int64(math.Ceil(m / 110_500 * 1e6))
	b.south, b.north = max(b.south-lat, -quarterTurn), min(b.north+lat, quarterTurn)
	lon := int64(fullTurn)
	if cos := math.Cos(float64(max(-b.south, b.north)) / 1e6 * math.Pi / 180); cos > 1e-3 {
		lon = int64(float64(lat)/cos) + 1
	}
	b.west, b.east = b.west-lon, b.east+lon
	return b
}

package buildings

import (
	"log/slog"
	"math"
	"testing"

	"anagrafe/collector/basemap"
	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// The tests draw their own quarter, in metres from a place in Milan that lies in
// the middle of a tile.
var middle = protocol.Point{Lon: 9_195_557, Lat: 45_467_836}

// A tile's side is there 1714.9 m: edge is how far east of the middle it ends.
const edge = 857.4

func metres(east, north float64) protocol.Point {
	g := (&Outlines{}).around(middle)
	return g.earth(point{east, north})
}

// ring closes a way through points given as east, north, east, north.
func ring(eastNorth ...float64) [][2]float64 {
	var out [][2]float64
	for i := 0; i < len(eastNorth); i += 2 {
		p := metres(eastNorth[i], eastNorth[i+1])
		out = append(out, [2]float64{float64(p.Lon) / 1e6, float64(p.Lat) / 1e6})
	}
	return append(out, out[0])
}

func rectangle(west, south, east, north float64) [][2]float64 {
	return ring(west, south, east, south, east, north, west, north)
}

func building(rings ...[][2]float64) maptest.Building { return maptest.Building{Rings: rings} }

func openMap(t testing.TB, margin int, all ...maptest.Building) *Outlines {
	t.Helper()
	f, err := basemap.Open(maptest.Write(t, margin, all...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	o := New(f, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if o == nil {
		t.Fatal("the map has no buildings")
	}
	return o
}

// camera is declared at a place, to so many metres, and looks in a direction;
// -1: nobody knows where.
func camera(east, north float64, accuracy, direction int) (protocol.Position, protocol.View) {
	angle, reach := 90, 100
	v := protocol.View{AngleDeg: &angle, RangeM: &reach}
	if direction >= 0 {
		v.DirectionDeg = &direction
	}
	return protocol.Position{Point: metres(east, north), AccuracyM: accuracy}, v
}

// within tells by the parity of crossings whether p lies in a ring of metres.
func within(ring []point, p point) bool {
	o := newOutline([][]point{ring})
	return o.has(p)
}

// fromRing is how far p lies from a ring's nearest side.
func fromRing(ring []point, p point) float64 {
	least := math.Inf(1)
	for i, a := range ring {
		least = min(least, wall{a, ring[(i+1)%len(ring)]}.distance(p))
	}
	return least
}

package search

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// Every municipio and every neighbourhood of Milan can be asked for, as the
// Comune publishes it.
func TestRealDistricts(t *testing.T) {
	for _, file := range []string{"municipi.geojson", "nil.geojson"} {
		raw, err := os.ReadFile(maptest.Milan(t, "boundaries/"+file))
		if err != nil {
			t.Fatal(err)
		}
		var all struct {
			Features []struct {
				Geometry   struct{ Coordinates [][][2]float64 }
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(raw, &all); err != nil || len(all.Features) == 0 {
			t.Fatalf("%s: %d districts, %v", file, len(all.Features), err)
		}
		for _, f := range all.Features {
			var p Polygon
			for _, ring := range f.Geometry.Coordinates {
				points := make([]protocol.Point, len(ring))
				for i, c := range ring {
					points[i] = protocol.Point{Lon: int32(math.Round(c[0] * 1e6)), Lat: int32(math.Round(c[1] * 1e6))}
				}
				p.Rings = append(p.Rings, points)
			}
			a, err := p.check(noon, noon)
			if err != nil {
				t.Errorf("%s %v: %v", file, f.Properties, err)
				continue
			}
			checked := a.(Polygon)
			if m2, ok := f.Properties["area_m2"].(float64); ok && math.Abs(checked.areaM2()-m2) > m2/200 {
				t.Errorf("%v: %.0f m²", f.Properties, checked.areaM2())
			}
		}
	}
}

// BenchmarkLook: what one camera costs, of a city's 35,000.
func BenchmarkLook(b *testing.B) {
	var round []protocol.Point
	for i := range 9000 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 9000)
		round = append(round, metres(2500*sin, 2500*cos))
	}
	for _, c := range []struct {
		name string
		area Area
	}{
		{"circle", Circle{At: duomo}},
		{"polygon", Polygon{Rings: [][]protocol.Point{ring(-200, -200, 200, -200, 200, 200, -200, 200)}}},
		{"district", Polygon{Rings: [][]protocol.Point{round}}},
		{"route", Route{Line: ring(0, 0, 300, 0, 300, 400, 900, 700, 900, 1500, 2000, 1500)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := ready(b, c.area)
			view := look0(0, 90, 60)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				a.look(protocol.Position{Point: metres(float64(n*37%6000-3000), float64(n*91%6000-3000)), AccuracyM: 5}, view)
			}
		})
	}
}

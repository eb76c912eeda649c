//go:build bench

package installer

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"anagrafe/collector/basemap"
	"anagrafe/collector/basemap/maptest"
	"anagrafe/collector/registry/registrytest"
	searching "anagrafe/collector/search"
	"anagrafe/collector/search/buildings"
	"anagrafe/protocol"
)

// visibleSites are the sites of 20 cameras each that lie within a kilometre of
// the middle of Milan: as many as 35,000 in the city give.
const visibleSites = 40

// visibilityFigures asks the same questions among the buildings and without
// them: 300 m around places in front of cameras, by turns, each twice so that
// neither is the one that finds the memory cold.
func visibilityFigures(t *testing.T) []figure {
	t.Helper()
	outlines, of := outlinesOfMilan(t)
	dir := t.TempDir()
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	chance := rand.New(rand.NewPCG(7, 7))
	var before []protocol.Point // places in front of cameras
	for i := range visibleSites {
		err := declareSite(t.Context(), r, i, func(c *protocol.Camera) {
			at := protocol.Point{Lon: 9_190_000 + int32(chance.IntN(25_600)-12_800), Lat: 45_464_000 + int32(chance.IntN(18_000)-9_000)}
			direction, angle, reach := chance.IntN(360), 60+chance.IntN(50), 20+chance.IntN(60)
			c.Position.Point, c.Position.AccuracyM = at, 2+chance.IntN(5)
			c.View.DirectionDeg, c.View.AngleDeg, c.View.RangeM = &direction, &angle, &reach
			before = append(before, ahead(at, float64(direction), 10))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	index := searching.New(r, quiet)
	ask := func(p protocol.Point, b searching.Buildings) (seconds float64, hidden, hits int) {
		now := time.Now()
		q := searching.Query{In: searching.Circle{At: p, RadiusM: 300}, From: now.Add(time.Minute), Now: now.Add(time.Minute), Buildings: b}
		start := time.Now()
		a, err := index.Search(t.Context(), q)
		seconds = time.Since(start).Seconds()
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range a.Hits {
			if h.Hidden == protocol.Yes || h.Hidden == protocol.Unknown {
				hidden++
			}
		}
		return seconds, hidden, len(a.Hits)
	}
	var clipped, open []float64
	hidden, hits := 0, 0
	for range 2 {
		clipped, open = nil, nil
		for _, p := range before {
			seconds, _, _ := ask(p, nil)
			open = append(open, seconds*1e6)
			seconds, h, n := ask(p, outlines)
			clipped = append(clipped, seconds*1e6)
			hidden, hits = hidden+h, hits+n
		}
	}
	if hidden == 0 || hits == 0 {
		t.Fatalf("%d cameras found, %d hidden: this is no measurement", hits, hidden)
	}
	what := fmt.Sprintf("300 m among the buildings of %s, %d found and %.1f hidden each, against the same without", of, hits/len(clipped)/2, float64(hidden)/float64(2*len(clipped)))
	return []figure{atMost("visibility", what, middle(clipped), "µs", middle(open), 10)}
}

// ahead is the point so many metres from at in a direction, as far as Milan.
func ahead(at protocol.Point, deg, metres float64) protocol.Point {
	sin, cos := math.Sincos(deg * math.Pi / 180)
	return protocol.Point{Lon: at.Lon + int32(metres*sin/0.078), Lat: at.Lat + int32(metres*cos/0.1112)}
}

// outlinesOfMilan are those of the real map where it is, else blocks of 80 m with
// a courtyard and streets of 15 m between.
func outlinesOfMilan(t *testing.T) (*buildings.Outlines, string) {
	t.Helper()
	path, of := filepath.Join(cmp.Or(os.Getenv("ANAGRAFE_SHARED"), filepath.Join("..", "..", "shared")), "data/basemap/milano-basemap.pmtiles"), "Milan"
	if _, err := os.Stat(path); err != nil {
		path, of = maptest.Write(t, maptest.Margin, blocks()...), "blocks drawn for it"
	}
	f, err := basemap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return buildings.New(f, slog.New(slog.NewTextHandler(t.Output(), nil))), of
}

func blocks() (all []maptest.Building) {
	square := func(x, y, from, until float64) [][2]float64 { // metres from the south-west
		lon := func(m float64) float64 { return 9.1772 + m/78_000 }
		lat := func(m float64) float64 { return 45.455 + m/111_200 }
		west, south, east, north := lon(x+from), lat(y+from), lon(x+until), lat(y+until)
		return [][2]float64{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}
	}
	for i := range 21 * 21 {
		x, y := float64(i%21)*95, float64(i/21)*95
		all = append(all, maptest.Building{Rings: [][][2]float64{square(x, y, 0, 80), square(x, y, 20, 60)}})
	}
	return all
}

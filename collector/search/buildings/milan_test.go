package buildings

import (
	"log/slog"
	"testing"

	"anagrafe/collector/basemap"
	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// milan opens the real map beside the project.
func milan(t testing.TB) *Outlines {
	t.Helper()
	f, err := basemap.Open(maptest.Milan(t, "basemap/milano-basemap.pmtiles"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return New(f, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

func BenchmarkSeen(b *testing.B) {
	o := milan(b)
	angle, reach, deg := 90, 60, 45
	at, view := protocol.Position{Point: protocol.Point{Lon: 9_187_570, Lat: 45_464_080}, AccuracyM: 3}, protocol.View{DirectionDeg: &deg, AngleDeg: &angle, RangeM: &reach}
	n := 0
	for b.Loop() {
		ring, _ := o.VisibilityPolygon(at, view, 60)
		n = len(ring)
	}
	b.ReportMetric(float64(n), "points")
}

func BenchmarkHides(b *testing.B) {
	o := milan(b)
	angle, reach, deg := 90, 60, 45
	at, view := protocol.Position{Point: protocol.Point{Lon: 9_187_570, Lat: 45_464_080}, AccuracyM: 3}, protocol.View{DirectionDeg: &deg, AngleDeg: &angle, RangeM: &reach}
	for b.Loop() {
		o.Hides(at, view, protocol.Point{Lon: 9_187_970, Lat: 45_464_280})
	}
}

package gazetteer

import (
	"os"
	"testing"

	"anagrafe/protocol"
)

// The ground has holes and parts, and a margin on both sides of its border.
func TestBorder(t *testing.T) {
	// A square of about 7.8 by 11.1 km with a hole in its middle, and an island.
	const square = `{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{},"geometry":null},
		{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[9.1,45.4],[9.2,45.4],[9.2,45.5],[9.1,45.5],[9.1,45.4]],[[9.14,45.44],[9.16,45.44],[9.16,45.46],[9.14,45.46],[9.14,45.44]]]}},
		{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"MultiPolygon","coordinates":[[[[9.3,45.4,120],[9.31,45.4,120],[9.31,45.41,120],[9.3,45.4,120]]]]}]}}]}`
	for margin, wants := range map[float64]map[protocol.Point]bool{
		0: {
			{Lon: 9_120_000, Lat: 45_420_000}: true, {Lon: 9_150_000, Lat: 45_450_000}: false, {Lon: 9_308_000, Lat: 45_405_000}: true,
			{Lon: 9_250_000, Lat: 45_405_000}: false, {Lon: 9_201_000, Lat: 45_450_000}: false, {Lon: 9_150_000, Lat: 45_501_000}: false,
			{Lon: 9_099_000, Lat: 45_399_000}: false, {Lon: -9_120_000, Lat: 45_420_000}: false,
		},
		100: { // 0.001 degrees are 78 m of longitude and 111 m of latitude there
			{Lon: 9_201_000, Lat: 45_450_000}: true, {Lon: 9_202_000, Lat: 45_450_000}: false, {Lon: 9_150_000, Lat: 45_500_800}: true,
			{Lon: 9_150_000, Lat: 45_501_000}: false, {Lon: 9_141_000, Lat: 45_450_000}: true, {Lon: 9_150_000, Lat: 45_450_000}: false,
			{Lon: 9_099_000, Lat: 45_399_000}: false, {Lon: 9_099_500, Lat: 45_399_500}: true,
		},
	} {
		a, err := ReadBorder([]byte(square), margin)
		if err != nil {
			t.Fatal(err)
		}
		for p, want := range wants {
			if got := a.Contains(p); got != want {
				t.Errorf("margin %v, %+v: %v", margin, p, got)
			}
		}
	}
	file, err := os.ReadFile("../../../testdata/import/area.geojson")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := ReadBorder(file, 500); err != nil || !b.Contains(protocol.Point{Lon: 9_190_000, Lat: 45_464_000}) || b.Contains(protocol.Point{Lon: 12_500_000, Lat: 41_900_000}) {
		t.Error("the area of the tests", err)
	}
	if !(*Border)(nil).Contains(protocol.Point{Lon: 1}) {
		t.Error("no border leaves something out")
	}
	for name, bad := range map[string]string{
		"no JSON": "x", "no polygon": `{"type":"Point","coordinates":[9,45]}`, "no ring": `{"type":"Polygon","coordinates":[]}`,
		"a ring of 3": `{"type":"Polygon","coordinates":[[[9,45],[9,46],[9,45]]]}`, "a position of 1": `{"type":"Polygon","coordinates":[[[9],[9],[9],[9]]]}`,
		"an open ring": `{"type":"Polygon","coordinates":[[[9,45],[9,46],[8,46],[8,45]]]}`, "metres": `{"type":"Polygon","coordinates":[[[1514000,5034000],[1514001,5034000],[1514001,5034001],[1514000,5034000]]]}`,
		"numbers": `{"type":"Polygon","coordinates":[1,2]}`, "more numbers": `{"type":"MultiPolygon","coordinates":[[1,2]]}`,
	} {
		if _, err := ReadBorder([]byte(bad), 0); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

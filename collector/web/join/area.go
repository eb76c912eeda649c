package join

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"anagrafe/protocol"
)

// maxArea bounds the file of an area, in bytes: a metropolitan city's border has
// some tens of thousands of points.
const maxArea = 16 << 20

// Area is where a register is for: the polygons of a GeoJSON file (RFC 7946) and
// a margin around them.
type Area struct {
	polygons [][][]corner // each has its outer ring first, then its holes
	margin   float64      // metres
	box      [4]float64   // degrees, with the margin: west, south, east, north
}

// corner is a longitude and a latitude, in degrees.
type corner [2]float64

// metresPerDegree is that of latitude; good to 0.6 % everywhere.
const metresPerDegree = 111_195

// OpenArea reads the polygons of a GeoJSON file. The margin is in metres.
func OpenArea(file string, margin float64) (*Area, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the area: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxArea+1))
	if err == nil && len(b) > maxArea {
		err = fmt.Errorf("it is over %d MiB: give a simpler border", maxArea>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the area %s: %w", file, err)
	}
	a, err := readArea(b, margin)
	if err != nil {
		return nil, fmt.Errorf("reading the area %s: %w", file, err)
	}
	return a, nil
}

// geoJSON is any object of a GeoJSON file that may hold polygons.
type geoJSON struct {
	Type        string          `json:"type"`
	Features    []geoJSON       `json:"features"`
	Geometry    *geoJSON        `json:"geometry"`
	Geometries  []geoJSON       `json:"geometries"`
	Coordinates json.RawMessage `json:"coordinates"`
}

func readArea(b []byte, margin float64) (*Area, error) {
	var g geoJSON
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("it is no GeoJSON: %w", err)
	}
	a := &Area{margin: margin, box: [4]float64{180, 90, -180, -90}}
	if err := a.add(g); err != nil {
		return nil, err
	}
	if len(a.polygons) == 0 {
		return nil, errors.New("it holds no Polygon or MultiPolygon: export the border as one")
	}
	for _, polygon := range a.polygons {
		for _, c := range polygon[0] {
			a.box = [4]float64{min(a.box[0], c[0]), min(a.box[1], c[1]), max(a.box[2], c[0]), max(a.box[3], c[1])}
		}
	}
	lat := margin / metresPerDegree
	lon := lat / math.Cos(min(math.Max(math.Abs(a.box[1]), math.Abs(a.box[3])), 89)*math.Pi/180)
	a.box = [4]float64{a.box[0] - lon, a.box[1] - lat, a.box[2] + lon, a.box[3] + lat}
	return a, nil
}

func (a *Area) add(g geoJSON) error {
	switch g.Type {
	case "FeatureCollection":
		for _, f := range g.Features {
			if err := a.add(f); err != nil {
				return err
			}
		}
	case "GeometryCollection":
		for _, f := range g.Geometries {
			if err := a.add(f); err != nil {
				return err
			}
		}
	case "Feature":
		if g.Geometry != nil {
			return a.add(*g.Geometry)
		}
	case "Polygon":
		var rings [][]corner
		if err := json.Unmarshal(g.Coordinates, &rings); err != nil {
			return fmt.Errorf("a Polygon has no rings of coordinates: %w", err)
		}
		return a.polygon(rings)
	case "MultiPolygon":
		var all [][][]corner
		if err := json.Unmarshal(g.Coordinates, &all); err != nil {
			return fmt.Errorf("a MultiPolygon has no rings of coordinates: %w", err)
		}
		for _, rings := range all {
			if err := a.polygon(rings); err != nil {
				return err
			}
		}
	}
	return nil // points and lines are no area
}

func (a *Area) polygon(rings [][]corner) error {
	if len(rings) == 0 {
		return errors.New("a polygon has no ring")
	}
	for _, ring := range rings {
		if len(ring) < 4 {
			return errors.New("a ring of a polygon has fewer than 4 corners")
		}
		for _, c := range ring {
			if math.Abs(c[0]) > 180 || math.Abs(c[1]) > 90 {
				return errors.New("a corner is outside the world: GeoJSON is in degrees of WGS84, longitude first")
			}
		}
	}
	a.polygons = append(a.polygons, rings)
	return nil
}

// Contains tells whether a point lies in the area or not farther from it than the
// margin. No area contains everything.
func (a *Area) Contains(p protocol.Point) bool {
	if a == nil {
		return true
	}
	c := corner{float64(p.Lon) / 1e6, float64(p.Lat) / 1e6}
	if c[0] < a.box[0] || c[1] < a.box[1] || c[0] > a.box[2] || c[1] > a.box[3] {
		return false
	}
	for _, polygon := range a.polygons {
		inside := false
		for _, ring := range polygon { // a hole turns it over again
			if within(ring, c) {
				inside = !inside
			}
		}
		if inside {
			return true
		}
		for _, ring := range polygon {
			if distance(ring, c) <= a.margin {
				return true
			}
		}
	}
	return false
}

// within counts the edges that a line from c to the east crosses.
func within(ring []corner, c corner) (inside bool) {
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		p, q := ring[i], ring[j]
		if (p[1] > c[1]) != (q[1] > c[1]) && c[0] < (q[0]-p[0])*(c[1]-p[1])/(q[1]-p[1])+p[0] {
			inside = !inside
		}
	}
	return inside
}

// distance is that of c to the nearest edge, in metres, on a plane around c.
func distance(ring []corner, c corner) float64 {
	east := metresPerDegree * math.Cos(c[1]*math.Pi/180)
	flat := func(p corner) (x, y float64) { return (p[0] - c[0]) * east, (p[1] - c[1]) * metresPerDegree }
	nearest := math.Inf(1)
	for i := 1; i < len(ring); i++ {
		ax, ay := flat(ring[i-1])
		bx, by := flat(ring[i])
		dx, dy := bx-ax, by-ay
		t := 0.0
		if length := dx*dx + dy*dy; length > 0 {
			t = max(0, min(1, -(ax*dx+ay*dy)/length))
		}
		nearest = min(nearest, math.Hypot(ax+t*dx, ay+t*dy))
	}
	return nearest
}

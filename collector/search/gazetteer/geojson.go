package gazetteer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"anagrafe/protocol"
)

// geoJSON is any object of a GeoJSON file that may hold polygons (RFC 7946).
type geoJSON struct {
	Type        string          `json:"type"`
	Features    []geoJSON       `json:"features"`
	Properties  map[string]any  `json:"properties"`
	Geometry    *geoJSON        `json:"geometry"`
	Geometries  []geoJSON       `json:"geometries"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// polygons are all in it, as a District has them; points and lines are no ground.
func (g *geoJSON) polygons() (all [][][]protocol.Point, err error) {
	if g == nil {
		return nil, nil
	}
	var parts [][][][]float64
	switch g.Type {
	case "Polygon":
		parts = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &parts[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &parts)
	}
	if err != nil {
		return nil, fmt.Errorf("a %s has no rings of coordinates: %w", g.Type, err)
	}
	for _, rings := range parts {
		if len(rings) == 0 {
			return nil, errors.New("a polygon has no ring")
		}
		polygon := make([][]protocol.Point, len(rings))
		for i := range rings {
			if polygon[i], err = readRing(rings[i]); err != nil {
				return nil, err
			}
		}
		all = append(all, polygon)
	}
	within := slices.Concat(g.Features, g.Geometries)
	if g.Geometry != nil {
		within = append(within, *g.Geometry)
	}
	for i := range within {
		more, err := within[i].polygons()
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func readRing(ring [][]float64) ([]protocol.Point, error) {
	points := make([]protocol.Point, len(ring))
	for i, c := range ring {
		if len(c) < 2 || !(math.Abs(c[0]) <= 180 && math.Abs(c[1]) <= 90) {
			return nil, errors.New("a corner is outside the world: GeoJSON is in degrees of WGS84, longitude first")
		}
		points[i] = protocol.Point{Lon: int32(math.Round(c[0] * 1e6)), Lat: int32(math.Round(c[1] * 1e6))}
	}
	if len(points) < 4 || points[0] != points[len(points)-1] {
		return nil, errors.New("a ring of a polygon has fewer than 4 corners, or does not close on its first")
	}
	return points, nil
}

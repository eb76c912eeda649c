package consult

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

// maxVertices is the longest text of an area or of a route, in bytes: some
// 3,000 vertices.
const maxVertices = 64 << 10

var errVertices = errors.New("not vertices: give lon,lat with a space in between, or the coordinates of a GeoJSON polygon or line")

// apart is what may stand between two numbers, or around all of them.
var apart = regexp.MustCompile(`[\s,;]+`)

// parseRings reads the outline of an area: "lon,lat lon,lat ...", or GeoJSON (RFC
// 7946: a Feature, a Polygon, a MultiPolygon, or their coordinates alone). With
// eitherOrder latitude may come first, as in parsePlace.
func parseRings(text string, eitherOrder bool) ([][]protocol.Point, error) {
	if len(text) > maxVertices {
		return nil, errVertices
	}
	if !strings.ContainsAny(text, "{[") {
		ring, err := parsePairs(text, eitherOrder)
		return [][]protocol.Point{ring}, err
	}
	coordinates, err := coordinatesOf([]byte(text))
	if err != nil {
		return nil, err
	}
	polygon, err := ringsOf(coordinates)
	if err != nil {
		return nil, err
	}
	var rings [][]protocol.Point
	for _, r := range polygon {
		points, err := pointsOf(r)
		if err != nil {
			return nil, err
		}
		rings = append(rings, points)
	}
	return rings, nil
}

// ringsOf reads coordinates three levels deep, as a polygon has them, or two or
// four: one ring, or several polygons.
func ringsOf(coordinates json.RawMessage) (rings [][][]float64, err error) {
	var ring [][]float64
	if json.Unmarshal(coordinates, &ring) == nil {
		return [][][]float64{ring}, nil
	}
	if json.Unmarshal(coordinates, &rings) == nil {
		return rings, nil
	}
	var parts [][][][]float64
	if json.Unmarshal(coordinates, &parts) != nil {
		return nil, errVertices
	}
	return slices.Concat(parts...), nil
}

// parseLine reads a way: the same text, of one line.
func parseLine(text string, eitherOrder bool) ([]protocol.Point, error) {
	if len(text) > maxVertices {
		return nil, errVertices
	}
	if !strings.ContainsAny(text, "{[") {
		return parsePairs(text, eitherOrder)
	}
	coordinates, err := coordinatesOf([]byte(text))
	if err != nil {
		return nil, err
	}
	var line [][]float64
	if json.Unmarshal(coordinates, &line) != nil {
		return nil, errVertices
	}
	return pointsOf(line)
}

// coordinatesOf is the part of a GeoJSON text that holds the numbers.
func coordinatesOf(text []byte) (json.RawMessage, error) {
	if text = []byte(strings.TrimSpace(string(text))); len(text) == 0 || text[0] != '{' {
		return text, nil
	}
	var o struct {
		Geometry    *struct{ Coordinates json.RawMessage }
		Coordinates json.RawMessage
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, errVertices
	}
	if o.Geometry != nil {
		o.Coordinates = o.Geometry.Coordinates
	}
	if o.Coordinates == nil {
		return nil, errVertices
	}
	return o.Coordinates, nil
}

// pointsOf makes points of GeoJSON positions: longitude, latitude and maybe an
// altitude.
func pointsOf(positions [][]float64) ([]protocol.Point, error) {
	points := make([]protocol.Point, len(positions))
	for i, p := range positions {
		if len(p) < 2 {
			return nil, errVertices
		}
		var err error
		if points[i], err = point(p[0], p[1]); err != nil {
			return nil, errVertices
		}
	}
	return points, nil
}

// parsePairs reads numbers in pairs, whatever spaces, commas and semicolons are
// between them.
func parsePairs(text string, eitherOrder bool) ([]protocol.Point, error) {
	numbers := apart.Split(strings.Trim(text, " \t\r\n,;"), -1)
	if len(numbers)%2 != 0 {
		return nil, errVertices
	}
	points := make([]protocol.Point, 0, len(numbers)/2)
	for i := 0; i < len(numbers); i += 2 {
		p, err := parsePlace(numbers[i]+","+numbers[i+1], eitherOrder)
		if err != nil {
			return nil, errVertices
		}
		points = append(points, p)
	}
	return points, nil
}

// lonLat are points as GeoJSON has them.
func lonLat(points []protocol.Point) [][2]float64 {
	all := make([][2]float64, len(points))
	for i, p := range points {
		all[i] = [2]float64{lonOf(p), latOf(p)}
	}
	return all
}

// parseSpeed reads "4-15" or "12", km/h, decimal points or commas.
func parseSpeed(text string) (low, high float64, ok bool) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, ",", "."), "–", "-")
	first, second, ranged := strings.Cut(text, "-")
	if !ranged {
		second = first
	}
	low, err := strconv.ParseFloat(strings.TrimSpace(first), 64)
	if err != nil {
		return 0, 0, false
	}
	high, err = strconv.ParseFloat(strings.TrimSpace(second), 64)
	return low, high, err == nil
}

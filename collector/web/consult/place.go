package consult

import (
	"errors"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

var errPlace = errors.New("not a place: give longitude and latitude in decimal degrees, or paste a link from a map")

var (
	// Two decimal numbers between anything that is not part of a number.
	pair = regexp.MustCompile(`^\s*([+-]?\d{1,3}(?:[.,]\d+)?)\s*(?:[,;]\s*|\s+)([+-]?\d{1,3}(?:[.,]\d+)?)\s*$`)
	// The places in a link where map sites write latitude and longitude.
	inPath = []*regexp.Regexp{
		regexp.MustCompile(`!3d(-?\d+(?:\.\d+)?)!4d(-?\d+(?:\.\d+)?)`),           // the pin of a place, before the view
		regexp.MustCompile(`@(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)`),               // the centre of the view
		regexp.MustCompile(`#map=\d+(?:\.\d+)?/(-?\d+\.\d+)/(-?\d+\.\d+)`),       // OpenStreetMap
		regexp.MustCompile(`^geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)`),           // RFC 5870
		regexp.MustCompile(`/(?:place|search|dir)/(-?\d+\.\d+),\+?(-?\d+\.\d+)`), // coordinates as the name
	}
	inQuery = []string{"q", "query", "ll", "coordinate", "center", "viewpoint", "destination", "daddr", "sll"}
)

// maxPlace is longer than any link that holds a position.
const maxPlace = 2000

// parsePlace reads a position: "lon,lat", decimal commas with ";" between, or a
// link copied from a map. With eitherOrder, two numbers that can only be
// latitude and longitude of a place in Italy are put in order.
func parsePlace(text string, eitherOrder bool) (protocol.Point, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxPlace {
		return protocol.Point{}, errPlace
	}
	if strings.Contains(text, ":") {
		return placeOfLink(text)
	}
	m := pair.FindStringSubmatch(text)
	if m == nil {
		return protocol.Point{}, errPlace
	}
	lon, lat := degrees(m[1]), degrees(m[2])
	if eitherOrder && lon >= 35 && lon <= 48 && lat >= 6 && lat <= 19 {
		lon, lat = lat, lon
	}
	return point(lon, lat)
}

func placeOfLink(text string) (protocol.Point, error) {
	u, err := url.Parse(text)
	if err != nil {
		return protocol.Point{}, errPlace
	}
	q := u.Query()
	if u.Scheme == "geo" && strings.HasPrefix(u.Opaque, "0,0") { // as phones pass a place on: geo:0,0?q=LAT,LON(name)
		name, _, _ := strings.Cut(q.Get("q"), "(")
		if m := pair.FindStringSubmatch(name); m != nil {
			return point(degrees(m[2]), degrees(m[1]))
		}
		return protocol.Point{}, errPlace
	}
	if q.Has("mlat") && q.Has("mlon") { // OpenStreetMap's marker
		return point(degrees(q.Get("mlon")), degrees(q.Get("mlat")))
	}
	for _, re := range inPath {
		if m := re.FindStringSubmatch(text); m != nil {
			return point(degrees(m[2]), degrees(m[1]))
		}
	}
	for _, name := range inQuery {
		if m := pair.FindStringSubmatch(strings.TrimPrefix(q.Get(name), "loc:")); m != nil {
			return point(degrees(m[2]), degrees(m[1]))
		}
	}
	return protocol.Point{}, errPlace
}

// degrees reads a decimal number with a point or a comma; NaN when it is none.
func degrees(s string) float64 {
	v, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func point(lon, lat float64) (protocol.Point, error) {
	if !(math.Abs(lon) <= 180 && math.Abs(lat) <= 90) { // also NaN
		return protocol.Point{}, errPlace
	}
	return protocol.Point{Lon: int32(math.Round(lon * 1e6)), Lat: int32(math.Round(lat * 1e6))}, nil
}

// writePlace is the form in which a position stands in the form's field.
func writePlace(p protocol.Point) string {
	return strconv.FormatFloat(lonOf(p), 'f', -1, 64) + "," + strconv.FormatFloat(latOf(p), 'f', -1, 64)
}

func lonOf(p protocol.Point) float64 { return float64(p.Lon) / 1e6 }
func latOf(p protocol.Point) float64 { return float64(p.Lat) / 1e6 }

package consult

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// drawn is what a question may name besides a place: an area or a route in its
// stead, and what to leave out of the answer.
type drawn struct {
	// As typed, to fill the form again.
	Area, Route, Means, Speed, Arrival string
	Categories                         []string
	Continuous, Certain                bool

	// As understood. Rings: an area was asked for; Line: a route.
	Rings   [][]protocol.Point
	Line    []protocol.Point
	Speeds  search.Speeds
	Arrives time.Time // zero: not known
}

// readDrawn understands the area or the route; named false: there is neither,
// and a place is needed.
func (a *asked) readDrawn(v url.Values, exact bool) (named bool) {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	a.drawn = drawn{Area: get("area"), Route: get("route"), Means: get("means"), Speed: get("speed"), Arrival: get("arrival"),
		Continuous: get("continuous") != "", Certain: get("certain") != ""}
	for _, c := range v["category"] {
		if c = strings.TrimSpace(c); c != "" && !slices.Contains(a.Categories, c) {
			a.Categories = append(a.Categories, c)
		}
	}
	if slices.ContainsFunc(a.Categories, func(c string) bool { return !slices.Contains(protocol.Categories, protocol.Category(c)) }) {
		a.fail("category", "error.category")
	}
	var err error
	switch {
	case a.Area != "" && a.Route != "", a.Area+a.Route != "" && a.At != "":
		field := "route"
		if a.Area != "" {
			field = "area"
		}
		a.fail(field, "error.where.both")
	case a.Area != "":
		if a.Rings, err = parseRings(a.Area, !exact); err != nil {
			a.fail("area", "error.area.form")
		}
	case a.Route != "":
		if a.Line, err = parseLine(a.Route, !exact); err != nil {
			a.fail("route", "error.route.form")
		}
		a.readSpeed()
	default:
		return false
	}
	return true
}

// readSpeed takes the speeds that were typed, else those that are usual for the
// means.
func (a *asked) readSpeed() {
	means := search.Means(a.Means)
	if means == "" {
		means = search.OnFoot
	}
	var ok bool
	if a.Speeds, ok = means.Usual(); !ok {
		a.fail("means", "error.means")
	}
	if a.Speed != "" {
		if a.Speeds.MinKmh, a.Speeds.MaxKmh, ok = parseSpeed(a.Speed); !ok {
			a.fail("speed", "error.speed")
		}
	}
}

// readArrival reads when they reached the end of the route, once it is known
// when they set out; a time of day before that is on the next day.
func (a *asked) readArrival() {
	if a.Arrival == "" || a.Line == nil || a.From.IsZero() {
		return
	}
	var err error
	if strings.ContainsAny(a.Arrival, "Tt") {
		if a.Arrives, err = exactTime(a.Arrival); err != nil {
			a.failTime("arrival", err)
		}
		return
	}
	day, err := time.Parse(time.DateOnly, a.Date)
	if err != nil {
		a.fail("arrival", "error.arrival.day")
		return
	}
	if a.Arrives, err = wallTime(day, a.Arrival, foldSecond); err == nil && a.Arrives.Before(a.From) {
		a.Arrives, err = wallTime(day.AddDate(0, 0, 1), a.Arrival, foldSecond)
	}
	if err != nil {
		a.failTime("arrival", err)
	}
}

// miss says by how much an arrival is not possible.
type miss struct {
	Metres       int    // of the route
	Speed        string // km/h
	Takes, Given string // minutes and seconds, as on a stopwatch
}

// stopwatch writes whole seconds: 12:05, also over an hour.
func stopwatch(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// words says what is wrong, in words.
func (e fieldError) words(w *pages.Words) string {
	return w.T(e.Key, "metres", w.Number(e.Miss.Metres), "speed", e.Miss.Speed, "span", e.Miss.Takes, "given", e.Miss.Given)
}

// checkArrival says in words what search would say of an arrival too early or
// too late.
func (a *asked) checkArrival() {
	if len(a.Errors) > 0 || a.Arrives.IsZero() || a.Speeds.MinKmh <= 0 {
		return
	}
	metres := lengthM(a.Line)
	miss := func(key string, kmh float64, given time.Duration, missed func(takes time.Duration) bool) {
		takes := time.Duration(metres / kmh * 3.6 * float64(time.Second))
		if missed(takes) {
			a.Errors = append(a.Errors, fieldError{Field: "arrival", Key: key,
				Miss: miss{int(math.Round(metres)), strconv.FormatFloat(kmh, 'f', -1, 64), stopwatch(takes), stopwatch(given)}})
		}
	}
	first, last := a.Arrives.Sub(a.From), a.Arrives.Sub(a.To)
	miss("error.arrival.early", a.Speeds.MaxKmh, first, func(takes time.Duration) bool { return first < takes })
	miss("error.arrival.late", a.Speeds.MinKmh, last, func(takes time.Duration) bool { return last > takes })
}

// What names the kind of area that is asked for: "point", "area" or "route".
func (a *asked) What() string {
	switch {
	case a.Rings != nil:
		return "area"
	case a.Line != nil:
		return "route"
	}
	return "point"
}

// where is the area of the query.
func (a *asked) where() search.Area {
	switch {
	case a.Rings != nil:
		return search.Polygon{Rings: a.Rings, Name: a.placeName()}
	case a.Line != nil:
		return search.Route{Line: a.Line, RadiusM: a.RadiusM, Speeds: a.Speeds, Arrival: a.Arrives}
	}
	return search.Circle{At: a.Point, RadiusM: a.RadiusM}
}

func (a *asked) only() search.Only {
	only := search.Only{Continuous: a.Continuous, Certain: a.Certain}
	for _, c := range a.Categories {
		only.Categories = append(only.Categories, protocol.Category(c))
	}
	return only
}

// drawnBody is the part of a question on the trail and in JSON that names an
// area or a route, and what was left out. All of it is missing where it was not
// asked for.
type drawnBody struct {
	Area       [][][2]float64 `json:"area,omitempty"`  // rings of lon, lat
	Route      [][2]float64   `json:"route,omitempty"` // lon, lat
	SpeedKmh   *[2]float64    `json:"speed_kmh,omitempty"`
	Arrival    time.Time      `json:"arrival,omitzero"`
	Categories []string       `json:"categories,omitempty"`
	Continuous bool           `json:"continuous,omitempty"`
	Certain    bool           `json:"certain,omitempty"`
}

func (a *asked) body() drawnBody {
	b := drawnBody{Categories: a.Categories, Continuous: a.Continuous, Certain: a.Certain}
	if a.Answer == nil { // a district is named, not drawn: it has thousands of corners
		for _, r := range a.Rings {
			b.Area = append(b.Area, lonLat(r))
		}
	}
	if a.Line != nil {
		b.Route, b.SpeedKmh = lonLat(a.Line), &[2]float64{a.Speeds.MinKmh, a.Speeds.MaxKmh}
	}
	if !a.Arrives.IsZero() {
		b.Arrival = a.Arrives.UTC()
	}
	return b
}

// placeBody is where a question looks around a single place; nil of an area.
type placeBody struct {
	Place string   `json:"place,omitempty"` // the address or district that was asked for by its name
	Lon   *float64 `json:"lon,omitempty"`
	Lat   *float64 `json:"lat,omitempty"`
	// of a route what is near it
	RadiusM int `json:"radius_m,omitempty"`
}

func (a *asked) place() placeBody {
	switch {
	case a.Rings != nil:
		return placeBody{Place: a.placeName()}
	case a.Line != nil:
		return placeBody{RadiusM: a.RadiusM}
	}
	lon, lat := lonOf(a.Point), latOf(a.Point)
	return placeBody{a.placeName(), &lon, &lat, a.RadiusM}
}

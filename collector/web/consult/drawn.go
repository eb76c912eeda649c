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
func (q *question) readDrawn(v url.Values, exact bool) (named bool) {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	q.drawn = drawn{Area: get("area"), Route: get("route"), Means: get("means"), Speed: get("speed"), Arrival: get("arrival"),
		Continuous: get("continuous") != "", Certain: get("certain") != ""}
	for _, c := range v["category"] {
		if c = strings.TrimSpace(c); c != "" && !slices.Contains(q.Categories, c) {
			q.Categories = append(q.Categories, c)
		}
	}
	if slices.ContainsFunc(q.Categories, func(c string) bool { return !slices.Contains(protocol.Categories, protocol.Category(c)) }) {
		q.fail("category", "error.category")
	}
	var err error
	switch {
	case q.Area != "" && q.Route != "", q.Area+q.Route != "" && q.At != "":
		field := "route"
		if q.Area != "" {
			field = "area"
		}
		q.fail(field, "error.where.both")
	case q.Area != "":
		if q.Rings, err = parseRings(q.Area, !exact); err != nil {
			q.fail("area", "error.area.form")
		}
	case q.Route != "":
		if q.Line, err = parseLine(q.Route, !exact); err != nil {
			q.fail("route", "error.route.form")
		}
		q.readSpeed()
	default:
		return false
	}
	return true
}

// readSpeed takes the speeds that were typed, else those that are usual for the
// means.
func (q *question) readSpeed() {
	means := search.Means(q.Means)
	if means == "" {
		means = search.OnFoot
	}
	var ok bool
	if q.Speeds, ok = means.Usual(); !ok {
		q.fail("means", "error.means")
	}
	if q.Speed != "" {
		if q.Speeds.MinKmh, q.Speeds.MaxKmh, ok = parseSpeed(q.Speed); !ok {
			q.fail("speed", "error.speed")
		}
	}
}

// readArrival reads when they reached the end of the route, once it is known
// when they set out; a time of day before that is on the next day.
func (q *question) readArrival() {
	if q.Arrival == "" || q.Line == nil || q.From.IsZero() {
		return
	}
	var err error
	if strings.ContainsAny(q.Arrival, "Tt") {
		if q.Arrives, err = exactTime(q.Arrival); err != nil {
			q.failTime("arrival", err)
		}
		return
	}
	day, err := time.Parse(time.DateOnly, q.Date)
	if err != nil {
		q.fail("arrival", "error.arrival.day")
		return
	}
	if q.Arrives, err = wallTime(day, q.Arrival, foldSecond); err == nil && q.Arrives.Before(q.From) {
		q.Arrives, err = wallTime(day.AddDate(0, 0, 1), q.Arrival, foldSecond)
	}
	if err != nil {
		q.failTime("arrival", err)
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
func (q *question) checkArrival() {
	if len(q.Errors) > 0 || q.Arrives.IsZero() || q.Speeds.MinKmh <= 0 {
		return
	}
	metres := lengthM(q.Line)
	miss := func(key string, kmh float64, given time.Duration, missed func(takes time.Duration) bool) {
		takes := time.Duration(metres / kmh * 3.6 * float64(time.Second))
		if missed(takes) {
			q.Errors = append(q.Errors, fieldError{Field: "arrival", Key: key,
				Miss: miss{int(math.Round(metres)), strconv.FormatFloat(kmh, 'f', -1, 64), stopwatch(takes), stopwatch(given)}})
		}
	}
	first, last := q.Arrives.Sub(q.From), q.Arrives.Sub(q.To)
	miss("error.arrival.early", q.Speeds.MaxKmh, first, func(takes time.Duration) bool { return first < takes })
	miss("error.arrival.late", q.Speeds.MinKmh, last, func(takes time.Duration) bool { return last > takes })
}

package consult

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// The closed lists of the form; their words are case.kind.* and offence.*.
var (
	caseKinds = []string{"event112", "annotation", "cnr", "rgnr", "delegation", "own-initiative"}
	offences  = []string{"theft", "burglary", "robbery", "assault", "homicide", "sexual-violence", "stalking",
		"damage", "fraud", "drugs", "road", "missing-person", "terrorism", "other"}
	radii = []int{100, 200, 300, 500, 1000, 2000}
)

// Limits of what is typed, in bytes.
const (
	maxRef    = 100
	maxReason = 500
	minReason = 5
)

// question is one question as it was put, and as it was understood.
type question struct {
	// As typed, to fill the form again.
	At, Date, Time, Until, Radius string
	Kind, Ref, Offence, Reason    string
	Case                          registry.Case // the case; ID "" until it is found or opened: see findCase
	Pick                          string        // which of the places that At may mean: see pickOf
	When                          string        // the time that was chosen, see chips; whenExact: Date, Time and Until
	Fold                          string        // "", foldFirst or foldSecond: which of the hours that come twice

	drawn // an area or a route in place of At, and filters

	// As understood.
	Point   protocol.Point
	RadiusM int
	From    time.Time
	To      time.Time // From when no end was given
	Errors  []fieldError
	located
	AskWhichOne bool // the wall time comes twice and Fold did not say which
}

// fieldError names the field of the form and the word that says what is wrong.
type fieldError struct {
	Field      string      // name of the form's field
	Key        string      // of the word "error.*"
	Miss       miss        // of an arrival that is not possible: the numbers in the word
	Detail     string      // for programs: the same with its numbers, in English; may be ""
	Candidates []time.Time // what may have been meant, in Rome's zone; nil: anything
}

// wrong returns the word's key for a field, "" when it is well.
func (q *question) wrong(field string) string {
	for _, e := range q.Errors {
		if e.Field == field {
			return e.Key
		}
	}
	return ""
}

func (q *question) fail(field, key string) {
	q.Errors = append(q.Errors, fieldError{Field: field, Key: key})
}

func (q *question) query(now time.Time) search.Query {
	return search.Query{In: q.where(), From: q.From, Until: q.To, Now: now, Only: q.only()}
}

// blank is the form as it opens: today, and nothing else presumed.
func blank(now time.Time) *question {
	return &question{Date: now.In(pages.Rome()).Format(time.DateOnly), Radius: strconv.Itoa(search.DefaultRadiusM), RadiusM: search.DefaultRadiusM}
}

// readQuestion understands a posted form. exact callers (programs) mean lon,lat;
// a person may give the two in either order. Times are RFC 3339, or a date and
// times of day as clocks in Rome showed them.
func readQuestion(v url.Values, now time.Time, exact bool) *question {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	q := &question{At: get("at"), Date: get("date"), Time: get("time"), Until: get("until"), Radius: get("radius"),
		Kind: get("case_kind"), Ref: get("case_ref"), Offence: get("offence"), Reason: get("reason"), Pick: get("pick"), Fold: get("fold")}
	var err error
	if q.readDrawn(v, exact) {
	} else if q.At == "" {
		q.fail("at", "error.at.missing")
	} else if q.Point, err = parsePlace(q.At, !exact); err != nil {
		key := "error.at.form"
		if strings.Contains(q.At, "://") {
			key = "error.at.link"
		}
		q.fail("at", key)
	}
	if exact || !q.readWhen(get("when"), now) {
		q.readTimes(now)
	}
	q.readArrival()
	q.RadiusM = search.DefaultRadiusM
	if q.Radius != "" {
		q.RadiusM, err = strconv.Atoi(q.Radius)
		if err != nil || q.RadiusM < search.MinRadiusM || q.RadiusM > search.MaxRadiusM {
			q.fail("radius", "error.radius")
		}
	}
	q.readCase(get("case"))
	q.checkArrival()
	return q
}

// readCase checks what describes the case; where its id is given, offence and
// reason only as far as they differ from the case's own.
func (q *question) readCase(id string) {
	if q.Case.ID = id; id != "" {
		q.Kind, q.Ref = "", ""
		if q.Offence != "" && !slices.Contains(offences, q.Offence) {
			q.fail("offence", "error.offence")
		}
		if q.Reason != "" && (len(q.Reason) < minReason || len(q.Reason) > maxReason) {
			q.fail("reason", "error.reason")
		}
		return
	}
	if !slices.Contains(caseKinds, q.Kind) {
		q.fail("case_kind", "error.kind")
	}
	if len(q.Ref) > maxRef {
		q.fail("case_ref", "error.ref")
	}
	if !slices.Contains(offences, q.Offence) {
		q.fail("offence", "error.offence")
	}
	if len(q.Reason) < minReason || len(q.Reason) > maxReason {
		q.fail("reason", "error.reason")
	}
}

// What names the kind of area that is asked for: "point", "area" or "route".
func (q *question) What() string {
	switch {
	case q.Rings != nil:
		return "area"
	case q.Line != nil:
		return "route"
	}
	return "point"
}

// where is the area of the query.
func (q *question) where() search.Area {
	switch {
	case q.Rings != nil:
		return search.Polygon{Rings: q.Rings, Name: q.placeName()}
	case q.Line != nil:
		return search.Route{Line: q.Line, RadiusM: q.RadiusM, Speeds: q.Speeds, Arrival: q.Arrives}
	}
	return search.Circle{At: q.Point, RadiusM: q.RadiusM}
}

func (q *question) only() search.Only {
	only := search.Only{Continuous: q.Continuous, Certain: q.Certain}
	for _, c := range q.Categories {
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

func (q *question) body() drawnBody {
	b := drawnBody{Categories: q.Categories, Continuous: q.Continuous, Certain: q.Certain}
	if q.Answer == nil { // a district is named, not drawn: it has thousands of corners
		for _, r := range q.Rings {
			b.Area = append(b.Area, lonLat(r))
		}
	}
	if q.Line != nil {
		b.Route, b.SpeedKmh = lonLat(q.Line), &[2]float64{q.Speeds.MinKmh, q.Speeds.MaxKmh}
	}
	if !q.Arrives.IsZero() {
		b.Arrival = q.Arrives.UTC()
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

func (q *question) place() placeBody {
	switch {
	case q.Rings != nil:
		return placeBody{Place: q.placeName()}
	case q.Line != nil:
		return placeBody{RadiusM: q.RadiusM}
	}
	lon, lat := lonOf(q.Point), latOf(q.Point)
	return placeBody{q.placeName(), &lon, &lat, q.RadiusM}
}

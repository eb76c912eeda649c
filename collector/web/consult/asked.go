package consult

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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

// asked is one question as it was put, and as it was understood.
type asked struct {
	// As typed, to fill the form again.
	At, Date, Time, Until, Radius string
	Kind, Ref, Offence, Reason    string
	Pick                          string // which of the places that At may mean: see pickOf
	Fold                          string // "", "first" or "second": which of the hours that come twice

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
	Field string // name of the form's field
	Key   string // of the word "error.*"
	Miss  miss   // of an arrival that is not possible: the numbers in the word
}

// wrong gives the word's key for a field, "" when it is well.
func (a *asked) wrong(field string) string {
	for _, e := range a.Errors {
		if e.Field == field {
			return e.Key
		}
	}
	return ""
}

func (a *asked) fail(field, key string) {
	a.Errors = append(a.Errors, fieldError{Field: field, Key: key})
}

// caseID is the case as it stands on the trail, e.g. "annotation:2026/118".
func (a *asked) caseID() string { return a.Kind + ":" + a.Ref }

func (a *asked) query(now time.Time) search.Query {
	return search.Query{In: a.where(), From: a.From, Until: a.To, Now: now, Only: a.only()}
}

// blank is the form as it opens: today, and nothing else presumed.
func blank(now time.Time) *asked {
	return &asked{Date: now.In(pages.Rome()).Format(time.DateOnly), Radius: strconv.Itoa(search.DefaultRadiusM), RadiusM: search.DefaultRadiusM}
}

// readAsked understands a posted form. exact callers (the command line) mean
// lon,lat and RFC 3339 times; a person means wall times of Rome.
func readAsked(v url.Values, now time.Time, exact bool) *asked {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	a := &asked{At: get("at"), Date: get("date"), Time: get("time"), Until: get("until"), Radius: get("radius"),
		Kind: get("case_kind"), Ref: get("case_ref"), Offence: get("offence"), Reason: get("reason"), Pick: get("pick"), Fold: get("fold")}
	var err error
	if a.readDrawn(v, exact) {
	} else if a.At == "" {
		a.fail("at", "error.at.missing")
	} else if a.Point, err = parsePlace(a.At, !exact); err != nil {
		a.fail("at", "error.at.form")
	}
	a.readTimes(now)
	a.readArrival()
	a.RadiusM = search.DefaultRadiusM
	if a.Radius != "" {
		a.RadiusM, err = strconv.Atoi(a.Radius)
		if err != nil || a.RadiusM < search.MinRadiusM || a.RadiusM > search.MaxRadiusM {
			a.fail("radius", "error.radius")
		}
	}
	a.readCase()
	a.checkArrival()
	return a
}

func (a *asked) readCase() {
	if !slices.Contains(caseKinds, a.Kind) {
		a.fail("case_kind", "error.kind")
	}
	if len(a.Ref) > maxRef {
		a.fail("case_ref", "error.ref")
	}
	if !slices.Contains(offences, a.Offence) {
		a.fail("offence", "error.offence")
	}
	if len(a.Reason) < minReason || len(a.Reason) > maxReason {
		a.fail("reason", "error.reason")
	}
}

func (a *asked) readTimes(now time.Time) {
	if strings.Contains(a.Time, "T") || strings.Contains(a.Time, "t") {
		a.readExactTimes()
	} else {
		a.readWallTimes()
	}
	if a.wrong("time") != "" || a.wrong("until") != "" || a.wrong("date") != "" {
		return
	}
	switch {
	case a.From.After(now):
		a.fail("time", "error.time.future")
	case a.To.Before(a.From):
		a.fail("until", "error.until.before")
	case a.To.Sub(a.From) > search.MaxWindow:
		a.fail("until", "error.until.long")
	}
}

func (a *asked) readExactTimes() {
	var err error
	if a.From, err = time.Parse(time.RFC3339, a.Time); err != nil {
		a.fail("time", "error.time.form")
	}
	a.To = a.From
	if a.Until != "" {
		if a.To, err = time.Parse(time.RFC3339, a.Until); err != nil {
			a.fail("until", "error.time.form")
		}
	}
}

// clockTime is a time of day as people type it: 9:05, 09.05, 0905, 09:05:30.
var clockTime = regexp.MustCompile(`^(\d{1,2})[:.]?(\d{2})(?:[:.](\d{2}))?$`)

var (
	errClockForm  = errors.New("not a time of day")
	errNoSuchTime = errors.New("left out by the clocks")
	errWhichOne   = errors.New("comes twice")
)

// readWallTimes reads date, time and end of day as clocks in Rome showed them.
// An end earlier than the start is on the next day.
func (a *asked) readWallTimes() {
	day, err := time.Parse(time.DateOnly, a.Date)
	if err != nil {
		a.fail("date", "error.date")
		return
	}
	if a.Time == "" {
		a.fail("time", "error.time.missing")
		return
	}
	if a.From, err = a.instant(day, a.Time, a.Fold == "second"); err != nil {
		a.fail("time", timeError(err))
		return
	}
	a.To = a.From
	if a.Until == "" {
		return
	}
	// A window that ends in the doubled hour ends with its second half: better
	// an hour too much footage than one too little.
	if a.To, err = a.instant(day, a.Until, true); err == nil && a.To.Before(a.From) {
		a.To, err = a.instant(day.AddDate(0, 0, 1), a.Until, true)
	}
	if err != nil {
		a.fail("until", timeError(err))
	}
}

func timeError(err error) string {
	switch {
	case errors.Is(err, errNoSuchTime):
		return "error.time.never"
	case errors.Is(err, errWhichOne):
		return "error.time.twice"
	default:
		return "error.time.form"
	}
}

// instant gives the moment of a wall time. One that comes twice is the second
// if wanted, the first if Fold says so, and else asks.
func (a *asked) instant(day time.Time, clock string, second bool) (time.Time, error) {
	m := clockTime.FindStringSubmatch(clock)
	if m == nil {
		return time.Time{}, errClockForm
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	seconds, _ := strconv.Atoi("0" + m[3])
	if hour > 23 || minute > 59 || seconds > 59 {
		return time.Time{}, errClockForm
	}
	moments := pages.Instants(day.Year(), day.Month(), day.Day(), hour, minute)
	switch {
	case len(moments) == 0:
		return time.Time{}, errNoSuchTime
	case len(moments) == 2 && second:
		moments = moments[1:]
	case len(moments) == 2 && a.Fold != "first":
		a.AskWhichOne = true
		return time.Time{}, errWhichOne
	}
	return moments[0].Add(time.Duration(seconds) * time.Second), nil
}

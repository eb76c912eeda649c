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

package consult

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol/pages"
)

// The values of "fold": which of two equal wall times is meant.
const (
	foldFirst  = "first"  // on summer time
	foldSecond = "second" // on winter time
)

// wallError refuses a time of day by the clocks of Rome.
type wallError struct {
	key     string      // of the word
	moments []time.Time // at which they show it
}

func (e wallError) Error() string { return e.key }

var errClockForm = wallError{key: "error.time.form"}

// failTime says what is wrong with a time.
func (q *question) failTime(field string, err error) {
	e, ok := errors.AsType[wallError](err)
	if !ok {
		e = errClockForm
	}
	q.Errors = append(q.Errors, fieldError{Field: field, Key: e.key, Candidates: e.moments})
}

func (q *question) readTimes(now time.Time) {
	if q.Fold != "" && q.Fold != foldFirst && q.Fold != foldSecond {
		q.fail("fold", "error.fold")
		return
	}
	before := len(q.Errors)
	if strings.ContainsAny(q.Time, "Tt") {
		q.readExactTimes()
	} else {
		q.readWallTimes()
	}
	if len(q.Errors) > before {
		return
	}
	switch {
	case q.From.After(now):
		q.fail("time", "error.time.future")
	case q.To.Before(q.From):
		q.fail("until", "error.until.before")
	case q.To.Sub(q.From) > search.MaxWindow:
		q.fail("until", "error.until.long")
	}
}

func (q *question) readExactTimes() {
	var err error
	if q.From, err = exactTime(q.Time); err != nil {
		q.failTime("time", err)
	}
	q.To = q.From
	if q.Until == "" {
		return
	}
	if q.To, err = exactTime(q.Until); err != nil {
		q.failTime("until", err)
	}
}

// exactTime reads RFC 3339. A time without its zone is refused, with the
// moments at which clocks in Rome showed it.
func exactTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		wall, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		moments := romeTimes(wall, wall.Hour(), wall.Minute(), wall.Second())
		if len(moments) == 0 {
			return time.Time{}, wallError{key: "error.time.never"}
		}
		return time.Time{}, wallError{"error.time.zone", moments}
	}
	return time.Time{}, errClockForm
}

// clockTime is a time of day as people type it: 9:05, 09.05, 0905, 09:05:30.
var clockTime = regexp.MustCompile(`^(\d{1,2})[:.]?(\d{2})(?:[:.](\d{2}))?$`)

// readWallTimes reads date, time and end of day as clocks in Rome showed them.
// An end earlier than the start is on the next day.
func (q *question) readWallTimes() {
	day, err := time.Parse(time.DateOnly, q.Date)
	if err != nil {
		q.fail("date", "error.date")
		return
	}
	if q.Time == "" {
		q.fail("time", "error.time.missing")
		return
	}
	if q.From, err = wallTime(day, q.Time, q.Fold); err != nil {
		e, ok := errors.AsType[wallError](err)
		q.AskWhichOne = ok && len(e.moments) == 2
		q.failTime("time", err)
		return
	}
	q.To = q.From
	if q.Until == "" {
		return
	}
	// A window that ends in the doubled hour ends with its second half: better
	// an hour too much footage than one too little.
	if q.To, err = wallTime(day, q.Until, foldSecond); err == nil && q.To.Before(q.From) {
		q.To, err = wallTime(day.AddDate(0, 0, 1), q.Until, foldSecond)
	}
	if err != nil {
		q.failTime("until", err)
	}
}

// wallTime returns the moment of a time of day in Rome. One that comes twice is
// the one that fold says; without it, an error with both.
func wallTime(day time.Time, clock, fold string) (time.Time, error) {
	m := clockTime.FindStringSubmatch(clock)
	if m == nil {
		return time.Time{}, errClockForm
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	second, _ := strconv.Atoi("0" + m[3])
	if hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, errClockForm
	}
	moments := romeTimes(day, hour, minute, second)
	switch {
	case len(moments) == 0:
		return time.Time{}, wallError{key: "error.time.never"}
	case len(moments) == 2 && fold == "":
		return time.Time{}, wallError{"error.time.twice", moments}
	case len(moments) == 2 && fold == foldSecond:
		return moments[1], nil
	}
	return moments[0], nil
}

// romeTimes returns the moments at which clocks in Rome show a time of a day.
func romeTimes(day time.Time, hour, minute, second int) []time.Time {
	moments := pages.Instants(day.Year(), day.Month(), day.Day(), hour, minute)
	for i := range moments {
		moments[i] = moments[i].Add(time.Duration(second) * time.Second)
	}
	return moments
}

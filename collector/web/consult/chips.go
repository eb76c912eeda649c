package consult

import (
	"slices"
	"time"

	"anagrafe/protocol/pages"
)

// Times that are asked for most are radio buttons in the form's field "when", so
// that one click, or one arrow key, is enough also where no script runs. Those that
// end now are reckoned when the question arrives, not when the page was opened; the
// script writes them into the fields, and goes back to whenExact with any key typed
// there.
const (
	whenExact     = ""          // the form's own date and times
	whenNow       = "now"       // this minute
	whenHour      = "hour"      // the last sixty minutes
	whenNight     = "night"     // the night that is on, else the last one: 22 to 6
	whenYesterday = "yesterday" // yesterday's evening: 18 to 24
)

var chips = []string{whenNow, whenHour, whenNight, whenYesterday, whenExact}

// chip is one of those times as the form shows it.
type chip struct {
	Value             string
	Key               string // of its word
	Date, Time, Until string // what it writes into the fields
	Checked           bool
}

// chipsOf are the times to choose from, as of now.
func chipsOf(q *question, now time.Time) (all []chip) {
	for _, when := range chips {
		one := chip{Value: when, Key: "form.when." + when, Checked: q.When == when}
		if when == whenExact {
			one.Key += "exact"
		} else {
			from, to := span(when, now)
			one.Date, one.Time, one.Until = typed(from, to)
		}
		all = append(all, one)
	}
	return all
}

// readWhen takes the time of a chip in place of the fields, which then say the
// same; false: the fields hold.
func (q *question) readWhen(when string, now time.Time) bool {
	if when == whenExact {
		return false
	}
	if !slices.Contains(chips, when) {
		q.fail("time", "error.query")
		return false
	}
	q.When, q.Fold = when, ""
	q.From, q.To = span(when, now)
	q.Date, q.Time, q.Until = typed(q.From, q.To)
	return true
}

// span returns the time that a chip stands for, in Rome, never beyond now.
func span(when string, now time.Time) (from, to time.Time) {
	now = now.In(pages.Rome()).Truncate(time.Minute)
	y, m, d := now.Date()
	at := func(days, hour int) time.Time { return time.Date(y, m, d+days, hour, 0, 0, 0, pages.Rome()) }
	switch when {
	case whenHour:
		return now.Add(-time.Hour), now
	case whenNight:
		if !now.Before(at(0, 22)) {
			return at(0, 22), now
		}
		if end := at(0, 6); end.Before(now) {
			return at(-1, 22), end
		}
		return at(-1, 22), now
	case whenYesterday:
		return at(-1, 18), at(0, 0)
	}
	return now, now
}

// typed writes a time as a person would have typed it into the three fields.
func typed(from, to time.Time) (date, clock, until string) {
	from, to = from.In(pages.Rome()), to.In(pages.Rome())
	date, clock = from.Format(time.DateOnly), wall(from)
	if to.After(from) {
		until = wall(to)
	}
	if to.Sub(from) >= 24*time.Hour { // more than the form's two times of day can say
		clock, until = from.Format(time.RFC3339), to.Format(time.RFC3339)
	}
	return date, clock, until
}

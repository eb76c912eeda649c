package consult

import (
	"math"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// whereWords says what was asked: where, and when.
func whereWords(w *pages.Words, q *question) string {
	when := window(w, q.From, q.To)
	switch {
	case q.Rings != nil && q.Answer != nil:
		return w.T("results.asked.district", "name", q.placeName(), "when", when)
	case q.Rings != nil:
		n := 0
		for _, r := range q.Rings {
			n += len(r)
		}
		return w.T("results.asked.area", "n", w.Number(n), "when", when)
	case q.Line == nil:
		return w.T("results.asked", "radius", w.Number(q.RadiusM), "place", writePlace(q.Point), "when", when)
	}
	text := w.T("results.asked.route", "length", lengthWords(w, lengthM(q.Line)), "radius", w.Number(q.RadiusM), "when", when,
		"speed", speedWords(w, q.Speeds))
	if !q.Arrives.IsZero() {
		text += w.T("results.asked.arrival", "when", w.DateTime(q.Arrives))
	}
	return text
}

func lengthM(line []protocol.Point) float64 {
	all := 0.0
	for i := 1; i < len(line); i++ {
		all += protocol.DistanceM(line[i-1], line[i])
	}
	return all
}

// lengthWords writes metres up to a kilometre, above that kilometres.
func lengthWords(w *pages.Words, m float64) string {
	if m < 1000 {
		return w.T("form.metres", "n", w.Number(int(math.Round(m))))
	}
	return w.T("form.kilometres", "n", decimal(w, m/1000, 1))
}

func speedWords(w *pages.Words, s search.Speeds) string {
	if s.MinKmh == s.MaxKmh {
		return decimal(w, s.MinKmh, -1)
	}
	return decimal(w, s.MinKmh, -1) + "–" + decimal(w, s.MaxKmh, -1)
}

// decimal writes a number with so many places after the point of the language;
// -1: as many as it has.
func decimal(w *pages.Words, v float64, places int) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', places, 64), ".", w.T("number.point"), 1)
}

// onlyWords says what was left out on purpose; "": nothing.
func onlyWords(w *pages.Words, q *question) string {
	var parts []string
	for _, c := range q.Categories {
		parts = append(parts, w.T("category."+c))
	}
	if q.Continuous {
		parts = append(parts, w.T("form.continuous"))
	}
	if q.Certain {
		parts = append(parts, w.T("form.certain"))
	}
	return strings.Join(parts, " · ")
}

// hiddenWords says how many results the filters left out, and why; "": none.
func hiddenWords(w *pages.Words, h search.Hidden) string {
	if h.All() == 0 {
		return ""
	}
	var why []string
	for _, c := range []struct {
		key string
		n   int
	}{{"hidden.category", h.Category}, {"hidden.continuous", h.Continuous}, {"hidden.certain", h.Certain}} {
		if c.n > 0 {
			why = append(why, w.T(c.key, "n", w.Number(c.n)))
		}
	}
	return w.N("hidden", h.All()) + ": " + strings.Join(why, ", ")
}

// passingWords says when somebody may have come by a camera on a route.
func passingWords(w *pages.Words, from, until time.Time) string {
	return w.T("row.passing.window", "window", window(w, from, until))
}

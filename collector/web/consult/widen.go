package consult

import (
	"net/url"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol/pages"
)

// longer is a window around the one that was asked for.
type longer struct {
	Time, Until string // RFC 3339
	Words       string
}

// A window is offered so much longer on both its sides.
var widenings = []time.Duration{30 * time.Minute, 2 * time.Hour, 12 * time.Hour}

// widen leaves no answer a dead end: where nothing was found a wider radius and a
// longer window are offered, and a longer window also where all footage of that
// time is gone. Filters that hide everything come first; a route has its times by
// its speeds.
func (v *resultsView) widen(w *pages.Words, now time.Time) {
	q := v.Asked
	if v.Hidden != "" || q.Line != nil || v.Total > 0 && (v.Page > 1 || v.Groups[0].Class != search.ClassC) {
		return
	}
	v.Again = url.Values{"at": {v.Form.Asked.At}, "pick": {q.Pick}, "area": {q.Area}, "category": q.Categories,
		"time": {q.From.UTC().Format(time.RFC3339)}, "until": {q.To.UTC().Format(time.RFC3339)},
		"case": {q.Case.ID}, "offence": {q.Offence}, "reason": {q.Reason}}
	for name, on := range map[string]bool{"continuous": q.Continuous, "certain": q.Certain} {
		if on {
			v.Again.Set(name, "1")
		}
	}
	if v.Total == 0 && q.Rings == nil {
		for _, radius := range radii {
			if radius > q.RadiusM {
				v.Wider = append(v.Wider, radius)
			}
		}
	}
	for _, more := range widenings {
		from, to := q.From.Add(-more), q.To.Add(more)
		if to.After(now) {
			to = now.Truncate(time.Second)
		}
		if to.Sub(from) > search.MaxWindow {
			break
		}
		v.Longer = append(v.Longer, longer{from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), spanWords(w, from, to)})
	}
}

// spanWords writes a window as short as a button wants it.
func spanWords(w *pages.Words, from, to time.Time) string {
	if w.Day(from) == w.Day(to) {
		return w.T("results.longer.day", "from", w.Clock(from), "until", w.Clock(to))
	}
	return w.T("results.longer.days", "from", w.Short(from), "until", w.Short(to))
}

package consult

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Under these times left a row is marked: call now, and do not wait till after
// tomorrow.
const (
	leftNow  = 12 * time.Hour
	leftSoon = 48 * time.Hour
)

// left says how long the footage remains.
type left struct{ Tone, Icon, Text, More string }

func (l left) String() string {
	if l.More == "" {
		return l.Text
	}
	return l.Text + " (" + l.More + ")"
}

func wall(t time.Time) string {
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// window writes the time that was asked for.
func window(w *pages.Words, from, to time.Time) string {
	if !to.After(from) {
		return w.DateTime(from)
	}
	if w.Day(from) == w.Day(to) {
		return w.T("time.window", "from", w.DateTime(from), "until", w.Clock(to))
	}
	return w.T("time.window", "from", w.DateTime(from), "until", w.DateTime(to))
}

// left words the time left as of now: the order stays as it was answered, the
// countdown goes on.
func (c *Consult) left(w *pages.Words, r search.Result) left {
	now := c.Now()
	switch {
	case r.Class == search.ClassC && r.Recording == protocol.No:
		return left{Tone: "muted", Icon: "it-ban", Text: w.T("left.notrecorded")}
	case r.Class == search.ClassC:
		return left{Tone: "muted", Icon: "it-ban", Text: w.T("left.gone")}
	case r.TimeLeftAssumed || r.Footage.Until.IsZero():
		return left{Tone: "warn", Icon: "it-help-circle", Text: w.T("left.unknown"), More: w.T("left.unknown.more")}
	}
	span := r.Footage.Until.Sub(now)
	l := left{Tone: "ok", Icon: "it-clock", Text: w.T("left.in", "span", w.Duration(span)), More: when(w, now, r.Footage.Until)}
	switch {
	case span <= 0:
		l = left{Tone: "bad", Icon: "it-warning-circle", Text: w.T("left.over"), More: when(w, now, r.Footage.Until)}
	case span < leftNow:
		l.Tone, l.Icon = "bad", "it-warning-circle"
	case span < leftSoon:
		l.Tone = "warn"
	}
	return l
}

// when writes a moment near now: "oggi alle 17:40", "domani alle 02:10".
func when(w *pages.Words, now, t time.Time) string {
	days := func(t time.Time) int {
		y, m, d := t.In(pages.Rome()).Date()
		return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	}
	switch days(t) - days(now) {
	case 0:
		return w.T("when.today", "clock", w.Clock(t))
	case 1:
		return w.T("when.tomorrow", "clock", w.Clock(t))
	default:
		return w.T("when.day", "when", w.Short(t))
	}
}

// footageKey is the word for whether footage of that time is there.
func footageKey(r search.Result) string {
	switch {
	case r.Recording == protocol.No:
		return "footage.notrecorded"
	case r.Footage.Exists == protocol.No:
		return "footage.gone"
	case r.Footage.Exists == protocol.Yes && r.Footage.Observed && r.Recording == protocol.Yes:
		return "footage.measured"
	case r.Footage.Exists == protocol.Yes && r.Recording == protocol.Yes:
		return "footage.configured"
	case r.Recording == protocol.OnEvent || r.Footage.Exists == protocol.OnEvent:
		return "footage.onevent"
	case r.Recording == protocol.Unknown:
		return "footage.unknown"
	default:
		return "footage.maybe"
	}
}

// recorderName names the recorder as someone in front of it would.
func recorderName(r search.Result) string {
	maker := protocol.MakerModel(r.Recorder.Vendor, r.Recorder.Model)
	var parts []string
	for _, p := range []string{r.Recorder.Name, maker, r.Recorder.StorageNote} {
		if p != "" && !strings.Contains(strings.Join(parts, " "), p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

// clockWords says which interval to ask for on the recorder's own clock.
func clockWords(w *pages.Words, r search.Result) (ask, note string) {
	if r.Clock == nil || r.ClockFrom.IsZero() {
		return w.T("clock.never"), ""
	}
	from, other := onDisplay(r.ClockFrom, r.Schedule)
	until, _ := onDisplay(r.ClockUntil, r.Schedule)
	switch {
	case until.Sub(from) < 2*time.Second:
		ask = w.T("clock.moment", "day", w.Day(from), "clock", w.Seconds(from))
	case w.Day(from) == w.Day(until):
		ask = w.T("clock.window", "day", w.Day(from), "from", w.Seconds(from), "until", w.Seconds(until))
	default:
		ask = w.T("clock.days", "from", w.Day(from)+" "+w.Seconds(from), "until", w.Day(until)+" "+w.Seconds(until))
	}
	offset := time.Duration(r.Clock.OffsetMs) * time.Millisecond
	note = w.T("clock.right")
	if offset.Abs() >= time.Second {
		key := "clock.ahead"
		if offset < 0 {
			key = "clock.behind"
		}
		note = w.T(key, "span", precise(w, offset))
	}
	if other {
		note += " " + w.T("clock.zone", "zone", r.Schedule.Zone)
	}
	return ask, note
}

// onDisplay moves t so that, written as the time in Rome, it has the digits that the
// recorder's display shows. other: these are not Rome's. A recorder that keeps no
// summer time may be right in UTC and show an hour less.
func onDisplay(t time.Time, s protocol.Schedule) (moved time.Time, other bool) {
	zone, ok := s.Location()
	if !ok {
		return t, false
	}
	_, there := t.In(zone).Zone()
	_, here := t.In(pages.Rome()).Zone()
	return t.Add(time.Duration(there-here) * time.Second), there != here
}

// precise writes a clock's error: minutes and seconds up to an hour, beyond
// that hours and minutes.
func precise(w *pages.Words, d time.Duration) string {
	d = d.Abs().Round(time.Second)
	minutes, seconds := int(d/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case d >= time.Hour || seconds == 0:
		return w.Duration(d)
	case minutes == 0:
		return w.N("span.seconds", seconds)
	default:
		return w.T("span.and", "first", w.N("span.minutes", minutes), "second", w.N("span.seconds", seconds))
	}
}

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

// origin says how sure it is who declared a camera, and that it is so: what is missing
// in it stands there, and nothing where an agent measured and the owner is known.
type origin struct {
	Text string // "": nothing to mind
	Warn bool   // whoever declared it may be anybody
}

// trustWords say how the identity of who declared a site was checked.
func trustWords(w *pages.Words, trust string) string {
	if key := "trust." + trust; w.Has(key) {
		return w.T(key)
	}
	return w.T("trust.unknown")
}

// originOf words it for one camera.
func originOf(w *pages.Words, r search.Result) origin { return originWords(w, r.Trust, byHand(r)) }

// originAt words it for a site of an answer, of which one measured camera is enough.
func originAt(w *pages.Words, ans *answer, site, trust string) origin {
	shown := slices.DeleteFunc(slices.Clone(ans.results), func(r search.Result) bool { return r.SiteID != site || r.Camera.ID == "" })
	return originWords(w, trust, len(shown) > 0 && !slices.ContainsFunc(shown, func(r search.Result) bool { return !byHand(r) }))
}

func originWords(w *pages.Words, trust string, hand bool) origin {
	mail := protocol.Trust(trust) == protocol.TrustEmail
	switch {
	case !mail && protocol.Trust(trust).AddressOnly():
		return origin{w.T("origin." + trust), true}
	case hand && mail:
		return origin{w.T("origin.hand.mail"), true}
	case mail:
		return origin{w.T("origin.mail"), true}
	case hand:
		return origin{w.T("origin.hand", "trust", trustWords(w, trust)), false}
	}
	return origin{}
}

// byHand reports whether all that is known of a camera is what a person typed: on the
// public form, in a file, or for an owner who called.
func byHand(r search.Result) bool {
	return len(r.Facts) > 0 && !slices.ContainsFunc(r.Facts, func(f search.Fact) bool { return f.Source != protocol.Declared })
}

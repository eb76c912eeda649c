package consult

import (
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

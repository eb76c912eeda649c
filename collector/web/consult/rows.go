package consult

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/registry"
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

// resultsView is what results.html reads.
type resultsView struct {
	mapView
	ID         string
	Asked      *question
	At         time.Time
	Now        time.Time // of the page: paper says when it was printed
	Asks       string    // what was asked, in words
	Where      string    // the address of the place, and the part of the city
	Only       string    // what was left out on purpose; "": nothing
	Hidden     string    // how much that was; "": nothing
	TrailIndex int
	Total      int    // cameras on all pages
	Page       int    // counted from 1
	Previous   string // where the page before is, "": nowhere
	Next       string
	Rows       []row
	Groups     []group
	Wider      []int      // radii to offer when nothing was found
	Longer     []longer   // windows to offer when nothing of that time is left, or found
	Again      url.Values // the form's fields for those
	Form       formView
	Band       caseBand
}

// Last is the place of the page's last row.
func (v resultsView) Last() int { return len(v.Rows) - 1 }

// group is one class of the order.
type group struct {
	Class search.Class
	Total int // on all pages
	Start int
	Rows  []row
}

// row is one camera in words.
type row struct {
	N           int
	R           search.Result
	Kind        string // "sees", "may", "near", "gone"
	Left        left
	Why         reasons
	Recorder    string
	Ask         string
	ClockNote   string
	OldestAge   string
	Trust       string
	Accuracy    string
	FirstOfSite bool
	SameSite    int // number of the site's first row; 0: this is it
	Revealed    bool
	Contacts    []registry.Contact
	Called      *calledMark // the newest word of who works in the case; nil: none
	ReportedAt  time.Time   // when the officer said that nobody answers; zero: not
}

// left says how long the footage remains.
type left struct{ Tone, Icon, Text, More string }

func (l left) String() string {
	if l.More == "" {
		return l.Text
	}
	return l.Text + " (" + l.More + ")"
}

func (c *Consult) resultsView(r *http.Request, ans *answer, band caseBand, called map[string]calledMark) resultsView {
	words := c.words(r)
	q := ans.question
	page, start, end := pageOf(r, ans)
	v := resultsView{Page: page, Total: len(ans.all()), ID: ans.id, Asked: q, At: ans.at, Now: c.Now(), Asks: whereWords(words, q), Where: placeLine(words, q), Only: onlyWords(words, q), Hidden: hiddenWords(words, ans.hidden), TrailIndex: int(ans.proof.Index),
		Rows: c.rows(words, ans, start, end), Form: c.formView(r, formOf(q), ans.userID)}
	v.Band = band
	for i, row := range v.Rows {
		if m, ok := called[row.R.SiteID]; ok && row.FirstOfSite {
			v.Rows[i].Called = &m
		}
	}
	v.Form.first = "" // the page opens on the answer
	if page > 1 {
		v.Previous = pageURL(ans, page-1)
	}
	if end < v.Total {
		v.Next = pageURL(ans, page+1)
	}
	totals := make(map[search.Class]int)
	for _, h := range ans.all() {
		totals[h.Class]++
	}
	for i, row := range v.Rows {
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Class != row.R.Class {
			v.Groups = append(v.Groups, group{Class: row.R.Class, Total: totals[row.R.Class], Start: start + i + 1})
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Rows = append(g.Rows, row)
	}
	v.widen(words, c.Now())
	v.mapView = c.mapView(r, q, v.Rows, ans.base != nil)
	if c.hidden != nil && len(v.Rows) > 0 {
		v.Through = &throughView{On: ans.base != nil, Other: pathOf(ans.id, ans.base == nil)}
	}
	return v
}

// formOf fills the form with an answered question, as a person would have typed it.
func formOf(q *question) *question {
	f := *q
	f.Radius = strconv.Itoa(q.RadiusM)
	switch {
	case q.Answer != nil:
		f.At = q.Answer.Name()
	case q.Rings == nil && q.Line == nil:
		f.At = writePlace(q.Point)
	}
	from := q.From.In(pages.Rome())
	f.Date, f.Time, f.Until = typed(q.From, q.To)
	f.When = whenExact
	if f.Fold = ""; len(pages.Instants(from.Year(), from.Month(), from.Day(), from.Hour(), from.Minute())) == 2 {
		if f.Fold = foldSecond; from.IsDST() {
			f.Fold = foldFirst
		}
	}
	return &f
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

func (c *Consult) rows(w *pages.Words, ans *answer, start, end int) []row {
	revealed, reported := ans.revealed(), ans.reported()
	first := map[string]int{}
	rows := make([]row, end-start)
	for i, r := range ans.all()[start:end] {
		v := row{N: start + i + 1, R: r, Kind: kindOf(r), Left: c.left(w, r), Why: why(w, ans, r), Recorder: recorderName(r),
			OldestAge: w.Ago(r.FactAge), Trust: trustWords(w, r.Trust)}
		v.Ask, v.ClockNote = clockWords(w, r)
		if m := r.Camera.Position.AccuracyM; m > 0 {
			v.Accuracy = w.T("row.accuracy", "n", w.Number(m))
		}
		contacts, shown := revealed[r.SiteID]
		v.Revealed = shown && first[r.SiteID] == 0
		v.Contacts, v.ReportedAt = contacts, reported[r.SiteID].at
		if n := first[r.SiteID]; n > 0 {
			v.SameSite = n
		} else {
			first[r.SiteID], v.FirstOfSite = v.N, true
		}
		rows[i] = v
	}
	return rows
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

package consult

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
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

func (c *Consult) resultsView(r *http.Request, ans *answer, band caseBand, called map[string]calledMark) resultsView {
	words := c.words(r)
	q := ans.question
	page, start, end := pageOf(r, ans)
	v := resultsView{Page: page, Total: len(ans.results), ID: ans.id, Asked: q, At: ans.at, Now: c.Now(), Asks: whereWords(words, q),
		Where: placeLine(words, q), Only: onlyWords(words, q), Hidden: hiddenWords(words, ans.hidden), TrailIndex: int(ans.proof.Index),
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
	for _, h := range ans.results {
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
	v.mapView = c.mapView(r, q, v.Rows, ans.through)
	if c.hidden != nil && len(v.Rows) > 0 {
		v.Through = &throughView{On: ans.through, Other: pathOf(ans.id, !ans.through)}
	}
	return v
}

func (c *Consult) rows(w *pages.Words, ans *answer, start, end int) []row {
	revealed, reported := ans.revealed(), ans.reported()
	first := map[string]int{}
	rows := make([]row, end-start)
	for i, r := range ans.results[start:end] {
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

// shown shows an answered search again.
func (c *Consult) shown(w http.ResponseWriter, r *http.Request) {
	u := user(r)
	ans, ok := c.find(r, r.PathValue("id"), u.ID)
	if !ok {
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	k, ok, err := c.caseOf(r.Context(), ans, u)
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !ok: // not shared any more, or destroyed
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	window := func() (from, until int) { _, from, until = pageOf(r, ans); return from, until }
	if web.WantsJSON(r) {
		window = ans.whole
	}
	if !k.ClosedAt.IsZero() && !ans.isShown(window()) {
		c.refuseClosed(w, r, k)
		return
	}
	switch err := c.turn(r, ans, window); {
	case err != nil:
		c.Log.ErrorContext(r.Context(), "page of an answer refused", "err", err)
		c.fail(w, r, http.StatusServiceUnavailable, "error.unanswered", err)
	case web.WantsJSON(r):
		web.WriteJSON(w, http.StatusOK, c.answerJSON(r, ans))
	default:
		c.showAnswer(w, r, ans, nil, http.StatusOK)
	}
}

// refuseClosed answers what would read more of the register for a closed case.
func (c *Consult) refuseClosed(w http.ResponseWriter, r *http.Request, k registry.Case) {
	if web.WantsJSON(r) {
		c.fail(w, r, http.StatusUnprocessableEntity, "error.case.closed", nil)
		return
	}
	c.showCase(w, r, k, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "error.case.closed"})
}

func (c *Consult) showAnswer(w http.ResponseWriter, r *http.Request, ans *answer, notes []pages.Note, status int) {
	u := user(r)
	k, ok, err := c.caseOf(r.Context(), ans, u)
	called, err2 := c.calledIn(r.Context(), k.ID)
	if err := errors.Join(err, err2); err != nil {
		c.broken(w, r, err)
		return
	}
	if !ok { // not shared any more, or destroyed
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	p := c.page(r, "results.html", "results.title", status, notes)
	p.Data = c.resultsView(r, ans, c.band(k, u), called)
	c.set.Render(w, r, p)
}

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

package audit

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

// topRows is how many officers and cases a statistic names.
const topRows = 20

// tallied are the entries of one officer, or in one case.
type tallied struct {
	ID, Name                         string
	Searches, Reveals, Requests, All int
	URL                              string
}

// count makes the statistic by what key gives; "" is left out.
func count(headers []trail.Header, key func(trail.Header) string) []tallied {
	by := map[string]*tallied{}
	for _, h := range headers {
		k := key(h)
		if k == "" {
			continue
		}
		if by[k] == nil {
			by[k] = &tallied{ID: k}
		}
		by[k].All++
		switch h.Kind {
		case act.Search:
			by[k].Searches++
		case act.Reveal:
			by[k].Reveals++
		case act.Request:
			by[k].Requests++
		}
	}
	var all []tallied
	for _, t := range by {
		all = append(all, *t)
	}
	slices.SortFunc(all, func(x, y tallied) int { return cmp.Or(cmp.Compare(y.All, x.All), cmp.Compare(x.ID, y.ID)) })
	return all[:min(len(all), topRows)]
}

// kindCount is a kind and its entries.
type kindCount struct {
	Kind, Word string
	Count      int
	URL        string
}

// row is one entry as the page shows it.
type row struct {
	entry
	Word                string // of its kind
	ActorName, CaseName string
	ActorURL, CaseURL   string
}

// odd is one anomaly as the page shows it.
type odd struct {
	anomaly
	Text                string
	ActorName, CaseName string
	URL                 string
}

type forceView struct {
	Query            asked
	Force            string
	Kinds            []kindCount
	Tables           [2][]tallied // by officer, by case
	Odd              []odd
	Rules            []string
	Rows             []row
	Total, Shown     int
	Pages            int
	Before, After    string // addresses of the pages beside; "": none
	CSV              string
	Sorts            []kindCount
	Open             bool
	Until            time.Time
	Wrong, WrongOpen string // words
}

var rules = []string{"reveals", "night", "site", "overdue", "own", "above"}

// kindWord is the word for a kind, or the kind itself: a later program may have appended it.
func kindWord(w *pages.Words, kind act.Kind) string {
	if key := "kind." + string(kind); w.Has(key) {
		return w.T(key)
	}
	return string(kind)
}

func (a *Audit) show(rw http.ResponseWriter, r *http.Request, v view, f found, rows []entry, status int, wrong ...string) {
	w, q := a.words(r), v.query
	const path = "/audit/entries"
	d := forceView{Query: q, Force: v.user.Force, Rules: rules, Total: len(f.kept), Shown: len(rows), Open: v.identity != nil, Until: v.until, CSV: q.url("/audit/entries.csv")}
	if len(wrong) > 0 && wrong[0] == "open.wrong" {
		d.WrongOpen = wrong[0]
	} else if len(wrong) > 0 {
		d.Wrong = wrong[0]
	}
	kinds := map[act.Kind]int{}
	for _, h := range f.all {
		kinds[h.Kind]++
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		d.Kinds = append(d.Kinds, kindCount{string(k), kindWord(w, k), kinds[k], q.url(path, "kind", string(k), "page", "1")})
	}
	for _, s := range []string{"", "old", "count"} {
		d.Sorts = append(d.Sorts, kindCount{Kind: s, Word: w.T("entries.sort." + cmp.Or(s, "new"))})
	}
	actors := count(f.kept, func(h trail.Header) string { return h.Actor })
	for i, t := range actors {
		actors[i].Name, actors[i].URL = v.names.Actor(t.ID), q.url(path, "actor", t.ID)
	}
	cases := count(f.kept, func(h trail.Header) string { return h.Case })
	for i, t := range cases {
		cases[i].Name, cases[i].URL = v.names.Case(t.ID), q.url(path, "case", t.ID)
	}
	d.Tables = [2][]tallied{actors, cases}
	for _, o := range f.odd {
		d.Odd = append(d.Odd, odd{o, w.T("odd."+o.Rule, "number", o.Count, "site", o.Site), v.names.Actor(o.Actor), v.names.Case(o.Case),
			asked{From: q.From, To: q.To}.url(path, "actor", o.Actor, "case", o.Case)})
	}
	for _, e := range rows {
		d.Rows = append(d.Rows, row{e, kindWord(w, e.Kind), v.names.Actor(e.Actor), v.names.Case(e.Case), q.url(path, "actor", e.Actor), q.url(path, "case", e.Case)})
	}
	d.Pages = (len(f.kept) + pageRows - 1) / pageRows
	if q.Text == "" && q.Page > 1 {
		d.Before = q.url(path, "page", strconv.Itoa(q.Page-1))
	}
	if q.Text == "" && q.Page < d.Pages {
		d.After = q.url(path, "page", strconv.Itoa(q.Page+1))
	}
	a.pages.Render(rw, r, pages.Page{Template: "entries.html", Title: "entries.title", Face: pages.FaceAudit, User: v.user.Name,
		Styles: []string{"audit.css"}, Wide: true, Status: status, Data: d})
}

package ops

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
	"anagrafe/protocol/pages"
)

// The funnel counts sites by how far they came: in all, by week or month, and by
// category, municipio and neighbourhood (NIL). Each number leads to the list behind it.
// A map shows one of the counts by district (coverage.go).

// step is one number of the funnel: how it is counted, and which filter of the list of
// sites has the same sites.
type step struct {
	key    string
	count  func(registry.FunnelRow) int
	filter [2]string // field and value of the list
}

var steps = func() (all []step) {
	for _, stage := range registry.Stages[:len(registry.Stages)-1] {
		all = append(all, step{string(stage), func(r registry.FunnelRow) int { return r.Reached[stage] }, [2]string{"stage", string(stage)}})
	}
	return append(all,
		step{"sharing", func(r registry.FunnelRow) int { return r.Sharing }, [2]string{"state", "sharing"}},
		step{"silent", func(r registry.FunnelRow) int { return r.Silent }, [2]string{"silent", "yes"}},
		step{"suspended", func(r registry.FunnelRow) int { return r.Suspended }, [2]string{"state", "suspended"}},
		step{"withdrawn", func(r registry.FunnelRow) int { return r.Withdrawn }, [2]string{"stage", "withdrawn"}})
}()

// groupings are by what the table of the funnel can be asked for.
var groupings = []string{string(registry.GroupMunicipio), string(registry.GroupNIL), string(registry.GroupCategory)}

// groupNumbers are the numbers of one group, or of all.
type groupNumbers struct {
	Group   string         `json:"group"`   // "": in none
	Sites   map[string]int `json:"sites"`   // by step
	Cameras int            `json:"cameras"` // of those that share now

	// Of a district whose borders were imported.
	KM2       float64 `json:"km2,omitempty"`
	Addresses int     `json:"addresses,omitempty"` // house numbers that are known
}

// periodNumbers says how many sites first came to each stage in a week or month of
// Rome.
type periodNumbers struct {
	From    time.Time      `json:"from"`
	Until   time.Time      `json:"until"` // not included
	Reached map[string]int `json:"reached"`
}

type funnelData struct {
	By      string          `json:"by"`
	Over    string          `json:"over"`
	Count   string          `json:"count"`      // what the map shows
	At      time.Time       `json:"counted_at"` // the oldest of them
	All     groupNumbers    `json:"all"`
	Groups  []groupNumbers  `json:"groups"`
	Periods []periodNumbers `json:"periods"` // the oldest first
	// Assisted are the entries that were typed for owners, by state.
	Assisted map[registry.AssistedState]int `json:"assisted"`

	View funnelView `json:"-"`
}

// funnelAsked is what the address asks for.
type funnelAsked struct{ by, over, count string }

const periods = 12

func (o *Ops) askFunnel(rw http.ResponseWriter, r *http.Request) (funnelAsked, bool) {
	v := r.URL.Query()
	q := funnelAsked{cmp.Or(v.Get("by"), groupings[0]), cmp.Or(v.Get("over"), "week"), cmp.Or(v.Get("count"), measures[0].key)}
	wrong := ""
	switch {
	case !slices.Contains(groupings, q.by):
		wrong = "by"
	case q.over != "week" && q.over != "month":
		wrong = "over"
	case !slices.ContainsFunc(measures, func(m measure) bool { return m.key == q.count }):
		wrong = "count"
	default:
		return q, true
	}
	words := o.pages.Words(web.Language(r))
	o.Web.Fail(rw, r, http.StatusBadRequest, web.Problem{Error: words.T("list.wrong", "field", wrong), Field: wrong, Hint: words.T("list.wrong.hint")})
	return q, false
}

// readFunnel counts. Each of the counts reads all sites once; what was read stands for
// a moment (remembered.go).
func (o *Ops) readFunnel(ctx context.Context, q funnelAsked) (funnelData, error) {
	now := o.Web.Now()
	rows, at, err := o.counted[registry.Grouping(q.by)].get(ctx, o, func(ctx context.Context) ([]registry.FunnelRow, error) {
		return o.Registry.Funnel(ctx, registry.Grouping(q.by), now.Add(-staleAfter))
	})
	data := funnelData{By: q.by, Over: q.over, Count: q.count, At: at, All: groupNumbers{Sites: map[string]int{}}}
	if err != nil {
		return data, err
	}
	for _, row := range rows { // all are the sum of the groups: a site is in one
		g := groupNumbers{Group: row.Group, Sites: map[string]int{}}
		for _, s := range steps {
			g.Sites[s.key] = s.count(row)
			data.All.Sites[s.key] += s.count(row)
		}
		data.Groups = append(data.Groups, g)
	}
	if err := o.cover(ctx, &data); err != nil {
		return data, err
	}
	data.Periods, at, err = o.times[q.over].get(ctx, o, func(ctx context.Context) ([]periodNumbers, error) { return o.countPeriods(ctx, q.over, now) })
	if err != nil {
		return data, err
	}
	data.At = protocol.Earlier(data.At, at)
	data.Assisted, err = o.Registry.AssistedCounts(ctx)
	return data, err
}

// bounds are where the newest weeks or months of Rome begin, the oldest first, and
// where the last one ends.
func bounds(over string, now time.Time) []time.Time {
	day := now.In(pages.Rome())
	var all []time.Time
	for i := range periods + 1 {
		back := periods - 1 - i
		if over == "month" {
			all = append(all, time.Date(day.Year(), day.Month()-time.Month(back), 1, 0, 0, 0, 0, pages.Rome()))
			continue
		}
		monday := day.Day() - (int(day.Weekday())+6)%7
		all = append(all, time.Date(day.Year(), day.Month(), monday-7*back, 0, 0, 0, 0, pages.Rome()))
	}
	return all
}

func (o *Ops) countPeriods(ctx context.Context, over string, now time.Time) ([]periodNumbers, error) {
	at := bounds(over, now)
	all := make([]periodNumbers, periods)
	for i := range all {
		all[i] = periodNumbers{From: at[i], Until: at[i+1], Reached: map[string]int{}}
	}
	for _, stage := range registry.Stages {
		counts, err := o.Registry.Reached(ctx, stage, at)
		if err != nil {
			return nil, err
		}
		for i, n := range counts {
			all[i].Reached[string(stage)] = n
		}
	}
	return all, nil
}

// funnel is the page of the funnel.
func (o *Ops) funnel(rw http.ResponseWriter, r *http.Request) {
	q, ok := o.askFunnel(rw, r)
	if !ok {
		return
	}
	data, err := o.readFunnel(r.Context(), q)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, data)
		return
	}
	w := o.pages.Words(pages.Language(r))
	data.View = viewFunnel(w, data)
	if data.View.Map, err = o.coverage(w, data); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	o.show(rw, r, pages.Page{Template: "funnel.html", Title: "funnel.title", Wide: true, Data: data})
}

// funnelCSV is the table by groups as a file.
func (o *Ops) funnelCSV(rw http.ResponseWriter, r *http.Request) {
	q, ok := o.askFunnel(rw, r)
	if !ok {
		return
	}
	data, err := o.readFunnel(r.Context(), q)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	w := o.pages.Words(pages.Language(r))
	lines := [][]string{{w.T("funnel.by." + q.by)}}
	for _, s := range steps {
		lines[0] = append(lines[0], w.T("funnel."+s.key))
	}
	for _, f := range facts(w, data.By, groupNumbers{}, strconv.Itoa) {
		lines[0] = append(lines[0], f.Label)
	}
	for _, g := range data.Groups {
		line := []string{csvfile.Marked(groupName(w, q.by, g.Group))}
		for _, s := range steps {
			line = append(line, strconv.Itoa(g.Sites[s.key]))
		}
		for _, f := range facts(w, data.By, g, strconv.Itoa) {
			line = append(line, f.Text)
		}
		lines = append(lines, line)
	}
	if !o.put(rw, r, web.Act{Kind: act.ListExport, Count: len(data.Groups), Details: map[string]string{"list": "/funnel", "filter": url.Values{"by": {q.by}}.Encode()}}) {
		return
	}
	headCSV(rw, "funnel")
	_ = newCSV(rw).WriteAll(lines) // the client has gone: nobody to tell
}

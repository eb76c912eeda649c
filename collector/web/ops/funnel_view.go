package ops

import (
	"cmp"
	"html/template"
	"net/url"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// funnelView is what funnel.html shows.
type funnelView struct {
	By      []optionView
	Over    []optionView
	Count   []optionView
	Heads   []string   // of the steps
	Facts   []factView // their heads
	Stages  []string   // of the stages
	All     []numberView
	Groups  []lineView
	Periods []lineView // the newest first
	Chart   chartView
	Map     template.HTML // "": there is none
	Empty   []numberView  // districts with house numbers, as many, in which nobody shares
	CSV     string
	At      time.Time // when it was counted

	Assisted []numberView // by state
}

// numberView is a number and the list behind it. Share is its part of the first one, in
// hundredths.
type numberView struct {
	Label string
	N     int
	Href  string
	Share int
}

type lineView struct {
	Label   string
	Numbers []numberView
	Facts   []factView
}

func viewFunnel(w *pages.Words, d funnelData) funnelView {
	v := funnelView{At: d.At, CSV: "/funnel.csv?" + url.Values{"by": {d.By}}.Encode()}
	for _, by := range groupings {
		v.By = append(v.By, optionView{by, w.T("funnel.by." + by), by == d.By})
	}
	for _, over := range []string{"week", "month"} {
		v.Over = append(v.Over, optionView{over, w.T("funnel.over." + over), over == d.Over})
	}
	for _, m := range measures {
		v.Count = append(v.Count, optionView{m.key, w.T("funnel.count." + m.key), m.key == d.Count})
	}
	for _, s := range steps {
		v.Heads = append(v.Heads, w.T("funnel."+s.key))
	}
	v.Facts = facts(w, d.By, groupNumbers{}, w.Number)
	v.All = numbers(w, d.All, nil)
	for _, s := range registry.AssistedStates {
		v.Assisted = append(v.Assisted, numberView{Label: w.T("assisted.state." + string(s)), N: d.Assisted[s]})
	}
	for _, g := range d.Groups {
		of := map[string]string{d.By: cmp.Or(g.Group, registry.NoDistrict)}
		if d.By == string(registry.GroupCategory) && g.Group == "" {
			of = nil // taken out, and found by their state alone: no list is of them
		}
		line := lineView{groupName(w, d.By, g.Group), numbers(w, g, of), facts(w, d.By, g, w.Number)}
		if of == nil {
			for i := range line.Numbers {
				line.Numbers[i].Href = ""
			}
		}
		v.Groups = append(v.Groups, line)
	}
	for _, stage := range registry.Stages {
		v.Stages = append(v.Stages, w.T("funnel."+string(stage)))
	}
	for i := len(d.Periods) - 1; i >= 0; i-- {
		v.Periods = append(v.Periods, periodLine(w, d.Over, d.Periods[i]))
	}
	v.Chart = chart(w, d)
	v.Empty = empty(d)
	return v
}

// groupName is a group as people call it.
func groupName(w *pages.Words, by, group string) string {
	switch {
	case group == "" && by == string(registry.GroupCategory):
		return w.T("funnel.category.none")
	case group == "":
		return w.T("funnel.nowhere")
	case by == string(registry.GroupCategory):
		return w.T("category." + group)
	}
	return group
}

// numbers are those of a group, with the lists behind them; of narrows these.
func numbers(w *pages.Words, g groupNumbers, of map[string]string) []numberView {
	var all []numberView
	first := g.Sites[steps[0].key]
	for _, s := range steps {
		q := url.Values{s.filter[0]: {s.filter[1]}}
		for key, value := range of {
			q.Set(key, value)
		}
		n := numberView{Label: w.T("funnel." + s.key), N: g.Sites[s.key], Href: "/sites?" + q.Encode()}
		if first > 0 {
			n.Share = (n.N*100 + first/2) / first
		}
		all = append(all, n)
	}
	return all
}

func periodLine(w *pages.Words, over string, p periodNumbers) lineView {
	line := lineView{Label: periodName(w, over, p.From)}
	for _, stage := range registry.Stages {
		q := url.Values{"stage": {string(stage)}, "from": {p.From.Format(time.DateOnly)}, "to": {p.Until.AddDate(0, 0, -1).Format(time.DateOnly)}}
		line.Numbers = append(line.Numbers, numberView{Label: w.T("funnel." + string(stage)), N: p.Reached[string(stage)], Href: "/sites?" + q.Encode()})
	}
	return line
}

func periodName(w *pages.Words, over string, from time.Time) string {
	if over == "month" {
		return w.T("time.month."+from.Format("1")) + " " + from.Format("2006")
	}
	return w.T("funnel.week", "day", w.Day(from))
}

// chartView is a chart of bars, in units of its view box. The table beside it has its
// numbers, so it is one picture to a screen reader.
type chartView struct {
	Width, Height, Base int // Base: where bars stand
	Bars                []barView
	Labels              []labelView
	Series              []seriesView
	Most                int
}

type barView struct{ Series, X, Y, Width, Height int }
type labelView struct {
	X    int
	Text string
}
type seriesView struct {
	Number int
	Label  string
}

// charted are the stages that the chart shows, as many as are still told apart.
var charted = []registry.Stage{registry.StageInvited, registry.StageEnrolled, registry.StageShared}

func chart(w *pages.Words, d funnelData) chartView {
	const slot, bar, high = 60, 16, 160
	c := chartView{Width: slot * len(d.Periods), Height: high + 24, Base: high}
	for _, p := range d.Periods {
		for _, stage := range charted {
			c.Most = max(c.Most, p.Reached[string(stage)])
		}
	}
	for i, p := range d.Periods {
		for n, stage := range charted {
			height := p.Reached[string(stage)] * (high - 10) / max(c.Most, 1)
			c.Bars = append(c.Bars, barView{n, i*slot + 4 + n*(bar+1), high - height, bar, height})
		}
		label := p.From.Format("02/01")
		if d.Over == "month" {
			label = p.From.Format("01/06")
		}
		c.Labels = append(c.Labels, labelView{i*slot + slot/2, label})
	}
	for n, stage := range charted {
		c.Series = append(c.Series, seriesView{n, w.T("funnel." + string(stage))})
	}
	return c
}

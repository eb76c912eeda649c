package public

import (
	"fmt"
	"math"
	"net/http"
	"net/url"

	"anagrafe/collector/disclosure"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol/pages"
)

// The map shows the table by municipio and no more: its classes are made of published
// counts alone, and a district that is left out is in none of them, whatever it has. It
// is not said to have fewer than K: others are left out so that it cannot be told which.

// mapParameter of the page's address says what the map shows.
const mapParameter = "mappa"

// measures are what it can show; the first unless another is asked for.
var measures = []string{"sites", "cameras", "density"}

// choice is one of them.
type choice struct {
	Key, Href string
	Chosen    bool
}

// chart draws the map of each margin that has one.
func (p *Public) chart(r *http.Request, all []margin, rule disclosure.Rule) (choices []choice, err error) {
	if p.Map == nil {
		return nil, nil
	}
	measure := measures[0]
	for _, m := range measures {
		if r.URL.Query().Get(mapParameter) == m {
			measure = m
		}
	}
	for i := range all {
		m := p.Map(all[i].Of)
		if m == nil || all[i].None {
			continue
		}
		all[i].km2 = make(map[string]float64)
		for _, f := range m.Districts {
			all[i].km2[f.Name] = f.KM2
		}
		if all[i].Map, err = m.Draw(all[i].paint(p.pages.Words(pages.Language(r)), measure, rule)); err != nil {
			return nil, err
		}
		if choices == nil {
			for _, m := range measures {
				choices = append(choices, choice{m, statisticsPath + "?" + url.Values{mapParameter: {m}}.Encode() + "#by-" + all[i].Of, m == measure})
			}
		}
	}
	return choices, nil
}

// PerKM2 is the cameras of a line a square kilometre; nil where they are not published, or
// it is no district.
func (m margin) PerKM2(l disclosure.Line) *float64 {
	area := m.km2[l.Name]
	if area == 0 || l.Cells[1].Hidden {
		return nil
	}
	density := math.Round(float64(l.Cells[1].Count)/area*10) / 10
	return &density
}

// Anchor names the table's line of a district on the page.
func (m margin) Anchor(name string) string {
	for i, l := range m.Lines {
		if l.Name == name {
			return fmt.Sprintf("%s-%d", m.Of, i+1)
		}
	}
	return ""
}

func (m margin) paint(w *pages.Words, measure string, rule disclosure.Rule) choropleth.Paint {
	unit := w.T("statistics.map." + measure)
	off := w.T("statistics.map.off", "k", rule.K)
	write := func(value float64) string {
		if measure == "density" && value > 0 {
			return w.Decimal(value)
		}
		return w.Number(int(value))
	}
	return choropleth.Paint{ID: "map-" + m.Of, Label: w.T("statistics.map.label", "what", unit), Skip: w.T("statistics.map.skip"), Unit: unit, Off: off,
		Of: func(f choropleth.Fact) choropleth.Mark {
			mark := choropleth.Mark{Off: true}
			said := w.T("statistics.hidden")
			if value := m.value(f.Name, measure); value != nil {
				mark.Value, mark.Off, mark.Text = *value, false, write(*value)
				said = mark.Text
			}
			if to := m.Anchor(f.Name); to != "" {
				mark.Href = "#" + to
			}
			mark.Title = w.T("statistics.map.district", "district", f.Name, "what", unit, "n", said)
			return mark
		},
		Range: func(least, greatest float64) string {
			if least == greatest {
				return write(least)
			}
			return write(least) + "–" + write(greatest)
		}}
}

// value is what was published of a district; nil: nothing.
func (m margin) value(name, measure string) *float64 {
	for _, l := range m.Lines {
		if l.Name != name || l.Cells[0].Hidden {
			continue
		}
		switch measure {
		case "sites":
			n := float64(l.Cells[0].Count)
			return &n
		case "cameras":
			n := float64(l.Cells[1].Count)
			return &n
		default:
			return m.PerKM2(l)
		}
	}
	return nil
}

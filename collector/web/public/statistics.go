package public

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/disclosure"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// Paths of the page of numbers and of what can be downloaded.
const (
	statisticsPath   = "/statistiche"
	sharingPath      = statisticsPath + "/adesioni.csv"
	consultationPath = statisticsPath + "/consultazioni.csv"
	cataloguePath    = statisticsPath + "/catalogo.jsonld"
)

// months is how many are shown, and written to the files.
const months = 36

// dated is a publication of who shares.
type dated struct {
	disclosure.Numbers
	Day time.Time
}

// ofMonth is one of how often was searched.
type ofMonth struct {
	disclosure.Month
	Period string // "2026-11"
	day    time.Time
}

func (m ofMonth) Number() int { return int(m.day.Month()) }
func (m ofMonth) Year() int   { return m.day.Year() }

// published are the numbers of the last months, newest first.
type published struct {
	sharing []dated // the last of each month
	months  []ofMonth
}

// updated is when anything was published last; zero: never.
func (p published) updated() (at time.Time) {
	if len(p.sharing) > 0 {
		at = p.sharing[0].Day
	}
	return at
}

// numbers reads what was published of the last months.
func (p *Public) numbers(r *http.Request) (n published, err error) {
	sharing, err := p.Registry.MonthlyPublications(r.Context(), registry.PublishedSharing, months)
	if err != nil {
		return n, err
	}
	for _, one := range sharing {
		d := dated{}
		if d.Day, err = time.ParseInLocation(time.DateOnly, one.Period, pages.Rome()); err == nil {
			err = json.Unmarshal(one.Body, &d.Numbers)
		}
		if err == nil && len(d.Total) < 2 {
			err = errors.New("it has no totals")
		}
		if err != nil {
			return n, fmt.Errorf("the publication of %s cannot be read: %w", one.Period, err)
		}
		n.sharing = append(n.sharing, d)
	}
	consulted, err := p.Registry.MonthlyPublications(r.Context(), registry.PublishedConsultation, months)
	if err != nil {
		return n, err
	}
	for _, one := range consulted {
		m := ofMonth{Period: one.Period}
		if m.day, err = time.ParseInLocation("2006-01", one.Period, pages.Rome()); err == nil {
			err = json.Unmarshal(one.Body, &m.Month)
		}
		if err == nil && (len(m.Searches.Total) == 0 || len(m.Requests.Total) == 0) {
			err = errors.New("it has no totals")
		}
		if err != nil {
			return n, fmt.Errorf("the publication of %s cannot be read: %w", one.Period, err)
		}
		n.months = append(n.months, m)
	}
	return n, nil
}

// view is what the page shows.
type view struct {
	disclosure.Rule
	Now     *dated // nil: nothing was published
	Margins []margin
	Measure []choice // what the map may show
	Sharing []dated
	Months  []ofMonth
	Forces  *ofMonth // the newest month with numbers by force; nil: none
	CSV     []string
	JSONLD  string
}

// margin is a table: that of the newest publication that shows it.
type margin struct {
	disclosure.Margin
	Day  time.Time
	None bool // its counts are too small to be shown
	Map  template.HTML
	km2  map[string]float64 // of the districts on the map
}

// Missing reports that there are no districts.
func (v view) Missing(of string) bool {
	return !slices.ContainsFunc(v.Margins, func(m margin) bool { return m.Of == of })
}

func (p *Public) statistics(rw http.ResponseWriter, r *http.Request) {
	n, err := p.numbers(r)
	if err != nil {
		p.Web.Broken(rw, r, err)
		return
	}
	v := view{Rule: disclosure.Usual, Sharing: n.sharing, Months: n.months, CSV: []string{sharingPath, consultationPath}, JSONLD: cataloguePath}
	if len(n.sharing) > 0 {
		v.Now = &n.sharing[0]
		v.Rule = v.Now.Rule
		v.Margins = margins(n.sharing)
		if v.Measure, err = p.chart(r, v.Margins, v.Rule); err != nil {
			p.Web.Broken(rw, r, err)
			return
		}
	}
	for i, m := range n.months {
		if len(m.Searches.Margins) > 0 && !m.Searches.Margins[0].Withheld {
			v.Forces = &n.months[i]
			break
		}
	}
	p.pages.Render(rw, r, pages.Page{Template: "statistics.html", Title: "statistics", Face: pages.FacePublic,
		Styles: []string{"statistics.css", "choropleth.css"}, Indexed: true, Updated: n.updated(), Data: v})
}

// margins are those of the newest publication, municipi first; of one that it
// withholds, the newest that is shown.
func margins(sharing []dated) (all []margin) {
	for _, m := range sharing[0].Margins {
		shown := margin{Margin: m, Day: sharing[0].Day, None: m.Withheld}
		for _, d := range sharing {
			i := slices.IndexFunc(d.Margins, func(o disclosure.Margin) bool { return o.Of == m.Of && !o.Withheld })
			if i >= 0 {
				shown = margin{Margin: d.Margins[i], Day: d.Day}
				break
			}
		}
		all = append(all, shown)
	}
	slices.SortStableFunc(all, func(a, b margin) int { return strings.Compare(b.Of, a.Of) })
	return all
}

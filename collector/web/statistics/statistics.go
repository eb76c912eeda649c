// Package statistics serves the public numbers: sites and cameras by municipio, category and
// month, and how often the forces search. It hides their presentation: a page with a map, CSV, and
// metadata for catalogues of open data. It counts nothing itself: it shows what main publishes
// once a day and collector/disclosure has made fit. By the import rule it knows neither search nor
// trail.
package statistics

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/disclosure"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// Paths of the page and of what can be downloaded.
const (
	pagePath         = "/statistiche"
	sharingPath      = pagePath + "/adesioni.csv"
	consultationPath = pagePath + "/consultazioni.csv"
	cataloguePath    = pagePath + "/catalogo.jsonld"
)

// months is how many are shown, and written to the files.
const months = 36

// Options: Web, Registry and Log are required.
type Options struct {
	Web      *web.Web // of the public listener
	Registry *registry.Registry
	Body     pages.Body // whose numbers they are
	// Map is that of the districts of a margin; nil: there is none.
	Map func(of string) *choropleth.Map
	Log *slog.Logger
}

// Statistics is the page.
type Statistics struct {
	Options
	pages *pages.Set
}

// New loads the page.
func New(o Options) (*Statistics, error) {
	if o.Web == nil || o.Registry == nil || o.Log == nil {
		return nil, errors.New("the statistics need their listener, the registry and a log")
	}
	if o.Map == nil {
		o.Map = func(string) *choropleth.Map { return nil }
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the page of statistics: %w", err)
	}
	return &Statistics{o, set}, nil
}

// Routes are the page and its files; all are open.
func (s *Statistics) Routes() []web.Route {
	route := func(path string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: "GET " + path, Open: true, Handler: h}
	}
	return []web.Route{route(pagePath, s.page), route(sharingPath, s.sharing), route(consultationPath, s.consultations), route(cataloguePath, s.catalogue)}
}

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

func (s *Statistics) read(r *http.Request) (p published, err error) {
	sharing, err := s.Registry.MonthlyPublications(r.Context(), registry.PublishedSharing, months)
	if err != nil {
		return p, err
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
			return p, fmt.Errorf("the publication of %s cannot be read: %w", one.Period, err)
		}
		p.sharing = append(p.sharing, d)
	}
	consulted, err := s.Registry.MonthlyPublications(r.Context(), registry.PublishedConsultation, months)
	if err != nil {
		return p, err
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
			return p, fmt.Errorf("the publication of %s cannot be read: %w", one.Period, err)
		}
		p.months = append(p.months, m)
	}
	return p, nil
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

func (s *Statistics) page(rw http.ResponseWriter, r *http.Request) {
	p, err := s.read(r)
	if err != nil {
		s.Web.Broken(rw, r, err)
		return
	}
	v := view{Rule: disclosure.Usual, Sharing: p.sharing, Months: p.months, CSV: []string{sharingPath, consultationPath}, JSONLD: cataloguePath}
	if len(p.sharing) > 0 {
		v.Now = &p.sharing[0]
		v.Rule = v.Now.Rule
		v.Margins = margins(p.sharing)
		if v.Measure, err = s.chart(r, v.Margins, v.Rule); err != nil {
			s.Web.Broken(rw, r, err)
			return
		}
	}
	for i, m := range p.months {
		if len(m.Searches.Margins) > 0 && !m.Searches.Margins[0].Withheld {
			v.Forces = &p.months[i]
			break
		}
	}
	s.pages.Render(rw, r, pages.Page{Template: "statistics.html", Title: "statistics", Face: pages.FacePublic,
		Styles: []string{"statistics.css", "choropleth.css"}, Indexed: true, Updated: p.updated(), Data: v})
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

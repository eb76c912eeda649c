package consult

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// The golden cases: places of Milan with cameras that might hang there, and what
// a search must answer, in order. They hold on the real map beside the project
// and on the rough one in testdata, which was drawn for them: blocks with
// straight sides, to some metres.

// goldenCamera hangs east and north of its case's middle, metres.
type goldenCamera struct {
	id           string
	east, north  float64
	direction    int // -1: it turns
	angle, reach int
	keeps        time.Duration
	schedule     protocol.Schedule
	accuracy     int
}

type goldenCase struct {
	name    string
	middle  protocol.Point
	asked   [2]float64       // east, north
	route   []protocol.Point // in its stead, on foot
	radius  int
	cameras []goldenCamera
	want    []string // class, id, whether it sees and what buildings do to it
	through []string // the same as if there were no buildings
}

var golden = []goldenCase{
	{
		name: "piazza-del-duomo", middle: protocol.Point{Lon: 9_189_850, Lat: 45_464_200}, asked: [2]float64{-10, -5}, radius: 200,
		cameras: []goldenCamera{
			{"galleria-arco", 5, 60.5, 180, 90, 90, 7 * day, always, 3},
			{"portici-nord", -60, 65, 150, 90, 100, day, always, 3},     // drawn a metre within its wall
			{"arengario", 30, -72, 335, 90, 100, 3 * day, always, 3},    // as well
			{"vicolo-dietro", -104, -100, 45, 90, 160, day, always, 3},  // behind the block in the south-west
			{"cortile-palazzo", -80, -81, 45, 90, 130, day, always, 3},  // in that block's courtyard
			{"sagrato-nord", 96, 50, 240, 90, 130, 2 * day, always, 3},  // the cathedral's corner decides
			{"piazza-di-spalle", -50, -59, 170, 60, 60, day, always, 3}, // looks the other way
			{"cupola", -40, 64, -1, 60, 120, 4 * day, always, 3},
			{"piazza-spenta", -100, 10, 90, 90, 120, day, off, 3},
		},
		want: []string{"A portici-nord yes no", "A sagrato-nord unknown unknown", "A arengario yes no", "A cupola unknown no", "A galleria-arco yes no",
			"B piazza-di-spalle no", "B cortile-palazzo no yes", "B vicolo-dietro no yes", "C piazza-spenta yes no"},
		through: []string{"portici-nord", "cortile-palazzo", "vicolo-dietro", "sagrato-nord", "arengario", "cupola", "galleria-arco", "piazza-di-spalle", "piazza-spenta"},
	},
	{
		name: "cortile-ca-granda", middle: protocol.Point{Lon: 9_194_450, Lat: 45_460_100}, asked: [2]float64{7, 2}, radius: 200,
		cameras: []goldenCamera{
			{"chiostro-sud-ovest", -9, -25, 35, 90, 70, 2 * day, always, 3},
			{"chiostro-nord-est", 25.5, 28.5, 215, 80, 60, day, always, 3},
			{"festa-del-perdono", -80, -115, 35, 90, 180, day, always, 3}, // in the street, towards the court
			{"largo-richini", -68, -10, 85, 90, 120, 3 * day, always, 3},  // as well
			{"chiostro-piccolo", -46, -38, 45, 90, 90, 2 * day, always, 3},
			{"via-laghetto", 110, -30, -1, 60, 180, day, always, 3}, // turns, yet not through walls
			{"chiostro-spenta", 5, 40, 180, 90, 60, day, off, 3},
		},
		want: []string{"A chiostro-nord-est yes no", "A chiostro-sud-ovest yes no",
			"B via-laghetto no yes", "B festa-del-perdono no yes", "B chiostro-piccolo no yes", "B largo-richini no yes", "C chiostro-spenta yes no"},
		through: []string{"chiostro-nord-est", "via-laghetto", "festa-del-perdono", "chiostro-sud-ovest", "chiostro-piccolo", "largo-richini", "chiostro-spenta"},
	},
	{
		name: "porta-venezia-centrale", middle: protocol.Point{Lon: 9_208_200, Lat: 45_477_600}, radius: 100,
		route: []protocol.Point{{Lon: 9_205_400, Lat: 45_474_700}, {Lon: 9_210_850, Lat: 45_480_240}, {Lon: 9_204_210, Lat: 45_483_720}},
		cameras: []goldenCamera{
			{"corso-farmacia", -31, -20, 120, 90, 40, 2 * day, always, 3},       // drawn within its wall
			{"corso-cortile", -59, -31, 120, 90, 80, day, always, 3},            // in the court behind it
			{"corso-dietro", 24, -65, 300, 90, 100, day, always, 3},             // behind the block across the street
			{"vitruvio-portone", -74.6, 512.3, 200, 90, 40, 3 * day, always, 3}, // drawn within its wall
			{"vitruvio-cortile", -79.6, 540.3, 215, 90, 80, 2 * day, always, 3}, // in the court behind it
			{"traversa", -142.6, 504.3, 35, 90, 80, day, always, 3},             // along a side street: between the corners
			{"traversa-di-spalle", -142.6, 504.3, 215, 90, 80, day, always, 3},  // the same, the other way
			{"duca-d-aosta", -280.7, 733.9, -1, 60, 100, 5 * day, always, 5},    // turns
			{"corso-spenta", 30, 20, 300, 90, 40, day, off, 3},
		},
		want: []string{"A traversa yes no", "A corso-farmacia yes no", "A vitruvio-portone yes no", "A duca-d-aosta unknown no",
			"B corso-dietro no yes", "B corso-cortile no yes", "B traversa-di-spalle no", "B vitruvio-cortile no yes", "C corso-spenta yes no"},
		through: []string{"corso-dietro", "corso-cortile", "traversa", "corso-farmacia", "vitruvio-cortile", "vitruvio-portone", "duca-d-aosta", "traversa-di-spalle", "corso-spenta"},
	},
}

// golden declares a case's cameras, a site each.
func (w *town) golden(c goldenCase) {
	w.t.Helper()
	for _, g := range c.cameras {
		s := siteOf{site: protocol.Site{Name: g.id, Category: "shop", Address: "Milano"}, contact: protocol.Contact{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 5550 100"},
			recorder: protocol.Recorder{ID: uuid.NewString(), Vendor: "Aster", Name: "Retro"}}
		at := away(c.middle, g.north, 0)
		at = away(protocol.Point{Lon: c.middle.Lon, Lat: int32(at[1] * 1e6)}, g.east, 90)
		cam := protocol.Camera{ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(g.id)).String(), RecorderID: s.recorder.ID, Name: g.id, NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: int32(at[0] * 1e6), Lat: int32(at[1] * 1e6)}, AccuracyM: g.accuracy, Method: "map", Fact: fact},
			View:          protocol.View{AngleDeg: &g.angle, RangeM: &g.reach, WidthPx: 2560, HeightPx: 1440, Infrared: true, Fact: fact},
			Schedule:      g.schedule,
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: g.keeps, Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: made}}
		if g.direction < 0 {
			cam.View.Turns = true
		} else {
			cam.View.DirectionDeg = &g.direction
		}
		s.cameras = []protocol.Camera{cam}
		w.declare(s)
	}
}

// roughMap draws testdata/golden-buildings.geojson.
func roughMap(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/golden-buildings.geojson")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Features []struct {
			Geometry struct {
				Coordinates [][][2]float64 `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Features) == 0 {
		t.Fatal(err, " or no buildings")
	}
	var all []maptest.Building
	for _, f := range file.Features {
		all = append(all, maptest.Building{Rings: f.Geometry.Coordinates})
	}
	return maptest.Write(t, maptest.Margin, all...)
}

func (c goldenCase) at() protocol.Point {
	p := away(c.middle, c.asked[1], 0)
	p = away(protocol.Point{Lon: c.middle.Lon, Lat: int32(p[1] * 1e6)}, c.asked[0], 90)
	return protocol.Point{Lon: int32(p[0] * 1e6), Lat: int32(p[1] * 1e6)}
}

// form is the case's question.
func (c goldenCase) form() []string {
	asked := []string{"radius", strconv.Itoa(c.radius), "reason", "Caso di prova: " + c.name}
	if c.route == nil {
		return append(asked, "at", writePlace(c.at()))
	}
	var line []string
	for _, p := range c.route {
		line = append(line, writePlace(p))
	}
	return append(asked, "at", "", "route", strings.Join(line, " "))
}

func TestGoldenCases(t *testing.T) {
	for _, m := range []struct {
		name string
		open func(*testing.T) string
	}{{"rough", roughMap}, {"Milan", basemapFile}} {
		t.Run(m.name, func(t *testing.T) {
			path := m.open(t)
			for _, c := range golden {
				w := newTown(t, func(o *Options) { o.Basemap = path })
				w.golden(c)
				a := w.answer(exact(c.form()...))
				var got []string
				for _, r := range a.Results {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Class, r.CameraName, r.Sight.Sees, r.Sight.Hidden)))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
				page := w.send("GET", "/search/"+a.Search+"?through=1", officerName, nil, true)
				if got := rowNames(page.body); !slices.Equal(got, c.through) {
					t.Errorf("%s without buildings: %q, want %q", c.name, got, c.through)
				}
				hidden := 0
				for _, r := range a.Results {
					if r.Sight.Hidden == protocol.Yes {
						hidden++
					}
				}
				if n := strings.Count(string(w.entries("search")[0].Content.Details), `"hidden":"yes"`); n != hidden || n == 0 {
					t.Errorf("%s: the trail tells of %d hidden cameras, the answer of %d", c.name, n, hidden)
				}
				// What is asked of a row leads back to that row of that list.
				last := a.Results[len(a.Results)-2]
				for through, list := range map[string][]string{"": rowNames(w.send("GET", "/search/"+a.Search, officerName, nil, true).body), "1": c.through} {
					res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "only": {last.SiteID}, "through": {through}}, true)
					want := fmt.Sprintf("#n%d", slices.Index(list, last.SiteName)+1)
					if to := res.header.Get("Location"); !strings.HasSuffix(to, want) || strings.Contains(to, "through=1") != (through == "1") {
						t.Errorf("%s: a reveal with through=%q leads to %s, want %s", c.name, through, to, want)
					}
				}
			}
		})
	}
}

var rowName = regexp.MustCompile(`<h3 id="name\d+">([^<]+)</h3>`)

// rowNames are the sites of a results page, in order.
func rowNames(page string) []string {
	var names []string
	for _, m := range rowName.FindAllStringSubmatch(page, -1) {
		names = append(names, m[1])
	}
	return names
}

// TestGoldenPages looks at the cases on the real map: the list, the sectors among
// the buildings, the switch by keyboard, and the list without buildings.
func TestGoldenPages(t *testing.T) {
	path := basemapFile(t)
	w := newTown(t, func(o *Options) { o.Basemap = path })
	for _, c := range golden {
		w.golden(c)
	}
	b := pagestest.Open(t, w.server.URL, 1280, 880)
	w.signIn(b, officerName)
	for _, c := range golden {
		w.ask(b, ordinary(c.form()...))
		b.Until(ready)
		b.Picture("golden-" + c.name)
		cut := pagestest.Eval[int](b, `JSON.parse(document.querySelector("#map-data").textContent).sectors.features.length`)
		if cut < len(c.cameras)/2 {
			t.Errorf("%s: %d of %d sectors are cut by buildings", c.name, cut, len(c.cameras))
		}
	}
	b.Check("golden-among")
	last := golden[len(golden)-1]

	b.Do(chromedp.Focus(chromedp.CSS("#through")), chromedp.KeyEvent(" "))
	b.Until(`document.documentElement.dataset.mapThrough === "true" && ` + ready)
	b.Picture("golden-" + last.name + "-whole")
	b.Press(".map-through a")
	b.Until(ready)
	if got := pagestest.Eval[string](b, `[...document.querySelectorAll(".row h3")].map(h => h.textContent).join(" ")`); got != strings.Join(last.through, " ") {
		t.Errorf("without buildings the list is %s", got)
	}
	if pagestest.Eval[bool](b, `!!document.querySelector("#through")`) {
		t.Error("a list without buildings offers to draw the map so once more")
	}
	b.Picture("golden-" + last.name + "-through")

	// A reveal keeps the order in which it was asked for.
	b.Do(chromedp.Focus(chromedp.CSS("#reveal2")), chromedp.KeyEvent(kb.Enter))
	b.Until(`document.querySelector("#contacts2") !== null && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`)
	if got := pagestest.Eval[string](b, `document.querySelector("#n2 h3").textContent`); got != last.through[1] {
		t.Errorf("after a reveal the second row is %s", got)
	}
	b.Resize(390, 844)
	b.Visit(pagestest.Eval[string](b, `location.pathname + "?through=1&lang=en"`))
	b.Until(ready)
	b.Check("golden-through-narrow-en")
	b.Press(".map-through a")
	b.Until(ready)
	if pagestest.Eval[string](b, `location.search`) != "" {
		t.Error("the way back keeps the parameter")
	}
}

// A list without buildings has pages of its own; what was shown once stays.
func TestPagesWithoutBuildings(t *testing.T) {
	path := roughMap(t)
	w := newTown(t, func(o *Options) { o.Basemap = path })
	w.declare(crowd(130)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	entries := len(w.entries("search"))
	first := w.send("GET", at+"?through=1", officerName, nil, true).body
	if n := len(rowNames(first)); n != 100 || !strings.Contains(first, `href="`+at+`?through=1&amp;page=2"`) || !strings.Contains(first, `href="`+at+`"`) {
		t.Errorf("the first page has %d rows, or leads elsewhere", n)
	}
	if n := len(w.entries("search")) - entries; n != 0 {
		t.Errorf("what is on the trail was put there %d times more", n)
	}
	for range 2 {
		if n := len(rowNames(w.send("GET", at+"?through=1&page=2", officerName, nil, true).body)); n != 30 {
			t.Errorf("the second page has %d rows", n)
		}
	}
	if n := len(w.entries("search")) - entries; n != 1 {
		t.Errorf("a further page is on the trail %d times", n)
	}
}

package consult

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/protocol/pages/pagestest"
)

// Addresses of the town: those around the place, and what is like them elsewhere.
const townAddresses = `street,number,lon,lat
Via Orefici,2,9.18757,45.46408
Via Orefici,6,9.18800,45.46420
Via Orefici,9,9.18790,45.46400
Via Victor Hugo,4,9.18700,45.46430
Via Alessandro Manzoni,5,9.19300,45.46900
Piazza Alessandro Manzoni,5,9.17000,45.45000
Corso Magenta,1,9.18000,45.46500
`

const townDistricts = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"municipio":1},"geometry":{"type":"Polygon","coordinates":[[[9.18,45.46],[9.20,45.46],[9.20,45.47],[9.18,45.47],[9.18,45.46]]]}},
{"type":"Feature","properties":{"ID_NIL":1,"NIL":"DUOMO"},"geometry":{"type":"Polygon","coordinates":[[[9.185,45.462],[9.195,45.462],[9.195,45.468],[9.185,45.468],[9.185,45.462]]]}}]}`

// withPlaces gives the town its addresses and districts.
func withPlaces(t *testing.T) setup {
	return func(o *Options) {
		var sources []registry.GazetteerSource
		for name, read := range map[string]*gazetteer.Read{"civici": gazetteer.ReadAddresses([]byte(townAddresses)), "districts": gazetteer.ReadDistricts([]byte(townDistricts))} {
			s, err := read.Source(name, made)
			if err != nil || len(read.Problems) > 0 {
				t.Fatal(err, read.Problems)
			}
			sources = append(sources, s)
		}
		o.Places = gazetteer.New(o.Registry)
		if err := o.Registry.PutGazetteer(t.Context(), sources); err != nil {
			t.Fatal(err)
		}
		if err := o.Places.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// It is long because it is one table.
func TestSearchByAddress(t *testing.T) {
	w := newTown(t, withPlaces(t))
	w.declare(milan()...)

	// What is sure is searched, also for programs, and is on the trail by its name.
	a := w.answer(exact("at", "v. orefici n. 2, Milano"))
	if *a.Asked.Lon != 9.18757 || *a.Asked.Lat != 45.46408 || a.Asked.Place != "Via Orefici 2" || len(a.Results) != 9 {
		t.Errorf("asked %+v, %d results", a.Asked, len(a.Results))
	}
	entries := w.entries("search")
	if len(entries) != 1 || !strings.Contains(string(entries[0].Content.Details), `"place":"Via Orefici 2"`) {
		t.Errorf("on the trail: %s", entries[0].Content.Details)
	}

	// A program is told what may have been meant.
	res := w.send("POST", "/search", officerName, exact("at", "Manzoni 5"), false)
	var refused struct {
		Field  string `json:"field"`
		Errors []struct {
			Places []jsonPlace `json:"places"`
		} `json:"errors"`
	}
	if err := json.Unmarshal([]byte(res.body), &refused); err != nil || res.status != 422 || refused.Field != "at" || len(refused.Errors) != 1 || len(refused.Errors[0].Places) != 2 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if p := refused.Errors[0].Places[0]; p.Name != "Via Alessandro Manzoni 5" || p.Lon != 9.193 || p.Kind != gazetteer.Exact {
		t.Errorf("%+v", p)
	}

	// What is not is not, and nothing is on the trail; the choice is by what was
	// shown, and holds for the same words alone.
	for _, c := range []struct {
		at, pick string
		status   int
		says     []string
	}{
		{"Manzoni 5", "", 422, []string{"Quale di questi 2 luoghi", "Via Alessandro Manzoni 5", "Piazza Alessandro Manzoni 5", "Municipio 1"}},
		{"via Orefici 4", "", 422, []string{"Intendevi questo luogo?", "Via Orefici 2", "il 4 non è tra i civici noti", " checked"}},
		{"via Orefizi 2", "", 422, []string{"Intendevi questo luogo?", "Via Orefici 2"}},
		{"via Orefici 2, Monza", "", 422, []string{"non abbiamo usato: monza"}},
		{"via Orefici", "", 422, []string{"la metà della via"}},
		{"via Orefici 5", "", 422, []string{"Via Orefici 9", "2 numeri più in là"}},
		{"via Ignota 2", "", 422, []string{"Non troviamo questo luogo"}},
		{"https://example.org/via-orefici", "", 422, []string{"non ci sono coordinate"}},
		{"Manzoni 5", "Corso Magenta 1 9.18,45.465", 422, []string{"Quale di questi 2 luoghi"}},
		{"Manzoni 5", "Via Alessandro Manzoni 5 9.193,45.469", 303, nil},
		{"via Orefici 4", "Via Orefici 2 9.18757,45.46408", 303, nil},
		{"corso Magenta 1", "Via Orefici 2 9.18757,45.46408", 303, nil}, // a choice of before
	} {
		before := len(w.entries("search"))
		res := w.send("POST", "/search", officerName, form("at", c.at, "pick", c.pick), true)
		if res.status != c.status || (len(w.entries("search")) > before) != (c.status == 303) {
			t.Errorf("%s, %q: %d, %d entries more", c.at, c.pick, res.status, len(w.entries("search"))-before)
		}
		for _, s := range c.says {
			if !strings.Contains(res.body, s) {
				t.Errorf("%s: the page does not say %q", c.at, s)
			}
		}
		if strings.Contains(res.header.Get("Location"), "refici") {
			t.Errorf("an address holds a place: %s", res.header.Get("Location"))
		}
	}

	// The answer says which place that was: what was chosen, and of a point the
	// nearest address.
	for at, want := range map[string][]string{
		"via Orefici 2":     {"Via Orefici 2 · Municipio 1, NIL DUOMO"},
		"45.46408, 9.18757": {"a 0 m da Via Orefici 2 · Municipio 1, NIL DUOMO"},
		"9.1500,45.4300":    {}, // far from all that is known
	} {
		res := w.send("POST", "/search", officerName, form("at", at), true)
		page := w.send("GET", res.header.Get("Location"), officerName, nil, true)
		if len(want) == 0 && strings.Contains(page.body, `class="asked-where"`) {
			t.Errorf("%s: something is said of where it is", at)
		}
		for _, s := range want {
			if !strings.Contains(page.body, s) {
				t.Errorf("%s: the answer does not say %q", at, s)
			}
		}
	}
}

// A district is searched as a whole, by its name; on the trail it is named.
func TestSearchByDistrict(t *testing.T) {
	w := newTown(t, withPlaces(t))
	w.declare(milan()...)
	a := w.answer(exact("at", "duomo"))
	if len(a.Results) != 9 || a.Asked.Place != "NIL 1 DUOMO" || a.Asked.Lon != nil || a.Asked.Area != nil {
		t.Errorf("asked %+v, %d results", a.Asked, len(a.Results))
	}
	if body := string(w.entries("search")[0].Content.Details); !strings.Contains(body, `"place":"NIL 1 DUOMO"`) || len(body) > 2000 {
		t.Errorf("on the trail: %s", body)
	}
	res := w.send("POST", "/search", officerName, form("at", "Municipio 1"), true)
	page := w.send("GET", res.header.Get("Location"), officerName, nil, true)
	if !strings.Contains(page.body, "Nel territorio di Municipio 1") || !strings.Contains(page.body, `value="Municipio 1"`) {
		t.Errorf("%d: the answer does not name the district, or its form does not hold it", page.status)
	}
	if res := w.send("POST", "/search", officerName, form("at", "Municipio 9"), true); res.status != 422 {
		t.Errorf("a district that is not there: %d", res.status)
	}
}

// The districts of Milan can be searched: their borders are areas.
func TestMilansDistricts(t *testing.T) {
	var all []gazetteer.District
	shared := filepath.Join(filepath.Dir(basemapFile(t)), "..", "boundaries")
	for _, name := range []string{"municipi.geojson", "nil.geojson"} {
		file, err := os.ReadFile(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, gazetteer.ReadDistricts(file).Districts...)
	}
	if len(all) != 97 {
		t.Fatalf("%d districts", len(all))
	}
	w := newTown(t)
	for _, d := range all {
		q := search.Query{In: search.Polygon{Rings: slices.Concat(d.Polygons...), Name: d.Name}, From: event, Until: event, Now: noon}
		if _, err := w.consult.Index.Search(t.Context(), q); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
}

// Without addresses the page asks for a position, as before.
func TestNoAddresses(t *testing.T) {
	w := newTown(t, func(o *Options) { o.Places = gazetteer.New(o.Registry) })
	res := w.send("POST", "/search", officerName, form("at", "via Orefici 2"), true)
	if res.status != 422 || !strings.Contains(res.body, "Scrivi longitudine e latitudine") || strings.Contains(res.body, "at-list") {
		t.Errorf("%d", res.status)
	}
}

func TestSuggestions(t *testing.T) {
	w := newTown(t, withPlaces(t))
	ask := func(at string, page bool) reply {
		return w.send("POST", "/addresses", officerName, form("at", at), page)
	}
	var got struct {
		Places []jsonPlace `json:"places"`
	}
	if res := ask("via oref", false); res.status != 200 || json.Unmarshal([]byte(res.body), &got) != nil || len(got.Places) != 1 || got.Places[0].Name != "Via Orefici" || got.Places[0].NIL != "DUOMO" {
		t.Errorf("%d %s", res.status, res.body)
	}
	if res := ask("via oref", true); !strings.Contains(res.body, `<option value="Via Orefici">`) {
		t.Errorf("%d %s", res.status, res.body)
	}
	if res := ask("9.18,45.46", false); strings.TrimSpace(res.body) != `{"places":[]}` {
		t.Errorf("of a position: %s", res.body)
	}
	if res := w.send("POST", "/addresses", "", form("at", "via oref"), false); res.status != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.status)
	}
	if n := len(w.entries("search")); n != 0 {
		t.Errorf("%d entries for suggestions", n)
	}
}

// TestAddressPage asks by keyboard alone.
func TestAddressPage(t *testing.T) {
	w := newTown(t, withPlaces(t))
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	b.Visit("/")
	b.Do(chromedp.SendKeys(chromedp.CSS("#at"), "via oref"))
	b.Until(`document.querySelector('#at-list option')?.value === "Via Orefici"`)
	b.Visit("/?lang=en")
	w.ask(b, ordinary("at", "manzoni 5"))
	b.Check("address-which")
	b.Resize(390, 900)
	b.Visit("/?lang=it")
	w.ask(b, ordinary("at", "via orefici 4"))
	b.Check("address-nearest-narrow")
	b.Resize(1280, 900)

	where := func() string {
		return pagestest.Eval[string](b, `document.querySelector(".asked-where").textContent.trim()`)
	}

	// The only one is chosen already: Enter goes on.
	w.ask(b, ordinary("at", "via orefici 4"))
	b.Until(`document.activeElement.id === "pick-0"`) // autofocus comes after the page
	b.Enter("#pick-0")
	if got := where(); !strings.Contains(got, "Via Orefici 2 · il 4 non è tra i civici noti") {
		t.Errorf("the answer says %q", got)
	}
	b.Until(ready)
	b.Check("address-answered")

	// Of two none is, and an arrow chooses.
	w.ask(b, ordinary("at", "manzoni 5"))
	if n := pagestest.Eval[int](b, `document.querySelectorAll("[name=pick]:checked").length`); n != 0 {
		t.Errorf("%d of two are chosen", n)
	}
	b.Do(chromedp.SendKeys(chromedp.CSS("#pick-0"), kb.ArrowDown))
	b.Enter("#pick-1")
	if got := where(); !strings.HasPrefix(got, "Piazza Alessandro Manzoni 5") {
		t.Errorf("the answer says %q", got)
	}

	// A street that was chosen is asked again without choosing it again.
	w.ask(b, ordinary("at", "via orefici"))
	b.Enter("#pick-0")
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("details.again").open = true`))
	b.Press("#ask button[type=submit]")
	if got := where(); !strings.Contains(got, "la metà della via") {
		t.Errorf("asked again, the answer says %q", got)
	}

	// A district is drawn.
	w.ask(b, ordinary("at", "duomo"))
	b.Until(ready)
	b.Picture("address-district")
}

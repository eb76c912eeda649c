package consult

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

func TestVertices(t *testing.T) {
	square := []protocol.Point{{Lon: 9_180_000, Lat: 45_460_000}, {Lon: 9_190_000, Lat: 45_460_000}, {Lon: 9_190_000, Lat: 45_470_000}}
	for _, text := range []string{
		"9.18,45.46 9.19,45.46 9.19,45.47",
		" 9.18, 45.46; 9.19, 45.46;\n9.19, 45.47 ; ",
		"9.18 45.46 9.19 45.46 9.19 45.47",
		"45.46,9.18 45.46,9.19 9.19,45.47", // as most maps give it
		"[[9.18,45.46],[9.19,45.46],[9.19,45.47]]",
		"[[[9.18,45.46,120],[9.19,45.46,120],[9.19,45.47,120]]]",
		"[[[[9.18,45.46],[9.19,45.46],[9.19,45.47]]]]",
		`{"type":"Polygon","coordinates":[[[9.18,45.46],[9.19,45.46],[9.19,45.47]]]}`,
		` {"type":"Feature","properties":{"a":[1]},"geometry":{"type":"MultiPolygon","coordinates":[[[[9.18,45.46],[9.19,45.46],[9.19,45.47]]]]}}`,
	} {
		if got, err := parseRings(text, true); err != nil || len(got) != 1 || !slices.Equal(got[0], square) {
			t.Errorf("%s: %v %v", text, got, err)
		}
		line := !strings.Contains(text, "[[[")
		if got, err := parseLine(text, true); (err == nil) != line || line && !slices.Equal(got, square) {
			t.Errorf("%s as a line: %v %v", text, got, err)
		}
	}
	if got, err := parseRings("[[[0,0],[4,0],[4,4]],[[1,1],[2,1],[2,2]]]", true); err != nil || len(got) != 2 {
		t.Errorf("a polygon with a hole: %v %v", got, err)
	}
	if got, err := parsePairs("45.46,9.18 45.47,9.19", false); err != nil || got[0].Lon != 45_460_000 {
		t.Errorf("an exact caller's order was changed: %v %v", got, err)
	}
	if got, err := parseLine(writePairs(square), false); err != nil || !slices.Equal(got, square) {
		t.Errorf("what is written is not read back: %v %v", got, err)
	}
	for _, text := range []string{"", "9.18", "9.18,45.46 9.19", "9.18,95 9.19,45", "via Torino 12", "[[9.18]]", "[[[", "{}", `{"type":"Point","coordinates":[9,45]}`, "[1,2]", "[[999,45],[1,1]]",
		`{"coordinates":"x"}`, "null", `{"geometry":null}`, strings.Repeat("9.18,45.46 ", 6000)} {
		if got, err := parseRings(text, true); err == nil {
			t.Errorf("%.40q was taken for %v", text, got)
		}
		if got, err := parseLine(text, true); err == nil {
			t.Errorf("%.40q was taken for the line %v", text, got)
		}
	}
}

// writePairs is the form in which vertices stand in the form's field, where the map's script puts them.
func writePairs(points []protocol.Point) string {
	pairs := make([]string, len(points))
	for i, p := range points {
		pairs[i] = writePlace(p)
	}
	return strings.Join(pairs, " ")
}

func FuzzVertices(f *testing.F) {
	for _, s := range []string{"9.18,45.46 9.19,45.46", "[[9.18,45.46],[9.19,45.46]]", `{"coordinates":[[[1,2],[3,4]]]}`, `{"geometry":{"coordinates":[[[[1,2]]]]}}`, "45 9;9 45"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, either bool) {
		if rings, err := parseRings(s, either); err == nil {
			for _, r := range rings {
				for _, p := range r {
					if _, err := point(lonOf(p), latOf(p)); err != nil {
						t.Fatalf("%q gives %v", s, p)
					}
				}
			}
		}
		if line, err := parseLine(s, either); err == nil && len(line) > 0 {
			if again, err := parseLine(writePairs(line), false); err != nil || !slices.Equal(again, line) {
				t.Fatalf("%q gives %v, and that %v %v", s, line, again, err)
			}
		}
	})
}

const (
	area  = "9.1870,45.4635 9.1885,45.4635 9.1885,45.4646 9.1870,45.4646"
	route = "9.1856,45.4641 9.1890,45.4641"
)

func TestAskedDrawn(t *testing.T) {
	for _, c := range []struct {
		want    string
		changes []string
	}{
		{"area 4", []string{"at", "", "area", area}},
		{"area 3, 3", []string{"at", "", "area", "[[[0,0],[4,0],[4,4]],[[1,1],[2,1],[2,2]]]"}},
		{"route 2 at 3 to 18", []string{"at", "", "route", route}},
		{"route 2 at 6 to 35", []string{"at", "", "route", route, "means", "bicycle"}},
		{"route 2 at 4.5 to 15", []string{"at", "", "route", route, "speed", " 4,5 – 15 ", "means", "car"}},
		{"route 2 at 12 to 12", []string{"at", "", "route", route, "speed", "12"}},
		{"route 2 at 3 to 18, 20:50", []string{"at", "", "route", route, "until", "", "arrival", "20:50"}},
		{"route 2 at 3 to 18, 00:04", []string{"at", "", "route", route, "time", "23:59", "until", "", "arrival", "0:04"}},
		{"area error.where.both", []string{"area", area}},
		{"route error.where.both", []string{"route", route}},
		{"area error.where.both", []string{"at", "", "area", area, "route", route}},
		{"area error.area.form", []string{"at", "", "area", "qui"}},
		{"route error.route.form", []string{"at", "", "route", "9.18"}},
		{"means error.means", []string{"at", "", "route", route, "means", "horse"}},
		{"speed error.speed", []string{"at", "", "route", route, "speed", "fast"}},
		{"arrival error.time.form", []string{"at", "", "route", route, "arrival", "soon"}},
		{"arrival error.arrival.early", []string{"at", "", "route", route, "until", "", "arrival", "20:45:30"}},
		{"arrival error.arrival.late", []string{"at", "", "route", route, "arrival", "23:30"}},
		{"category error.category", []string{"category", "pub"}},
		{"at error.at.missing", []string{"at", "", "means", "car"}},
	} {
		a := readQuestion(form(c.changes...), noon, false)
		var got strings.Builder
		for _, e := range a.Errors {
			got.WriteString(e.Field + " " + e.Key)
		}
		if q, ok := a.query(noon).In.(search.Polygon); ok && len(a.Errors) == 0 {
			for i, r := range q.Rings {
				fmt.Fprint(&got, []string{"area ", ", "}[min(i, 1)], len(r))
			}
		}
		if q, ok := a.query(noon).In.(search.Route); ok && len(a.Errors) == 0 {
			fmt.Fprint(&got, "route ", len(q.Line), " at ", q.Speeds.MinKmh, " to ", q.Speeds.MaxKmh)
			if !q.Arrival.IsZero() {
				got.WriteString(", " + q.Arrival.In(pages.Rome()).Format("15:04"))
			}
		}
		if got.String() != c.want {
			t.Errorf("%v: got %q, want %q", c.changes, got.String(), c.want)
		}
	}
	v := form("continuous", "1", "certain", "on", "category", "bank")
	v.Add("category", "shop")
	v.Add("category", "bank")
	if o := readQuestion(v, noon, false).query(noon).Only; !o.Continuous || !o.Certain || !slices.Equal(o.Categories, []protocol.Category{"bank", "shop"}) {
		t.Errorf("filters: %+v", o)
	}
}

// An area and a route are answered in JSON and on the page, and all that was
// asked is on the trail.
func TestDrawnIsAnswered(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	in := w.answer(exact("at", "", "area", area))
	if in.Asked.Lon != nil || len(in.Asked.Area) != 1 || len(in.Asked.Area[0]) != 4 || len(in.Results) < 5 || in.Results[0].Sight.DistanceM != 0 {
		t.Errorf("area: %+v, %d results", in.Asked, len(in.Results))
	}
	along := w.answer(exact("at", "", "route", route, "speed", "4-15", "arrival", event.Add(3*time.Minute).Format(time.RFC3339), "radius", "50"))
	if along.Asked.Route == nil || *along.Asked.SpeedKmh != [2]float64{4, 15} || along.Asked.RadiusM != 50 || !along.Asked.Arrival.Equal(event.Add(3*time.Minute)) {
		t.Errorf("route: %+v", along.Asked)
	}
	for _, r := range along.Results {
		if r.From.Before(event) || r.Until.After(event.Add(3*time.Minute)) || !r.From.Before(r.Until) {
			t.Errorf("%s is asked for %s to %s", r.CameraName, r.From, r.Until)
		}
	}
	banks := w.answer(exact("category", "bank", "certain", "1"))
	if len(banks.Results) == 0 || banks.Hidden.Category == 0 || len(banks.Results)+banks.Hidden.Category+banks.Hidden.Certain != 9 {
		t.Errorf("%d results, hidden %+v", len(banks.Results), banks.Hidden)
	}
	entries := w.entries("search")
	for i, want := range [][]string{{`"area":[[[9.187,45.4635],`},
		{`"route":[[9.1856,45.4641],`, `"speed_kmh":[4,15]`, `"arrival":"2026-11-20T19:48:00Z"`, `"radius_m":50`}, {`"categories":["bank"]`, `"certain":true`, `"lon":9.18757`}} {
		details := string(entries[i].Content.Details)
		for _, s := range want {
			if !strings.Contains(details, s) {
				t.Errorf("entry %d lacks %s: %s", i, s, details)
			}
		}
	}

	page := func(changes ...string) string {
		t.Helper()
		res := w.send("POST", "/search", officerName, form(changes...), true)
		if res.status != http.StatusSeeOther {
			t.Fatalf("%v: %d %s", changes, res.status, res.body)
		}
		return w.send("GET", res.header.Get("Location"), officerName, nil, true).body
	}
	for _, c := range []struct {
		page string
		want []string
	}{
		{page("at", "", "area", area), []string{"Nell&#39;area disegnata (4 vertici), ", `"area":[[[9.187,45.4635]`, area, `id="other-ways" open`}},
		{page("at", "", "route", route, "until", "", "arrival", "20:49"),
			[]string{"Lungo il percorso di 266 m (vicine: entro 200 m), partenza ", "Possono aver filmato il percorso", ", a 3–18 km/h, arrivo ", "può essere passato ", `"route":[[9.1856`}},
		{page("category", "bank", "continuous", "1"), []string{"Solo: Banca · registrazione continua", "7 nascoste dai filtri: 7 per la categoria"}},
		{page("category", "hotel"), []string{"9 nascoste dai filtri: 9 per la categoria", "restano fuori dai filtri"}},
	} {
		for _, s := range c.want {
			if !strings.Contains(c.page, s) {
				t.Errorf("the page lacks %q", s)
			}
		}
	}
	for _, c := range []struct {
		field string
		form  []string
		want  string
	}{
		{"area", []string{"at", "", "area", "9.18,45.46 9.19,45.47 9.19,45.46 9.18,45.47"}, "lati che non si incrociano"},
		{"route", []string{"at", "", "route", "9.18,45.46 9.18,45.46"}, "Questo percorso non si può cercare"},
		{"arrival", []string{"at", "", "route", route, "until", "", "arrival", "20:45:30"}, "266 metri a 18 km/h richiedono almeno 0:53 minuti, e qui dalla prima partenza all&#39;arrivo ce ne sono 0:30."},
	} {
		res := w.send("POST", "/search", officerName, form(c.form...), true)
		if res.status != 422 || !strings.Contains(res.body, c.want) || !strings.Contains(res.body, `id="`+c.field+`-error"`) || !strings.Contains(res.body, `id="other-ways" open`) {
			t.Errorf("%v: %d, lacks %q: %s", c.form, res.status, c.want, regexp.MustCompile(`(?s)-error">.*?</p>`).FindString(res.body))
		}
	}
}

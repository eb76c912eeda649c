package consult

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol/pages/pagestest"
)

// crowd is a place of which many cameras tell: sites of twenty, nearer ones first.
func crowd(cameras int) []siteOf { return crowds(cameras, 20) }

func crowds(cameras, each int) (all []siteOf) {
	for n := 0; n < cameras; n += each {
		var hungs []hung
		for i := n; i < min(n+each, cameras); i++ {
			// All see the place, so that the order is that of the time left.
			sin, cos := math.Sincos(float64(i))
			hungs = append(hungs, hung{name: fmt.Sprintf("CAM %03d", i+1), east: 20 * sin, north: 20 * cos, direction: (int(float64(i)*180/math.Pi) + 180) % 360,
				angle: 90, reach: 60, keeps: 2*day + time.Duration(i)*time.Minute, schedule: always})
		}
		all = append(all, site(fmt.Sprintf("Stazione, binario %d", n/each+1), "transport", "Piazza Duca d'Aosta 1", fmt.Sprintf("Sala %d", n/each+1), 0, hungs...))
	}
	return all
}

// A page has a hundred rows, and says how many there are; the next is read when it
// is asked for, once, and is on the trail. Programs get all.
func TestPages(t *testing.T) {
	w := newTown(t)
	w.declare(crowd(130)...)
	res := w.send("POST", "/search", officerName, exact(), true)
	at := res.header.Get("Location")
	if res.status != http.StatusSeeOther {
		t.Fatalf("%d %s", res.status, res.body)
	}
	show := func(path string) string {
		t.Helper()
		res := w.send("GET", path, officerName, nil, true)
		if res.status != http.StatusOK || !strings.Contains(res.body, "130 telecamere") {
			t.Fatalf("%s: %d %s", path, res.status, res.body)
		}
		return res.body
	}
	rows := func(body string) int { return strings.Count(body, `<li class="row `) }
	searches := func(want int) {
		t.Helper()
		if n := len(w.entries("search")); n != want {
			t.Errorf("%d entries on the trail, want %d", n, want)
		}
	}
	first := show(at)
	if rows(first) != 100 || !strings.Contains(first, `href="`+at+`?page=2"`) || strings.Contains(first, `rel="prev"`) || !strings.Contains(first, "CAM 100") || strings.Contains(first, "CAM 101") {
		t.Errorf("the first page has %d rows", rows(first))
	}
	searches(1)
	for range 2 {
		second := show(at + "?page=2")
		if rows(second) != 30 || !strings.Contains(second, `id="n101"`) || !strings.Contains(second, "CAM 130") ||
			!strings.Contains(second, `rel="prev" href="`+at+`"`) || strings.Contains(second, `rel="next"`) {
			t.Errorf("the second page has %d rows", rows(second))
		}
		searches(2)
	}
	for path, want := range map[string]int{"?page=99": 30, "?page=-1": 100, "?page=x": 100} {
		if n := rows(show(at + path)); n != want {
			t.Errorf("%s: %d rows", path, n)
		}
	}
	if d := string(w.entries("search")[1].Content.Details); !strings.Contains(d, `"from_row":101`) || !strings.Contains(d, `"reason"`) {
		t.Errorf("the entry of the page says %s", d)
	}
	var all jsonAnswer
	if err := json.Unmarshal([]byte(w.get(at, officerName).body), &all); err != nil || len(all.Results) != 130 {
		t.Errorf("%d results, %v", len(all.Results), err)
	}
	if a := w.answer(exact()); len(a.Results) != 130 || a.Results[129].CameraName != "CAM 130" {
		t.Errorf("%d results", len(a.Results))
	}
	searches(3)
}

// Contacts are revealed on the page that is looked at; of a site of which nothing
// was shown yet, not at all.
func TestRevealOnAFurtherPage(t *testing.T) {
	w := newTown(t)
	ids := w.declare(crowd(130)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	last := ids["Stazione, binario 7"]
	ask := func() reply {
		return w.send("POST", "/reveal", officerName, url.Values{"search": {strings.TrimPrefix(at, "/search/")}, "page": {"2"}, "only": {last}}, true)
	}
	if res := ask(); res.status != http.StatusUnprocessableEntity {
		t.Errorf("revealed before it was shown: %d", res.status)
	}
	w.send("GET", at+"?page=2", officerName, nil, true)
	if res := ask(); res.header.Get("Location") != at+"?page=2#n121" {
		t.Errorf("%d, leads to %q", res.status, res.header.Get("Location"))
	}
	if page := w.send("GET", at+"?page=2", officerName, nil, true).body; !strings.Contains(page, "Sala 7") {
		t.Error("not revealed")
	}
}

// What has changed since the search is asked anew when its page is shown, with
// what is shown of it.
func TestPageOfWhatHasChanged(t *testing.T) {
	w := newTown(t)
	ids := w.declare(crowd(130)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	if _, err := w.reg.Erase(t.Context(), ids["Stazione, binario 7"], noon); err != nil {
		t.Fatal(err)
	}
	page := w.send("GET", at+"?page=2", officerName, nil, true).body
	if !strings.Contains(page, "120 telecamere") || strings.Contains(page, "CAM 121") || strings.Count(page, `<li class="row `) != 20 {
		t.Errorf("a site that was erased is shown: %d rows", strings.Count(page, `<li class="row `))
	}
}

// A page that has become too far is the last one there is, and all its rows are
// shown: on it are cameras that no page had before.
func TestPageThatIsNoMore(t *testing.T) {
	w := newTown(t)
	ids := w.declare(crowds(130, 40)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	if _, err := w.reg.Erase(t.Context(), ids["Stazione, binario 3"], noon); err != nil { // cameras 81 to 120
		t.Fatal(err)
	}
	for _, path := range []string{"?page=2", ""} {
		page := w.send("GET", at+path, officerName, nil, true)
		if page.status != http.StatusOK || !strings.Contains(page.body, "90 telecamere") || !strings.Contains(page.body, "CAM 130") || strings.Count(page.body, `<li class="row `) != 90 {
			t.Errorf("%s: %d, %d rows", path, page.status, strings.Count(page.body, `<li class="row `))
		}
	}
}

// What has become shorter before its further pages were shown is exported as it is.
func TestExportOfWhatHasChanged(t *testing.T) {
	w := newTown(t)
	ids := w.declare(crowd(130)...)
	id := strings.TrimPrefix(w.send("POST", "/search", officerName, exact(), true).header.Get("Location"), "/search/")
	if _, err := w.reg.Erase(t.Context(), ids["Stazione, binario 7"], noon); err != nil {
		t.Fatal(err)
	}
	file := w.exportAs(id, "csv", officerName)
	if n := strings.Count(file.body, "\r\n"); file.status != http.StatusOK || n != 121 || strings.Contains(file.body, "CAM 121") {
		t.Errorf("%d, %d lines", file.status, n)
	}
}

// Pages of one answer that are asked for side by side, while sites leave, are each
// as one moment has them.
func TestPagesSideBySide(t *testing.T) {
	w := newTown(t)
	ids := w.declare(crowds(250, 30)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	id := strings.TrimPrefix(at, "/search/")
	w.send("GET", at+"?page=2", officerName, nil, true)
	var g sync.WaitGroup
	for n := 9; n > 2; n-- {
		if _, err := w.reg.Erase(t.Context(), ids[fmt.Sprintf("Stazione, binario %d", n)], noon); err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"", "?page=2", "?page=3"} {
			g.Go(func() {
				if res := w.send("GET", at+page, officerName, nil, true); res.status != http.StatusOK {
					t.Errorf("%s: %d", page, res.status)
				}
			})
		}
		g.Go(func() {
			form := url.Values{"search": {id}, "only": {ids["Stazione, binario 4"]}, "page": {"2"}}
			if res := w.send("POST", "/reveal", officerName, form, true); res.status >= http.StatusInternalServerError {
				t.Errorf("reveal: %d", res.status)
			}
		})
		g.Go(func() {
			if res := w.exportAs(id, "geojson", officerName); res.status != http.StatusOK {
				t.Errorf("export: %d", res.status)
			}
		})
	}
	g.Wait()
}

// Requests about one answer share what they have read, and nothing else.
func TestAnswerSideBySide(t *testing.T) {
	m := newMemory(func() time.Time { return noon })
	m.keep(&answer{id: "one", userID: "officer"})
	var g sync.WaitGroup
	for n := range 20 {
		g.Go(func() {
			kept, _ := m.find("one", "officer")
			own := kept.own(false)
			own.take(answered{Answer: search.Answer{Query: search.Query{Now: noon.Add(time.Duration(n))}, Hits: make([]search.Hit, n)}})
			if hits := own.hits(); !hits.Query.Now.Equal(noon.Add(time.Duration(n))) || len(hits.Hits) != n {
				t.Errorf("a request has taken %d hits, and has %d", n, len(hits.Hits))
			}
		})
	}
	g.Wait()
}

func TestPagesLook(t *testing.T) {
	w := newTown(t)
	w.declare(crowd(103)...)
	b := pagestest.Open(t, w.server.URL, 1280, 880)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	b.Press(`a[rel="next"]`)
	if at := pagestest.Eval[string](b, `location.search`); at != "?page=2" {
		t.Errorf("the next page is at %s", at)
	}
	b.Check("answered-page-2")
}

package consult

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/pages/pagestest"
)

// crowd is a place of which many cameras tell: sites of twenty, nearer ones first.
func crowd(cameras int) (all []siteOf) {
	for n := 0; n < cameras; n += 20 {
		var hungs []hung
		for i := n; i < min(n+20, cameras); i++ {
			// All see the place, so that the order is that of the time left.
			sin, cos := math.Sincos(float64(i))
			hungs = append(hungs, hung{name: fmt.Sprintf("CAM %03d", i+1), east: 20 * sin, north: 20 * cos, direction: (int(float64(i)*180/math.Pi) + 180) % 360,
				angle: 90, reach: 60, keeps: 2*day + time.Duration(i)*time.Minute, schedule: always})
		}
		all = append(all, site(fmt.Sprintf("Stazione, binario %d", n/20+1), "transport", "Piazza Duca d'Aosta 1", fmt.Sprintf("Sala %d", n/20+1), 0, hungs...))
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

package consult

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	oneForm  = regexp.MustCompile(`(?s)<form method="post" action="/search"[^>]*>(.*?)</form>`)
	oneInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// offers are the further searches of a page, by what they ask.
func offers(page string) (all []url.Values) {
	for _, f := range oneForm.FindAllStringSubmatch(page, -1) {
		v := url.Values{}
		for _, i := range oneInput.FindAllStringSubmatch(f[1], -1) {
			v.Add(html.UnescapeString(i[1]), html.UnescapeString(i[2]))
		}
		if v.Has("time") {
			all = append(all, v)
		}
	}
	return all
}

// Where nothing is found, or nothing of that time is left, a longer window is one
// click away, and what was asked besides stays asked.
func TestWindowsAreOffered(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	shown := func(changes ...string) string {
		t.Helper()
		res := w.send("POST", "/search", officerName, form(changes...), true)
		if res.status != 303 {
			t.Fatalf("%d %s", res.status, res.body)
		}
		return w.send("GET", res.header.Get("Location"), officerName, nil, true).body
	}
	windows := func(all []url.Values) (list []string) {
		for _, v := range all {
			list = append(list, v.Get("time")+" "+v.Get("until"))
		}
		return list
	}

	empty := offers(shown("at", "9.25,45.50", "certain", "1", "category", "bank"))
	if got := windows(empty); fmt.Sprint(got) != "[2026-11-20T19:45:00Z 2026-11-20T20:10:00Z 2026-11-20T19:15:00Z 2026-11-20T20:40:00Z 2026-11-20T17:45:00Z 2026-11-20T22:10:00Z 2026-11-20T07:45:00Z 2026-11-21T08:10:00Z]" {
		t.Errorf("an empty answer offers %v", got)
	}
	for _, v := range empty[1:] {
		if v.Get("at") != "9.25,45.5" || v.Get("radius") != "200" || v.Get("certain") != "1" || v.Get("category") != "bank" || v.Get("reason") != "Rapina in strada" {
			t.Errorf("it asks %v", v)
		}
		if res := w.send("POST", "/search", officerName, v, true); res.status != 303 {
			t.Errorf("what is offered is refused: %d", res.status)
		}
	}
	// The one camera near here did not record.
	gone := shown("at", "9.188491,45.464593", "radius", "50")
	if got := offers(gone); len(got) != 3 || !strings.Contains(gone, "non c&#39;è filmato") {
		t.Errorf("where all is gone %v is offered", windows(got))
	}
	// Never a time to come, nor more than may be asked.
	for _, v := range offers(shown("at", "9.25,45.50", "date", "2026-11-21", "time", "14:20", "until", "14:29")) {
		if until, err := time.Parse(time.RFC3339, v.Get("until")); err != nil || until.After(noon) {
			t.Errorf("offered until %v %v", until, err)
		}
	}
	if got := offers(shown("at", "9.25,45.50", "time", "2026-11-13T19:45:00Z", "until", "2026-11-20T19:45:00Z")); len(got) != 1 {
		t.Errorf("beside seven days %v is offered", windows(got))
	}
	if got := offers(shown()); len(got) != 0 {
		t.Errorf("a good answer offers %v", windows(got))
	}
}

package consult

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"anagrafe/protocol/pages/pagestest"
)

// An area and a route are typed, drawn on the real map and said in words; what
// filters hide is counted.
func TestDrawnOnTheMap(t *testing.T) {
	base := basemapFile(t)
	w := newTown(t, func(o *Options) { o.Basemap = base })
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 1100)
	w.signIn(b, officerName)
	drawn := func(name string, changes ...string) {
		t.Helper()
		w.ask(b, ordinary(changes...))
		b.Until(ready)
		b.Check(name)
	}
	drawn("area", "at", "", "area", area)
	if n := pagestest.Eval[int](b, `JSON.parse(document.querySelector("#map-data").textContent).area[0].length`); n != 5 {
		t.Errorf("the ring on the map has %d places, want 5: it is closed", n)
	}
	drawn("route", "at", "", "route", "9.1856,45.4641 9.1876,45.4641 9.1893,45.4650", "means", "bicycle", "radius", "100")
	if n := pagestest.Eval[int](b, `document.querySelectorAll(".mark-point").length`); n != 2 {
		t.Errorf("%d signs on the map, want the beginning and the end of the route", n)
	}
	if text := pagestest.Eval[string](b, `document.querySelector(".row").textContent`); !strings.Contains(text, "può essere passato") {
		t.Errorf("the first row says %q", text)
	}
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("details.again").open = true`))
	b.Check("route-again")
	if got := pagestest.Eval[string](b, `["area", "route", "means", "at"].map(n => document.querySelector("#ask").elements.namedItem(n).value).join("|")`); got != "|9.1856,45.4641 9.1876,45.4641 9.1893,45.4650|bicycle|" {
		t.Errorf("the form again holds %q", got)
	}

	// Filters, by keyboard alone.
	b.Visit("/")
	w.fill(b, ordinary())
	b.Do(chromedp.Focus(chromedp.CSS("#other-ways summary")), chromedp.KeyEvent("\r"), chromedp.Focus(chromedp.CSS("#certain")), chromedp.KeyEvent(" "))
	b.Check("other-ways")
	b.Press("#ask button[type=submit]")
	b.Until(ready)
	if text := pagestest.Eval[string](b, `document.querySelector(".asked-only").textContent`); !strings.Contains(text, "sicure") || !strings.Contains(text, "nascoste dai filtri") {
		t.Errorf("filters are said as %q", text)
	}
	b.Check("filtered")
	for _, look := range []struct {
		lang  string
		width int64
	}{{"en", 390}, {"it", 1280}} {
		b.Resize(look.width, 1100)
		b.Visit("/privacy?lang=" + look.lang)
		w.ask(b, ordinary("at", "", "area", "9.18,45.46 9.19,45.47 9.19,45.46 9.18,45.47", "route", "x", "speed", "fast"))
		b.Check("drawn-errors-" + look.lang)
	}
}

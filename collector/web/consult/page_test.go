package consult

import (
	"context"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol/pages/pagestest"
)

const officerName = "Ispettrice L. Bruni"

const ready = `document.documentElement.dataset.map === "ready"`

// basemapFile is the real map of Milan beside the project.
func basemapFile(t *testing.T) string {
	return maptest.Milan(t, "basemap/milano-basemap.pmtiles")
}

// signIn signs an officer in by a one-time link.
func (w *town) signIn(b *pagestest.Tab, name string) {
	w.t.Helper()
	link, err := w.web.NewLink(w.t.Context(), w.server.URL, w.users[name].ID, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	b.Visit(link)
	b.Press("main form button[type=submit]")
}

// fill types a search into the form.
func (w *town) fill(b *pagestest.Tab, values map[string]string) {
	w.t.Helper()
	for name, value := range values {
		b.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("#ask [name=%s]").value = %q`, name, value)))
	}
}

// ask fills the form and sends it.
func (w *town) ask(b *pagestest.Tab, values map[string]string) {
	w.t.Helper()
	b.Visit("/")
	w.fill(b, values)
	b.Press("#ask button[type=submit]")
}

func ordinary(changes ...string) map[string]string {
	v := map[string]string{}
	for name, values := range form(append([]string{"reason", "Rapina in strada, due uomini in fuga verso piazza Duomo"}, changes...)...) {
		v[name] = values[0]
	}
	return v
}

// TestMapPage is an officer's way through the page, over the real map.
func TestMapPage(t *testing.T) {
	base := basemapFile(t)
	w := newTown(t, func(o *Options) { o.Basemap = base })
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 880)
	w.signIn(b, officerName)
	b.Until(`document.activeElement.id === "at"`) // autofocus comes after the page
	b.Until(ready)

	// A click on the map names the place.
	b.Do(chromedp.MouseClickXY(900, 450))
	b.Until(`/^9\.\d{6},45\.\d{6}$/.test(document.querySelector("#at").value)`)
	b.Check("place-clicked")

	w.ask(b, ordinary())
	if at := pagestest.Eval[string](b, `location.pathname`); !strings.HasPrefix(at, "/search/") || pagestest.Eval[string](b, `location.search`) != "" {
		t.Errorf("the answer is at %s", at)
	}
	b.Until(ready)
	if n := pagestest.Eval[string](b, `document.documentElement.dataset.mapShapes`); n != "9" {
		t.Errorf("%s of 9 sectors are drawn", n)
	}
	if n := pagestest.Eval[string](b, `document.documentElement.dataset.mapStreets`); n == "0" {
		t.Error("no streets are drawn")
	}
	if n := pagestest.Eval[int](b, `document.querySelectorAll(".mark").length`); n != 9 {
		t.Errorf("%d numbers on the map", n)
	}
	if credit := pagestest.Eval[string](b, `document.querySelector(".map-credit").textContent`); !strings.Contains(credit,
		"© OpenStreetMap contributors") || !strings.Contains(credit, "Comune di Milano") {
		t.Errorf("credit is %q", credit)
	}
	if !pagestest.Eval[bool](b, `(r => r.bottom <= innerHeight && r.right <= innerWidth && r.height > 0)(document.querySelector(".map-credit").getBoundingClientRect())`) {
		t.Error("the map's credit is not in view")
	}
	b.Picture("search-page") // the README's, as installer/search-page.png

	// The list and the map are one thing, and have the same numbers.
	if same := pagestest.Eval[bool](b, `[...document.querySelectorAll(".mark")].every(m => m.ariaLabel.endsWith(": " + document.querySelector("#n" + m.textContent + " h3").textContent))`); !same {
		t.Error("a number on the map is another camera's in the list")
	}
	over := pagestest.Eval[[]float64](b, `(r => [r.x + r.width / 2, r.y + 4])(document.querySelector("#n1").getBoundingClientRect())`)
	b.Do(chromedp.MouseEvent(chromedp.MouseMoved, over[0], over[1]))
	b.Until(`document.querySelector('.mark[data-n="1"]').classList.contains("on")`)
	over = pagestest.Eval[[]float64](b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('.mark[data-n="4"]').getBoundingClientRect())`)
	b.Do(chromedp.MouseEvent(chromedp.MouseMoved, over[0], over[1]))
	b.Until(`document.querySelector("#n4").classList.contains("on") && !document.querySelector("#n1").classList.contains("on")`)
	b.Do(chromedp.MouseEvent(chromedp.MouseMoved, 5, 5))
	b.Until(`!document.querySelector(".on")`)
	b.Do(chromedp.Focus(chromedp.CSS("#n2 .row-n")))
	b.Until(`document.querySelector('.mark[data-n="2"]').classList.contains("on")`)
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.mark[data-n="5"]').click()`))
	if at := pagestest.Eval[string](b, `document.activeElement.id`); at != "n5" {
		t.Errorf("a number on the map leads to %q", at)
	}
	b.Check("answered")

	// Contacts come without a new page, and the focus goes to them.
	b.Do(chromedp.Evaluate[chromedp.Void](`window.same = true`), chromedp.Focus(chromedp.CSS("#reveal1")), chromedp.KeyEvent(kb.Enter))
	b.Until(`document.querySelector("#contacts1")?.textContent.includes("Marta Colli")`)
	b.Until(`document.activeElement.id === "contacts1"`)
	b.Until(`!document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`) // what waits is dimmed
	if !pagestest.Eval[bool](b, `window.same === true`) {
		t.Error("a reveal loaded the page again")
	}
	if n := len(w.entries("reveal")); n != 1 {
		t.Errorf("%d entries for one reveal", n)
	}
	b.Check("revealed")
}

// TestPagesAreAccessible runs axe over every state, in one language on a desk and in
// the other on a phone; TestLongPagesAreAccessible the reverse. The map has no basemap
// here: that is one state of it, and the other is in TestMapPage.
func TestPagesAreAccessible(t *testing.T) {
	pagesAreAccessible(t, map[string]int64{"it": 390, "en": 1280})
}

// pagesAreAccessible looks at the pages of each language in a window so many pixels
// wide.
func pagesAreAccessible(t *testing.T, widths map[string]int64) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	results := pagestest.Eval[string](b, `location.pathname`)
	w.ask(b, ordinary("at", "9.25,45.50"))
	empty := pagestest.Eval[string](b, `location.pathname`)
	for lang, width := range widths {
		b.Resize(width, 900)
		check := func(name string) {
			t.Helper()
			b.Check(fmt.Sprintf("%s-%s-%d", name, lang, width))
		}
		b.Visit("/?lang=" + lang)
		check("form")
		b.Visit(results)
		b.Until(ready)
		b.Picture(fmt.Sprintf("top-%s-%d", lang, width))
		b.Do(chromedp.Evaluate[chromedp.Void](openAll))
		check("results")
		b.Visit(empty)
		check("empty")
		b.Visit("/search/gone")
		check("gone")
		w.ask(b, ordinary("at", "dove?", "date", "2026-10-25", "time", "02:30", "until", "", "case_kind", "", "reason", ""))
		check("errors")
	}
}

// TestDoubledHour: 02:30 in the night in which clocks go back is asked back, and
// the answer says which was meant.
func TestDoubledHour(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 390, 844)
	w.signIn(b, officerName)
	for _, c := range []struct{ fold, key, it, en string }{
		{"first", " ", "02:30 (ora legale, UTC+2)", "02:30 (summer time, UTC+2)"},
		{"second", kb.ArrowDown, "02:30 (ora solare, UTC+1)", "02:30 (winter time, UTC+1)"},
	} {
		w.ask(b, ordinary("date", "2026-10-25", "time", "02:30", "until", ""))
		b.Until(`document.activeElement.id === "fold-first"`) // autofocus comes after the page
		if c.fold == "first" {
			b.Check("doubled")
		}
		b.Do(chromedp.KeyEvent(c.key))
		b.Press("#ask button[type=submit]")
		if got := pagestest.Eval[string](b, `document.querySelector(".asked-what").textContent`); !strings.Contains(got, c.it) {
			t.Errorf("the answer to the %s is of %q", c.fold, got)
		}
		if en := w.send("GET", pagestest.Eval[string](b, `location.pathname`)+"?lang=en", officerName, nil, true); !strings.Contains(html.UnescapeString(en.body), c.en) {
			t.Errorf("in English the answer to the %s does not say %s", c.fold, c.en)
		}
	}
	w.ask(b, ordinary("date", "2027-03-28", "time", "02:30", "until", ""))
	if got := pagestest.Eval[string](b, `document.querySelector("#time-error").textContent`); !strings.Contains(got, "dalle 2 alle 3") {
		t.Errorf("an hour that never was gets %q", got)
	}
	if n := len(w.entries("search")); n != 2 {
		t.Errorf("%d entries for two searches", n)
	}
}

// withoutWebGL takes away what a map is drawn with, from the next page on.
func withoutWebGL(b *pagestest.Tab) {
	b.Do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `HTMLCanvasElement.prototype.getContext = () => null`})
		return chromedp.Void{}, err
	})
}

// TestListStaysWithoutTheMap takes away what the map needs.
func TestListStaysWithoutTheMap(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	results := pagestest.Eval[string](b, `location.pathname`)

	// No WebGL2.
	withoutWebGL(b)
	b.Visit(results)
	b.Until(`document.documentElement.dataset.map === "failed"`)
	if text := pagestest.Eval[string](b, `document.querySelector("#map-off").textContent`); !strings.Contains(text, "elenco") {
		t.Errorf("without WebGL the page says %q", text)
	}
	if n := pagestest.Eval[int](b, `document.querySelectorAll(".row").length`); n != 9 {
		t.Errorf("%d rows", n)
	}
	b.Check("without-webgl")

	// No script at all: search and reveal are plain forms.
	b.Do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	w.ask(b, ordinary())
	b.Press("#reveal1")
	if text := pagestest.Eval[string](b, `document.querySelector("#contacts1").textContent`); !strings.Contains(text, "Marta Colli") {
		t.Errorf("without script the contacts are %q", text)
	}
}

// TestQuestionSurvivesTheSession ends the session under a question that is half
// asked: first of a new case, then in a case.
func TestQuestionSurvivesTheSession(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	shiftEnds := func() {
		t.Helper()
		if err := w.reg.DropExpired(t.Context(), noon.Add(day)); err != nil {
			t.Fatal(err)
		}
		b.Press("#ask button[type=submit]")
		if text := pagestest.Eval[string](b, `document.querySelector("main").textContent`); !strings.Contains(text, "sessione") {
			t.Fatalf("without a session a question is answered with %q", text)
		}
		w.signIn(b, officerName)
	}
	values := `["at", "time", "case_kind", "reason"].map(n => document.querySelector("#ask").elements.namedItem(n)?.value ?? "-").join("|")`
	w.signIn(b, officerName)
	b.Visit("/")
	w.fill(b, ordinary())
	shiftEnds()
	if got := pagestest.Eval[string](b, values); got != "9.18757,45.46408|20:45|annotation|Rapina in strada, due uomini in fuga verso piazza Duomo" {
		t.Errorf("after signing in again the form holds %q", got)
	}
	b.Press("#ask button[type=submit]")
	b.Until(ready)
	b.Visit("/")
	if got := pagestest.Eval[string](b, values); got != "|||" {
		t.Errorf("a question of a new case begins with %q", got)
	}
	k := w.onlyCase()
	b.Visit("/cases/" + k.ID)
	b.Fill("#at", "9.2,45.5")
	b.Fill("#time", "03:04")
	shiftEnds()
	b.Until(`location.pathname.startsWith("/cases/") && document.readyState === "complete"`)
	if got := pagestest.Eval[string](b, values+` + location.pathname`); got != "9.2,45.5|03:04|-|-/cases/"+k.ID {
		t.Errorf("in a case it goes on with %q", got)
	}
	other := "Agente M. Neri"
	w.officer(other)
	b.Press(".top-button")
	w.signIn(b, other)
	if got := pagestest.Eval[string](b, values); got != "|||" {
		t.Errorf("another officer in the same tab finds %q", got)
	}
}

package consult

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const officerName = "Ispettrice L. Bruni"

const ready = `document.documentElement.dataset.map === "ready"`

// fill types a search into the form.
func (b *tab) fill(values map[string]string) {
	b.t.Helper()
	for name, value := range values {
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("#ask [name=%s]").value = %q`, name, value)))
	}
}

// ask fills the form and sends it.
func (b *tab) ask(values map[string]string) {
	b.t.Helper()
	b.open("/")
	b.fill(values)
	b.press("#ask button[type=submit]")
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
	b := openTab(t, w.server.URL, 1280, 880)
	b.signIn(w, officerName)
	if at := eval[string](b, `document.activeElement.id`); at != "at" {
		t.Errorf("the page opens with the cursor in %q", at)
	}
	b.until(ready)

	// A click on the map names the place.
	b.do(chromedp.MouseClickXY(900, 450))
	b.until(`/^9\.\d{6},45\.\d{6}$/.test(document.querySelector("#at").value)`)
	b.clean()

	b.ask(ordinary())
	if at := eval[string](b, `location.pathname`); !strings.HasPrefix(at, "/search/") || eval[string](b, `location.search`) != "" {
		t.Errorf("the answer is at %s", at)
	}
	b.until(ready)
	if n := eval[string](b, `document.documentElement.dataset.mapShapes`); n != "9" {
		t.Errorf("%s of 9 sectors are drawn", n)
	}
	if n := eval[string](b, `document.documentElement.dataset.mapStreets`); n == "0" {
		t.Error("no streets are drawn")
	}
	if n := eval[int](b, `document.querySelectorAll(".mark").length`); n != 9 {
		t.Errorf("%d numbers on the map", n)
	}
	if credit := eval[string](b, `document.querySelector(".map-credit").textContent`); !strings.Contains(credit, "© OpenStreetMap contributors") || !strings.Contains(credit, "Comune di Milano") {
		t.Errorf("credit is %q", credit)
	}
	if !eval[bool](b, `(r => r.bottom <= innerHeight && r.right <= innerWidth && r.height > 0)(document.querySelector(".map-credit").getBoundingClientRect())`) {
		t.Error("the map's credit is not in view")
	}
	b.screenshot()

	// The list and the map are one thing.
	b.do(chromedp.Focus(chromedp.CSS("#n2 .row-n")))
	if !eval[bool](b, `document.querySelector('.mark[data-n="2"]').classList.contains("on")`) {
		t.Error("focus on a row does not mark its number on the map")
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.mark[data-n="5"]').click()`))
	if at := eval[string](b, `document.activeElement.id`); at != "n5" {
		t.Errorf("a number on the map leads to %q", at)
	}
	b.clean()

	// Contacts come without a new page, and the focus goes to them.
	b.do(chromedp.Evaluate[chromedp.Void](`window.same = true`), chromedp.Focus(chromedp.CSS("#reveal1")), chromedp.KeyEvent(kb.Enter))
	b.until(`document.querySelector("#contacts1")?.textContent.includes("Marta Colli")`)
	b.until(`document.activeElement.id === "contacts1"`)
	if !eval[bool](b, `window.same === true`) {
		t.Error("a reveal loaded the page again")
	}
	if n := len(w.entries("reveal")); n != 1 {
		t.Errorf("%d entries for one reveal", n)
	}
	b.picture("revealed", false)
	b.axe("contacts revealed")
	b.clean()
}

// TestPagesAreAccessible runs axe over every state, in both languages, wide and
// narrow. The map has no basemap here: that is one state of it, and the other
// is in TestMapPage.
func TestPagesAreAccessible(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := openTab(t, w.server.URL, 1280, 900)
	b.signIn(w, officerName)
	b.ask(ordinary())
	results := eval[string](b, `location.pathname`)
	b.ask(ordinary("at", "9.25,45.50"))
	empty := eval[string](b, `location.pathname`)
	for _, width := range []int64{1280, 390} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, lang := range []string{"it", "en"} {
			check := func(name string) {
				t.Helper()
				name = fmt.Sprintf("%s-%s-%d", name, lang, width)
				b.axe(name)
				b.picture(name, true)
				if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s: %d pixels wider than the screen", name, over)
				}
				b.clean()
			}
			b.open("/?lang=" + lang)
			check("form")
			b.open(results)
			b.until(ready)
			b.picture(fmt.Sprintf("top-%s-%d", lang, width), false)
			b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
			check("results")
			b.open(empty)
			check("empty")
			b.open("/search/gone")
			check("gone")
			b.ask(ordinary("at", "dove?", "date", "2026-10-25", "time", "02:30", "until", "", "case_kind", "", "reason", ""))
			check("errors")
		}
	}
}

// TestListStaysWithoutTheMap takes away what the map needs.
func TestListStaysWithoutTheMap(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := openTab(t, w.server.URL, 1280, 900)
	b.signIn(w, officerName)
	b.ask(ordinary())
	results := eval[string](b, `location.pathname`)

	// No WebGL2.
	b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `HTMLCanvasElement.prototype.getContext = () => null`})
		return chromedp.Void{}, err
	})
	b.open(results)
	b.until(`document.documentElement.dataset.map === "failed"`)
	if text := eval[string](b, `document.querySelector("#map-off").textContent`); !strings.Contains(text, "elenco") {
		t.Errorf("without WebGL the page says %q", text)
	}
	if n := eval[int](b, `document.querySelectorAll(".row").length`); n != 9 {
		t.Errorf("%d rows", n)
	}
	b.axe("without WebGL")

	// No script at all: search and reveal are plain forms.
	b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	b.ask(ordinary())
	b.press("#reveal1")
	text, err := chromedp.Run(b.ctx, chromedp.TextContent(chromedp.CSS("#contacts1")))
	if err != nil || !strings.Contains(text, "Marta Colli") {
		t.Errorf("without script the contacts are %q (%v)", text, err)
	}
}

// TestTabKeepsTheCase ends the session under a question that is half asked.
func TestTabKeepsTheCase(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := openTab(t, w.server.URL, 1280, 900)
	b.signIn(w, officerName)
	b.open("/")
	b.fill(ordinary())
	if err := w.reg.DropExpired(t.Context(), noon.Add(day)); err != nil { // the shift is over
		t.Fatal(err)
	}
	b.press("#ask button[type=submit]")
	if text := eval[string](b, `document.querySelector("main").textContent`); !strings.Contains(text, "sessione") {
		t.Fatalf("without a session a question is answered with %q", text)
	}
	values := `["at", "time", "case_kind", "reason"].map(n => document.querySelector("#ask").elements.namedItem(n).value).join("|")`
	b.signIn(w, officerName)
	if got := eval[string](b, values); got != "9.18757,45.46408|20:45|annotation|Rapina in strada, due uomini in fuga verso piazza Duomo" {
		t.Errorf("after signing in again the form holds %q", got)
	}
	b.press("#ask button[type=submit]")
	b.until(ready)
	b.open("/")
	if got := eval[string](b, values); got != "||annotation|Rapina in strada, due uomini in fuga verso piazza Duomo" {
		t.Errorf("a new question of the same case begins with %q", got)
	}
	other := "Agente M. Neri"
	w.officer(other)
	b.press(".top-button")
	b.signIn(w, other)
	if got := eval[string](b, values); got != "|||" {
		t.Errorf("another officer in the same tab finds %q", got)
	}
}

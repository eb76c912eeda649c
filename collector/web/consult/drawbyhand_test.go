package consult

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/protocol/pages/pagestest"
)

// drawer draws on the map of a page, by real events.
type drawer struct {
	*pagestest.Tab
	t    *testing.T
	x, y float64 // the middle of the map in the window
}

func drawerOf(t *testing.T, b *pagestest.Tab) drawer {
	b.Do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
	at := pagestest.Eval[[]float64](b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector("#map").getBoundingClientRect())`)
	return drawer{b, t, at[0], at[1]}
}

// click clicks so many pixels right of and below the middle; the second click of
// two is the one that a browser counts so.
func (d drawer) click(right, below float64, count int) {
	d.Do(chromedp.MouseClickXY(d.x+right, d.y+below, chromedp.ClickCount(count)))
}

func (d drawer) drag(fromRight, fromBelow, toRight, toBelow float64) {
	d.Do(chromedp.DragAndDropXY(d.x+fromRight, d.y+fromBelow, d.x+toRight, d.y+toBelow, 4))
}

func (d drawer) keys(keys ...string) {
	for _, k := range keys {
		d.Do(chromedp.KeyEvent(k))
	}
}

// has waits until a field of the form holds so many corners, and gives them.
func (d drawer) has(field string, corners int) []string {
	d.t.Helper()
	d.Until(fmt.Sprintf(`document.querySelector("#ask [name=%s]").value.split(" ").filter(Boolean).length === %d`, field, corners))
	d.Until(fmt.Sprintf(`document.querySelectorAll(".corner").length === %d && document.querySelectorAll("#corners li").length === %d`, corners, corners))
	return strings.Fields(pagestest.Eval[string](d.Tab, fmt.Sprintf(`document.querySelector("#ask [name=%s]").value`, field)))
}

func (d drawer) draws(what string) {
	d.t.Helper()
	d.Until(fmt.Sprintf(`document.documentElement.dataset.mapDraws === %q`, what))
}

// An area is drawn by mouse, a route by keyboard alone; both stand in the form's
// own fields, are searched, and shown again to be changed.
// It is long because it is one way, step by step.
func TestDrawnByHand(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 1000)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	b.Until(ready)

	b.Click("#draw [data-draw=area]")
	d := drawerOf(t, b)
	d.draws("area")
	d.click(-150, -120, 1)
	d.has("area", 1)
	d.click(150, -120, 1)
	d.click(150, 150, 1)
	three := d.has("area", 3)
	if at := pagestest.Eval[string](b, `document.querySelector("#at").value`); at != "" {
		t.Errorf("with an area the place is still %q", at)
	}
	d.click(-150, 150, 1)
	d.has("area", 4)
	d.keys(kb.Backspace)
	if got := d.has("area", 3); strings.Join(got, " ") != strings.Join(three, " ") {
		t.Errorf("Backspace leaves %q of %q", got, three)
	}
	d = drawerOf(t, b)
	b.Until(`document.querySelector("#draw-state").textContent.includes("3")`)
	b.Check("drawing")

	// A corner is dragged; the click that ends it adds none.
	third := pagestest.Eval[[]float64](b, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelectorAll(".corner")[2].getBoundingClientRect())`)
	d.drag(third[0]-d.x, third[1]-d.y, 60, 170)
	b.Until(fmt.Sprintf(`document.querySelector("#ask [name=area]").value.split(" ")[2] !== %q`, three[2]))
	if got := d.has("area", 3); got[0] != three[0] || got[1] != three[1] {
		t.Errorf("dragging the third corner moves others: %q, before %q", got, three)
	}
	// A double click adds the last corner and ends.
	d.click(-120, 100, 1)
	d.has("area", 4)
	d.click(-120, 100, 2)
	d.draws("")
	four := d.has("area", 4)
	d.click(0, -20, 1)
	if got := pagestest.Eval[string](b, `document.querySelector("#ask [name=at]").value`); got != "" && !strings.Contains(got, ",") {
		t.Errorf("a click when nothing is drawn gives %q", got)
	}
	if got := d.has("area", 4); strings.Join(got, " ") != strings.Join(four, " ") {
		t.Errorf("a click after the end changes the area to %q", got)
	}
	b.Press("#ask button[type=submit]")
	b.Until(ready)
	if n := pagestest.Eval[int](b, `JSON.parse(document.querySelector("#map-data").textContent).area[0].length`); n != 5 {
		t.Errorf("the area that was searched has %d places, want 5: it is closed", n)
	}

	// It is there again; what is taken from the list leaves the field, too.
	if got := d.has("area", 4); strings.Join(got, " ") != strings.Join(four, " ") {
		t.Errorf("the area again is %q", got)
	}
	b.Do(chromedp.Focus(chromedp.CSS("#corners li:nth-child(2) button + button")), chromedp.KeyEvent(kb.Enter))
	if got := d.has("area", 3); got[1] != four[2] {
		t.Errorf("without its second corner the area is %q", got)
	}
	b.Do(chromedp.Focus(chromedp.CSS("#corners li:nth-child(1) button")), chromedp.KeyEvent(kb.Enter)) // to the middle
	b.Until(fmt.Sprintf(`!document.querySelector("#ask [name=area]").value.startsWith(%q)`, four[0]))
	b.Check("drawn-again")

	// A route, by keyboard alone, takes the area's place.
	b.Do(chromedp.Focus(chromedp.CSS("#draw [data-draw=route]")), chromedp.KeyEvent(kb.Enter))
	d.draws("route")
	b.Until(`document.activeElement.classList.contains("maplibregl-canvas")`)
	d.keys(" ")
	d.has("route", 1)
	d.keys(kb.ArrowRight, kb.Enter)
	d.has("route", 2)
	d.keys(kb.ArrowUp, " ", kb.ArrowRight, " ", kb.Backspace)
	d.has("route", 3)
	d.keys(kb.Enter, kb.Enter) // under the cross is a corner no longer there: once more, then the end
	d.draws("")
	route := d.has("route", 4)
	if got := pagestest.Eval[string](b, `document.querySelector("#ask [name=area]").value`); got != "" {
		t.Errorf("beside the route an area is asked for: %q", got)
	}
	if got := pagestest.Eval[string](b, `document.activeElement.id`); got != "draw-state" {
		t.Errorf("at the end the focus is on %q", got)
	}
	// A corner that has the focus goes where the arrows go.
	b.Do(chromedp.Focus(chromedp.CSS(".corner:last-of-type")))
	d.keys(kb.ArrowDown, kb.ArrowDown)
	b.Until(fmt.Sprintf(`!document.querySelector("#ask [name=route]").value.endsWith(%q)`, route[3]))
	d.keys(kb.Delete)
	d.has("route", 3)

	// Escape ends, and loses nothing.
	b.Do(chromedp.Focus(chromedp.CSS("#draw [data-draw=route]")), chromedp.KeyEvent(kb.Enter))
	d.draws("route")
	d.keys(kb.Escape)
	d.draws("")
	d.has("route", 3)
	b.Check("route-drawn")
	b.Press("#ask button[type=submit]")
	b.Until(ready)
	if n := pagestest.Eval[int](b, `document.querySelectorAll(".mark-point").length`); n != 2 {
		t.Errorf("%d signs, want the route's two ends", n)
	}
	b.Click("#draw-panel [data-do=clear]")
	d.has("route", 0)
	b.Resize(390, 844)
	b.Click("#draw [data-draw=area]")
	d.draws("area")
	b.Check("draw-390")
}

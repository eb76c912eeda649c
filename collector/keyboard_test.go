package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"anagrafe/protocol/pages/pagestest"
)

// markStops numbers, in the order of the page, what a person comes to with Tab: of the
// radio buttons of one group there is one stop.
const markStops = `(() => {
	const groups = new Set(), stops = [];
	for (const e of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")) {
		if (e.tabIndex < 0 || e.disabled || e.type === "hidden" || !e.checkVisibility({visibilityProperty: true})) continue;
		if (e.type === "radio") {
			const group = e.form + e.name;
			const chosen = [...document.getElementsByName(e.name)].find(o => o.checked);
			if (chosen ? chosen !== e : groups.has(group)) continue;
			groups.add(group);
		}
		stops.push(e);
	}
	stops.forEach((e, i) => e.dataset.stop = i);
	window.plain = stops.map(look);
	function look(e) {
		const shown = e.matches(".visually-hidden") ? e.parentElement : e; // a star is its label
		return [shown, ...shown.querySelectorAll("svg, path")].map(o => { const s = getComputedStyle(o); return [parseFloat(s.outlineWidth) && s.outlineStyle !== "none" && !/^rgba.*, 0\)$/.test(s.outlineColor) && s.outline, s.boxShadow, parseFloat(s.borderWidth) > 0 && s.borderColor, s.backgroundColor, s.stroke, s.fill].join() }).join();
	}
	window.look = look;
	document.activeElement.blur();
	return stops.length;
})()`

// stop is where the focus is: the number that markStops gave, and what is wrong there.
const stop = `(() => {
	const e = document.activeElement, at = Number(e.dataset.stop ?? -1), r = e.getBoundingClientRect();
	return {
		at, name: e.outerHTML.slice(0, 120),
		unseen: at >= 0 && (!e.matches(":focus-visible") || look(e) === plain[at]),
		outside: at >= 0 && (r.bottom < 0 || r.top > innerHeight),
	};
})()`

type tabStop struct {
	At      int
	Name    string
	Unseen  bool
	Outside bool
}

// walk presses Tab through a page: every control is reached once, in the order in which
// it stands, and shows that it has the focus; the first leads past the head of the page.
func walk(t *testing.T, b *pagestest.Tab, where string) {
	t.Helper()
	n := pagestest.Eval[int](b, markStops)
	if n < 10 {
		t.Errorf("%s: only %d controls", where, n)
	}
	for want := range n {
		b.Keys(kb.Tab)
		s := pagestest.Eval[tabStop](b, stop)
		if s.At != want {
			t.Fatalf("%s: Tab leads to %d %s, want %d %s", where, s.At, s.Name, want,
				pagestest.Eval[string](b, fmt.Sprintf(`document.querySelector("[data-stop='%d']").outerHTML.slice(0, 120)`, want)))
		}
		if s.Unseen || s.Outside {
			t.Errorf("%s: %s has the focus, and does not show it (out of the window: %t)", where, s.Name, s.Outside)
		}
	}
}

// skips follows the skip link: the next Tab is in the content.
func skips(t *testing.T, b *pagestest.Tab, where string) {
	t.Helper()
	pagestest.Eval[int](b, "(document.activeElement.blur(), scrollTo(0, 0), 0)")
	b.Reach(".skip-link")
	b.Keys(kb.Enter)
	b.Keys(kb.Tab)
	if !pagestest.Eval[bool](b, `document.querySelector("#content").contains(document.activeElement) && document.activeElement.id !== "content"`) {
		t.Errorf("%s: the skip link leads to %s", where, pagestest.Eval[string](b, "document.activeElement.outerHTML.slice(0, 120)"))
	}
}

// Who has no mouse reads the public pages, joins, reports and rates: on a screen and on
// a telephone with keys.
// It is long because it is one table.
func TestPublicPagesByKeyboard(t *testing.T) {
	for _, width := range []int64{390, 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			o := opened(t, t.TempDir(), func(*Config) {})
			sources, bad := checkPlaces(&placesReport{}, "addresses", []placesFile{{"civici", []byte("street,number,lon,lat\nVia Torino,1,9.186,45.463\n")}}, time.Now())
			if bad != nil {
				t.Fatal(bad)
			}
			if err := o.reg.PutGazetteer(t.Context(), sources); err != nil {
				t.Fatal(err)
			}
			if err := o.refreshPlaces(t.Context()); err != nil {
				t.Fatal(err)
			}
			h, err := o.publicHandler()
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			b := pagestest.Open(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), width, 900)
			at := func(want string) {
				t.Helper()
				if got := pagestest.Eval[string](b, "location.pathname"); got != want {
					t.Fatalf("at %s, want %s", got, want)
				}
			}
			for _, path := range []string{"/", "/statistiche", "/segnalazione", "/aderisci", "/aderisci/chi"} {
				b.Visit(path)
				skips(t, b, path)
				b.Visit(path)
				walk(t, b, path)
			}

			b.Visit("/")
			b.Reach("main a[href='/aderisci']")
			b.Follow(kb.Enter)
			at("/aderisci")
			b.Reach("main a.btn-primary")
			b.Follow(kb.Enter)
			for _, f := range [][2]string{{"site", "Bar Centrale"}, {"category", "B"}, {"name", "Anna Bianchi"}, {"phone", "02 5555 0101"}, {"email", "anna@example.it"}} {
				b.Reach("#f-" + f[0])
				b.Keys(f[1])
			}
			b.Reach(".form-go button.btn-primary")
			b.Follow(kb.Enter)
			walk(t, b, "the second step")
			b.Reach("#f-address")
			b.Keys("via Torino 1")
			b.Follow(kb.Enter)
			at("/aderisci/telecamere/nuova")

			b.Visit("/segnalazione")
			b.Reach("input[name=topic]")
			b.Keys(" ")
			b.Keys(kb.ArrowDown)
			b.Reach("#text")
			b.Keys("Il pulsante non si vede.")
			b.Reach("main form[action='/segnalazione'] button")
			b.Follow(kb.Enter)
			if pagestest.Eval[bool](b, `document.querySelector("#text") !== null`) {
				t.Error("the report was not taken")
			}

			b.Visit("/statistiche")
			b.Reach("a[download]")
			b.Reach("input[name=stars]")
			b.Keys(" ")
			for range 3 {
				b.Keys(kb.ArrowRight)
			}
			if got := pagestest.Eval[string](b, "document.activeElement.value"); got != "4" {
				t.Errorf("%s stars are chosen, want 4", got)
			}
			b.Reach("input[name=good]")
			b.Keys(" ")
			b.Reach(".rating-form button")
			b.Follow(kb.Enter)
			at("/valutazione")
		})
	}
}

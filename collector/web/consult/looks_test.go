package consult

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/protocol/pages/pagestest"
)

// media shows a page as on paper or screen, to a system with such wishes:
// "prefers-color-scheme", "dark", ...
func media(b *pagestest.Tab, kind string, features ...string) {
	p := emulation.SetEmulatedMediaParams{Media: kind}
	for i := 0; i+1 < len(features); i += 2 {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	b.Do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, p)
		return chromedp.Void{}, err
	})
}

// sees tells whether something is there and has a size.
func sees(b *pagestest.Tab, selector string) bool {
	return pagestest.Eval[bool](b, fmt.Sprintf(`(e => !!e && e.getClientRects().length > 0)(document.querySelector(%q))`, selector))
}

// mapTold becomes true once the script knows whether there is a map.
const mapTold = `["ready", "failed", "none"].includes(document.documentElement.dataset.map)`

const openAll = `document.querySelectorAll("details").forEach(d => d.open = true)`

// The page in the dark, in colours that the person has chosen, enlarged, by finger
// and on paper.
func TestLooks(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary("at", "9.25,45.50"))
	empty := pagestest.Eval[string](b, `location.pathname`)
	w.ask(b, ordinary())
	results := pagestest.Eval[string](b, `location.pathname`)
	b.Until(ready)
	b.Click("#reveal1")
	b.Until(`document.activeElement.id === "contacts1"`)
	b.Until(`!document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`)

	answered := func(name string) {
		t.Helper()
		b.Visit(results)
		b.Until(mapTold)
		b.Picture(name + "-top")
		b.Do(chromedp.Evaluate[chromedp.Void](openAll), chromedp.Evaluate[chromedp.Void](`document.querySelector("[data-draw=area]").click()`))
		b.Check(name + "-results")
	}
	media(b, "", "prefers-color-scheme", "dark")
	answered("dark")
	b.Visit(empty)
	b.Check("dark-empty")
	w.ask(b, ordinary("at", "dove?", "date", "2026-10-25", "time", "02:30", "until", "", "case_kind", "", "reason", ""))
	b.Check("dark-errors")
	if got := pagestest.Eval[string](b, `getComputedStyle(document.body).backgroundColor`); got != "rgb(15, 26, 38)" {
		t.Errorf("in the dark the page is %s", got)
	}
	withoutWebGL(b) // the map has been seen, and takes most of the time
	media(b, "", "forced-colors", "active", "prefers-color-scheme", "dark")
	answered("forced")
	media(b, "")
	b.Resize(640, 450) // 1280 x 900, twice as large
	answered("zoom-200")
	b.Resize(320, 225)
	answered("zoom-400")

	// Paper has the whole list and who printed it, white also in the dark.
	b.Resize(794, 1123)
	b.Visit(results)
	b.Until(mapTold)
	media(b, "print", "prefers-color-scheme", "dark")
	b.Check("print")
	if got := pagestest.Eval[string](b, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", got)
	}
	for selector, want := range map[string]bool{"#n9": true, "#contacts1": true, ".caseband-what": true, ".asked-proof": true, ".asked .only-print": true,
		"#map-box": false, "#reveal2": false, ".reveal-bar": false, "#export": false, ".top-button": false} {
		if got := sees(b, selector); got != want {
			t.Errorf("on paper %s is seen: %t", selector, got)
		}
	}
	if got := pagestest.Eval[string](b, `document.querySelector(".asked .only-print").textContent`); !strings.Contains(got, officerName) || !strings.Contains(got, "21/11/2026 14:30") {
		t.Errorf("paper says %q", got)
	}
	media(b, "")

	// What is done most is as large as a finger: 44 pixels.
	b.Do(chromedp.EmulateViewport(820, 1180, chromedp.EmulateMobile, chromedp.EmulateTouch))
	for _, page := range []struct {
		path  string
		large []string
	}{
		{"/", []string{"#ask button[type=submit]", ".when-chip label", "#at", "#other-ways summary"}},
		{results, []string{".row-n", "#reveal2", ".row .choice:has(#pick2)", ".reveal-bar .btn", ".contact .btn", ".row .sources summary"}},
	} {
		b.Visit(page.path)
		b.Until(mapTold)
		for _, selector := range page.large {
			if h := pagestest.Eval[float64](b, fmt.Sprintf(`document.querySelector(%q)?.getBoundingClientRect().height ?? 0`, selector)); h < 44 {
				t.Errorf("%s: %s is %v pixels high", page.path, selector, h)
			}
		}
	}
	b.Check("by-finger")
}

// A time at a click, and at a key; what is typed afterwards holds.
func TestChipsOnThePage(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	fields := func() string {
		return pagestest.Eval[string](b, `["when", "date", "time", "until"].map(n => document.querySelector("#ask").elements.namedItem(n).value).join("|")`)
	}
	b.Visit("/")
	b.Until(mapTold)
	b.Click("#when-yesterday + label")
	if got := fields(); got != "yesterday|2026-11-20|18:00|00:00" {
		t.Errorf("yesterday's evening is %s", got)
	}
	b.Do(chromedp.KeyEvent(kb.ArrowLeft))
	b.Until(`document.querySelector("#time").value === "22:00"`)
	b.Do(chromedp.SendKeys(chromedp.CSS("#time"), "x"))
	if got := fields(); got != "|2026-11-20|22:00x|06:00" {
		t.Errorf("after typing it is %s", got)
	}
	b.Click("#when-exact + label")
	b.Until(`document.activeElement.id === "time"`)

	// From the reason, where Enter is a new line; times are those of the question.
	w.fill(b, ordinary("date", "", "time", ""))
	b.Click("#when-hour + label")
	b.Do(chromedp.Focus(chromedp.CSS("#reason")))
	b.Do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.RunResponse(ctx, chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		return chromedp.Void{}, err
	})
	if got := pagestest.Eval[string](b, `document.querySelector(".asked-what").textContent`); !strings.Contains(got, "21 novembre 2026, ore 13:30 – 14:30") {
		t.Errorf("the last hour is %q", got)
	}
}

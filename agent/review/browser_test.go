package review

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

// need stops a test that lacks something of this machine: in CI that is a
// failure, elsewhere a skip that says what to do.
func need(t *testing.T, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		t.Fatal(what)
	default:
		t.Skip(what)
	}
}

// tab is one browser tab that notes what must not happen.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu   sync.Mutex
	seen []string // console errors, stopped content, requests to elsewhere
}

func openTab(t *testing.T, o *owner, width int64) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	path, err := exec.LookPath("chromium")
	need(t, err == nil, "no chromium on this machine: apt install chromium")
	need(t, pages.Built(), "front end not built: run make")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "it-IT")}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx, origin: "http://" + o.Addr}
	b.do(chromedp.EmulateViewport(width, 900))
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(o.NewLink()))
	return b
}

func (b *tab) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add := func(format string, args ...any) { b.seen = append(b.seen, fmt.Sprintf(format, args...)) }
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != b.origin || u.Path == pages.ReportPath {
			add("request: %s", e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		add("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// A page that answers 4xx on purpose is noted by the browser as an error.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			add("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// press clicks and waits for the page that follows.
func (b *tab) press(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
	}
}

func (b *tab) typed(selector, value string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), value))
}

// check looks at the page that is open: WCAG 2.1 A and AA by axe-core, no
// sideways scrolling, nothing from elsewhere, nothing stopped or thrown. With
// ANAGRAFE_PICTURES it also leaves a picture in that folder.
func (b *tab) check(name string) {
	b.t.Helper()
	source, err := os.ReadFile("../../protocol/pages/node_modules/axe-core/axe.min.js")
	need(b.t, err == nil, "axe-core is not installed: run make")
	b.do(chromedp.Evaluate[chromedp.Void](string(source)))
	found := eval[struct {
		Violations []struct {
			ID    string `json:"id"`
			Help  string `json:"help"`
			Nodes []struct {
				HTML    string `json:"html"`
				Summary string `json:"failureSummary"`
			} `json:"nodes"`
		} `json:"violations"`
		Passes int `json:"passes"`
	}](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"]})
		.then(r => ({violations: r.violations, passes: r.passes.length}))`)
	if found.Passes < 10 {
		b.t.Errorf("%s: axe checked next to nothing (%d rules)", name, found.Passes)
	}
	for _, v := range found.Violations {
		b.t.Errorf("%s: %s: %s: %s", name, v.ID, v.Help, v.Nodes[0].HTML+" "+v.Nodes[0].Summary)
	}
	if over := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		b.t.Errorf("%s is %d px too wide", name, over)
	}
	if folder := os.Getenv("ANAGRAFE_PICTURES"); folder != "" {
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.seen {
		b.t.Errorf("%s: %s", name, s)
	}
	b.seen = nil
}

// An owner who has never seen the pages follows the one next thing from the
// link to the calm page and back out, in a wide and in a narrow window, with
// every page on the way checked.
func TestTheOwnersWay(t *testing.T) {
	for _, tc := range []struct {
		name  string
		width int64
		lang  string
	}{{"wide-it", 1280, "it"}, {"narrow-en", 390, "en"}} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, locked())
			b := openTab(t, o, tc.width)
			visit := func(path string) {
				t.Helper()
				b.do(chromedp.Navigate(b.origin + path))
			}
			check := func(name string) { t.Helper(); b.check(tc.name + "-" + name) }
			check("01-link")
			b.press("main button")
			visit("/?lang=" + tc.lang)
			check("02-empty")
			b.press(".next button")
			<-o.Review.start() // joins, or repeats, the search of the page
			visit("/")
			check("03-found")
			if got := eval[string](b, "document.documentElement.lang"); got != tc.lang {
				t.Errorf("the page is in %s", got)
			}

			b.press(".next a")
			check("04-camera")
			b.typed("#position", "dietro l'angolo")
			b.press("main form button")
			check("05-camera-refused")
			if got := eval[string](b, "document.querySelector('#position').value"); got != "dietro l'angolo" {
				t.Errorf("what was typed is gone: %q", got)
			}
			all, err := o.Inventory.Cameras(t.Context())
			if err != nil || len(all) != 3 {
				t.Fatalf("%d cameras: %v", len(all), err)
			}
			for i, place := range []string{"45.464100, 9.185900", "45,4642 9,1861"} {
				visit("/cameras/" + all[i].ID)
				b.do(chromedp.Click(chromedp.CSS("#outdoor-yes")))
				b.typed("#position", place)
				b.typed("#direction", "225")
				b.typed("#angle", "80")
				b.typed("#range", "30")
				b.press("main form button")
			}
			visit("/credentials?device=" + all[2].Device.ID)
			check("06-password")
			visit("/")
			b.press("form[action='/refuse'] input[value='" + all[2].ID + "'] + button")
			check("07-contact-missing")
			b.press(".next a")
			b.typed("#name", "Anna Neri")
			b.press("main form button")
			check("08-contact-refused")
			b.typed("#phone", "+39 02 123456")
			b.press("main form button")
			b.press(".next a")
			b.typed("#code", "SBAGLIATO")
			b.press("main form button")
			check("09-code-refused")
			b.typed("#code", "GIUSTO")
			b.press("main form button")
			check("10-ready")
			b.press(".next a")
			check("11-summary")
			if eval[int](b, "document.querySelectorAll('input:checked').length") != 0 {
				t.Error("something is ticked beforehand")
			}
			b.press(".act form button")
			check("12-summary-refused")
			b.do(chromedp.Click(chromedp.CSS("#read")))
			b.press(".act form button")
			check("13-joined")
			all, err = o.Inventory.Cameras(t.Context())
			if err != nil || all[0].State != inventory.StateDeclared || all[1].State != inventory.StateDeclared || all[2].State != inventory.StateRefused {
				t.Fatalf("%s %s %s: %v", all[0].State, all[1].State, all[2].State, err)
			}
			if p := all[1].Declared.Position.Point; p.Lon != 9_186_100 || p.Lat != 45_464_200 {
				t.Errorf("declared at %+v", p)
			}
			visit("/outbox")
			check("14-outbox")
			visit("/status")
			check("15-status")
			visit("/withdraw?id=" + all[0].ID)
			check("16-withdraw")
			b.press("main form button")
			visit("/withdraw")
			b.press("main form button")
			check("17-withdrawn")
			visit("/no-such")
			check("18-error")
			b.do(chromedp.Navigate(o.NewLink() + "x"))
			check("19-closed")
		})
	}
}

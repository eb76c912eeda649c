// Package pagestest shows pages to a real browser, as net/http/httptest shows handlers to a
// client. It hides how chromium is found, started, watched and queried. Only tests
// import it.
//
// No page may cause a console error or warning, an exception, a policy violation or a request to
// another origin. Check adds WCAG 2.1 A and AA by axe-core and the page's width. None of that can
// be switched off, and what happens after the last Check fails the test at its end.
//
// The browser asks for Italian; ?lang=en gives English. With ANAGRAFE_PICTURES=DIR (an existing
// directory) screenshots are kept in DIR.
package pagestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/protocol/pages"
)

const (
	tabLimit  = 6 * time.Minute  // of one test's tab, under the race detector on a slow machine
	waitLimit = 90 * time.Second // of one Until: a map drawn in software takes its time
)

// Tab is one browser tab, and the only one of its browser. A step that does not
// succeed ends the test.
type Tab struct {
	t      testing.TB
	ctx    context.Context
	origin string
	axe    string // the source of axe-core

	mu   sync.Mutex
	seen []string // what must not happen, since the last Check
	acts Acts
}

// Need stops a test that lacks something of this machine: with CI=true that is
// a failure, elsewhere a skip that says what to do.
func Need(t testing.TB, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("CI") == "true":
		t.Fatal(what)
	default:
		t.Skip(what)
	}
}

// Open starts a browser whose window shows width x height CSS pixels and whose
// pages come from origin ("http://host:port"). Both end with the test.
func Open(t testing.TB, origin string, width, height int64) *Tab {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	path, err := exec.LookPath("chromium")
	Need(t, err == nil, "no chromium on this machine: apt install chromium")
	Need(t, pages.Built(), "front end not built: run make")
	axe, err := os.ReadFile(filepath.Join(moduleRoot(t), "protocol/pages/node_modules/axe-core/axe.min.js"))
	Need(t, err == nil, "axe-core is not installed: run make")

	ctx, cancel := context.WithTimeout(t.Context(), tabLimit)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, flags(path)...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	b := &Tab{t: t, ctx: ctx, origin: origin, axe: string(axe)}
	b.Resize(width, height)
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.report("after the last check", b.noted()) })
	return b
}

// flags starts chromium without a window, over a pipe, so that there is no port
// to guess or to share. It draws WebGL2 in software, and the same on every
// machine: no animation is half-way when a page is checked or pictured.
func flags(path string) []chromedp.ExecAllocatorOption {
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck}
	for _, name := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic",
		"disable-dev-shm-usage", "enable-unsafe-swiftshader", "force-prefers-reduced-motion", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(name, true))
	}
	for name, value := range map[string]string{"use-gl": "angle", "use-angle": "swiftshader", "force-color-profile": "srgb",
		"lang": "it-IT", "accept-lang": "it-IT,it"} {
		options = append(options, chromedp.Flag(name, value))
	}
	if os.Geteuid() == 0 { // chromium's sandbox refuses to start for root
		options = append(options, chromedp.NoSandbox)
	}
	return options
}

// moduleRoot is the folder of go.mod: a test runs in its own package's folder.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}

// Do runs steps of chromedp that have no name here.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Resize gives the window another size, in CSS pixels.
func (b *Tab) Resize(width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
}

// Visit opens a path of the origin, or a whole address.
func (b *Tab) Visit(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.origin + address
	}
	b.Do(chromedp.Navigate(address))
}

// still waits until what a selector finds stands still: a click goes to a point of
// the window, and on a busy machine a page may still move under it.
func (b *Tab) still(selector string) {
	b.t.Helper()
	place := fmt.Sprintf(`(e => { e?.scrollIntoView({block: "center", behavior: "instant"}); return JSON.stringify(e?.getBoundingClientRect() ?? null) })(document.querySelector(%q))`, selector)
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for before, same := "", 0; same < 3; {
		now := Eval[string](b, place) // also where the page may run no script of its own
		if now == before {
			same++
		} else {
			before, same = now, 0
		}
		select {
		case <-again.C:
		case <-b.ctx.Done():
			b.t.Fatalf("%s never stands still: %v", selector, b.ctx.Err())
		}
	}
}

// Click clicks what a CSS selector finds and stays on the page.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.still(selector)
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Press clicks and waits for the page that follows.
func (b *Tab) Press(selector string) {
	b.t.Helper()
	b.still(selector)
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
	}
}

// Enter presses the Enter key in a field and waits for the page that follows.
func (b *Tab) Enter(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.SendKeys(chromedp.CSS(selector), kb.Enter)); err != nil {
		b.t.Fatalf("press Enter in %s: %v", selector, err)
	}
}

// Fill puts a value into a field.
func (b *Tab) Fill(selector, value string) {
	b.t.Helper()
	b.Do(chromedp.SetValue(chromedp.CSS(selector), value))
}

// Until waits for a JavaScript expression to become true.
func (b *Tab) Until(expression string) {
	b.t.Helper()
	poll := chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(waitLimit), chromedp.WithPollingInterval(50*time.Millisecond))
	if _, err := chromedp.Run(b.ctx, poll); err != nil {
		b.t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// Eval returns the value of a JavaScript expression, of a promise what it holds.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

package consult

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

// basemapFile is the real map of Milan beside the project.
func basemapFile(t *testing.T) string {
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../../shared"
	}
	path := filepath.Join(shared, "data/basemap/milano-basemap.pmtiles")
	_, err := os.Stat(path)
	need(t, err == nil, "no basemap at "+path+": set ANAGRAFE_SHARED to the folder with the shared data")
	return path
}

// tab is one browser tab that notes what must not happen.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu   sync.Mutex
	seen []string // console errors, refused content, requests to elsewhere
}

// openTab starts a browser for a test. Without chromium, or with a program in
// which the front end was not built, there is nothing to test.
func openTab(t *testing.T, origin string, width, height int64) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	path, err := exec.LookPath("chromium")
	need(t, err == nil, "no chromium on this machine: apt install chromium")
	need(t, pages.Built(), "front end not built: run make (or npm ci and bundle.go, see protocol/pages)")
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	t.Cleanup(cancel)
	opts := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Flag("lang", "it-IT"), chromedp.Flag("accept-lang", "it-IT,it")}
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx, origin: origin}
	b.do(chromedp.EmulateViewport(width, height))
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add := func(format string, args ...any) { b.seen = append(b.seen, fmt.Sprintf(format, args...)) }
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		switch {
		case err != nil || u.Scheme != "data" && u.Scheme != "blob" && u.Scheme+"://"+u.Host != b.origin:
			add("request to elsewhere: %s", e.Request.URL)
		case u.Path == pages.ReportPath:
			add("content was stopped by the policy")
		case strings.HasSuffix(e.Request.URL, "/favicon.ico"):
			add("the browser asks for an icon that is not there")
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var text []string
			for _, a := range e.Args {
				text = append(text, string(a.Value)+a.Description)
			}
			add("console %s: %s", e.Type, strings.Join(text, " "))
		}
	case *runtime.EventExceptionThrown:
		add("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		// A page that answers 4xx on purpose is noted by the browser as an error.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			add("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

// clean fails the test for everything noted so far.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.seen {
		b.t.Error(s)
	}
	b.seen = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.origin + path)) }

// eval gives the value of a JavaScript expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a JavaScript expression to become true.
func (b *tab) until(expression string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(90*time.Second), chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		b.t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// press clicks and waits for the page that follows.
func (b *tab) press(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
	}
}

// signIn signs an officer in with their credential.
func (b *tab) signIn(w *town, name string) {
	b.t.Helper()
	b.open("/login")
	credential := fmt.Sprintf(`{"server":%q,"user":%q,"secret":%q,"trail_key":""}`, w.server.URL, w.users[name].ID, w.secrets[name])
	b.do(chromedp.SetValue(chromedp.CSS("#credential"), credential))
	b.press("main form button[type=submit]")
}

// axe runs axe-core and reports what breaks WCAG 2.1 A and AA.
func (b *tab) axe(where string) {
	b.t.Helper()
	source, err := os.ReadFile("../../../protocol/pages/node_modules/axe-core/axe.min.js")
	need(b.t, err == nil, "axe-core is not installed: run make")
	if eval[string](b, "typeof axe") == "undefined" {
		b.do(chromedp.Evaluate[chromedp.Void](string(source)))
	}
	type violation struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML    string `json:"html"`
			Summary string `json:"failureSummary"`
		} `json:"nodes"`
	}
	found := eval[struct {
		Violations []violation `json:"violations"`
		Passes     int         `json:"passes"`
	}](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"]})
		.then(r => ({violations: r.violations, passes: r.passes.length}))`)
	if found.Passes < 10 {
		b.t.Errorf("%s: axe checked next to nothing (%d rules)", where, found.Passes)
	}
	for _, v := range found.Violations {
		for _, n := range v.Nodes {
			b.t.Errorf("%s: axe %s: %s\n%s\n%s", where, v.ID, v.Help, n.HTML, n.Summary)
		}
	}
}

// picture writes what the tab shows to ANAGRAFE_PICTURES/name.png, when asked.
func (b *tab) picture(name string, whole bool) {
	b.t.Helper()
	dir := os.Getenv("ANAGRAFE_PICTURES")
	if dir == "" {
		return
	}
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

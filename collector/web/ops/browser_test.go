package ops

import (
	"context"
	"fmt"
	"net"
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

	"anagrafe/collector/registry"
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
	name   string // of the variant, for pictures

	mu   sync.Mutex
	seen []string
}

func openTab(t *testing.T, origin, name string, width int64) *tab {
	t.Helper()
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
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, origin: origin, name: name}
	b.do(chromedp.EmulateViewport(width, 900))
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != b.origin || u.Path == pages.ReportPath {
			b.seen = append(b.seen, "request: "+e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		b.seen = append(b.seen, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// An answer of 4xx, given on purpose, is an error to the browser.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			b.seen = append(b.seen, "console: "+e.Entry.Text)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.origin + path))
}

// press clicks and waits for the page that follows.
func (b *tab) press(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v", selector, err)
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

// check holds the page on show to WCAG 2.1 AA as far as axe sees, to its
// width, and to silence; ANAGRAFE_PICTURES=DIR also keeps a picture.
func (b *tab) check(where string) {
	b.t.Helper()
	source, err := os.ReadFile("../../../protocol/pages/node_modules/axe-core/axe.min.js")
	need(b.t, err == nil, "axe-core is not installed: run make")
	b.do(chromedp.Evaluate[chromedp.Void](string(source)))
	found := eval[[]string](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
		.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary)).concat(r.passes.length < 10 ? ["next to nothing checked"] : []))`)
	if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		found = append(found, fmt.Sprintf("the page is %d px wider than the screen", over))
	}
	b.mu.Lock()
	found = append(found, b.seen...)
	b.seen = nil
	b.mu.Unlock()
	for _, f := range found {
		b.t.Errorf("%s: %s", where, f)
	}
	if dir := os.Getenv("ANAGRAFE_PICTURES"); dir != "" {
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "ops-"+where+"-"+b.name+".png"), png, 0o644)
		}
		if err != nil {
			b.t.Error(err)
		}
	}
}

// serve opens the console on a loopback port, without TLS, as on a first try.
func (d *desk) serve() (origin string) {
	d.t.Helper()
	l, err := d.web.Listen("127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(d.t.Context())
	served := make(chan error, 1)
	go func() { served <- d.web.Serve(ctx, d.pages, l) }()
	d.t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			d.t.Error(err)
		}
	})
	return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
}

func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.enrol("Bar Centrale")
			admin, _ := d.user(registry.RoleAdmin, "")
			d.user(registry.RoleOps, "")
			link, err := d.web.NewLink(t.Context(), d.serve(), admin, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			origin, path, _ := strings.Cut(link, "/login")
			b := openTab(t, origin, name, c.width)
			b.open("/login?lang=" + string(c.lang))
			b.check("login")
			b.do(chromedp.SetValue(chromedp.CSS("#credential"), "hello"))
			b.press("main form button[type=submit]")
			b.check("login-refused")
			b.open("/login" + path)
			b.check("link")
			b.press("main form button[type=submit]")
			b.check("overview") // the cookie is kept on http://localhost, or this would be the login
			b.do(chromedp.SetValue(chromedp.CSS("#address"), strings.Repeat("a", 400)), chromedp.SetValue(chromedp.CSS("#site"), " "))
			b.press("form[action='/invite'] button")
			b.check("invite-refused")
			b.do(chromedp.SetValue(chromedp.CSS("#site"), "Farmacia San Carlo"), chromedp.SetValue(chromedp.CSS("#address"), "Via Torino 1"))
			b.press("form[action='/invite'] button")
			if code := eval[string](b, `document.querySelector("code.code").textContent`); len(code) < 12 {
				t.Errorf("code %q", code)
			}
			b.check("invited")
			b.open("/agents")
			b.do(chromedp.Click(chromedp.CSS("summary")))
			b.check("agents")
			b.press("form[action^='/agents/'] button")
			b.check("agents-revoked")
			b.open("/users")
			b.check("users")
			b.do(chromedp.SetValue(chromedp.CSS("#name"), "Carla Riva"), chromedp.SetValue(chromedp.CSS("#role"), registry.RoleForceAdmin),
				chromedp.SetValue(chromedp.CSS("#force"), "Questura di Milano"))
			b.press("form[action='/users'] button")
			b.check("users-refused")
			b.do(chromedp.SetValue(chromedp.CSS("#recipient"), recipient(t)))
			b.press("form[action='/users'] button")
			file := eval[string](b, `document.querySelector("a[download]").href`)
			if !strings.HasPrefix(file, "data:application/json;base64,") {
				t.Errorf("the credential file is at %q", file)
			}
			b.check("added")
			b.open("/nowhere")
			b.check("missing")
			b.press("form[action='/logout'] button")
			b.open("/users")
			if at := eval[string](b, `location.pathname`); at != "/login" {
				t.Errorf("signed out, and yet at %s", at)
			}
		})
	}
}

package audit

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// serve opens the consultation listener on a loopback port.
func (m *room) serve() (port int) {
	m.t.Helper()
	l, err := m.web.Listen("127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(m.t.Context())
	served := make(chan error, 1)
	go func() { served <- m.web.Serve(ctx, m.handler, l) }()
	m.t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			m.t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// An auditor signs in with the credential file and reads their page: on
// http://127.0.0.1 too the browser keeps the __Host- cookie.
func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	chromium, err := exec.LookPath("chromium")
	need(t, err == nil, "no chromium on this machine: apt install chromium")
	need(t, pages.Built(), "front end not built: run make")
	axe, err := os.ReadFile("../../../protocol/pages/node_modules/axe-core/axe.min.js")
	need(t, err == nil, "axe-core is not installed: run make")
	m := newRoom(t)
	m.consult(3)
	secret := m.user(registry.RoleForceAuditor)
	users, err := m.reg.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	origin := fmt.Sprintf("http://127.0.0.1:%d", m.serve())

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium), chromedp.Headless, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "it-IT")}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.EmulateViewport(390, 900), chromedp.Navigate(origin+"/audit"),
		chromedp.SetValue(chromedp.CSS("#credential"), fmt.Sprintf(`{"server":%q,"user":%q,"secret":%q,"trail_key":""}`, origin, users[0].ID, secret)))
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("main form button[type=submit]"))); err != nil {
		t.Fatal(err)
	}
	for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
		do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(origin+"/audit"), chromedp.Evaluate[chromedp.Void](string(axe)))
		found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
			.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary))
				.concat(r.passes.length < 10 ? ["next to nothing checked"] : [])
				.concat(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["wider than the screen"] : [])
				.concat(document.querySelector("dl code") ? [] : ["this is not the auditors' page: " + location]))`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s: %s", name, f)
		}
		if dir := os.Getenv("ANAGRAFE_PICTURES"); dir != "" {
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "audit-"+name+".png"), png, 0o644)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	if err != nil || !strings.Contains(text, m.trail.VerifierKey()) {
		t.Errorf("%s, %v", text, err)
	}
}

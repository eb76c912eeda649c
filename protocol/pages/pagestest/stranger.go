package pagestest

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"anagrafe/protocol/pages"
)

// Stranger starts a browser that also opens other people's pages: what those try is
// what the test is about, so nothing that is seen fails it, and Check is not for it.
// more are flags of chromium's, such as "host-resolver-rules" or "user-agent".
func Stranger(t testing.TB, more map[string]string) *Tab {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	path, err := exec.LookPath("chromium")
	Need(t, err == nil, "no chromium on this machine: apt install chromium")
	Need(t, pages.Built(), "front end not built: run make")
	options := flags(path)
	// One process for all frames, so that Frames sees them.
	options = append(options, chromedp.Flag("disable-site-isolation-trials", true), chromedp.Flag("disable-features", "IsolateOrigins,site-per-process"))
	for name, value := range more {
		options = append(options, chromedp.Flag(name, value))
	}
	ctx, cancel := context.WithTimeout(t.Context(), tabLimit)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	b := &Tab{t: t, ctx: ctx}
	b.Resize(1280, 900)
	return b
}

// Frames are the addresses of the frames in the page on show: one whose content was
// refused has an address of the browser's own.
func (b *Tab) Frames() (addresses []string) {
	b.t.Helper()
	for _, f := range call(b, page.GetFrameTree, cdp.Empty{}).FrameTree.ChildFrames {
		addresses = append(addresses, f.Frame.URL)
	}
	return addresses
}

// CopyCookies gives this browser what another one keeps for an origin, as a thief of
// its files would have it.
func (b *Tab) CopyCookies(from *Tab, origin string) (n int) {
	b.t.Helper()
	for _, c := range call(from, network.GetCookies, network.GetCookiesParams{URLs: []string{origin}}).Cookies {
		call(b, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: origin, Path: c.Path, Secure: &c.Secure})
		n++
	}
	return n
}

package pagestest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Acts are what a person has done to a tab's pages, as the pages saw it: events that
// the browser vouches for (isTrusted), not what the test meant to do.
type Acts struct {
	Keys   int // keydown, Tab and Enter included
	Clicks int // by mouse or finger: a button that a key presses counts as the key
	Fields int // that were typed into; one to which a person comes back counts again
}

const (
	world = "anagrafe-acts" // of its own, where no page can reach
	told  = "anagrafeActs"
)

// countActs runs before any script of a page. A click on a label is two: the second
// is the browser's, on what is labelled, in the same instant.
const countActs = `{
	let last = -1, field = null;
	addEventListener("input", e => {
		if (e.isTrusted && e.target !== field && e.target.matches("textarea, input:not([type=radio], [type=checkbox], [type=range])")) {
			field = e.target;
			` + told + `("field");
		}
	}, true);
	addEventListener("keydown", e => { if (e.isTrusted) ` + told + `("key"); }, true);
	addEventListener("click", e => { if (e.isTrusted && e.detail > 0 && e.timeStamp !== last) { last = e.timeStamp; ` + told + `("click"); } }, true);
}`

// Watch counts from now on what is done to the pages that the tab opens.
func (b *Tab) Watch() {
	b.t.Helper()
	call(b, runtime.AddBinding, runtime.AddBindingParams{Name: told, ExecutionContextName: world})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: countActs, WorldName: world})
	if err := chromedp.Listen(b.ctx, func(event any) {
		if e, ok := event.(*runtime.EventBindingCalled); ok && e.Name == told {
			b.mu.Lock()
			defer b.mu.Unlock()
			switch e.Payload {
			case "key":
				b.acts.Keys++
			case "click":
				b.acts.Clicks++
			case "field":
				b.acts.Fields++
			}
		}
	}); err != nil {
		b.t.Fatal(err)
	}
}

// Acts returns what was done since Watch.
func (b *Tab) Acts() Acts {
	Eval[int](b, "0") // what was told before is told now
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acts
}

// Keys presses keys one after the other, where the focus is: text, or those of
// chromedp's package kb.
func (b *Tab) Keys(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys, options...))
}

// Follow presses keys and waits for the page that follows.
func (b *Tab) Follow(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(keys, options...)); err != nil {
		b.t.Fatalf("press %q: %v", keys, err)
	}
}

// Drag takes what a CSS selector finds by its middle with the mouse and lets it go so
// many pixels to the right and down.
func (b *Tab) Drag(selector string, right, down float64) {
	b.t.Helper()
	b.still(selector)
	at := Eval[[]float64](b, fmt.Sprintf(`(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())`, selector))
	const parts = 4 // a hand does not jump
	b.Do(chromedp.MouseEvent(chromedp.MousePressed, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for i := range parts {
		part := float64(i+1) / parts
		b.Do(chromedp.MouseEvent(chromedp.MouseMoved, at[0]+right*part, at[1]+down*part, chromedp.ButtonLeft))
	}
	b.Do(chromedp.MouseEvent(chromedp.MouseReleased, at[0]+right, at[1]+down, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// maxTabs is how often Tab is pressed to reach something.
const maxTabs = 150

// Reach presses Tab until what a CSS selector finds has the focus, as a user without a
// mouse does, and fails where that cannot be seen.
func (b *Tab) Reach(selector string) {
	b.t.Helper()
	here := fmt.Sprintf(`document.activeElement?.matches(%q) ?? false`, selector)
	for n := 0; !Eval[bool](b, here); n++ {
		if n == maxTabs {
			b.t.Fatalf("%s is not reached by %d times Tab", selector, n)
		}
		b.Keys(kb.Tab)
	}
	if !Eval[bool](b, `document.activeElement.matches(":focus-visible")`) {
		b.t.Errorf("%s has the focus, and does not show it", selector)
	}
}

// Downloads returns the folder where the browser puts, from now on, what it is given to
// keep. It is empty.
func (b *Tab) Downloads() string {
	b.t.Helper()
	dir := b.t.TempDir()
	call(b, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
	return dir
}

// Downloaded waits for a whole file whose name ends so, takes it out of the folder,
// and gives its name and content.
func (b *Tab) Downloaded(dir, ending string) (string, []byte) {
	b.t.Helper()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			b.t.Fatal(err)
		}
		whole := !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".crdownload") })
		if i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ending) }); i >= 0 && whole {
			content, err := os.ReadFile(names[i])
			if err == nil {
				err = os.Remove(names[i])
			}
			if err != nil {
				b.t.Fatal(err)
			}
			return filepath.Base(names[i]), content
		}
		select {
		case <-again.C:
		case <-b.ctx.Done():
			b.t.Fatalf("no file %s was downloaded, but %q: %v", ending, names, b.ctx.Err())
		}
	}
}

package pagestest_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// witness stands for the test that uses the package and keeps what it is told.
type witness struct {
	testing.TB
	said  []string
	atEnd []func()
}

func (w *witness) Errorf(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}
func (w *witness) Cleanup(end func()) { w.atEnd = append(w.atEnd, end) }

// end does what the runner of tests does when a test is over.
func (w *witness) end() {
	for _, end := range slices.Backward(w.atEnd) {
		end()
	}
}

// lacking stands for a test on a machine that lacks something.
type lacking struct{ testing.TB }

type verdict struct{ how, what string }

// Both unwind to the caller, as they do to the runner of tests.
func (lacking) Fatal(args ...any) { panic(verdict{"failed", fmt.Sprint(args...)}) }
func (lacking) Skip(args ...any)  { panic(verdict{"skipped", fmt.Sprint(args...)}) }

const sound = `<!doctype html><html lang="it"><head><title>Prova</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"></head><body><main><h1>Prova</h1>
<form method="get"><label for="a">Via</label><input id="a" name="a"><button>Avanti</button></form>
<ul><li><a href="/">Inizio</a></li></ul><p>Testo</p><img src="data:," alt="niente">%s</main></body></html>`

// One page for each thing that must not happen, and what is said of it.
var faults = map[string]struct{ part, said string }{
	"/sound":     {``, ""},
	"/label":     {`<input name="b">`, "axe label"},
	"/wide":      {`<div style="width:3000px">x</div>`, "px wider than the window"},
	"/error":     {`<script>console.error("rotto", 1)</script>`, `console error: "rotto"`},
	"/warning":   {`<script>console.warn("quasi")</script>`, "console warning"},
	"/exception": {`<script>throw new Error("cade")</script>`, "exception: Uncaught"},
	"/elsewhere": {`<script src="http://127.0.0.2:9/x.js"></script>`, "request to elsewhere: http://127.0.0.2:9/x.js"},
	"/policy":    {`<script>document.title = "dentro"</script>`, "content was stopped by the policy"},
	"/blob":      {`<script>fetch(URL.createObjectURL(new Blob(["x"])))</script>`, "request to elsewhere: blob:"},
	"/icon":      {`<img src="/favicon.ico" alt="">`, "asks for an icon"},
}

func site(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, known := faults[r.URL.Path]
		switch {
		case r.URL.Path == "/policy":
			pages.SecureHeaders(w.Header())
		case r.URL.Path == "/empty":
			fmt.Fprint(w, `<!doctype html><html lang="it"><head><title>Vuota</title></head></html>`)
			return
		case !known:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, sound, fault.part)
	}))
	t.Cleanup(s.Close)
	return s
}

// Each fault is found on its own page, and a sound page has none.
func TestEveryFaultIsFound(t *testing.T) {
	w := &witness{TB: t}
	defer w.end()
	b := pagestest.Open(w, site(t).URL, 390, 700)
	for path, fault := range faults {
		w.said = nil
		b.Visit(path)
		b.Check("look")
		all := strings.Join(w.said, "\n")
		switch {
		case fault.said == "" && all != "":
			t.Errorf("%s: %s", path, all)
		case !strings.Contains(all, fault.said) || fault.said != "" && !strings.Contains(all, "look: "):
			t.Errorf("%s: found %q, want %q", path, all, fault.said)
		}
	}
	w.said = nil
	b.Visit("/empty")
	b.Check("look")
	if all := strings.Join(w.said, "\n"); !strings.Contains(all, "axe checked next to nothing") {
		t.Errorf("an empty page: %q", all)
	}
}

// What is seen after the last Check still fails the test.
func TestTheEndIsWatchedToo(t *testing.T) {
	w := &witness{TB: t}
	b := pagestest.Open(w, site(t).URL, 390, 700)
	b.Visit("/sound")
	b.Check("first")
	b.Visit("/error")
	if pagestest.Eval[string](b, "document.title") != "Prova" || len(w.said) > 0 {
		t.Fatalf("%q", w.said)
	}
	w.end()
	if len(w.said) != 1 || !strings.Contains(w.said[0], "after the last check: console error") {
		t.Errorf("%q", w.said)
	}
}

// The steps of a story, the size of the window and the pictures of it.
func TestStepsAndPictures(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ANAGRAFE_PICTURES", dir)
	b := pagestest.Open(t, site(t).URL, 600, 500)
	b.Visit("/sound")
	b.Click("#a")
	b.Until(`document.activeElement.id === "a"`)
	b.Fill("#a", "Torino 1")
	b.Press("button")
	if got := pagestest.Eval[string](b, "Promise.resolve(location.search)"); got != "?a=Torino+1" {
		t.Errorf("sent %q", got)
	}
	b.Resize(700, 400)
	b.Check("whole")
	b.Picture("window")
	for _, name := range []string{"whole", "window"} {
		raw, err := os.ReadFile(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if size, _, err := image.DecodeConfig(bytes.NewReader(raw)); err != nil || size.Width != 700 || size.Height != 400 {
			t.Errorf("%s is %d x %d: %v", name, size.Width, size.Height, err)
		}
	}
}

// A machine without a browser says what to install; in CI that is a failure.
func TestNoBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("browser tests are left out with -short")
	}
	t.Setenv("PATH", t.TempDir())
	for ci, want := range map[string]string{"true": "failed", "": "skipped"} {
		t.Setenv("CI", ci)
		func() {
			defer func() {
				if got, _ := recover().(verdict); got.how != want || !strings.Contains(got.what, "apt install chromium") {
					t.Errorf("CI=%q: %+v, want it %s", ci, got, want)
				}
			}()
			pagestest.Open(lacking{t}, "http://127.0.0.1:9", 390, 700)
		}()
	}
}

package consult

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"anagrafe/protocol/pages/pagestest"
)

// TestPaperPages is an officer's way from an answer to a request, a sheet and a
// dossier, on a desk and on a phone, in both languages.
func TestPaperPages(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1280, 880)
	both := func(name string) {
		t.Helper()
		b.Check(name + "-1280")
		b.Resize(390, 880)
		b.Check(name + "-390")
		b.Resize(1280, 880)
	}
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	answer := pagestest.Eval[string](b, `location.pathname`)
	b.Click("#pick1")
	b.Press("#papers")
	both("paper-form")
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#place").value = ""`))
	b.Press("main form button[type=submit]")
	b.Until(`document.querySelector("#place-error") !== null`)
	b.Check("paper-form-wrong")
	b.Fill("#place", "Via Orefici 5")
	b.Fill("#office", "Squadra mobile")
	b.Fill("#phone", "+39 02 62261")
	b.Press("main form button[type=submit]")
	b.Until(`location.pathname.startsWith("/papers/")`)
	both("paper")
	if text := pagestest.Eval[string](b, `document.querySelector(".paper").textContent`); !strings.Contains(text, "Squadra mobile") || !strings.Contains(text, "art. 348 c.p.p.") {
		t.Errorf("the paper says %q", text)
	}
	// The browser gets the file that the link leads to.
	if kind := pagestest.Eval[bool](b, `(r => (r.open("GET", document.querySelector("a[href$='.pdf']").href, false), r.send(), r.getResponseHeader("Content-Type") === "application/pdf" && r.responseText.startsWith("%PDF-")))(new XMLHttpRequest())`); !kind {
		t.Error("the link does not lead to a PDF")
	}
	paper := pagestest.Eval[string](b, `location.pathname`)
	b.Visit(paper + "?lang=en")
	b.Check("paper-en")
	b.Visit(paper + "?lang=it")
	b.Press(".caseband-to a[href$='/papers']")
	b.Until(`document.querySelector("#dossier-title") !== null`)
	both("papers")
	b.Visit(answer)
	b.Click("#pick1")
	b.Click("#pick3")
	b.Press("#patrol")
	b.Until(`document.querySelector(".paper") !== null`)
	both("patrol")
}

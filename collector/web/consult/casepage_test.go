package consult

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"anagrafe/protocol/pages/pagestest"
)

// TestCasePages is an officer's way through a case: asks, reveals, says that they
// called, shares, gives the reference; every page with axe, narrow in
// Italian and wide in English.
func TestCasePages(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	conti, _ := w.carabinieri()
	b := pagestest.Open(t, w.server.URL, 1280, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary("case_ref", ""))
	results, id := pagestest.Eval[string](b, `location.pathname`), w.onlyCase().ID
	band := func() string {
		return pagestest.Eval[string](b, `document.querySelector(".caseband").textContent`)
	}
	if got := band(); !strings.Contains(got, "riferimento da comunicare entro 24/11") || !strings.Contains(got, "due uomini in fuga") {
		t.Errorf("the band says %q", got)
	}
	b.Do(chromedp.Click(chromedp.CSS("#reveal1")))
	b.Until(`!!document.querySelector("#called1") && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`)
	b.Do(chromedp.Evaluate[chromedp.Void](`window.same = true`))
	b.Do(chromedp.Click(chromedp.CSS("#called1")))
	b.Until(`document.querySelector("#n1 .row-called")?.textContent.includes("Chiamato")`)
	if !pagestest.Eval[bool](b, `window.same === true`) {
		t.Error("the word on a call loaded the page again")
	}

	b.Press(".caseband a[href^='/cases/']")
	if n := pagestest.Eval[int](b, `document.querySelectorAll(".history li").length`); n != 4 {
		t.Errorf("the case tells of %d acts", n)
	}
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".case-acts").open = true`))
	b.Fill("#refer-ref", "2026/118")
	b.Press(`form[action$="/refer"] button`)
	if got := band(); !strings.Contains(got, "Annotazione 2026/118") || strings.Contains(got, "entro") {
		t.Errorf("once the reference is given the band says %q", got)
	}
	if res := w.inside(officerName, id, "share", url.Values{"force": {"Carabinieri"}}); res.status != 303 {
		t.Fatal(res.status)
	}
	w.send("POST", "/search", officerName, exact("case_ref", ""), false) // a second case, that has no number
	for lang, width := range map[string]int64{"it": 390, "en": 1280} {
		b.Resize(width, 900)
		for name, path := range map[string]string{"case": "/cases/" + id, "cases": "/cases", "mine": "/mine", "called": results, "new": "/"} {
			b.Visit(path + "?lang=" + lang)
			b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details:not(.sources)").forEach(d => d.open = true)`))
			b.Check(fmt.Sprintf("%s-%s-%d", name, lang, width))
		}
	}
	b.Press(".top-button")
	w.signIn(b, conti)
	b.Visit("/cases/" + id + "?lang=it")
	if got := band(); !strings.Contains(got, "di Questura") {
		t.Errorf("to another force the band says %q", got)
	}
	b.Check("foreign")
}

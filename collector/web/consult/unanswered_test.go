package consult

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// revealed asks, reveals a site and gives the form that reports it.
func (w *town) revealed(site string) (search string, form url.Values) {
	w.t.Helper()
	a := w.answer(exact())
	if res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {site}}, false); res.status != http.StatusOK {
		w.t.Fatalf("%d %s", res.status, res.body)
	}
	return a.Search, url.Values{"search": {a.Search}, "site": {site}}
}

// mailed counts the messages that wait for a site's contacts: the addresses of the
// town are one.
func (w *town) mailed() int {
	w.t.Helper()
	due, err := w.reg.DueMail(context.Background(), noon, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(due)
}

// Nobody answers: one entry on the trail, then the owner is asked to check, and the
// page says so.
func TestUnansweredContact(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	site := ids["Farmacia Orefici"]
	search, form := w.revealed(site)
	res := w.send("POST", "/unanswered", officerName, form, false)
	var got jsonUnanswered
	if err := json.Unmarshal([]byte(res.body), &got); err != nil || res.status != http.StatusOK || got.SiteID != site || !got.At.Equal(noon) || got.Trail.Checkpoint == "" {
		t.Fatalf("%d %s", res.status, res.body)
	}
	entries := w.entries("unanswered")
	if len(entries) != 1 || entries[0].Content.Case != w.onlyCase().ID {
		t.Fatalf("%+v", entries)
	}
	if d := string(entries[0].Content.Details); !strings.Contains(d, site) || !strings.Contains(d, `"search_index":`) || strings.Contains(d, "Marta") {
		t.Errorf("on the trail: %s", d)
	}
	if n := w.mailed(); n != 1 {
		t.Errorf("%d messages", n)
	}
	page := w.send("GET", "/search/"+search, officerName, nil, true).body
	if !strings.Contains(page, "Segnalato alle 14:30") || strings.Contains(page, `id="unanswered1"`) {
		t.Error("the page does not say that it was reported, or offers it again")
	}
	// Again is no second report.
	if res := w.send("POST", "/unanswered", officerName, form, false); res.status != http.StatusOK || !strings.Contains(res.body, fmt.Sprintf(`"index":%d`, got.Trail.Index)) {
		t.Errorf("again: %d %s", res.status, res.body)
	}
	if n := len(w.entries("unanswered")); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// The site has left the answer since its contacts were shown: its owner has suspended it,
// and it is asked for with the next page.
func TestUnansweredContactOfASiteThatIsSuspended(t *testing.T) {
	w := newTown(t)
	site := w.declare(crowds(125, 30)...)["Stazione, binario 4"]
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	form := url.Values{"search": {strings.TrimPrefix(at, "/search/")}, "site": {site}}
	w.send("POST", "/reveal", officerName, form, false)
	if err := w.reg.Act(t.Context(), site, protocol.SiteSuspended, noon); err != nil {
		t.Fatal(err)
	}
	w.send("GET", at+"?page=2", officerName, nil, true)
	if res := w.send("POST", "/unanswered", officerName, form, true); res.status != http.StatusSeeOther || w.mailed() != 1 {
		t.Errorf("%d %s, %d messages", res.status, res.body, w.mailed())
	}
	if page := w.send("GET", "/cases/"+w.onlyCase().ID, officerName, nil, true).body; !strings.Contains(page, "Stazione, binario 4") {
		t.Error("the case does not say who was called")
	}
}

func TestRefusedUnanswered(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	site := ids["Farmacia Orefici"]
	search, form := w.revealed(site)
	const colleague = "Assistente P. Longo"
	w.officer(colleague)
	for name, c := range map[string]struct {
		officer string
		form    url.Values
		status  int
		want    string
	}{
		"a stranger":              {"", form, http.StatusUnauthorized, ""},
		"another officer":         {colleague, form, http.StatusNotFound, "no longer in memory"},
		"a site that is hidden":   {officerName, url.Values{"search": {search}, "site": {ids["Bar Orefici"]}}, http.StatusUnprocessableEntity, "Show the contacts"},
		"no site":                 {officerName, url.Values{"search": {search}}, http.StatusUnprocessableEntity, "Show the contacts"},
		"a search that was never": {officerName, url.Values{"search": {"x"}, "site": {site}}, http.StatusNotFound, "no longer in memory"},
	} {
		if res := w.send("POST", "/unanswered", c.officer, c.form, false); res.status != c.status || !strings.Contains(res.body, c.want) {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
	w.change = func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if res := w.send("POST", "/unanswered", officerName, form, false); res.status != http.StatusForbidden {
		t.Errorf("from another site's page: %d", res.status)
	}
	w.change = nil
	if res := w.send("GET", "/unanswered", officerName, nil, false); res.status == http.StatusOK {
		t.Error("GET reports")
	}
	if n := len(w.entries("unanswered")); n != 0 || w.mailed() != 0 {
		t.Errorf("refused reports made %d entries, or messages", n)
	}
	// Withdrawn meanwhile.
	if _, err := w.reg.Erase(t.Context(), site, noon); err != nil {
		t.Fatal(err)
	}
	if res := w.send("POST", "/unanswered", officerName, form, false); res.status != http.StatusUnprocessableEntity || !strings.Contains(res.body, "withdrawn") {
		t.Errorf("of a site that was withdrawn: %d %s", res.status, res.body)
	}
}

// Without the trail nobody is asked.
func TestNoTrailNoCheck(t *testing.T) {
	w := newTown(t)
	site := w.declare(milan()...)["Farmacia Orefici"]
	search, form := w.revealed(site)
	w.trail.Close()
	res := w.send("POST", "/unanswered", officerName, form, false)
	if res.status != http.StatusServiceUnavailable || !strings.Contains(res.body, "The report was not made") {
		t.Errorf("%d %s", res.status, res.body)
	}
	if w.mailed() != 0 || strings.Contains(w.send("GET", "/search/"+search, officerName, nil, true).body, "Segnalato") {
		t.Error("it was done all the same")
	}
}

// With the page's script nothing else moves, and without it the button does the same.
func TestUnansweredInABrowser(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 390, 844)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	b.Do(chromedp.Evaluate[chromedp.Void](`window.same = true`))
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#reveal1").click()`))
	b.Until(`document.activeElement.id === "contacts1"`)
	b.Check("unanswered-offered")
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#unanswered1").click()`))
	b.Until(`document.querySelector("#contacts1")?.textContent.includes("Segnalato")`)
	b.Until(`document.activeElement.id === "contacts1"`)
	b.Until(`!document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling")`)
	if !pagestest.Eval[bool](b, `window.same === true`) {
		t.Error("a report loaded the page again")
	}
	b.Check("unanswered-reported")
	b.Do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
	w.ask(b, ordinary())
	b.Press("#reveal1")
	b.Press("#unanswered1")
	if text := pagestest.Eval[string](b, `document.querySelector("#contacts1").textContent`); !strings.Contains(text, "Segnalato") {
		t.Errorf("without script the contacts are %q", text)
	}
	if n := len(w.entries("unanswered")); n != 2 {
		t.Errorf("%d entries for two reports", n)
	}
}

package consult

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
)

// onlyCase is the one case of the Questura.
func (w *town) onlyCase() registry.Case {
	w.t.Helper()
	all, err := w.reg.Cases(w.t.Context(), "Questura", 9)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d cases, %v", len(all), err)
	}
	return all[0]
}

// kinds are those of the trail's entries, in their order, with their forces.
func (w *town) kinds() string {
	w.t.Helper()
	var export strings.Builder
	if err := w.trail.Export(w.t.Context(), &export); err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(export.String()) {
		var e struct{ Header trail.Header }
		if json.Unmarshal([]byte(line), &e) == nil && e.Header.Kind != "" {
			all = append(all, string(e.Header.Kind))
		}
	}
	return strings.Join(all, " ")
}

// inside posts into a case, as its page does.
func (w *town) inside(who, id, act string, form url.Values) reply {
	w.t.Helper()
	return w.send("POST", "/cases/"+id+"/"+act, who, form, true)
}

const neri = "Agente M. Neri"

// TestCaseOpens: the first question opens the case, once and on the trail before
// it; what says the same kind and reference, or its id, goes on in it.
func TestCaseOpens(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	w.officer(neri)
	first := w.send("POST", "/search", officerName, exact(), true)
	if first.status != http.StatusSeeOther {
		t.Fatal(first.status, first.body)
	}
	k := w.onlyCase()
	if k.Kind != "annotation" || k.Ref != "2026/118" || k.Reason != "Rapina in strada" || k.OpenedBy != w.users[officerName].ID {
		t.Errorf("opened %+v", k)
	}
	inCase := without(exact("case", k.ID), "case_kind", "case_ref", "offence", "reason")
	for _, c := range []struct {
		who  string
		form url.Values
	}{{officerName, exact()}, {neri, exact("reason", "altro motivo")}, {neri, inCase}} {
		if res := w.send("POST", "/search", c.who, c.form, false); res.status != http.StatusOK || !strings.Contains(res.body, `"case":"`+k.ID+`"`) {
			t.Errorf("%d %s", res.status, res.body)
		}
	}
	entries := w.entries("search")
	if got := w.kinds(); got != "case-open search search search search" {
		t.Errorf("on the trail: %s", got)
	}
	for i, want := range []string{"Rapina in strada", "Rapina in strada", "altro motivo", "Rapina in strada"} {
		d := string(entries[i].Content.Details)
		if !strings.Contains(d, `"reason":"`+want+`"`) || !strings.Contains(d, `"case_ref":"2026/118"`) || entries[i].Content.Case != k.ID || entries[i].Header.Case != entries[0].Header.Case {
			t.Errorf("entry %d: %s", i, d)
		}
	}
	// A question that finds no answer opens none.
	if res := w.send("POST", "/search", officerName, exact("case_ref", "2", "time", noon.Add(-30*day).Format(time.RFC3339), "until", noon.Format(time.RFC3339)), false); res.status != 422 {
		t.Error(res.status)
	}
	w.onlyCase()
}

// TestCaseOpensOnce: of tabs that ask at once for a case that is not there yet, with
// searches and requests, one opens it, and all are answered in it.
func TestCaseOpensOnce(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	bar := cameraID("Bar Orefici", "Dehors")
	var g sync.WaitGroup
	var got [16]reply
	for i := range got {
		g.Go(func() {
			if i%4 == 0 {
				got[i] = w.send("POST", "/requests", officerName, asking(bar), false)
				return
			}
			got[i] = w.send("POST", "/search", officerName, exact(), false)
		})
	}
	g.Wait()
	k := w.onlyCase()
	for i, res := range got {
		if res.status != http.StatusOK || !strings.Contains(res.body, k.ID) {
			t.Errorf("%d: %d %.200s", i, res.status, res.body)
		}
	}
}

// TestCaseHistory: what was asked and revealed is in the case as it was shown, and
// its page and the officer's own list say so.
func TestCaseHistory(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	w.officer(neri)
	a := w.answer(exact())
	k := w.onlyCase()
	sites := url.Values{"search": {a.Search}, "site": {ids["Bar Orefici"]}}
	if res := w.send("POST", "/reveal", officerName, sites, false); res.status != 200 {
		t.Fatal(res.body)
	}
	records, err := w.reg.CaseRecords(t.Context(), k.ID)
	if err != nil || len(records) != 3 || records[0].Kind != "case-open" {
		t.Fatal(len(records), err)
	}
	records = records[1:]
	var search searchRecord
	if err := json.Unmarshal(records[0].Body, &search); err != nil || records[0].TrailIndex != a.Trail.Index || search.Trail != a.Trail || search.Total != 9 ||
		len(search.Results) != 9 || search.Results[0].CameraID != a.Results[0].CameraID || len(search.Results[0].Facts) == 0 || search.User != officerName {
		t.Errorf("%+v, %v", search, err)
	}
	var reveal revealRecord
	if err := json.Unmarshal(records[1].Body, &reveal); err != nil || reveal.SiteName != "Bar Orefici" || reveal.Contacts[0].Name != "Paolo Re" || reveal.Search != a.Trail.Index {
		t.Errorf("%+v, %v", reveal, err)
	}
	page := w.send("GET", "/cases/"+k.ID, neri, nil, true).body
	for _, want := range []string{"Annotazione 2026/118", "Entro 200 m", "9 telecamere", "Bar Orefici · 1 recapito", officerName} {
		if !strings.Contains(page, want) {
			t.Errorf("the case lacks %q", want)
		}
	}
	if strings.Contains(page, "Paolo Re") || strings.Contains(page, "/search/"+a.Search) {
		t.Error("a colleague reads contacts, or another's answer, in the history")
	}
	if mine := w.send("GET", "/mine", officerName, nil, true).body; !strings.Contains(mine, "Bar Orefici · 1 recapito") ||
		!strings.Contains(mine, "/cases/"+k.ID) || !strings.Contains(mine, "/search/"+a.Search) {
		t.Error("the officer's own list lacks what they did")
	}
	if mine := w.send("GET", "/mine", neri, nil, true).body; strings.Contains(mine, "Bar Orefici") {
		t.Error("another's acts are in the own list")
	}
}

// carabinieri adds a second force with an officer.
func (w *town) carabinieri() (name string, key *age.X25519Identity) {
	w.t.Helper()
	key, err := age.GenerateX25519Identity()
	if err == nil {
		err = w.reg.AddForce(w.t.Context(), "Carabinieri", key.Recipient().String())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.of("Mar. G. Conti", "Carabinieri", "ufficiale di PG").Name, key
}

// TestSharedCase: another force sees a case once it is shared, which both read on
// the trail, works in it under its own key, and changes nothing of it.
func TestSharedCase(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	conti, _ := w.carabinieri()
	w.answer(exact())
	k := w.onlyCase()
	ask := without(exact("case", k.ID), "case_kind", "case_ref", "offence", "reason")
	if res := w.send("GET", "/cases/"+k.ID, conti, nil, true); res.status != 404 || strings.Contains(res.body, "Rapina in strada") {
		t.Errorf("before: %d", res.status)
	}
	if res := w.send("POST", "/search", conti, ask, false); res.status != 422 || !strings.Contains(res.body, `"field":"case"`) {
		t.Errorf("before: %d %s", res.status, res.body)
	}
	for _, force := range []string{"", "Questura", "Nobody"} {
		if res := w.inside(officerName, k.ID, "share", url.Values{"force": {force}}); res.status != 422 {
			t.Errorf("shared with %q: %d", force, res.status)
		}
	}
	if res := w.inside(officerName, k.ID, "share", url.Values{"force": {"Carabinieri"}}); res.status != 303 {
		t.Fatal(res.status, res.body)
	}
	if res := w.send("GET", "/cases/"+k.ID, conti, nil, true); res.status != 200 || !strings.Contains(res.body, "di Questura") || strings.Contains(res.body, "/close") {
		t.Errorf("after: %d", res.status)
	}
	if res := w.send("POST", "/search", conti, ask, false); res.status != 200 {
		t.Errorf("after: %d %s", res.status, res.body)
	}
	for _, act := range []string{"refer", "share", "close", "reopen"} {
		if res := w.inside(conti, k.ID, act, url.Values{"case_ref": {"x"}, "force": {"Carabinieri"}}); res.status != 403 {
			t.Errorf("%s by another force: %d", act, res.status)
		}
	}
	forces := map[string]string{}
	for _, e := range w.entries("case-share") { // those that this force opens have a content
		forces[e.Header.Force] = ""
		if e.Content != nil {
			forces[e.Header.Force] = string(e.Content.Details)
		}
	}
	if len(forces) != 2 || !strings.Contains(forces["Questura"], `"shared_with":"Carabinieri"`) {
		t.Errorf("on the trail: %v", forces)
	}
	if all := w.entries("search"); len(all) != 2 || all[1].Header.Force != "Carabinieri" {
		t.Errorf("%+v", all)
	}
	var list jsonCases
	if err := json.Unmarshal([]byte(w.get("/cases", conti).body), &list); err != nil || len(list.Cases) != 1 || list.Cases[0].Force != "Questura" || list.Cases[0].OpenedBy != officerName+" (Questura)" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestUnshare: a sharing is taken back, on the trail of both forces; from then on
// nothing of the case is the other force's: not its answers, which are still kept, its
// requests' contacts, its papers, nor what colleagues said of calls.
func TestUnshare(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	conti, _ := w.carabinieri()
	pharmacy := ids["Farmacia Orefici"]
	at := w.paper(w.searched(ids, "Farmacia Orefici"))
	k := w.onlyCase()
	carabinieri := url.Values{"force": {"Carabinieri"}}
	if res := w.inside(officerName, k.ID, "unshare", carabinieri); res.status != 422 {
		t.Errorf("not shared: %d", res.status)
	}
	if res := w.inside(officerName, k.ID, "share", carabinieri); res.status != 303 {
		t.Fatal(res.status)
	}
	if res := w.inside(conti, k.ID, "unshare", carabinieri); res.status != 403 {
		t.Errorf("by the other force: %d", res.status)
	}
	ask := without(exact("case", k.ID), "case_kind", "case_ref", "offence", "reason")
	var theirs jsonAnswer
	if err := json.Unmarshal([]byte(w.send("POST", "/search", conti, ask, false).body), &theirs); err != nil {
		t.Fatal(err)
	}
	sites := url.Values{"search": {theirs.Search}, "site": {pharmacy}}
	if res := w.send("POST", "/reveal", conti, sites, false); res.status != 200 {
		t.Fatal(res.status)
	}
	res := w.send("POST", "/requests", conti, url.Values{"search": {theirs.Search}, "listed": {pharmacy}, "site": {pharmacy}, "kind": {"invitation"}, "before": {"5"}, "after": {"5"}}, true)
	request := res.header.Get("Location")
	if res.status != 303 || w.read(at, conti).status != 200 {
		t.Fatal(res.status, res.body)
	}
	if page := w.send("GET", "/cases/"+k.ID, officerName, nil, true).body; !strings.Contains(page, "Non condividere più con Carabinieri") ||
		!strings.Contains(page, "<strong>Pratica condivisa</strong>") {
		t.Error("the case does not say that it is shared, or offers no way back")
	}

	if res := w.inside(officerName, k.ID, "unshare", carabinieri); res.status != 303 {
		t.Fatal(res.status, res.body)
	}
	if res := w.inside(officerName, k.ID, "called", url.Values{"mark": {"preserved:" + pharmacy}}); res.status != 303 {
		t.Fatal(res.status)
	}
	forces := ""
	for _, e := range w.entries("case-unshare") {
		forces += e.Header.Force + " "
	}
	if forces != "Questura Carabinieri " {
		t.Errorf("on the trail of %s", forces)
	}
	for _, c := range []struct {
		method, path string
		form         url.Values
		browser      bool
	}{
		{"GET", "/cases/" + k.ID, nil, true}, {"GET", "/cases/" + k.ID + "/papers", nil, true}, {"POST", "/cases/" + k.ID + "/dossier", url.Values{}, true},
		{"GET", at, nil, true}, {"GET", at + ".pdf", nil, true}, {"POST", "/cases/" + k.ID + "/called", url.Values{"mark": {"called:" + pharmacy}}, true},
		{"GET", "/search/" + theirs.Search, nil, true}, {"GET", "/search/" + theirs.Search, nil, false}, {"POST", "/reveal", sites, false}, {"POST", "/export", plus(sites, "format", "csv"), true},
		{"POST", request + "/contacts", url.Values{"site": {pharmacy}}, true}, {"GET", "/requests?case=" + k.ID, nil, true},
		{"POST", "/papers", url.Values{"case": {k.ID}, "request": {strings.TrimPrefix(request, "/requests/")}}, true},
	} {
		if res := w.send(c.method, c.path, conti, c.form, c.browser); res.status != 404 || strings.Contains(res.body, "Rapina in strada") || strings.Contains(res.body, "Farmacia Orefici") {
			t.Errorf("%s %s: %d", c.method, c.path, res.status)
		}
	}
	// Their own request stays theirs, without what the case says.
	if res := w.send("GET", request, conti, nil, true); res.status != 200 || strings.Contains(res.body, "Le conservano") {
		t.Errorf("their own request: %d", res.status)
	}
}

// TestClosedCase: a further page of an answer, and the contacts of a request, are
// questions too.
func TestClosedCase(t *testing.T) {
	w := newTown(t)
	w.declare(crowd(130)...)
	at := w.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	site := w.send("GET", at, officerName, nil, true).body
	_, site, _ = strings.Cut(site, `name="site" value="`)
	site, _, _ = strings.Cut(site, `"`)
	request := w.send("POST", "/requests", officerName, url.Values{"search": {strings.TrimPrefix(at, "/search/")}, "listed": {site}, "site": {site},
		"kind": {"invitation"}, "before": {"5"}, "after": {"5"}}, true).header.Get("Location")
	k := w.onlyCase()
	if res := w.inside(officerName, k.ID, "close", nil); res.status != 303 {
		t.Fatal(res.status)
	}
	before := w.kinds()
	if res := w.send("GET", at+"?page=2", officerName, nil, true); res.status != 422 || strings.Contains(res.body, "CAM 101") || !strings.Contains(res.body, "La pratica è chiusa") {
		t.Errorf("a further page: %d", res.status)
	}
	if res := w.send("GET", at, officerName, nil, false); res.status != 422 {
		t.Errorf("all pages: %d", res.status)
	}
	if res := w.send("POST", request+"/contacts", officerName, url.Values{"site": {site}}, true); res.status != 422 {
		t.Errorf("contacts: %d", res.status)
	}
	if got := w.kinds(); got != before {
		t.Errorf("on the trail: %s, before %s", got, before)
	}
	if res := w.send("GET", at, officerName, nil, true); res.status != 200 || !strings.Contains(res.body, "CAM 001") {
		t.Errorf("what was shown: %d", res.status)
	}
}

// TestCaseActs: the reference follows and is late after 72 hours, never blocking;
// a closed case takes no question until it is opened again.
func TestCaseActs(t *testing.T) {
	now := noon
	w := newTown(t, func(o *Options) { o.Now = func() time.Time { return now } })
	ids := w.declare(milan()...)
	a := w.answer(exact("case_ref", ""))
	k := w.onlyCase()
	page := func() string { return w.send("GET", "/search/"+a.Search, officerName, nil, true).body }
	if p := page(); !strings.Contains(p, "riferimento da comunicare entro") {
		t.Error("the band does not say that the reference is to follow")
	}
	now = noon.Add(refDue - time.Second)
	if p := w.send("GET", "/cases/"+k.ID, officerName, nil, true).body; strings.Contains(p, "in ritardo") {
		t.Error("late too early")
	}
	now = noon.Add(refDue)
	if p := w.send("GET", "/cases/"+k.ID, officerName, nil, true).body; !strings.Contains(p, "in ritardo") || !strings.Contains(p, `id="ask"`) {
		t.Error("late: the page does not say so, or blocks")
	}
	if res := w.inside(officerName, k.ID, "refer", url.Values{"case_ref": {" 2026/120 "}}); res.status != 303 {
		t.Fatal(res.status)
	}
	for _, ref := range []string{"", strings.Repeat("x", maxRef+1)} {
		if res := w.inside(officerName, k.ID, "refer", url.Values{"case_ref": {ref}}); res.status != 422 {
			t.Errorf("%q: %d", ref, res.status)
		}
	}
	now = noon
	ask := without(exact("case", k.ID), "case_kind", "case_ref", "offence", "reason")
	a = w.answer(ask) // the one before was forgotten
	if p := page(); w.onlyCase().Ref != "2026/120" || !strings.Contains(p, "Annotazione 2026/120") || strings.Contains(p, "da comunicare") {
		t.Error("the reference is not in the band")
	}
	if res := w.inside(officerName, k.ID, "close", nil); res.status != 303 {
		t.Fatal(res.status)
	}
	for path, form := range map[string]url.Values{"/search": ask, "/reveal": {"search": {a.Search}, "site": {ids["Bar Orefici"]}}} {
		if res := w.send("POST", path, officerName, form, false); res.status != 422 || !strings.Contains(res.body, "closed") {
			t.Errorf("%s in a closed case: %d %s", path, res.status, res.body)
		}
	}
	if res := w.inside(officerName, k.ID, "reopen", nil); res.status != 303 {
		t.Fatal(res.status)
	}
	if res := w.send("POST", "/search", officerName, ask, false); res.status != 200 {
		t.Error(res.status)
	}
	if got := w.kinds(); got != "case-open search case-refer search case-close case-reopen search" {
		t.Errorf("on the trail: %s", got)
	}
	if history := w.send("GET", "/cases/"+k.ID, officerName, nil, true).body; !strings.Contains(history, "Pratica aperta</strong>") || !strings.Contains(history, "Riferimento comunicato</strong>") ||
		!strings.Contains(history, "Pratica chiusa</strong>") || !strings.Contains(history, "Pratica riaperta</strong>") {
		t.Error("acts on the case are not in its history")
	}
	if res := w.inside(officerName, "unknown", "close", nil); res.status != 404 {
		t.Error(res.status)
	}
}

// TestCalled: the word of one officer on a site is read by their colleagues in the
// case; only where its contacts were revealed.
func TestCalled(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	w.officer(neri)
	a := w.answer(exact())
	k, bar := w.onlyCase(), ids["Bar Orefici"]
	mark := func(who, word string) reply {
		return w.inside(who, k.ID, "called", url.Values{"mark": {word + ":" + bar}, "search": {a.Search}})
	}
	if res := mark(officerName, "called"); res.status != 422 {
		t.Errorf("not revealed: %d", res.status)
	}
	if res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {bar}}, false); res.status != 200 {
		t.Fatal(res.body)
	}
	if res := mark(officerName, "called"); res.status != 303 || !strings.HasPrefix(res.header.Get("Location"), "/search/"+a.Search+"#n") {
		t.Errorf("%d %s", res.status, res.header.Get("Location"))
	}
	if res := mark(neri, "preserved"); res.status != 303 || res.header.Get("Location") != "/cases/"+k.ID {
		t.Errorf("a colleague: %d %s", res.status, res.header.Get("Location"))
	}
	for _, word := range []string{"", "asleep"} {
		if res := mark(officerName, word); res.status != 422 {
			t.Errorf("%q: %d", word, res.status)
		}
	}
	page := w.send("GET", "/search/"+a.Search, officerName, nil, true).body
	if strings.Count(page, `class="row-called"`) != 1 || !strings.Contains(page, "Le conservano</span>") || !strings.Contains(page, neri) {
		t.Error("the newest word is not on the row")
	}
	if res := w.send("POST", "/unanswered", officerName, url.Values{"search": {a.Search}, "site": {bar}}, false); res.status != 200 {
		t.Fatal(res.body)
	}
	if page := w.send("GET", "/search/"+a.Search, officerName, nil, true).body; !strings.Contains(page, "Non risponde</span>") {
		t.Error("that nobody answers is not on the row")
	}
	if got := w.kinds(); got != "case-open search reveal called called unanswered" {
		t.Errorf("on the trail: %s", got)
	}
}

// TestNoRecordNoAnswer: what cannot be copied into its case, or recorded, is not
// answered and not done.
func TestNoRecordNoAnswer(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	a := w.answer(exact())
	k := w.onlyCase()
	if err := w.reg.CloseCase(t.Context(), k.ID, "Questura", noon.Add(-2*day)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.reg.DestroyCases(t.Context(), noon.Add(-day), noon, func(context.Context, string, string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if res := w.send("GET", "/search/"+a.Search, officerName, nil, true); res.status != 404 {
		t.Errorf("an answer of a destroyed case: %d", res.status)
	}
	b := w.answer(exact()) // in a case anew
	k = w.onlyCase()
	if err := w.trail.Close(); err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{"refer", "close", "reopen"} {
		if res := w.inside(officerName, k.ID, act, url.Values{"case_ref": {"neu"}}); res.status != 503 {
			t.Errorf("%s without the trail: %d", act, res.status)
		}
	}
	if res := w.send("POST", "/search", officerName, exact("case_ref", "another"), false); res.status != 503 {
		t.Error(res.status)
	}
	if got := w.onlyCase(); got.Ref != "2026/118" || !got.ClosedAt.IsZero() {
		t.Errorf("%+v after %s", got, fmt.Sprint(b.Search))
	}
}

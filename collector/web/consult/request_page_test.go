package consult

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// say has an owner answer on the site's page.
func (w *town) say(site, notice string, state protocol.ReplyState, by, note string, at time.Time) {
	w.t.Helper()
	if err := w.reg.ReplyAsOwner(w.t.Context(), site, protocol.Reply{NoticeID: notice, State: state, At: at, By: by, Note: note}); err != nil {
		w.t.Fatal(err)
	}
}

// newest gives what the register holds of the force's newest request.
func (w *town) newest() (registry.Request, []registry.Asked) {
	w.t.Helper()
	all, err := w.reg.Requests(w.t.Context(), "Questura", "", 9)
	if err != nil || len(all) == 0 {
		w.t.Fatalf("%d requests, %v", len(all), err)
	}
	q, asked, ok, err := w.reg.Request(w.t.Context(), all[0].ID, "Questura")
	if err != nil || !ok {
		w.t.Fatal(ok, err)
	}
	return q, asked
}

// TestAskAndWatch: from the results to a request that is sent in two clicks, whose
// page then follows what owners say without being loaded again.
func TestAskAndWatch(t *testing.T) {
	w := newTown(t, func(o *Options) { o.CheckURL = "https://telecamere.example.it/check" })
	ids := w.declare(milan()...)
	b := pagestest.Open(t, w.server.URL, 1440, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	b.Press("#preserve")
	b.Check("ask-it-1440")
	ticked := pagestest.Eval[int](b, `document.querySelectorAll("input[name=site]:checked").length`)
	listed := pagestest.Eval[int](b, `document.querySelectorAll("input[name=site]").length`)
	if ticked == 0 || ticked != listed {
		t.Errorf("%d of %d sites are ticked", ticked, listed)
	}
	if n := len(w.entries("request")); n != 0 {
		t.Errorf("looking at it asked: %d entries", n)
	}
	b.Press("#send")
	q, asked := w.newest()
	if at := pagestest.Eval[string](b, `location.pathname`); at != "/requests/"+q.ID {
		t.Errorf("it leads to %s", at)
	}
	if len(asked) != ticked || len(w.entries("request")) != 1 || q.Kind() != protocol.Invitation {
		t.Errorf("%d asked, %+v", len(asked), q)
	}
	b.Check("request-it-1440")

	// What an owner says comes by itself; the focus stays where it is.
	place := slices.IndexFunc(asked, func(a registry.Asked) bool { return a.Notice.SiteID == ids["Farmacia Orefici"] })
	if place < 0 {
		t.Fatalf("the pharmacy was not asked: %+v", asked)
	}
	state := fmt.Sprintf("#state%d", place+1)
	b.Do(chromedp.Evaluate[chromedp.Void](`window.same = true; document.querySelector("main summary").focus(); window.kept = document.activeElement`))
	w.say(ids["Farmacia Orefici"], asked[place].Notice.ID, protocol.ReplyCopied, "Marta Colli", "chiavetta in cassaforte", noon.Add(time.Minute))
	b.Until(fmt.Sprintf(`document.querySelector(%q).textContent.includes("Marta Colli")`, state))
	b.Until(`document.querySelector("#news").textContent.includes("Farmacia Orefici: Copiata (dichiarato)")`)
	if !pagestest.Eval[bool](b, `window.same === true && document.activeElement === window.kept`) {
		t.Error("the page was loaded again, or the focus moved")
	}
	looks := len(w.entries("request-list"))
	if looks != 2 { // the page, and what has changed
		t.Errorf("%d looks on the trail", looks)
	}
	b.Check("request-changed")

	// Contacts come in one gesture, with its entry.
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details.call").forEach(d => d.open = true)`))
	b.Click(fmt.Sprintf("#callees%d button", place+1))
	b.Until(fmt.Sprintf(`!!document.querySelector("#callees%d a[href^='tel:']")`, place+1))
	if n := len(w.entries("reveal")); n != 1 {
		t.Errorf("%d entries of contacts", n)
	}
	b.Check("request-contacts")
}

// TestRequestPagesAreAccessible runs axe over the pages of requests, in both
// languages, wide and narrow.
func TestRequestPagesAreAccessible(t *testing.T) {
	w := newTown(t, func(o *Options) { o.CheckURL = "https://telecamere.example.it/check" })
	sites := milan()
	sites[0].contact.PEC = "farmacia@pec.example.it"
	w.declare(sites...)
	b := pagestest.Open(t, w.server.URL, 1440, 900)
	w.signIn(b, officerName)
	w.ask(b, ordinary())
	results := pagestest.Eval[string](b, `location.pathname`)
	b.Press("#preserve")
	b.Press("#send")
	q, asked := w.newest()
	states := []protocol.ReplyState{protocol.ReplyCopied, protocol.ReplyCannot, protocol.ReplySeen}
	for i, a := range asked[:min(len(asked), len(states))] {
		w.say(a.Notice.SiteID, a.Notice.ID, states[i], "Anna", "nota", noon.Add(time.Minute))
	}
	for lang, width := range map[string]int64{"it": 390, "en": 1440} {
		b.Resize(width, 900)
		name := func(page string) string { return fmt.Sprintf("%s-%s-%d", page, lang, width) }
		b.Visit("/requests?lang=" + lang)
		b.Check(name("requests"))
		b.Visit("/requests/" + q.ID)
		b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
		b.Check(name("request"))
		b.Visit(results)
		b.Press("#preserve")
		b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("input[name=site]").forEach(i => i.checked = false)`))
		b.Press("#send")
		b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
		b.Check(name("ask-wrong"))
	}
}

// asks puts the page's request together as a browser without scripts does.
func (w *town) asks(form url.Values) (search string, page reply) {
	w.t.Helper()
	res := w.send("POST", "/search", officerName, exact(), true)
	search = strings.TrimPrefix(res.header.Get("Location"), "/search/")
	v := url.Values{"search": {search}}
	for name, values := range form {
		v[name] = values
	}
	return search, w.send("POST", "/preserve", officerName, v, true)
}

// TestAskWithoutScript: the whole way by forms alone; a site is left out, and a
// referent; what the page sends is what is asked.
func TestAskWithoutScript(t *testing.T) {
	w := newTown(t)
	sites := milan()
	for i := range sites[:2] {
		sites[i].contact.Role = protocol.RoleReferent
	}
	ids := w.declare(sites...)
	pharmacy, bank := ids["Farmacia Orefici"], ids["Banca di Credito Lariano"]
	search, page := w.asks(url.Values{"site": {pharmacy, bank}})
	if page.status != http.StatusOK || strings.Count(page.body, `name="site"`) != 2 || strings.Count(page.body, `name="left_out"`) != 2 {
		t.Fatalf("%d %s", page.status, page.body)
	}
	form := url.Values{"search": {search}, "listed": {pharmacy, bank}, "site": {pharmacy, bank}, "left_out": {bank}, "kind": {"order"}, "phone": {"+39 02 5555 0113"}, "before": {"10"}, "after": {"0"}}
	res := w.send("POST", "/requests", officerName, form, true)
	if res.status != http.StatusSeeOther {
		t.Fatalf("%d %s", res.status, res.body)
	}
	q, asked := w.newest()
	if len(asked) != 2 || asked[0].ByPhone || !asked[1].ByPhone || q.Kind() != protocol.Order {
		t.Fatalf("%+v", asked)
	}
	if p := asked[0].Notice.Body.(protocol.Preserve); p.Phone != "+39 02 5555 0113" || p.Reference != "Annotazione 2026/118" ||
		!strings.HasPrefix(p.From, "Questura, Ispettrice") || p.End.Sub(p.Start) < 10*time.Minute {
		t.Errorf("asked %+v", p)
	}
	shown := w.send("GET", res.header.Get("Location"), officerName, nil, true)
	for _, want := range []string{"Da qui non è partito niente", asked[0].Notice.Body.(protocol.Preserve).CheckCode, "/contacts"} {
		if !strings.Contains(shown.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// Its contact is a referent, who is left out: nobody is shown to be called.
	revealed := w.send("POST", "/requests/"+q.ID+"/contacts", officerName, url.Values{"site": {bank}}, true)
	if !strings.Contains(revealed.body, "Il referente tecnico è lasciato fuori") || strings.Contains(revealed.body, "Sala controllo</strong>") {
		t.Errorf("%d %s", revealed.status, revealed.body)
	}
	var one jsonOneRequest
	if res := w.get("/requests/"+q.ID, officerName); json.Unmarshal([]byte(res.body), &one) != nil || len(one.Notices) != 2 || !one.Notices[1].ByPhone || one.Case != q.CaseID {
		t.Errorf("%s", res.body)
	}
}

// TestAskedOnce: a page that is sent twice, one after the other or at once, asks once, and one
// that was changed meanwhile asks what it says now.
func TestAskedOnce(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	pharmacy, bank := ids["Farmacia Orefici"], ids["Banca di Credito Lariano"]
	fresh := func(site string) url.Values {
		search, page := w.asks(url.Values{"site": {site}})
		m := regexp.MustCompile(`name="once" value="([^"]+)"`).FindStringSubmatch(page.body)
		if m == nil {
			t.Fatal(page.body)
		}
		return url.Values{"search": {search}, "once": {m[1]}, "listed": {site}, "site": {site}, "kind": {"invitation"}, "phone": {""}, "before": {"5"}, "after": {"5"}}
	}
	send := func(form url.Values) string {
		res := w.send("POST", "/requests", officerName, form, true)
		if res.status != http.StatusSeeOther {
			t.Fatalf("%d %s", res.status, res.body)
		}
		return res.header.Get("Location")
	}
	sent := func() int {
		all, err := w.reg.Asked(t.Context(), "Questura", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	form := fresh(pharmacy)
	first := send(form)
	if again := send(form); again != first || sent() != 1 || len(w.entries("request")) != 1 {
		t.Errorf("sent again: %s and %s, %d notices, %d entries", first, again, sent(), len(w.entries("request")))
	}
	form.Set("phone", "+39 02 5555 0113")
	if changed := send(form); changed == first || sent() != 2 {
		t.Errorf("a changed page: %s, %d notices", changed, sent())
	}
	if other := send(fresh(pharmacy)); other == first || sent() != 3 {
		t.Errorf("another page: %s, %d notices", other, sent())
	}
	form = fresh(bank)
	var g sync.WaitGroup
	var to [8]string
	for i := range to {
		g.Go(func() { to[i] = w.send("POST", "/requests", officerName, form, true).header.Get("Location") })
	}
	g.Wait()
	if len(slices.Compact(to[:])) != 1 || to[0] == "" || sent() != 4 {
		t.Errorf("at once: %q, %d notices", to, sent())
	}
	form.Set("kind", "wish")
	if res := w.send("POST", "/requests", officerName, form, true); !strings.Contains(res.body, form.Get("once")) {
		t.Errorf("a page that is shown again is another one: %s", res.body)
	}
}

// TestAskIsRefused: nothing is sent of what is wrong, and it says why.
func TestAskIsRefused(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	w.of("Agente P. Sala", "Questura", "agente di PG")
	search, page := w.asks(nil)
	if strings.Contains(page.body, "kind-order-means") == false {
		t.Error("an ufficiale is not offered an order")
	}
	pharmacy := ids["Farmacia Orefici"]
	base := url.Values{"search": {search}, "listed": {pharmacy}, "site": {pharmacy}, "kind": {"invitation"}, "before": {"5"}, "after": {"5"}}
	for name, c := range map[string]struct {
		field, value, want string
		status             int
	}{
		"no site":         {"site", "", "Scegli almeno un sito", 422},
		"a foreign site":  {"site", uuid.NewString(), "Scegli almeno un sito", 422},
		"no kind":         {"kind", "wish", "Scrivi in base", 422},
		"no margin":       {"before", "x", "Scegli un margine", 422},
		"a huge margin":   {"after", "999999", "Scegli un margine", 422},
		"no phone number": {"phone", "chiedere di Verdi", "Scrivi un numero", 422},
		"another answer":  {"search", "nessuna", "", 404},
	} {
		form := url.Values{}
		for k, v := range base {
			form[k] = v
		}
		form.Set(c.field, c.value)
		if res := w.send("POST", "/requests", officerName, form, true); res.status != c.status || !strings.Contains(res.body, c.want) {
			t.Errorf("%s: %d", name, res.status)
		}
	}
	if n := len(w.entries("request")); n != 0 {
		t.Errorf("%d entries", n)
	}
	// An agente is not offered an order, and gives none.
	res := w.send("POST", "/search", "Agente P. Sala", exact(), true)
	theirs := strings.TrimPrefix(res.header.Get("Location"), "/search/")
	if page := w.send("POST", "/preserve", "Agente P. Sala", url.Values{"search": {theirs}}, true); strings.Contains(page.body, "kind-order") {
		t.Error("an agente is offered an order")
	}
	form := url.Values{"search": {theirs}, "listed": {pharmacy}, "site": {pharmacy}, "kind": {"order"}, "before": {"5"}, "after": {"5"}}
	if res := w.send("POST", "/requests", "Agente P. Sala", form, true); res.status != 422 {
		t.Errorf("an order by an agente: %d", res.status)
	}
}

// TestRequestBelongsToItsForce: nobody else opens it, asks for its news or its
// contacts.
func TestRequestBelongsToItsForce(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	search, _ := w.asks(nil)
	pharmacy := ids["Farmacia Orefici"]
	w.send("POST", "/requests", officerName, url.Values{"search": {search}, "listed": {pharmacy}, "site": {pharmacy}, "kind": {"invitation"}, "before": {"5"}, "after": {"5"}}, true)
	q, _ := w.newest()
	if err := w.reg.AddForce(t.Context(), "Carabinieri", w.identity.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	w.of("Mar. G. Serra", "Carabinieri", "ufficiale di PG")
	for _, c := range []struct {
		method, path string
		form         url.Values
	}{{"GET", "/requests/" + q.ID, nil}, {"GET", "/requests/" + q.ID + "/states?seen=x", nil}, {"POST", "/requests/" + q.ID + "/contacts", url.Values{"site": {pharmacy}}}} {
		if res := w.send(c.method, c.path, "Mar. G. Serra", c.form, true); res.status != http.StatusNotFound {
			t.Errorf("%s %s: %d", c.method, c.path, res.status)
		}
	}
	if n := len(w.entries("reveal")); n != 0 {
		t.Errorf("%d entries of contacts", n)
	}
	// Asking for news that there are none is no look.
	page := w.send("GET", "/requests/"+q.ID, officerName, nil, true)
	_, at, _ := strings.Cut(page.body, `hx-get="`)
	at, _, _ = strings.Cut(at, `"`)
	looks := len(w.entries("request-list"))
	if res := w.send("GET", html.UnescapeString(at), officerName, nil, true); res.status != http.StatusNoContent || len(w.entries("request-list")) != looks {
		t.Errorf("no news: %d, %d looks of %d", res.status, len(w.entries("request-list")), looks)
	}
}

// TestCallNow: when the officer is told to call.
func TestCallNow(t *testing.T) {
	reach := registry.Reach{Agents: 1, Addresses: 1}
	for name, c := range map[string]struct {
		state   registry.NoticeState
		after   time.Duration // since it was sent
		left    time.Duration // until the footage is overwritten; 0: unknown
		reach   registry.Reach
		byPhone bool
		want    string
	}{
		"just sent":            {"sent", time.Minute, 30 * time.Hour, reach, false, ""},
		"not seen in time":     {"sent", 10 * time.Minute, 30 * time.Hour, reach, false, "call.unseen"},
		"arrived, not seen":    {"received", 10 * time.Minute, 0, reach, false, "call.unseen"},
		"seen":                 {"seen", time.Hour, 30 * time.Hour, reach, false, ""},
		"seen, time runs out":  {"seen", time.Hour, 12*time.Hour - time.Second, reach, false, "call.short"},
		"there, time runs out": {"present", time.Hour, time.Hour, reach, false, "call.short"},
		"copied":               {"copied", 20 * time.Hour, time.Hour, reach, false, ""},
		"refused":              {"refused", 20 * time.Hour, time.Hour, reach, false, ""},
		"gone":                 {"absent", 20 * time.Hour, time.Hour, reach, false, ""},
		"asks to be called":    {"cannot", time.Minute, 30 * time.Hour, reach, false, "call.cannot"},
		"nobody can be told":   {"sent", time.Minute, 30 * time.Hour, registry.Reach{Phones: 1}, false, "call.none"},
		"by phone":             {"sent", time.Minute, 30 * time.Hour, reach, true, "call.byphone"},
		"no answer":            {"no-answer", time.Hour, 0, reach, false, "call.noanswer"},
	} {
		a := registry.Asked{State: c.state, Notice: protocol.Notice{At: noon}, ByPhone: c.byPhone}
		d := registry.Draft{Reach: c.reach, Cameras: []registry.DraftCamera{{}}}
		if c.left > 0 {
			d.Cameras[0].Until = noon.Add(c.after + c.left)
		}
		if got := callNow(a, d, noon.Add(c.after)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What a recorder says after a person's answer changes no state, and is news.
func TestAStepIsNews(t *testing.T) {
	asked := registry.Asked{Notice: protocol.Notice{At: noon}, State: "copied", Replies: []registry.Reply{{State: protocol.ReplyCopied, At: noon, By: "Ada Bianchi"}}}
	before := stateOf(1, asked, registry.Draft{}, noon)
	asked.Replies = append(asked.Replies, registry.Reply{State: protocol.ReplyPresent, At: noon.Add(time.Second)})
	after := stateOf(1, asked, registry.Draft{}, noon)
	if before.Key != after.Key || stateTokens([]siteState{before}) == stateTokens([]siteState{after}) {
		t.Errorf("%q, then %q", before.token(), after.token())
	}
	if told := changed([]siteState{after}, before.token()); len(told) != 1 {
		t.Errorf("%v is told", told)
	}
}

package consult

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
)

type reply struct {
	status int
	header http.Header
	body   string
}

// send asks as an officer with their credential ("" as a stranger), the way
// the command line does; page asks for html.
func (w *town) send(method, path, officer string, form url.Values, page bool) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "application/json")
	if page {
		r.Header.Set("Accept", "text/html")
	}
	if officer != "" {
		r.Header.Set("Authorization", "Bearer "+w.secrets[officer])
	}
	if w.change != nil {
		w.change(r)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

func (w *town) get(path, officer string) reply {
	w.t.Helper()
	return w.send("GET", path, officer, nil, false)
}

// exact is a question as the command line puts it.
func exact(changes ...string) url.Values {
	return form(append([]string{"time", event.Format("2006-01-02T15:04:05Z07:00"), "until", "", "date", ""}, changes...)...)
}

func (w *town) answer(form url.Values) jsonAnswer {
	w.t.Helper()
	res := w.send("POST", "/search", officerName, form, false)
	if res.status != http.StatusOK {
		w.t.Fatalf("%d %s", res.status, res.body)
	}
	var a jsonAnswer
	if err := json.Unmarshal([]byte(res.body), &a); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// entries reads the trail with the force's own key.
func (w *town) entries(kind act.Kind) []trail.Shown {
	w.t.Helper()
	var export bytes.Buffer
	if err := w.trail.Export(w.t.Context(), &export); err != nil {
		w.t.Fatal(err)
	}
	var all []trail.Shown
	err := trail.Show(&export, strings.NewReader(w.identity.String()), func(s trail.Shown) error {
		if s.Header.Kind == kind {
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestSearchAnswersInJSON(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	a := w.answer(exact())
	if len(a.Results) != 9 {
		t.Fatalf("%d results", len(a.Results))
	}
	first, last := a.Results[0], a.Results[8]
	if first.Class != search.ClassA || first.SiteID != ids["Farmacia Orefici"] || first.CameraName != "Ingresso" || first.TimeLeftS != 22500 || first.Sight.Sees != "yes" {
		t.Errorf("first: %+v", first)
	}
	if c := first.Clock; c == nil || c.OffsetMs != 190_000 || !c.From.Before(event.Add(190_000_000_000)) {
		t.Errorf("clock: %+v", c)
	}
	if last.Class != search.ClassC {
		t.Errorf("last: %+v", last)
	}
	for i, r := range a.Results[1:] {
		if r.Class < a.Results[i].Class {
			t.Errorf("class %s after %s", r.Class, a.Results[i].Class)
		}
	}
	if !strings.Contains(a.Trail.Checkpoint, "\n") || a.Asked.Case != w.onlyCase().ID || a.Asked.Kind != "annotation" || a.Asked.Ref != "2026/118" {
		t.Errorf("trail %+v, asked %+v", a.Trail, a.Asked)
	}
	raw := w.send("POST", "/search", officerName, exact(), false).body
	for _, secret := range []string{"Marta Colli", "5550", "example.it"} {
		if strings.Contains(raw, secret) {
			t.Errorf("a contact (%s) came without being revealed", secret)
		}
	}
	entries := w.entries("search")
	if len(entries) != 2 || entries[0].Header.Count != 9 || entries[0].Header.Force != "Questura" || entries[0].Header.Index != a.Trail.Index {
		t.Fatalf("trail: %+v", entries)
	}
	details := string(entries[0].Content.Details)
	for _, want := range []string{"Rapina in strada", `"offence":"robbery"`, first.CameraID, `"radius_m":200`, "ufficiale di PG", "127.0.0.1"} {
		if !strings.Contains(details, want) {
			t.Errorf("the entry lacks %s: %s", want, details)
		}
	}
	if entries[0].Content.Case != w.onlyCase().ID || entries[0].Content.Actor != w.users[officerName].ID {
		t.Errorf("entry of %q for %q", entries[0].Content.Actor, entries[0].Content.Case)
	}
}

func TestSearchRefusesInWords(t *testing.T) {
	w := newTown(t)
	res := w.send("POST", "/search", officerName, exact("at", "nowhere", "reason", ""), false)
	var p struct {
		Error, Field, Hint string
		Errors             []struct{ Field, Error string }
	}
	if err := json.Unmarshal([]byte(res.body), &p); err != nil || res.status != 422 || p.Field != "at" || p.Hint == "" || len(p.Errors) != 2 || p.Errors[1].Field != "reason" {
		t.Errorf("%d %s", res.status, res.body)
	}
	res = w.send("POST", "/search", officerName, exact("time", noon.Add(-30*day).Format(time.RFC3339), "until", noon.Format(time.RFC3339)), false)
	if want := fmt.Sprintf("%d days at most", search.MaxWindow/day); res.status != 422 || !strings.Contains(res.body, want) {
		t.Errorf("a month: %d %s", res.status, res.body)
	}
	res = w.send("POST", "/search", officerName, form("date", "2026-10-25", "time", "02:30", "until", ""), true)
	if res.status != 422 || !strings.Contains(res.body, `id="fold-first"`) || !strings.Contains(res.body, `value="Rapina`) && !strings.Contains(res.body, "Rapina in strada</textarea>") {
		t.Errorf("the page must ask which of the two hours, with the form as it was: %d\n%s", res.status, res.body)
	}
	for _, c := range []struct{ method, path string }{{"GET", "/"}, {"POST", "/search"}, {"POST", "/reveal"}, {"GET", "/search/x"}} {
		if res := w.send(c.method, c.path, "", url.Values{}, false); res.status != http.StatusUnauthorized {
			t.Errorf("%s %s: a stranger got %d", c.method, c.path, res.status)
		}
	}
	if n := len(w.entries("search")); n != 0 {
		t.Errorf("%d entries for questions that were not answered", n)
	}
}

func TestNothingIsAnsweredOffTheTrail(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	a := w.answer(exact())
	w.trail.Close()
	res := w.send("POST", "/search", officerName, exact(), false)
	if res.status != http.StatusServiceUnavailable || strings.Contains(res.body, "Orefici") {
		t.Errorf("search without a trail: %d %s", res.status, res.body)
	}
	if res := w.send("POST", "/search", officerName, exact(), true); res.status != http.StatusServiceUnavailable || strings.Contains(res.body, "Orefici") || !strings.Contains(res.body, `role="alert"`) {
		t.Errorf("search page without a trail: %d", res.status)
	}
	res = w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {a.Results[0].SiteID}}, false)
	if res.status != http.StatusServiceUnavailable || strings.Contains(res.body, "Marta") {
		t.Errorf("reveal without a trail: %d %s", res.status, res.body)
	}
	if res := w.send("GET", "/search/"+a.Search, officerName, nil, true); strings.Contains(res.body, "Marta") {
		t.Error("a refused reveal shows up later")
	}
}

func TestAnswersBelongToWhoAsked(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	other := "Agente M. Neri"
	w.officer(other)
	a := w.answer(exact())
	if res := w.send("GET", "/search/"+a.Search, officerName, nil, true); res.status != 200 || !strings.Contains(res.body, "Farmacia Orefici") {
		t.Errorf("own search: %d", res.status)
	}
	for _, res := range []reply{w.send("GET", "/search/"+a.Search, other, nil, true), w.send("POST", "/reveal", other, url.Values{"search": {a.Search}, "site": {a.Results[0].SiteID}}, false),
		w.get("/search/unknown", officerName)} {
		if res.status != http.StatusNotFound || strings.Contains(res.body, "Farmacia Orefici") || strings.Contains(res.body, "Marta") {
			t.Errorf("%d %s", res.status, res.body)
		}
	}
	if n := len(w.entries("search")); n != 1 {
		t.Errorf("showing a search again made %d entries", n)
	}
}

func TestRevealPutsEachSiteOnTheTrail(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	elsewhere := w.declare(site("Hotel Lontano", "hotel", "Altrove 1", "Nina", 0, hung{name: "x", east: 5000, north: 0, direction: 1, angle: 90, reach: 30, keeps: day, schedule: always}))
	a := w.answer(exact())
	chosen := url.Values{"search": {a.Search}, "site": {ids["Bar Orefici"], ids["Farmacia Orefici"], ids["Bar Orefici"]}}
	res := w.send("POST", "/reveal", officerName, chosen, false)
	var got jsonReveal
	if err := json.Unmarshal([]byte(res.body), &got); err != nil || res.status != 200 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if len(got.Sites) != 2 || got.Sites[0].SiteName != "Farmacia Orefici" || got.Sites[0].Contacts[0].Name != "Marta Colli" || len(got.Trail) != 2 {
		t.Errorf("got %+v", got)
	}
	entries := w.entries("reveal")
	if len(entries) != 2 {
		t.Fatalf("%d entries for two sites", len(entries))
	}
	for _, e := range entries {
		if d := string(e.Content.Details); !strings.Contains(d, fmt.Sprintf(`"search_index":%d`, a.Trail.Index)) || e.Content.Case != w.onlyCase().ID || strings.Contains(d, "Marta") {
			t.Errorf("entry %s for %s", d, e.Content.Case)
		}
	}
	page := w.send("GET", "/search/"+a.Search, officerName, nil, true).body
	if !strings.Contains(page, "Marta Colli") || strings.Contains(page, "Sala controllo") {
		t.Error("the page must show the contacts that were revealed, and no others")
	}
	for want, form := range map[string]url.Values{
		"at least one":          {"search": {a.Search}},
		"not among the results": {"search": {a.Search}, "site": {elsewhere["Hotel Lontano"]}},
	} {
		if res := w.send("POST", "/reveal", officerName, form, false); res.status != 422 || !strings.Contains(res.body, want) {
			t.Errorf("%s: %d %s", want, res.status, res.body)
		}
	}
	if n := len(w.entries("reveal")); n != 2 {
		t.Errorf("refused reveals made entries: %d", n)
	}
}

func TestPageSaysEverything(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	res := w.send("POST", "/search", officerName, form(), true)
	where := res.header.Get("Location")
	if res.status != http.StatusSeeOther || !regexp.MustCompile(`^/search/[A-Z2-7]{26}$`).MatchString(where) {
		t.Fatalf("%d to %q: the address must hold nothing but a random id", res.status, where)
	}
	it := w.send("GET", where, officerName, nil, true).body
	for _, want := range []string{"9 telecamere", "Annotazione", "2026/118", "si cancella tra 6 ore e 15 minuti", "oggi alle 20:45", "scadenza non nota", "già cancellato", "non registrava",
		"<strong>inquadra il punto</strong> da nord-est, 16 m, circa 69 px/m: osservazione (si vedono abiti e movimenti)", "<li>era buio: non si sa se di notte vede lì</li>",
		"già cancellato: il registratore tiene le immagini 12 ore", "l&#39;orologio va avanti di 3 minuti e 10 secondi", "dalle 20:48:08 alle 21:13:11", "Orologio mai misurato", "la direzione non è nota",
		"Possono aver filmato il punto", "Stesso sito del n. 1", "con un codice dato dal Comune", `"kind":"sees"`, "Manca la mappa di base"} {
		if !strings.Contains(it, want) {
			t.Errorf("the Italian page lacks %q", want)
		}
	}
	for text, n := range map[string]int{`class="tag tag-bad"`: 2, `"kind":"sees"`: 2, `"kind":"may"`: 2, `"kind":"near"`: 3, `"kind":"gone"`: 2, "Nessun recapito": 0, "tel:": 0} {
		if got := strings.Count(it, text); got != n {
			t.Errorf("%d times %s, want %d", got, text, n)
		}
	}
	en := w.send("GET", where+"?lang=en", officerName, nil, true).body
	for _, want := range []string{"9 cameras", "deleted in 6 hours and 15 minutes", "today at 20:45", "from the north-east", `lang="en"`} {
		if !strings.Contains(en, want) {
			t.Errorf("the English page lacks %q", want)
		}
	}
	for _, page := range []string{it, en} {
		page, _, _ = strings.Cut(page, `id="map-data"`) // the script's own words keep their holes
		if m := regexp.MustCompile(`\[[a-z]+\.[a-zA-Z.-]+\]|\{[a-z]+\}`).FindString(page); m != "" {
			t.Errorf("a word is missing: %s", m)
		}
	}
	empty := w.send("POST", "/search", officerName, form("at", "9.25,45.50", "radius", "300"), true).header.Get("Location")
	if page := w.send("GET", empty, officerName, nil, true).body; !strings.Contains(page, `name="radius" value="500"`) || !strings.Contains(page, "Nessuna telecamera") {
		t.Error("an empty answer must offer the next step")
	}
}

func TestUnknownForce(t *testing.T) {
	w := newTown(t)
	w.consult.Registry = newTown(t).reg // where its officers' force is there, but not that of a stranger
	if err := w.reg.AddForce(t.Context(), "Altra", w.identity.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	u := w.users[officerName]
	u.ID, u.Name, u.Force = uuid.NewString(), "Altro", "Altra"
	secret, hash := w.web.NewSecret()
	u.SecretHash = hash
	if err := w.reg.AddUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	w.secrets["Altro"] = secret
	if res := w.send("POST", "/search", "Altro", exact(), false); res.status != http.StatusForbidden || !strings.Contains(res.body, "force") {
		t.Errorf("%d %s", res.status, res.body)
	}
}

package review

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// keys are those of the advice that is open.
func (l adviceJSON) open() (keys []string) {
	for _, a := range l.Advice {
		if a.State == "" {
			keys = append(keys, a.Key)
		}
	}
	return keys
}

// shop is an owner with one camera in the register, whose images stay for ten days.
func shop(t *testing.T) (*owner, inventory.Camera) {
	t.Helper()
	o := start(t)
	o.signIn(t)
	o.found[0].Channels[0].Retention.Age = 240 * time.Hour
	<-o.start()
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	if err := declareOne(t, o, all.Cameras[0].ID); err != nil {
		t.Fatal(err)
	}
	return o, all.Cameras[0]
}

// Answers and what became of advice are kept, and lead to less of it; the first page
// tells how much there is, and nothing once there is none.
func TestAdviceIsFollowed(t *testing.T) {
	o, _ := shop(t)
	second := allOf(t, o)[1]
	if _, err := o.Inventory.KeepOut(t.Context(), []string{second.ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	first := func(want string) {
		t.Helper()
		_, body, _ := o.send(t, "GET", "/?lang=it", "")
		if body = html.UnescapeString(body); strings.Contains(body, "da guardare nei consigli") != (want != "") || !strings.Contains(body, want) {
			t.Errorf("the first page does not say %q", want)
		}
	}
	first("Ci sono 3 cose da guardare nei consigli.") // ten days, and two questions
	o.send(t, "POST", "/advice", "site="+siteID+"&ask-sign=no&ask-employees=yes")
	o.api(t, "POST", "/advice", map[string]any{"site_id": siteID, "answers": map[string]string{"agreement": "unknown"}}, nil)
	var list adviceJSON
	o.api(t, "GET", "/advice", nil, &list)
	if got := list.open(); !slices.Equal(got, []string{"sign", "retention.week", "employees"}) {
		t.Fatalf("%v", got)
	}
	for key, state := range map[string]string{"sign": "not-mine", "retention.week": "done"} {
		if status, _, h := o.send(t, "POST", "/advice", "site="+siteID+"&key="+key+"&state="+state); status != http.StatusSeeOther || !strings.Contains(h.Get("Location"), "done=advice") {
			t.Fatalf("%d", status)
		}
	}
	first("C'è una cosa da guardare nei consigli.")
	o.send(t, "POST", "/advice", "site="+siteID+"&ask-agreement=yes")
	first("")
	o.send(t, "POST", "/advice", "site="+siteID+"&key=sign&state=")
	first("C'è una cosa da guardare nei consigli.")
}

func allOf(t *testing.T, o *owner) []inventory.Camera {
	t.Helper()
	all := o.known(t).Cameras
	return all
}

// What the site's own data propose for the sign is not kept as if the owner had
// typed it: it follows the data, and the language.
func TestSignFollowsTheData(t *testing.T) {
	o, _ := shop(t)
	if _, err := o.Inventory.KeepOut(t.Context(), []string{allOf(t, o)[1].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	_, page, _ := o.send(t, "GET", "/sign", "")
	form := url.Values{"site": {siteID}, "reach": {"02 5550 0100"}}
	for _, name := range []string{"controller", "purposes", "kept"} {
		m := regexp.MustCompile(`name="` + name + `" maxlength="300" value="([^"]+)"`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("nothing is proposed for %s", name)
		}
		form.Set(name, html.UnescapeString(m[1]))
	}
	o.send(t, "POST", "/sign", form.Encode())
	if got := o.known(t).Private[siteID]; len(got) != 1 || got["paper.reach"] != "02 5550 0100" {
		t.Errorf("kept %v", got)
	}
	d := recorder()
	d.Channels[0].Retention.Age, d.Channels[1].Retention.Age = 48*time.Hour, 24*time.Hour
	for i := range d.Channels {
		d.Channels[i].Retention.OldestFootage = time.Now().Add(-time.Hour)
	}
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{d}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, page, _ = o.send(t, "GET", "/sign?lang=en", ""); !strings.Contains(page, "2 days") || !strings.Contains(page, "Safety of people") {
		t.Error("the sign does not follow the recorder, or not the language")
	}
	form.Set("kept", "tre giorni")
	o.send(t, "POST", "/sign", form.Encode())
	if _, page, _ = o.send(t, "GET", "/information", ""); !strings.Contains(page, "tre giorni") {
		t.Error("the notice does not have what was typed")
	}
}

// What nobody asked is not kept.
func TestAdviceRefuses(t *testing.T) {
	o, _ := shop(t)
	for _, body := range []string{"site=" + siteID + "&ask-sign=perhaps", "key=no-such&state=done", "key=sign&state=burnt", "site=no-such&ask-sign=no"} {
		if status, _, _ := o.send(t, "POST", "/advice", body); status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
			t.Errorf("%s: %d", body, status)
		}
	}
	for path, body := range map[string]string{"/sign": "controller=" + strings.Repeat("x", 301)} {
		status, page, _ := o.send(t, "POST", path, "site="+siteID+"&"+body)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, "300 caratteri") {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, _ := o.send(t, "GET", "/sign?site=no-such", ""); status != http.StatusNotFound {
		t.Errorf("a site that is not known: %d", status)
	}
	if got := o.known(t).Private[siteID]; len(got) != 0 {
		t.Errorf("kept %v", got)
	}
}

// TestAdviceNeverLeaves: with every question answered and every field of the sign
// filled in, no message has a word of it.
func TestAdviceNeverLeaves(t *testing.T) {
	const sentinel = "SOLO-PER-ME-8842"
	o, camera := shop(t)
	for _, key := range allQuestions {
		o.send(t, "POST", "/advice", "site="+siteID+"&ask-"+key+"=no")
	}
	form := url.Values{"site": {siteID}}
	for _, name := range paperFields {
		form.Set(name, sentinel+" "+name)
	}
	if status, _, _ := o.send(t, "POST", "/sign", form.Encode()); status != http.StatusSeeOther {
		t.Fatalf("%d", status)
	}
	for _, path := range []string{"/sign", "/information"} {
		if _, body, _ := o.send(t, "GET", path+"?site="+siteID, ""); strings.Count(body, sentinel) < 4 {
			t.Errorf("%s does not show what was typed", path)
		}
	}
	o.api(t, "POST", "/cameras/"+camera.ID, inventory.Edit{Direction: new(17)}, nil)
	o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Anna Neri"}, nil)
	o.api(t, "POST", "/withdraw", map[string]any{"all": true}, nil)
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil || len(sent) < 2 {
		t.Fatalf("%d messages: %v", len(sent), err)
	}
	for _, s := range sent {
		text, err := json.Marshal(s.Message)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{sentinel, "coach", "advice", "agreement", "employees"} {
			if strings.Contains(string(s.Raw), word) || strings.Contains(string(text), word) {
				t.Errorf("a %s holds %q", s.Kind, word)
			}
		}
	}
}

// The pages of advice and papers, some in each width and language; all of them are
// looked at with the build tag long.
func TestAdviceLooks(t *testing.T) {
	adviceLooks(t, 1280, "it", "41-advice-answered", "43-sign-printed", "44-information-printed", "45-status-alerts")
	adviceLooks(t, 390, "en", "41-advice-answered", "43-sign", "44-information", "46-first-page")
}

// adviceLooks goes from the questions to the papers and checks the named pages on
// the way, all with no name.
func adviceLooks(t *testing.T, width int64, lang string, only ...string) {
	o, camera := shop(t)
	if err := o.Inventory.Set(t.Context(), camera.ID, inventory.Edit{Angle: new(110)}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Inventory.Approve(t.Context(), inventory.Selection{IDs: []string{camera.ID}}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Inventory.KeepOut(t.Context(), []string{allOf(t, o)[1].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	b := pagestest.Open(t, "http://"+o.Addr, width, 900)
	check := func(name string) {
		t.Helper()
		if len(only) == 0 || slices.Contains(only, name) {
			b.Check(fmt.Sprintf("%d-%s-%s", width, lang, name))
		}
	}
	printed := func(name string) {
		b.Do(onPaper("print"))
		check(name)
		b.Do(onPaper(""))
	}
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit("/advice?lang=" + lang)
	check("40-advice")
	b.Click("#ask-sign-no")
	b.Click("#ask-employees-yes")
	b.Press("form[action='/advice'] .btn-primary")
	b.Click("#ask-agreement-unknown")
	b.Press("form[action='/advice'] .btn-primary")
	b.Press("[aria-labelledby='a-view'] button[value='not-mine']")
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
	check("41-advice-answered")
	b.Press("[aria-labelledby='a-sign'] a.btn")
	check("42-sign-empty")
	b.Fill("#reach", "02 5550 0100, privacy@bar.example")
	b.Fill("#notice", "https://bar.example/privacy")
	b.Press("form[action='/sign'] .btn-primary")
	check("43-sign")
	printed("43-sign-printed")
	b.Press("main > p a")
	check("44-information")
	printed("44-information-printed")
	b.Visit("/status")
	check("45-status-alerts")
	b.Visit("/")
	check("46-first-page")
}

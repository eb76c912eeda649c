package public

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// send posts a form as a browser of this site would.
func (d *desk) send(from, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.RemoteAddr = from + ":5"
	rw := httptest.NewRecorder()
	d.ServeHTTP(rw, r)
	return rw
}

func (d *desk) remarks(t *testing.T) []registry.Remark {
	t.Helper()
	all, err := d.reg.Remarks(t.Context(), registry.RemarkQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReport(t *testing.T) {
	d := served(t, city, nil)
	whole := url.Values{"topic": {"accessibility"}, "text": {"La mappa non si legge.\r\nGrazie."}, "where": {"La tua telecamera"}, "email": {"anna@example.it"}}
	rw := d.send("192.0.2.1", reportPath, whole)
	all := d.remarks(t)
	if rw.Code != http.StatusSeeOther || len(all) != 1 || all[0].Kind != registry.RemarkReport || all[0].Topic != "accessibility" ||
		all[0].Text != whole.Get("text") || all[0].Page != "La tua telecamera" || all[0].Email != "anna@example.it" || !all[0].At.Equal(d.now) {
		t.Fatalf("%d, %+v", rw.Code, all)
	}
	if body := get(d, rw.Header().Get("Location")).Body.String(); !strings.Contains(body, number(all[0].ID)) {
		t.Errorf("the reader is not given the number of the report: %s", body)
	}
	if body := get(d, sentPath+"?n=%3Cb%3E").Body.String(); strings.Contains(body, "&lt;b") {
		t.Error("the page shows what its address says")
	}
	for name, c := range map[string]struct{ field, value, want string }{
		"no topic":       {"topic", "", "topic-error"},
		"other topic":    {"topic", "x", "topic-error"},
		"no text":        {"text", " ", "text-error"},
		"text too long":  {"text", strings.Repeat("è", 2001), "text-error"},
		"text of zeros":  {"text", "a\x00b", "text-error"},
		"turned text":    {"text", "a\u202eb", "text-error"},
		"page too long":  {"where", strings.Repeat("a", 301), "where-error"},
		"lines in page":  {"where", "a\nb", "where-error"},
		"no address":     {"email", "anna", "email-error"},
		"named address":  {"email", "Anna <anna@example.it>", "email-error"},
		"address of two": {"email", "a@example.it,b@example.it", "email-error"},
	} {
		form := url.Values{}
		for k := range whole {
			form.Set(k, whole.Get(k))
		}
		form.Set(c.field, c.value)
		if rw := d.send("192.0.2.1", reportPath, form); rw.Code != http.StatusUnprocessableEntity || !strings.Contains(rw.Body.String(), `id="`+c.want) || !strings.Contains(rw.Body.String(), "index\"") {
			t.Errorf("%s: %d", name, rw.Code)
		}
	}
	if n := len(d.remarks(t)); n != 1 {
		t.Errorf("%d reports are kept", n)
	}
}

// Neither one address nor all of them together fill the register; an hour later it goes on.
func TestFeedbackIsBounded(t *testing.T) {
	d := served(t, city, nil)
	form := url.Values{"topic": {"other"}, "text": {"x"}}
	for range perAddress {
		if rw := d.send("192.0.2.1", reportPath, form); rw.Code != http.StatusSeeOther {
			t.Fatal(rw.Code)
		}
	}
	rating := url.Values{"page": {"/"}, "stars": {"1"}}
	if a, b := d.send("192.0.2.1", reportPath, form), d.send("192.0.2.1", pages.RatingPath, rating); a.Code != http.StatusTooManyRequests || b.Code != http.StatusTooManyRequests {
		t.Error("one address goes on", a.Code, b.Code)
	}
	for i := perAddress; i < perHour; i++ {
		if rw := d.send(fmt.Sprintf("198.51.%d.%d", i/200, i%200), pages.RatingPath, rating); rw.Code != http.StatusSeeOther {
			t.Fatal(rw.Code)
		}
	}
	if rw := d.send("203.0.113.1", reportPath, form); rw.Code != http.StatusTooManyRequests || !strings.Contains(rw.Body.String(), ">x</textarea>") {
		t.Error("all of them go on, or what was typed is lost", rw.Code)
	}
	d.now = d.now.Add(time.Hour)
	if rw := d.send("192.0.2.1", reportPath, form); rw.Code != http.StatusSeeOther {
		t.Error(rw.Code)
	}
}

func TestRate(t *testing.T) {
	d := served(t, city, nil, "/contact/{token}")
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"good, with words":         {url.Values{"page": {"/faq"}, "stars": {"5"}, "good": {"2"}, "bad": {"3"}, "text": {"bello"}}, http.StatusSeeOther},
		"bad":                      {url.Values{"page": {"/"}, "stars": {"2"}, "good": {"2"}, "bad": {"4"}}, http.StatusSeeOther},
		"stars alone":              {url.Values{"page": {"/contact/{token}"}, "stars": {"3"}}, http.StatusSeeOther},
		"no stars":                 {url.Values{"page": {"/"}}, http.StatusUnprocessableEntity},
		"six stars":                {url.Values{"page": {"/"}, "stars": {"6"}}, http.StatusUnprocessableEntity},
		"stars in words":           {url.Values{"page": {"/"}, "stars": {"+5"}}, http.StatusUnprocessableEntity},
		"reason that there is not": {url.Values{"page": {"/"}, "stars": {"5"}, "good": {"9"}}, http.StatusUnprocessableEntity},
		"page that there is not":   {url.Values{"page": {"/nowhere"}, "stars": {"5"}}, http.StatusUnprocessableEntity},
		"too many words":           {url.Values{"page": {"/"}, "stars": {"5"}, "text": {strings.Repeat("è", 201)}}, http.StatusUnprocessableEntity},
	} {
		if rw := d.send("192.0.2.1", pages.RatingPath, c.form); rw.Code != c.want {
			t.Errorf("%s: %d, want %d", name, rw.Code, c.want)
		}
	}
	all, err := d.reg.Ratings(t.Context(), d.now)
	if want := "[{/ 2 4 1} {/contact/{token} 3 0 1} {/faq 5 2 1}]"; err != nil || fmt.Sprint(all) != want {
		t.Errorf("%v, %v; want %s", all, err, want)
	}
	if words := d.remarks(t); len(words) != 1 || words[0].Text != "bello" || words[0].Page != "/faq" || words[0].Stars != 5 {
		t.Errorf("%+v", words)
	}
}

// A page is rated and reported from a browser, by keyboard, without a script of ours.
func TestFeedbackInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"390-it": {390, pages.It}, "1280-en": {1280, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := served(t, city, nil)
			server := httptest.NewServer(d)
			defer server.Close()
			b := pagestest.Open(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), c.width, 900)
			check := func(where string) { t.Helper(); b.Check("public-" + where + "-" + name) }
			shown := func(selector string) bool {
				return pagestest.Eval[bool](b, fmt.Sprintf("document.querySelector(%q).checkVisibility()", selector))
			}
			b.Visit("/faq?lang=" + string(c.lang))
			if shown(".rating-more") {
				t.Error("what follows the stars is there before them")
			}
			b.Click(".star:nth-of-type(2)")
			if shown(".rating-good") || !shown(".rating-bad") {
				t.Error("two stars ask the wrong thing")
			}
			check("rating-bad")
			b.Click(".star:nth-of-type(4)")
			if !shown(".rating-good") || shown(".rating-bad") {
				t.Error("four stars ask the wrong thing")
			}
			b.Click("#good1")
			b.Fill("#rating-text", "chiaro")
			check("rating-good")
			b.Press(".rating-form button")
			check("rated")
			b.Visit(reportPath)
			check("report")
			b.Press("main form button")
			check("report-wrong")
			b.Click("#topic-wrong")
			b.Fill("#text", "Un orario non è giusto.")
			b.Press("main form button")
			check("report-sent")
			if all := d.remarks(t); len(all) != 2 {
				t.Errorf("%+v", all)
			}
		})
	}
}

// On a narrow window the sections open behind a button, and close again, by keyboard.
func TestMenuOnATelephone(t *testing.T) {
	server := httptest.NewServer(served(t, city, nil, "/site", "/aderisci"))
	defer server.Close()
	b := pagestest.Open(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), 390, 844)
	b.Visit("/")
	open := func() bool { return pagestest.Eval[bool](b, `document.querySelector("#city-menu").checkVisibility()`) }
	if open() {
		t.Error("the sections are open")
	}
	b.Click(".city-open")
	if !open() {
		t.Error("the sections do not open")
	}
	b.Check("public-menu-390-it")
	b.Picture("public-menu-window-390-it")
	b.Click(".city-close")
	if open() {
		t.Error("the sections do not close")
	}
	b.Resize(1280, 900)
	if !open() {
		t.Error("a wide window does not show the sections")
	}
}

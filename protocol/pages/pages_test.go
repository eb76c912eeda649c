package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

func quiet(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// site is a package's pages with one template and its words.
func site(html, it, en string) fstest.MapFS {
	return fstest.MapFS{"home.html": {Data: []byte(html)}, "it.json": {Data: []byte(it)}, "en.json": {Data: []byte(en)}}
}

func TestLoadRefusesWhatDoesNotAgree(t *testing.T) {
	const one = `{"home.title":"Ciao {name}"}`
	for name, c := range map[string]struct{ html, it, en, want string }{
		"all well":               {`{{t "home.title" "name" .User}}`, one, `{"home.title":"Hello {name}"}`, ""},
		"key missing in English": {`x`, one, `{}`, `"home.title" has no text in "en"`},
		"key missing in Italian": {`x`, `{}`, one, `"home.title" has no text in "it"`},
		"placeholder differs":    {`x`, one, `{"home.title":"Hello {who}"}`, "placeholders"},
		"empty text":             {`x`, `{"a":" "}`, `{"a":"b"}`, "empty"},
		"shared key again":       {`x`, `{"shell.name":"a"}`, `{"shell.name":"a"}`, "shared words"},
		"unknown word":           {`{{if .User}}{{t "home.nothing"}}{{end}}`, one, one, `no word "home.nothing"`},
		"unknown word nested":    {`{{with $x := (t "home.nothing")}}{{$x}}{{end}}`, one, one, `no word "home.nothing"`},
		"value not given":        {`{{t "home.title"}}`, one, one, `wants {name}`},
		"count without a plural": {`{{n "home.title" 3}}`, one, one, `no word "home.title.one"`},
		"unknown prefix":         {`{{t (printf "nowhere.%s" .User)}}`, one, one, `no word begins with "nowhere."`},
		"bad template":           {`{{if}}`, one, one, "home.html"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(site(c.html, c.it, c.en), quiet(t))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestRender(t *testing.T) {
	set, err := Load(site(`<h1>{{t "home.title" "name" .Data}}</h1>`, `{"home.title":"Ciao {name}"}`, `{"home.title":"Hello {name}"}`), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	show := func(url string, head http.Header) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", url, nil)
		for k, v := range head {
			r.Header[k] = v
		}
		w := httptest.NewRecorder()
		set.Render(w, r, Page{Template: "home.html", Title: "shell.name", Face: FaceOps, User: "A. Neri",
			Notes: []Note{{Kind: "danger", Key: "shell.unbuilt"}, {Kind: "info", Text: "a < b"}}, Data: "<b>Eva</b>"})
		return w
	}
	w := show("/x?a=1", nil)
	for _, want := range []string{`<html lang="it"`, "Ciao &lt;b&gt;Eva&lt;/b&gt;", `href="/x?a=1&amp;lang=en"`, `role="alert"`, "a &lt; b", "A. Neri", `action="/logout"`, `href="/privacy"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("page lacks %s", want)
		}
	}
	if w.Header().Get("Content-Security-Policy") != Policy {
		t.Error("page without the policy")
	}
	for _, never := range []string{"style=", "onclick=", "<script>"} {
		if strings.Contains(w.Body.String(), never) {
			t.Errorf("page has %s, which the policy stops", never)
		}
	}
	if w := show("/", http.Header{"Accept-Language": {"de, en;q=0.8"}}); !strings.Contains(w.Body.String(), "Hello") {
		t.Error("Accept-Language was not heard")
	}
	w = show("/?lang=en", nil)
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != languageCookie || c[0].Value != "en" {
		t.Errorf("the choice was not kept: %v", c)
	}
	if w := show("/", http.Header{"Cookie": {languageCookie + "=en"}, "Accept-Language": {"it"}}); !strings.Contains(w.Body.String(), "Hello") {
		t.Error("an earlier choice was not heard")
	}
	if w := show("/?lang=xx", nil); !strings.Contains(w.Body.String(), "Ciao") || len(w.Result().Cookies()) != 0 {
		t.Error("an unknown language must fall back to Italian and not be kept")
	}
}

func TestRenderHidesHalfPages(t *testing.T) {
	set, err := Load(site(`before{{.Data.Nothing}}`, `{}`, `{}`), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	set.Render(w, httptest.NewRequest("GET", "/", nil), Page{Template: "home.html", Title: "shell.name", Face: FaceOps, Data: 1})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "before") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestNotices(t *testing.T) {
	for _, face := range []Face{FaceAgent, FacePublic, FaceOps, FaceConsult, FaceAudit} {
		h := Statements(face, quiet(t))
		for _, path := range []string{"/privacy", "/accessibility"} {
			for _, lang := range []string{"it", "en"} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", path+"?lang="+lang, nil))
				if body := w.Body.String(); w.Code != http.StatusOK || strings.Count(body, "<p>") < 2 || strings.Contains(body, "[") {
					t.Errorf("%s %s %s: %d\n%s", face, path, lang, w.Code, body)
				}
			}
		}
	}
}

func TestReportsAreBounded(t *testing.T) {
	var lines strings.Builder
	h := Reports(slog.New(slog.NewTextHandler(&lines, nil)))
	for range maxReports + 50 {
		r := httptest.NewRequest("POST", ReportPath, strings.NewReader(`{"csp-report":{"effective-directive":"img-src","blocked-uri":"https://x.example/a?name=rossi"}}`))
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", ReportPath, strings.NewReader("garbage")))
	if n := strings.Count(lines.String(), "\n"); n != maxReports {
		t.Errorf("%d lines, want %d", n, maxReports)
	}
	if strings.Contains(lines.String(), "rossi") {
		t.Error("the query of an address reached the log")
	}
}

// Who changes what owners read changes the version that they say to have read.
func TestOwnersNotice(t *testing.T) {
	set, err := loadStatements(quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, l := range []Lang{It, En} {
		for _, p := range paragraphs(set.Words(l), "statement.privacy.agent") {
			fmt.Fprintln(sum, p)
		}
	}
	if got, want := OwnersNotice+" "+hex.EncodeToString(sum.Sum(nil)[:8]), "5 (2026-11-24) ac8bb66c268b9b59"; got != want {
		t.Errorf("the notice is %s, the test knows %s: if the text changed, give it another version, and write both here", got, want)
	}
}

func TestPagesAreParsedForWhoLooks(t *testing.T) {
	files := site(`{{template "part" .Data}}`, `{"home.part":"Parte"}`, `{"home.part":"Part"}`)
	files["_part.html"] = &fstest.MapFile{Data: []byte(`{{define "part"}}<b>{{t "home.part"}} {{.}}</b>{{end}}`)}
	set, err := Load(files, quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.pages) != 0 {
		t.Error("pages are parsed that nobody has asked for")
	}
	show := func(lang, want string) {
		w := httptest.NewRecorder()
		set.Render(w, httptest.NewRequest("GET", "/?lang="+lang, nil), Page{Template: "home.html", Title: "shell.name", Face: FaceOps, Data: 7})
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d lacks %s", lang, w.Code, want)
		}
	}
	for range 2 {
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() { show("it", "<b>Parte 7</b>"); show("en", "<b>Part 7</b>") })
		}
		readers.Wait()
		if len(set.pages) != 2 {
			t.Errorf("%d pages in use, want one a language", len(set.pages))
		}
		set.forget()
		if len(set.pages) != 0 {
			t.Error("pages are kept that nobody looks at")
		}
	}
	w := httptest.NewRecorder()
	set.Render(w, httptest.NewRequest("GET", "/", nil), Page{Template: "nowhere.html"})
	if w.Code != http.StatusInternalServerError {
		t.Errorf("a page that there is not: %d", w.Code)
	}
}

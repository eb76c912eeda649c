package public

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

var city = pages.Body{Name: "Comune di Prova", URL: "https://www.comune.example.it", Contact: "telecamere@comune.example.it", DPO: "dpo@comune.example.it"}

// desk is the public listener with these pages, beside some of other faces.
type desk struct {
	http.Handler
	reg *registry.Registry
	now time.Time
}

func served(t *testing.T, b pages.Body, change func(*Options), others ...string) *desk {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	d := &desk{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	d.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	listener, err := web.New(web.Options{Registry: d.reg, Face: pages.FacePublic, PublicURL: "http://localhost:8080", Body: b,
		Secret: make([]byte, 32), Record: func(context.Context, web.Act) error { return nil }, Log: log, Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Web: listener, Registry: d.reg, Privacy: http.NotFoundHandler(), Log: log}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	routes := p.Routes()
	for _, path := range others {
		routes = append(routes, web.Route{Pattern: "GET " + path, Open: true, Handler: http.NotFoundHandler()})
	}
	if d.Handler, err = listener.Handler(routes); err != nil {
		t.Fatal(err)
	}
	return d
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, httptest.NewRequest("GET", "http://localhost"+path, nil))
	return rw
}

// Each page is whole in both languages, may be indexed, says when it was written, and
// its links lead to what there is.
func TestPages(t *testing.T) {
	others := []string{"/site", "/check"}
	h := served(t, city, nil, others...)
	link := regexp.MustCompile(`href="(/[^"#?]*)`)
	for _, page := range all {
		path := strings.TrimSuffix(page.path, "{$}")
		for _, l := range pages.Langs {
			rw := get(h, path+"?lang="+string(l.Lang))
			body := rw.Body.String()
			if rw.Code != http.StatusOK || strings.Count(body, "<h1>") != 1 || strings.Contains(body, "[") {
				t.Errorf("%s %s: %d, %d titles\n%s", path, l.Lang, rw.Code, strings.Count(body, "<h1>"), body)
			}
			for _, want := range []string{`content="index"`, `name="description"`, `<time datetime="2026-`, city.Name, `mailto:` + city.Contact} {
				if !strings.Contains(body, want) {
					t.Errorf("%s %s lacks %s", path, l.Lang, want)
				}
			}
			for _, m := range link.FindAllStringSubmatch(body, -1) {
				if strings.HasPrefix(m[1], pages.Prefix) || strings.Contains(strings.Join(others, " "), m[1]) || m[1] == "/privacy" {
					continue
				}
				if rw := get(h, m[1]); rw.Code != http.StatusOK {
					t.Errorf("%s leads to %s, which answers %d", path, m[1], rw.Code)
				}
			}
		}
	}
	if rw := get(h, "/accessibilita"); rw.Header().Get("Location") != "/accessibility" {
		t.Errorf("/accessibilita leads to %q", rw.Header().Get("Location"))
	}
}

// What validators of municipal sites look for is on the first page.
func TestElementHooks(t *testing.T) {
	body := get(served(t, city, nil, "/site", "/aderisci"), "/").Body.String()
	for _, name := range []string{"header", "footer", "main-navigation", "personal-area-login", "faq", "report-inefficiency", "privacy-policy-link",
		"accessibility-link", "legal-notes", "contacts", "feedback", "feedback-title", "feedback-rate-1", "feedback-rate-5", "feedback-rating-positive",
		"feedback-rating-negative", "feedback-rating-question", "feedback-rating-answer", "feedback-input-text"} {
		if !strings.Contains(body, `data-element="`+name+`"`) {
			t.Errorf("there is no data-element %q", name)
		}
	}
}

// Without settings the pages say what is not known, and lead nowhere that is not there.
func TestWithoutSettings(t *testing.T) {
	h := served(t, pages.Body{}, nil)
	home := get(h, "/").Body.String()
	for _, never := range []string{`href="/aderisci"`, `href="/site"`, `href=""`, "mailto:"} {
		if strings.Contains(home, never) {
			t.Errorf("the home page has %s", never)
		}
	}
	if body := get(h, "/accessibility").Body.String(); !strings.Contains(body, "non ha ancora pubblicato") {
		t.Error("the statement does not say that it is not published")
	}
	h = served(t, city, func(o *Options) {
		o.AccessibilityURL, o.AppURL = "https://form.agid.gov.it/view/1", "https://app.example.it"
	})
	for path, want := range map[string]string{"/accessibility": "https://form.agid.gov.it/view/1", "/installa": "https://app.example.it", "/": city.URL} {
		if !strings.Contains(get(h, path).Body.String(), want) {
			t.Errorf("%s does not lead to %s", path, want)
		}
	}
}

// Who changes what the pages say changes the day that they show.
func TestWritten(t *testing.T) {
	pagestest.Dated(t, files, written, "2026-11-24 3b94206197eb0c30")
}

func TestPagesInABrowser(t *testing.T) {
	server := httptest.NewServer(served(t, city, nil, "/site", "/aderisci", "/check"))
	defer server.Close()
	for _, width := range []int64{390, 1280} {
		b := pagestest.Open(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), width, 900)
		for _, page := range all {
			for _, l := range pages.Langs {
				b.Visit(strings.TrimSuffix(page.path, "{$}") + "?lang=" + string(l.Lang))
				b.Check(fmt.Sprintf("public-%s-%d-%s", page.title, width, l.Lang))
			}
		}
	}
}

package adhere

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// desk is the form over a real register, on the public listener.
type desk struct {
	t     *testing.T
	reg   *registry.Registry
	web   *web.Web
	pages http.Handler
	log   bytes.Buffer
	now   time.Time
	acts  []web.Act
	err   error // of the trail

	cookies map[string]string // of the browser
}

// known are the addresses that the gazetteer of the tests knows.
var known = map[string][]protocol.FoundPlace{
	"via Torino 1": {{Name: "Via Torino 1", At: protocol.Point{Lon: 9_186_500, Lat: 45_462_700}, Sure: true}},
	"via Roma": {{Name: "Via Roma (Duomo)", At: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}},
		{Name: "Via Roma (Lambrate)", At: protocol.Point{Lon: 9_240_000, Lat: 45_480_000}}},
}

func newDesk(t *testing.T, change ...func(*Options)) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Now(), cookies: map[string]string{}}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	var err error
	d.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	record := func(_ context.Context, a web.Act) error {
		if d.err == nil {
			d.acts = append(d.acts, a)
		}
		return d.err
	}
	now := func() time.Time { return d.now }
	d.web, err = web.New(web.Options{Registry: d.reg, Face: pages.FacePublic, PublicURL: "http://localhost:8080",
		Secret: make([]byte, 32), Record: record, Log: log, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := ingest.OpenReceiptKey(t.TempDir(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Web: d.web, Registry: d.reg, Record: record, Log: log,
		Sign: receipts.SignReceipt, Link: func(code protocol.Code) string { return "https://localhost:8443/enrol#" + code.String() }, Mail: true,
		Find: func(address string) []protocol.FoundPlace { return known[address] }, Inside: func(p protocol.Point) bool { return p.Lat < 46e6 }}
	for _, c := range change {
		c(&o)
	}
	form, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if d.pages, err = d.web.Handler(form.Routes()); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask makes a request as the browser would, and keeps the cookies.
func (d *desk) ask(method, path string, form url.Values) *http.Response {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://localhost"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "192.0.2.1:5"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range d.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rw := httptest.NewRecorder()
	d.pages.ServeHTTP(rw, r)
	resp := rw.Result()
	for _, c := range resp.Cookies() {
		d.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(d.cookies, c.Name)
		}
	}
	return resp
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// page is the text of a page that is there, in which no word and no value is missing.
func (d *desk) page(path string) string {
	d.t.Helper()
	resp := d.ask("GET", path, nil)
	text := body(d.t, resp)
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s answers %d to %q", path, resp.StatusCode, resp.Header.Get("Location"))
	}
	d.whole(path, text)
	return text
}

var missing = regexp.MustCompile(`\[[a-z]+\.[a-z._-]+\]|\{[a-z_]+\}|%!|&lt;nil&gt;`)

func (d *desk) whole(where, text string) {
	d.t.Helper()
	if found := missing.FindString(text); found != "" {
		d.t.Errorf("%s: a word or a value is missing: %s", where, found)
	}
}

// post sends a form, and goes where it leads; a page in its place is an error.
func (d *desk) post(path string, fields map[string]string) (to string) {
	d.t.Helper()
	resp := d.ask("POST", path, values(fields))
	if resp.StatusCode != http.StatusSeeOther {
		d.t.Fatalf("%s answers %d: %s", path, resp.StatusCode, errorsOf(body(d.t, resp)))
	}
	return resp.Header.Get("Location")
}

func values(fields map[string]string) url.Values {
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	return v
}

var fieldError = regexp.MustCompile(`(?s)<p class="field-error"[^>]*>(.*?)</p>|role="alert">.*?</span>(.*?)</p>`)

// errorsOf are the errors that a page tells.
func errorsOf(text string) (all []string) {
	for _, m := range fieldError.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

package cameratest

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const writtenRecorders = writtenCameras + "/recorders"

// loadRecorder reads a hand-written recorder.
func loadRecorder(t *testing.T, name string) *Conversation {
	t.Helper()
	c, err := LoadDir(filepath.Join(writtenRecorders, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A webCall is a request to a web interface.
type webCall struct {
	method, target, body string
	header               http.Header
}

// visit sends one, and gives the answer with its body read.
func visit(t *testing.T, d *Device, c webCall) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+d.Address().String()+c.target, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestWebMatch: the first answer that fits, with its status, type and headers.
func TestWebMatch(t *testing.T) {
	d := start(t, loadFiles(t, map[string]string{
		"device.json": `{}`,
		"web.json": `{"server":"one/1","answers":[
			{"path":"/a","query":{"x":"1","y":""},"file":"both.json"},
			{"path":"/a","query":{"x":"1"},"file":"deep/x.xml"},
			{"method":"POST","path":"/a","body":["<id>7","</q>"],"status":201,"file":"post.html"},
			{"method":"POST","path":"/a","type":"text/xml; charset=utf-8","headers":{"X-Host":"{{host}}","X-Odd":"1"},"file":"deep/x.xml"},
			{"path":"/a b/ö","file":"odd.bin"},
			{"path":"/empty","status":503}]}`,
		"web/both.json": `{"both":1}`, "web/deep/x.xml": "<x/>", "web/post.html": "<p>", "web/odd.bin": "odd",
	}), Options{})
	for _, tc := range []struct {
		method, target, body string
		status               int
		kind, want           string
	}{
		{"GET", "/a?y=&x=1&z=3", "", 200, "application/json", `{"both":1}`},
		{"GET", "/a?x=1", "", 200, "application/xml", "<x/>"},
		{"GET", "/a?x=1&y=2", "", 200, "application/xml", "<x/>"},
		{"GET", "/a?x=2", "", 404, "text/plain", ""},
		{"GET", "/a?x=2&x=1", "", 404, "text/plain", ""}, // the first value counts
		{"GET", "/a?%zz", "", 404, "text/plain", ""},
		{"GET", "/a/", "", 404, "text/plain", ""},
		{"PUT", "/a?x=1", "", 404, "text/plain", ""},
		{"POST", "/a", "<q><id>7</id></q>", 201, "text/html", "<p>"},
		{"POST", "/a", "<q><id>8</id></q>", 200, "text/xml; charset=utf-8", "<x/>"},
		{"GET", "/a%20b/%C3%B6", "", 200, "text/plain", "odd"},
		{"GET", "/empty", "", 503, "text/plain", ""},
		{"POST", "/onvif/device_service", "<x/>", 404, "text/plain; charset=utf-8", ""},
		{"POST", "/a", strings.Repeat("x", maxRequest+1), 413, "", ""},
	} {
		resp, body := visit(t, d, webCall{method: tc.method, target: tc.target, body: tc.body})
		h := resp.Header
		if resp.StatusCode != tc.status || body != tc.want || tc.kind != "" && h.Get("Content-Type") != tc.kind || h.Get("Server") != "one/1" {
			t.Errorf("%s %s: HTTP %d %q, %v", tc.method, tc.target, resp.StatusCode, body, h)
		}
		if odd := strings.HasPrefix(tc.kind, "text/xml"); odd != (h.Get("X-Odd") == "1") || odd != (h.Get("X-Host") == d.Address().String()) {
			t.Errorf("%s %s: headers %v", tc.method, tc.target, h)
		}
	}
	r := d.Requests()[0]
	if r.Method != "GET" || r.Path != "/a" || r.Query != "y=&x=1&z=3" || r.File != "both.json" || r.Status != 200 {
		t.Errorf("noted %+v", r)
	}
}

// TestWebClock: the times of templates, of headers and of Date are those of the
// device's clock, those of the wall in its zone.
func TestWebClock(t *testing.T) {
	c := loadRecorder(t, "provaweb-sessione")
	if c.Defaults.ClockOffset != -90*time.Second {
		t.Fatalf("offset %v", c.Defaults.ClockOffset)
	}
	for zone, o := range map[string]Options{
		"Europe/Lisbon": {Auth: AuthNone},
		"Europe/Rome":   {Auth: AuthNone, ClockOffset: 58 * time.Minute},
	} {
		at, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		played := *c
		if zone == "Europe/Rome" {
			played.zone = nil // which is the default
		}
		d := start(t, &played, o)
		before := d.Now().Truncate(time.Second)
		resp, body := visit(t, d, webCall{method: "GET", target: "/api/config?of=time"})
		after := d.Now()
		near := func(what string, got time.Time, err error) {
			t.Helper()
			if err != nil || got.Before(before) || got.After(after) {
				t.Errorf("%s: %s %v, want from %v to %v (%v)", zone, what, got, before, after, err)
			}
		}
		var m struct {
			UTC, Wall      string
			Epoch, EpochMS int64
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		got, err := time.Parse("2006-01-02T15:04:05Z", m.UTC)
		near("utc", got, err)
		got, err = time.ParseInLocation("2006-01-02 15:04:05", m.Wall, at)
		near("wall", got, err)
		near("epoch", time.Unix(m.Epoch, 0), nil)
		near("epochms", time.UnixMilli(m.EpochMS), nil)
		got, err = http.ParseTime(resp.Header.Get("Date"))
		near("Date", got, err)

		resp, _ = visit(t, d, webCall{method: "GET", target: "/api/config?of=schedule&channel=1"})
		if resp.Header.Get("X-Seen") == "" || resp.Header.Get("X-Seen") < body[strings.Index(body, `"epoch":`)+8:][:10] {
			t.Errorf("header %q", resp.Header.Get("X-Seen"))
		}
		_, oldest := visit(t, d, webCall{method: "POST", target: "/api/search", body: `"channel" "oldest"`})
		oldest = strings.TrimSuffix(strings.TrimSpace(oldest), "</oldest>")
		was, err := time.ParseInLocation("2006-01-02 15:04:05", oldest[strings.Index(oldest, ">")+1:], at)
		if err != nil || was.Before(before.Add(-145*time.Hour)) || was.After(d.Now().Add(-143*time.Hour)) { // a night of daylight saving may lie between
			t.Errorf("%s: oldest %v, %v", zone, was, err)
		}
	}
}

// TestWebDateOfONVIF: a device without a web interface has one clock too.
func TestWebDateOfONVIF(t *testing.T) {
	d := start(t, load(t, "ottimmago-orologio"), Options{})
	resp, _ := visit(t, d, webCall{method: "GET", target: devicePath})
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if ahead := time.Until(at); err != nil || ahead < 57*time.Minute || ahead > 59*time.Minute {
		t.Errorf("Date %q, %v", resp.Header.Get("Date"), err)
	}
}

// TestWebWithoutONVIF: nothing of it is announced by WS-Discovery.
func TestWebWithoutONVIF(t *testing.T) {
	host, other := ownHost(), ownHost()
	d := start(t, loadRecorder(t, "provaweb-sessione"), Options{Host: host, Interface: "lo"})
	start(t, load(t, "videofavola-cubo"), Options{Host: other, Interface: "lo"})
	p := newProber(t, host, other)
	p.probe("urn:uuid:1", typesNVT)
	if m := p.reply(); m.from.Addr().String() != other {
		t.Errorf("an answer from %s", m.from)
	}
	if d.voice != nil || len(d.Probes()) != 0 || d.Hello() == nil {
		t.Errorf("it heard %q", d.Probes())
	}
	for _, method := range []string{"GET", "POST"} {
		if resp, _ := visit(t, d, webCall{method: method, target: devicePath}); resp.StatusCode != 404 {
			t.Errorf("%s %s: HTTP %d", method, devicePath, resp.StatusCode)
		}
	}
	if d.WrongAttempts() != 0 || slices.ContainsFunc(d.Requests(), func(r Request) bool { return r.Refused }) {
		t.Errorf("refused: %+v", d.Requests())
	}
}

// TestWebTown: a town of recorders, none of which asks for a password.
func TestWebTown(t *testing.T) {
	dir := writeDir(t, map[string]string{"a/device.json": `{"auth":"basic","user":"u","password":"p"}`, "a/web.json": `{"answers":[{"path":"/info"}]}`})
	for open, want := range map[bool]int{true: 200, false: 401} {
		lan, err := Town(TownOptions{Cameras: dir, FirstHost: ownHost(), NoAuth: open})
		if err != nil {
			t.Fatal(err)
		}
		if resp, _ := visit(t, lan.Devices[0], webCall{method: "GET", target: "/info"}); resp.StatusCode != want {
			t.Errorf("NoAuth %v: HTTP %d", open, resp.StatusCode)
		}
		if err := lan.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestWebSSDP: the description says what web.json says, unasked for a password.
func TestWebSSDP(t *testing.T) {
	c := loadRecorder(t, "provaweb-sessione")
	if !c.Defaults.SSDP || c.Maker != "Provaweb" || c.Model != "PW-4" {
		t.Errorf("maker %q, model %q", c.Maker, c.Model)
	}
	host := ownHost()
	d := start(t, c, Options{Host: host, Interface: "lo"})
	p := newProber(t, host)
	p.sendTo(searchGroup, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n")
	if b, _ := p.datagram(); !strings.Contains(string(b), "LOCATION: http://"+d.Address().String()+descriptionPath) {
		t.Errorf("answer %q", b)
	}
	_, body := visit(t, d, webCall{method: "GET", target: descriptionPath})
	for _, want := range []string{"<manufacturer>Provaweb</manufacturer>", "<modelName>PW-4</modelName>", "<presentationURL>http://" + host + ":5000/</presentationURL>"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

// TestWebSentinels: what must not leave is known of web answers too, and of what
// was put into them while the device ran.
func TestWebSentinels(t *testing.T) {
	d := start(t, loadRecorder(t, "provaweb-sessione"), Options{})
	_, body := visit(t, d, webCall{method: "POST", target: "/api/login", body: rightLogin})
	if err := d.Change("schedule.json", []byte(`{"who":"SENTINEL-CHANGED"}`)); err != nil {
		t.Fatal(err)
	}
	session := body[strings.Index(body, `:"`)+2:][:26]
	got := Sentinels(d)
	for _, want := range []string{"SENTINEL-SERIAL-1001", "SENTINEL-PASSWORD-1001", "02:5E:47:00:10:01", "025e47001001", "SENTINEL-CHANGED", session} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
}

// TestTemplateOfTheRequest: an answer may follow what the request asks for.
func TestTemplateOfTheRequest(t *testing.T) {
	d := start(t, loadFiles(t, map[string]string{
		"device.json":      `{}`,
		"web.json":         `{"challenge":"none","otherwise":{"file":"other.txt"},"answers":[{"path":"/calendar","file":"calendar.txt"}]}`,
		"web/calendar.txt": `{{if eq (query "Month") "11"}}0{{else}}1{{end}}{{query "Year"}}`,
		"web/other.txt":    `none{{query "Month"}}`,
	}), Options{})
	for target, want := range map[string]string{"/calendar?Month=11&Year=2026": "02026", "/calendar?Month=12": "1", "/calendar": "1", "/else?Month=11": "none"} {
		if _, body := visit(t, d, webCall{target: target}); body != want {
			t.Errorf("%s: %q, want %q", target, body, want)
		}
	}
}

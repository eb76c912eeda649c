package atlas

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// drawn is a map of one tile and one street.
type drawn struct {
	protocol.MapDescription
	broken error
	asked  []string
}

func (d *drawn) Describe() protocol.MapDescription { return d.MapDescription }

func (d *drawn) Packed(z, x, y int) ([]byte, error) {
	if d.broken != nil {
		return nil, fmt.Errorf("tile %d/%d/%d: %w", z, x, y, d.broken)
	}
	if z != 14 || x != 8610 || y != 5864 {
		return nil, nil
	}
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write([]byte("houses")); err != nil {
		return nil, err
	}
	err := zw.Close()
	return b.Bytes(), err
}

func (d *drawn) Find(text string) []protocol.FoundPlace {
	d.asked = append(d.asked, text)
	if text != "via Torino 1" {
		return nil
	}
	return []protocol.FoundPlace{{Name: "Via Torino 1", At: protocol.Point{Lon: 9_210_500, Lat: 45_479_500}, Sure: true}}
}

func served(t *testing.T, m *drawn) (handler http.Handler, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // stands still: so does the minute
	g, err := New(Options{Web: &web.Web{Options: web.Options{Now: func() time.Time { return now }}}, Map: m, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range g.Routes() {
		if !r.Open {
			t.Errorf("%s is not open", r.Pattern)
		}
		mux.Handle(r.Pattern, r.Handler)
	}
	return mux, log
}

func ask(t *testing.T, h http.Handler, from, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = from + ":999"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, r)
	return rw
}

const house = "/map/14/8610/5864"

func TestTiles(t *testing.T) {
	m := &drawn{MapDescription: protocol.MapDescription{Tiles: true, MaxZoom: 14, Tag: "milano"}}
	h, log := served(t, m)
	whole := ask(t, h, "192.0.2.1", "GET", house, "")
	if whole.Code != http.StatusOK || whole.Body.String() != "houses" || whole.Header().Get("Content-Encoding") != "" || whole.Header().Get("Cache-Control") != "public, max-age=86400" {
		t.Errorf("%d %q %v", whole.Code, whole.Body, whole.Header())
	}
	packed := ask(t, h, "192.0.2.1", "GET", house, "", "Accept-Encoding", "gzip, br")
	zr, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(zr); err != nil || string(raw) != "houses" || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("packed %q %v %v", raw, err, packed.Header())
	}
	if packed.Header().Get("ETag") == whole.Header().Get("ETag") {
		t.Error("packed and not, it has one tag")
	}
	for _, known := range []string{whole.Header().Get("ETag"), `"other", W/` + whole.Header().Get("ETag")} {
		if again := ask(t, h, "192.0.2.1", "GET", house, "", "If-None-Match", known); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("asked again, knowing %s: %d %q", known, again.Code, again.Body)
		}
	}
	if refused := ask(t, h, "192.0.2.1", "GET", house, "", "Accept-Encoding", "br, gzip;q=0"); refused.Body.String() != "houses" || refused.Header().Get("Content-Encoding") != "" {
		t.Errorf("gzip refused: %q %v", refused.Body, refused.Header())
	}
	for path, want := range map[string]int{"/map/14/1/1": 204, "/map/17/1/1": 404, "/map/2/4/1": 404, "/map/2/1/-1": 404, "/map/a/1/1": 404, "/map/14/99999999999/1": 404} {
		if got := ask(t, h, "192.0.2.1", "GET", path, ""); got.Code != want {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	m.broken = errors.New("read error")
	if got := ask(t, h, "192.0.2.1", "GET", house, ""); got.Code != http.StatusServiceUnavailable || strings.Contains(log.String(), "8610") || !strings.Contains(log.String(), "read error") {
		t.Errorf("a map that cannot be read: %d, log %s", got.Code, log)
	}
	m.MapDescription = protocol.MapDescription{}
	if got := ask(t, h, "192.0.2.1", "GET", house, ""); got.Code != http.StatusNotFound {
		t.Errorf("without a map: %d", got.Code)
	}
}

func TestPlaces(t *testing.T) {
	m := &drawn{MapDescription: protocol.MapDescription{Places: true}}
	h, log := served(t, m)
	got := ask(t, h, "192.0.2.1", "POST", "/places", url.Values{"q": {" via Torino 1 "}}.Encode())
	var answer struct{ Places []place }
	if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil || len(answer.Places) != 1 ||
		answer.Places[0] != (place{"Via Torino 1", 9.2105, 45.4795, true}) || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %v", got.Code, got.Body, err)
	}
	if none := ask(t, h, "192.0.2.1", "POST", "/places", "q=via+Nessuna"); none.Body.String() != `{"places":[]}`+"\n" {
		t.Errorf("nothing: %s", none.Body)
	}
	for name, q := range map[string]string{"empty": "", "long": strings.Repeat("v", protocol.MaxPlaceText+1), "broken": "via\xff", "control": "via\x00"} {
		if got := ask(t, h, "192.0.2.1", "POST", "/places", url.Values{"q": {q}}.Encode()); got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	if got := ask(t, h, "192.0.2.1", "GET", "/places?q=via+Torino+1", ""); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("an address in a URL: %d", got.Code)
	}
	if got := ask(t, h, "192.0.2.1", "POST", "/places?q=via+Torino+1", ""); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("an address in a URL, posted: %d", got.Code)
	}
	m.Places = false
	if got := ask(t, h, "192.0.2.1", "POST", "/places", "q=via+Torino+1"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("without addresses: %d", got.Code)
	}
	if strings.Contains(log.String(), "Torino") || len(m.asked) != 2 {
		t.Errorf("asked %q, log %s", m.asked, log)
	}
}

// Who asks for more than a person who draws has to wait; others have not.
func TestWhoAsksTooMuchWaits(t *testing.T) {
	h, _ := served(t, &drawn{MapDescription: protocol.MapDescription{Tiles: true, Places: true, MaxZoom: 14, Tag: "milano"}})
	for name, tc := range map[string]struct {
		most               int
		method, path, body string
	}{"tiles": {mostTiles, "GET", house, ""}, "addresses": {mostPlaces, "POST", "/places", "q=via+Torino+1"}} {
		for i := range tc.most {
			if got := ask(t, h, "192.0.2.7", tc.method, tc.path, tc.body); got.Code != http.StatusOK {
				t.Fatalf("%s: the %dth gets %d", name, i+1, got.Code)
			}
		}
		if got := ask(t, h, "192.0.2.7", tc.method, tc.path, tc.body); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
			t.Errorf("%s: one more gets %d", name, got.Code)
		}
		if got := ask(t, h, "192.0.2.8", tc.method, tc.path, tc.body); got.Code != http.StatusOK {
			t.Errorf("%s: another address gets %d", name, got.Code)
		}
	}
}

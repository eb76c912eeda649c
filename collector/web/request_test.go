package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol/pages"
)

// A page that broke shows the id under which the log tells why; each request has its
// own, whatever its client sends.
func TestRequestIDs(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(LogRequests(slog.NewJSONHandler(&log, nil))).With("of", "test").WithGroup("g")
	reg := registrytest.Open(t, registrytest.Options(t.TempDir(), slog.New(slog.DiscardHandler)))
	w, err := New(Options{Registry: reg, Face: pages.FacePublic, PublicURL: "http://localhost:8080", Secret: make([]byte, 32),
		Record: func(context.Context, Act) error { return nil }, Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	var pattern string
	h, err := w.Handler([]Route{{Pattern: "GET /broken/{token}", Open: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Broken(rw, r, errors.New("the disk is gone"))
	})}, {Pattern: "GET /away", Open: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Broken(rw, r, fmt.Errorf("read the session: %w", io.ErrUnexpectedEOF))
	})}, {Pattern: "GET /unrecorded", Open: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Unrecorded(rw, r, errors.New("no room"))
	})}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range []struct {
		path string
		code int
	}{{"/broken/secret", 500}, {"/broken/secret", 500}, {"/away", 503}, {"/unrecorded", 503}} {
		for _, accept := range []string{"text/html", "application/json"} {
			log.Reset()
			r := httptest.NewRequest("GET", w.PublicURL+c.path, nil)
			r.Header.Set("Accept", accept)
			r.Header.Set("X-Request-ID", "mine")
			rw := httptest.NewRecorder()
			h.ServeHTTP(rw, r)
			pattern = r.Pattern
			if rw.Code != c.code {
				t.Errorf("%s answers %d, want %d", c.path, rw.Code, c.code)
			}
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err, log.String())
			}
			id, _ := line["g"].(map[string]any)["request"].(string)
			if !regexp.MustCompile(`^[A-Z2-7]{12}$`).MatchString(id) || seen[id] {
				t.Errorf("the log has the id %q: %s", id, log.String())
			}
			seen[id] = true
			if !strings.Contains(rw.Body.String(), id) || strings.Contains(rw.Body.String(), "gone") {
				t.Errorf("the answer does not tell %s: %s", id, rw.Body)
			}
			if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "mine") {
				t.Error(log.String())
			}
		}
	}
	if pattern != "GET /unrecorded" {
		t.Errorf("who counts is told the route %q", pattern)
	}
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, httptest.NewRequest("GET", w.PublicURL+"/nothing", nil))
	if rw.Code != http.StatusNotFound || strings.Contains(rw.Body.String(), "<code>") {
		t.Errorf("a page that is not there shows an id: %s", rw.Body)
	}
}

package ingest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"anagrafe/protocol"
)

var program = "targets/" + strings.Repeat("a", 64) + ".anagrafe-agent_v1.2.0_linux_amd64"

// repository is a directory beside a secret.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "channel")
	for name, content := range map[string]string{
		"timestamp.json":       `{"signed":{"expires":"2026-05-04T08:00:00Z"}}`,
		"1.root.json":          "{}",
		"12.targets.json":      "{}",
		"9.snapshot.json":      strings.Repeat(" ", maxMetadata+1),
		"staged/targets.json":  "not yet",
		"../root.secret":       "secret",
		program:                strings.Repeat("x", protocol.MaxChannelPart+10),
		"targets/plain-name":   "no hash",
		"targets/b/index.html": "a folder",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../root.secret", filepath.Join(dir, "2.root.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "3.root.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t *testing.T, dir string) *channel {
	t.Helper()
	c, err := newChannel(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChannelNames(t *testing.T) {
	c := opened(t, repository(t))
	for path, want := range map[string]int{
		"timestamp.json": 200, "1.root.json": 200, "12.targets.json": 200,
		"4.root.json": 404, "root.json": 404, "01.root.json": 404, "staged/targets.json": 404, "": 404, "targets/": 404, "targets": 404,
		"targets/plain-name": 404, "targets/b/index.html": 404, "../root.secret": 404, "targets/../../root.secret": 404,
		"3.root.json":     404, // a folder
		"2.root.json":     503, // a link that leads out
		"9.snapshot.json": 503,
	} {
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.URL.Path = protocol.ChannelPath + path // as it came: no client has cleaned it
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%q: %d %.60q", path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest("POST", protocol.ChannelPath+"timestamp.json", strings.NewReader("x")))
	if w.Code != 404 {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestChannelParts(t *testing.T) {
	c := opened(t, repository(t))
	size := protocol.MaxChannelPart + 10
	for asked, want := range map[string]int{
		"bytes=0-0": 1, fmt.Sprintf("bytes=0-%d", protocol.MaxChannelPart-1): protocol.MaxChannelPart,
		fmt.Sprintf("bytes=%d-%d", protocol.MaxChannelPart, size+1000): 10,
		"": 0, "bytes=0-": 0, "bytes=-5": 0, "bytes=5-4": 0, fmt.Sprintf("bytes=0-%d", protocol.MaxChannelPart): 0,
		fmt.Sprintf("bytes=%d-%d", size, size+5): 0, "bytes=0-1,4-5": 0, "bytes=99999999999999999999-1": 0,
	} {
		r := httptest.NewRequest("GET", protocol.ChannelPath+program, nil)
		r.Header.Set("Range", asked)
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if want == 0 && w.Code != http.StatusRequestedRangeNotSatisfiable || want > 0 && (w.Code != http.StatusPartialContent || !bytes.Equal(w.Body.Bytes(), bytes.Repeat([]byte("x"), want))) {
			t.Errorf("%q: %d with %d bytes", asked, w.Code, w.Body.Len())
		}
	}
}

func TestChannelMetrics(t *testing.T) {
	c := opened(t, repository(t))
	c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", protocol.ChannelPath+"timestamp.json", nil))
	c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", protocol.ChannelPath+"7.root.json", nil))
	for result, want := range map[string]float64{"given": 1, "missing": 1, "refused": 0} {
		if n := testutil.ToFloat64(c.given.WithLabelValues("metadata", result)); n != want {
			t.Errorf("%s: %v", result, n)
		}
	}
	if at := c.expires(); at != 1777881600 {
		t.Errorf("expires at %v", at)
	}
	if opened(t, t.TempDir()).expires() != 0 {
		t.Error("no channel expires")
	}
}

package consult

import (
	"encoding/binary"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pmtiles is a file with nothing in it but a header and a description.
func pmtiles(description string) []byte {
	head := make([]byte, 127)
	copy(head, "PMTiles\x03")
	binary.LittleEndian.PutUint64(head[24:], uint64(len(head)))
	binary.LittleEndian.PutUint64(head[32:], uint64(len(description)))
	head[97], head[99] = 1, 1 // nothing is packed, vector tiles
	return append(head, description...)
}

func TestBasemapWithoutCreditIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.pmtiles")
	if err := os.WriteFile(path, pmtiles("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	o := w.consult.Options
	o.Basemap = path
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "credit") {
		t.Errorf("got %v", err)
	}
	o.Attribution = "© Somebody"
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if c.credit != "© Somebody" {
		t.Errorf("credit is %q", c.credit)
	}
	c.Close()
	o.Basemap = path + ".absent"
	if _, err := New(o); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestBasemapIsServedByRanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.pmtiles")
	content := pmtiles(`{"attribution":"© Somebody"}`)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newTown(t, func(o *Options) { o.Basemap = path })
	w.change = func(r *http.Request) { r.Header.Set("Range", "bytes=0-6"); r.Header.Set("Accept-Encoding", "gzip, br") }
	res := w.get("/basemap.pmtiles", officerName)
	if res.status != http.StatusPartialContent || res.body != "PMTiles" || res.header.Get("Content-Encoding") != "" || res.header.Get("ETag") == "" {
		t.Errorf("%d %q %v", res.status, res.body, res.header)
	}
	w.change = func(r *http.Request) { r.Header.Set("If-None-Match", res.header.Get("ETag")) }
	if res := w.get("/basemap.pmtiles", officerName); res.status != http.StatusNotModified {
		t.Errorf("an unchanged map was sent again: %d", res.status)
	}
	w.change = nil
	if res := w.get("/basemap.pmtiles", ""); res.status != http.StatusUnauthorized {
		t.Errorf("a stranger got %d", res.status)
	}
	bare := newTown(t)
	if res := bare.get("/basemap.pmtiles", officerName); res.status != http.StatusNotFound {
		t.Errorf("no basemap: %d", res.status)
	}
}

package consult

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pmtiles is a file with nothing in it but a header and a description.
func pmtiles(description string) []byte {
	head := make([]byte, headerSize)
	copy(head, "PMTiles\x03")
	binary.LittleEndian.PutUint64(head[metadataOffset:], headerSize)
	binary.LittleEndian.PutUint64(head[metadataOffset+8:], uint64(len(description)))
	head[compressionByte], head[tileTypeByte] = 1, 1
	var west int32 = 90_000_000
	binary.LittleEndian.PutUint32(head[boundsOffset:], uint32(west))
	return append(head, description...)
}

func TestBasemapFile(t *testing.T) {
	b, err := readBasemap(bytes.NewReader(pmtiles(`{"attribution":"<a href=\"https://x\">&copy; Someone</a>  and others","vector_layers":[{"id":"water"},{"id":"building"}]}`)))
	if err != nil || b.attribution != "© Someone and others" || strings.Join(b.layers, " ") != "water building" || b.bounds[0] != 9 {
		t.Fatalf("%+v %v", b, err)
	}
	raster, old, long := pmtiles("{}"), pmtiles("{}"), pmtiles("{}")
	raster[tileTypeByte], old[7] = 2, 2
	binary.LittleEndian.PutUint64(long[metadataOffset+8:], 1<<40)
	for name, raw := range map[string][]byte{"empty": nil, "other": []byte(strings.Repeat("x", 300)), "raster": raster, "old": old, "long": long,
		"cut": pmtiles("{}")[:100], "no json": pmtiles("nothing"), "short": pmtiles("{}")[:headerSize+1]} {
		if _, err := readBasemap(bytes.NewReader(raw)); err == nil {
			t.Errorf("%s was taken for a basemap", name)
		}
	}
}

func FuzzBasemap(f *testing.F) {
	f.Add(pmtiles(`{"attribution":"x"}`))
	zipped := pmtiles("\x1f\x8b\x08")
	zipped[compressionByte] = 2
	f.Add(zipped)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := readBasemap(bytes.NewReader(raw)); err == nil && strings.ContainsAny(b.attribution, "\n\t") {
			t.Fatalf("credit is not one line: %q", b.attribution)
		}
	})
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
	if c.base.attribution != "© Somebody" {
		t.Errorf("credit is %q", c.base.attribution)
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

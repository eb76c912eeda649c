package pages

import (
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestAssets(t *testing.T) {
	b, err := readBundle(fstest.MapFS{
		"manifest.json": {Data: []byte(`{"names":{"a.css":"a-1.css"},"files":{"a-1.css":"77","f-2.woff2":"88","odd":"99"}}`)},
		"a-1.css":       {Data: []byte("plain")}, "a-1.css.gz": {Data: []byte("zipped")}, "a-1.css.br": {Data: []byte("brotlied")},
		"f-2.woff2": {Data: []byte("font")}, "odd": {Data: []byte("x")}, "PLACEHOLDER": {Data: []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.hashed("a.css") != "a-1.css" || b.hashed("other") != "other" {
		t.Error("names")
	}
	for _, c := range []struct {
		method, path, accept, match string
		code                        int
		body, encoding              string
	}{
		{"GET", "/static/a-1.css", "gzip, deflate, br", "", 200, "brotlied", "br"},
		{"GET", "/static/a-1.css", "gzip", "", 200, "zipped", "gzip"},
		{"GET", "/static/a-1.css", "br;q=0, gzip;q=0.5", "", 200, "zipped", "gzip"},
		{"GET", "/static/a-1.css", "", "", 200, "plain", ""},
		{"GET", "/static/f-2.woff2", "br, gzip", "", 200, "font", ""},
		{"HEAD", "/static/a-1.css", "", "", 200, "", ""},
		{"GET", "/static/a-1.css", "br", `"77-br"`, 304, "", ""},
		{"GET", "/static/a-1.css", "br", `"76", W/"77-br"`, 304, "", ""},
		{"HEAD", "/static/a-1.css", "", "*", 304, "", ""},
		{"GET", "/static/a-1.css", "", `"77-br"`, 200, "plain", ""},
		{"GET", "/static/a-1.css.gz", "", "", 404, "404 page not found\n", ""},
		{"GET", "/static/manifest.json", "", "", 404, "404 page not found\n", ""},
		{"GET", "/static/PLACEHOLDER", "", "", 404, "404 page not found\n", ""},
		{"GET", "/static/odd", "", "", 404, "404 page not found\n", ""},
		{"GET", "/static/../assets.go", "", "", 404, "404 page not found\n", ""},
		{"POST", "/static/a-1.css", "", "", 405, "method not allowed\n", ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path = c.path
		r.Header.Set("Accept-Encoding", c.accept)
		if c.match != "" {
			r.Header.Set("If-None-Match", c.match)
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Code != c.code || w.Body.String() != c.body || w.Header().Get("Content-Encoding") != c.encoding {
			t.Errorf("%s %s (%s): %d %q %q", c.method, c.path, c.accept, w.Code, w.Body, w.Header().Get("Content-Encoding"))
		}
		if w.Code == 200 && (w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("Vary") != "Accept-Encoding") {
			t.Errorf("%s: headers %v", c.path, w.Header())
		}
	}
	if _, err := readBundle(fstest.MapFS{"PLACEHOLDER": {}}); err == nil {
		t.Error("a placeholder passed for a front end")
	}
}

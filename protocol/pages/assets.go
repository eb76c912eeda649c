package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Prefix is where Assets is mounted.
const Prefix = "/static/"

//go:embed all:dist
var dist embed.FS

// bundle is a built front end: plain files, each perhaps with .gz and .br
// beside it, and the manifest that maps a name to its hashed name.
type bundle struct {
	files fs.FS
	names map[string]string // "base.css" -> "base-5KQ3.css"
	etags map[string]string // every servable file -> its ETag
}

var embedded = sync.OnceValue(func() bundle {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return bundle{}
	}
	b, err := readBundle(files)
	if err != nil {
		return bundle{files: files}
	}
	return b
})

// readBundle reads the manifest that the bundler left in files.
func readBundle(files fs.FS) (bundle, error) {
	raw, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return bundle{}, fmt.Errorf("front end not built: %w", err)
	}
	b := bundle{files: files, etags: map[string]string{}}
	var m struct {
		Names map[string]string `json:"names"` // as in bundle
		Files map[string]string `json:"files"` // file name -> hash of its content
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return bundle{}, fmt.Errorf("read manifest of the front end: %w", err)
	}
	b.names = m.Names
	for name, sum := range m.Files {
		b.etags[name] = `"` + sum + `"`
	}
	return b, nil
}

// Built reports whether the front end is in this program. When it is not, pages
// still work as plain forms, without style or map, and say so.
func Built() bool { return len(embedded().names) > 0 }

// asset returns the address of a built file by its plain name: "base.css",
// "consult.js" (from consult.ts), "htmx.js", "sprite.svg". A name that was not
// built gives an address that answers 404.
func asset(name string) string { return Prefix + embedded().hashed(name) }

func (b bundle) hashed(name string) string {
	if h, ok := b.names[name]; ok {
		return h
	}
	return name
}

// Assets serves the built files under Prefix. Names carry a content hash, so
// answers may be kept for ever.
func Assets() http.Handler { return embedded() }

// types is our own table: the system's mime table differs from host to host.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".mjs":   "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

func (b bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name, found := strings.CutPrefix(r.URL.Path, Prefix)
	etag, known := b.etags[name]
	kind := types[path.Ext(name)]
	if !found || !known || kind == "" {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	file, encoding, err := b.open(name, r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		etag = strings.TrimSuffix(etag, `"`) + "-" + encoding + `"`
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, file)
}

// open returns the smallest form of a file that the client accepts.
func (b bundle) open(name, accept string) (f content, encoding string, err error) {
	for _, form := range []struct{ suffix, encoding string }{{".br", "br"}, {".gz", "gzip"}, {"", ""}} {
		if form.encoding != "" && !Accepts(accept, form.encoding) {
			continue
		}
		if f, err := b.files.Open(name + form.suffix); err == nil {
			return f.(content), form.encoding, nil // embed.FS seeks (as MapFS of the tests)
		}
	}
	return nil, "", fs.ErrNotExist
}

// content is a file as http.ServeContent reads it.
type content interface {
	fs.File
	io.Seeker
}

// Accepts reads an Accept-Encoding header: the coding is named, and not with q=0.
// "*" and orders of preference are left out: all browsers name what they take.
func Accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, isQ := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if !isQ {
			return true
		}
		v, err := strconv.ParseFloat(q, 64)
		return err == nil && v > 0
	}
	return false
}

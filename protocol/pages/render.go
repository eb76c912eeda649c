package pages

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Face says whose page it is: it chooses the tagline and the statements.
type Face string

// The faces of the product.
const (
	FaceAgent   Face = "agent"
	FacePublic  Face = "public"
	FaceOps     Face = "ops"
	FaceConsult Face = "consult"
	FaceAudit   Face = "audit"
)

// Page is what a handler asks to be shown.
type Page struct {
	Template string // the file, e.g. "list.html"
	Title    string // key of its title
	Face     Face
	User     string // who is signed in: shown with a button that posts to /logout; "" shows neither
	Nav      []Nav
	Notes    []Note
	Scripts  []string  // names of built modules, e.g. "consult.js"
	Styles   []string  // names of built style sheets beyond base.css
	Wide     bool      // the whole width, for a list beside a map
	Status   int       // 0: 200
	Indexed  bool      // search engines may list it
	Updated  time.Time // when its text last changed; zero: not said
	Rating   string    // what a public page asks below its content: RatePage, RateService, RateNothing
	Self     string    // path of the page, where it answers a POST to a path that cannot be opened; "" the request's
	Data     any
}

// Nav is one entry of the page's navigation.
type Nav struct {
	Key, Href string
	Current   bool
}

// Note is an alert above the content.
type Note struct {
	Kind  string // "success", "info", "warning", "danger"
	Key   string // with Pairs; or else
	Pairs []any
	Text  string // a ready text
}

// view is the dot of a template.
type view struct {
	Page
	Lang  Lang
	Path  string
	Built bool
	Shell shell
	At    string // pattern of the page's path: what a rating tells of it
	query url.Values
}

// LangLink is the address of this same page in another language.
func (v view) LangLink(l Lang) string {
	q := url.Values{}
	for k, vs := range v.query {
		q[k] = vs
	}
	q.Set("lang", string(l))
	return cmp.Or(v.Self, v.Path) + "?" + q.Encode()
}

// Render answers with a whole page. What goes wrong inside a template is
// logged and answered with 500: nothing half-written leaves.
func (s *Set) Render(w http.ResponseWriter, r *http.Request, p Page) {
	remember(w, r)
	l := Language(r)
	v := view{Page: p, Lang: l, Path: r.URL.Path, Built: Built(), Shell: shellOf(r.Context()), At: at(r), query: r.URL.Query()}
	s.execute(w, p.Template, "layout.html", l, p.Status, v)
}

// at is the path of a request as its route writes it: /contact/{token}, so that no
// token is told.
func at(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	if !found {
		return r.Pattern
	}
	return strings.TrimSuffix(path, "{$}")
}

// Fragment answers with one template that the page's file defines, for htmx.
func (s *Set) Fragment(w http.ResponseWriter, r *http.Request, file, name string, data any) {
	s.execute(w, file, name, Language(r), http.StatusOK, data)
}

func (s *Set) execute(w http.ResponseWriter, file, name string, l Lang, status int, data any) {
	page, err := s.page(l, file)
	if err != nil {
		s.log.Error("page without a template", "file", file, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	if err := page.ExecuteTemplate(&out, name, data); err != nil {
		s.log.Error("page not shown", "file", file, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	SecureHeaders(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(l))
	w.Header().Add("Vary", "Accept-Language, Cookie")
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // the reader has gone: nobody to tell
}

package review

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxBody bounds what a request may send: 512 ids are 20 kB.
const maxBody = 64 << 10

// answer is what a handler gives: the same thing as JSON and as a page, or a
// redirect for the browser that posted a form.
type answer struct {
	json  any
	to    string      // where a browser goes next; or
	page  *pages.Page // what it is shown
	after string      // seconds after which the page reloads itself; "" never
	file  []byte      // to be saved under name, instead of a page
	name  string
	kind  string // of the file; "" text/csv
}

// handler answers one request; it writes nothing itself.
type handler func(*http.Request) (answer, error)

func page(template, title string, data any) answer {
	return answer{page: &pages.Page{Template: template, Title: title, Data: data}}
}

// problem is an error as the caller is told it: in English as JSON (What,
// Field, Hint), and on a page in the owner's words by key.
type problem struct {
	status int
	What   string `json:"error"`
	Field  string `json:"field,omitempty"`
	Hint   string `json:"hint,omitempty"`

	key   string // of the note on the page; "" for the general one
	page  string // template; "" for error.html
	title string
}

func (p problem) Error() string { return p.What }

// Key is that of its words, for a page that says more.
func (p problem) Key() string { return p.key }

// serve turns a handler into one of net/http.
func (v *Review) serve(h handler) http.Handler { return v.serveUpTo(maxBody, h) }

// serveUpTo is serve for a request of at most so many bytes.
func (v *Review) serveUpTo(most int64, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		a, err := h(r)
		pages.SecureHeaders(w.Header())
		switch {
		case err != nil:
			v.fail(w, r, v.explain(err))
		case wantsJSON(r):
			writeJSON(w, http.StatusOK, a.json)
		case a.file != nil:
			w.Header().Set("Content-Type", cmp.Or(a.kind, "text/csv; charset=utf-8"))
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.name}))
			_, _ = w.Write(a.file) // the reader has gone: nobody to tell
		case a.page == nil:
			http.Redirect(w, r, a.to, http.StatusSeeOther)
		default:
			if a.after != "" {
				w.Header().Set("Refresh", a.after)
			}
			v.render(w, r, *a.page)
		}
	})
}

// explain makes a problem of any error. What is nobody's fault but ours is
// logged, and the caller learns no more than that.
func (v *Review) explain(err error) problem {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok {
		return problem{status: http.StatusUnprocessableEntity, What: errs[0].Why, Field: errs[0].Field, key: "error.value"}
	}
	switch {
	case errors.Is(err, inventory.ErrNotEnrolled):
		return problem{status: http.StatusConflict, What: inventory.ErrNotEnrolled.Error(), Field: "code",
			Hint: "run \"anagrafe-agent enrol CODE\" with the code from the Comune", key: "error.enrol"}
	case errors.Is(err, inventory.ErrClosed):
		return problem{status: http.StatusConflict, What: err.Error(), Field: "id", key: "error.closed"}
	case errors.Is(err, inventory.ErrUnknown):
		return problem{status: http.StatusNotFound, What: err.Error(), Field: "id", key: "error.unknown"}
	}
	v.Log.Error("request failed", "err", err)
	return problem{status: http.StatusInternalServerError, What: "it did not work: " + err.Error(), Hint: "the agent's log says more", key: "error.ours"}
}

func (v *Review) fail(w http.ResponseWriter, r *http.Request, p problem) {
	if wantsJSON(r) {
		writeJSON(w, p.status, p)
		return
	}
	shown := pages.Page{Template: "error.html", Title: "error.title", Status: p.status, Data: p}
	if p.page != "" {
		shown.Template, shown.Title = p.page, p.title
	}
	if p.key != "" {
		shown.Notes = []pages.Note{{Kind: "danger", Key: p.key}}
	}
	v.render(w, r, shown)
}

// sections are the pages that every page leads to.
var sections = [...]pages.Nav{{Key: "nav.cameras", Href: "/"}, {Key: "nav.notices", Href: "/notices"}, {Key: "nav.contact", Href: "/contact"},
	{Key: "nav.outbox", Href: "/outbox"}, {Key: "nav.advice", Href: "/advice"}, {Key: "nav.status", Href: "/status"}}

// done are the notes that a redirect may ask for by ?done=.
var done = map[string]string{"saved": "success", "kept": "success", "back": "success", "approved": "success", "withdrawn": "success",
	"enrolled": "success", "contact": "success", "searched": "success", "searchfailed": "danger",
	"suspended": "success", "resumed": "success",
	"answered": "success", "advice": "success", "paper": "success", "filed": "success",
	"closed": "success", "closedother": "success", "lan": "success", "listed": "success",
	"updates-hold": "success", "updates-auto": "success", "updates-look": "success"}

// selfOf are the pages that answer a POST to a path which cannot be opened: there the
// other language is asked for.
var selfOf = map[string]string{"/bulk/rule": "/bulk", "/bulk/sheet": "/bulk", "/resume": "/suspend", "/refuse": "/", "/restore": "/"}

func (v *Review) render(w http.ResponseWriter, r *http.Request, p pages.Page) {
	p.Face = pages.FaceAgent
	if r.Method == http.MethodPost {
		p.Self = selfOf[r.URL.Path]
	}
	p.Styles = append(p.Styles, "review.css")
	if p.Template != "open.html" && p.Template != "closed.html" && p.Template != "login.html" {
		for _, n := range sections {
			if !may(r, navRoute(n.Href)) {
				continue
			}
			n.Current = r.URL.Path == n.Href
			p.Nav = append(p.Nav, n)
		}
	}
	if kind, ok := done[r.URL.Query().Get("done")]; ok && len(p.Notes) == 0 {
		p.Notes = []pages.Note{{Kind: kind, Key: "done." + r.URL.Query().Get("done")}}
	}
	v.pages.Render(w, r, p)
}

// words are those of the request's language.
func (v *Review) words(r *http.Request) *pages.Words { return v.pages.Words(pages.Language(r)) }

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		b, status = []byte(`{"error":"the answer cannot be written as JSON"}`), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the reader has gone: nobody to tell
}

// isJSON reports how the request's body is written.
func isJSON(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && t == "application/json"
}

// decode reads a JSON body into to; an unknown key is an error.
func decode(r *http.Request, to any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("something follows the JSON value")
	}
	return malformed(err)
}

// read reads what a program sends into in, or a form that somebody filled in into r.PostForm.
func read(r *http.Request, in any) (filled bool, err error) {
	if isJSON(r) {
		return false, decode(r, in)
	}
	return true, form(r)
}

// form reads a posted form.
func form(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) problem {
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem{status: http.StatusRequestEntityTooLarge, What: fmt.Sprintf("the request is over %d bytes", tooBig.Limit), key: "error.value"}
	}
	return problem{status: http.StatusBadRequest, What: "the request cannot be read: " + err.Error(), key: "error.value"}
}

// field is one control of a form as the pages show it: what was typed, and
// what is wrong with it (a key of the words).
type field struct{ Value, Error string }

// fields are the controls of a form, by name.
type fields map[string]field

// wrong marks the controls that errs names and reports whether there is none
// for some of them.
func (f fields) wrong(errs protocol.FieldErrors, alias map[string]string) {
	for _, e := range errs {
		name := e.Field
		if a, ok := alias[name]; ok {
			name = a
		}
		c := f[name]
		c.Error = "wrong." + name
		f[name] = c
	}
}

// typed reads the named controls from a posted form.
func typed(r *http.Request, names ...string) fields {
	f := fields{}
	for _, n := range names {
		f[n] = field{Value: strings.TrimSpace(r.PostForm.Get(n))}
	}
	return f
}

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// Problem is an error as every face answers it: what, where, and what to do.
type Problem struct {
	Error   string `json:"error"`
	Field   string `json:"field,omitempty"`
	Hint    string `json:"hint,omitempty"`
	Request string `json:"request,omitempty"` // its id, where it failed by our fault: see requestID
	Shut    bool   `json:"-"`                 // for the page: nothing here is open to the caller, not even the login
}

// WantsJSON reports whether a program asks, not a browser.
func WantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// Language tells in which language to answer: programs that ask for none get
// English, browsers Italian.
func Language(r *http.Request) pages.Lang {
	if WantsJSON(r) {
		return pages.LanguageOr(r, pages.En)
	}
	return pages.Language(r)
}

// WriteJSON answers with one JSON value. Links in it keep their "&": the type
// and nosniff keep a browser from taking it for a page.
func WriteJSON(rw http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(rw, `{"error":"internal error"}`, http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_, _ = b.WriteTo(rw) // the client has gone: nobody to tell
}

// Long gives one request d, to send all of its body and to be answered: the listener's own
// limits are those of pages.
func Long(rw http.ResponseWriter, d time.Duration) {
	control, until := http.NewResponseController(rw), time.Now().Add(d)
	_ = errors.Join(control.SetReadDeadline(until), control.SetWriteDeadline(until)) // a writer without deadlines has none to move
}

// Streamed writes to rw an answer that may take hours: each write has its own time, after
// which a client that reads nothing is let go.
func Streamed(rw http.ResponseWriter, each time.Duration) io.Writer {
	return streamed{rw, http.NewResponseController(rw), each}
}

type streamed struct {
	io.Writer
	control *http.ResponseController
	each    time.Duration
}

func (s streamed) Write(b []byte) (int, error) {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.each)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return s.Writer.Write(b)
}

// Fail answers with a problem, as a page or as JSON.
func (w *Web) Fail(rw http.ResponseWriter, r *http.Request, status int, p Problem) {
	if WantsJSON(r) {
		WriteJSON(rw, status, p)
		return
	}
	var name string
	if u, ok := User(r.Context()); ok {
		name = u.Name
	}
	w.pages.Render(rw, r, pages.Page{Template: "refused.html", Title: "refused.title", Face: w.Face, User: name, Status: status, Data: p})
}

// fail answers with one of this package's own problems.
func (w *Web) fail(rw http.ResponseWriter, r *http.Request, status int, key string, pairs ...any) {
	words := w.pages.Words(Language(r))
	p := Problem{Error: words.T("refused."+key, pairs...), Hint: words.T("refused."+key+".hint", pairs...)}
	if status == http.StatusInternalServerError || status == http.StatusServiceUnavailable {
		p.Request = requestID(r.Context())
	}
	w.Fail(rw, r, status, p)
}

// Broken answers 503 while what lies below the register does not work, else 500, and
// tells the log alone what broke.
func (w *Web) Broken(rw http.ResponseWriter, r *http.Request, err error) {
	w.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	if registry.Unavailable(err) {
		rw.Header().Set("Retry-After", "10")
		w.fail(rw, r, http.StatusServiceUnavailable, "away")
		return
	}
	w.fail(rw, r, http.StatusInternalServerError, "internal")
}

// Unrecorded answers 503 to an act that was not done, since the trail could
// not take it.
func (w *Web) Unrecorded(rw http.ResponseWriter, r *http.Request, err error) {
	w.Log.ErrorContext(r.Context(), "refused: audit trail not written", "route", r.Pattern, "err", err)
	w.fail(rw, r, http.StatusServiceUnavailable, "trail")
}

// tooMany answers an address that has to wait.
func (w *Web) tooMany(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Retry-After", "60")
	w.fail(rw, r, http.StatusTooManyRequests, "many")
}

package pages

import (
	"context"
	"net/http"
	"net/mail"
	"strings"
	"time"
)

// Body is who answers for the public pages: their header and footer name it.
type Body struct {
	Name    string // "Comune di Prova"; "": not said
	URL     string // of its own site; "": the name is no link
	Contact string // how to reach it: an e-mail address, or words
	DPO     string // how to reach its data protection officer
}

// shell is what stands around every public page, as on the site of an Italian
// municipality: its body, and which of the pages that header and footer lead to
// there are on this listener, so that no link leads nowhere.
type shell struct {
	Body
	serves map[string]bool // by path
}

type shellKey struct{}

// InShell puts a shell around the public pages that h renders; paths are those that
// it answers.
func InShell(b Body, paths []string, h http.Handler) http.Handler {
	s := shell{Body: b, serves: map[string]bool{}}
	for _, p := range paths {
		s.serves[p] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := r.WithContext(context.WithValue(r.Context(), shellKey{}, s))
		defer func() { r.Pattern = inner.Pattern }() // for who counts
		h.ServeHTTP(w, inner)
	})
}

// Served reports whether a path, or the pattern of one, is among those that header,
// footer and rating may name.
func Served(ctx context.Context, path string) bool { return shellOf(ctx).Serves(path) }

func shellOf(ctx context.Context) shell {
	s, _ := ctx.Value(shellKey{}).(shell)
	return s
}

// Serves reports whether there is a page at path.
func (s shell) Serves(path string) bool { return s.serves[path] }

// IsEmail reports whether a contact is an e-mail address and nothing else.
func (s shell) IsEmail(contact string) bool {
	a, err := mail.ParseAddress(contact)
	return err == nil && a.Address == contact
}

// menu are the sections of the public pages, in order.
var menu = []Nav{
	{Key: "shell.nav.join", Href: "/aderisci"},
	{Key: "shell.nav.site", Href: "/site"},
	{Key: "shell.nav.how", Href: "/come-funziona"},
	{Key: "shell.nav.numbers", Href: "/statistiche"},
	{Key: "shell.nav.help", Href: "/assistenza"},
}

// Public reports whether the page wears the whole municipal header and footer.
func (v view) Public() bool { return v.Face == FacePublic }

// Menu is the page's own navigation or, on a public page without one, the sections
// that there are.
func (v view) Menu() []Nav {
	if !v.Public() || len(v.Nav) > 0 {
		return v.Nav
	}
	var all []Nav
	for _, n := range menu {
		if v.Shell.Serves(n.Href) {
			n.Current = v.within(n.Href)
			all = append(all, n)
		}
	}
	return all
}

// within reports whether the page is that of a path, or lies below it.
func (v view) within(path string) bool {
	return v.Path == path || strings.HasPrefix(v.Path, path+"/")
}

// Section is the one that a public page lies below, for its breadcrumb: nil for the
// page of the section itself, and where there is none.
func (v view) Section() *Nav {
	for _, n := range v.Menu() {
		if n.Current && n.Href != v.Path {
			return &n
		}
	}
	return nil
}

// Home reports whether this is the first page of all.
func (v view) Home() bool { return v.Path == "/" }

// RatingPath takes what readers say of a page.
const RatingPath = "/valutazione"

// Rated reports whether the page asks to be rated: whole public pages do, and not one
// in the middle of a form.
func (v view) Rated() bool {
	return v.Public() && v.Status < http.StatusBadRequest && v.Rating != RateNothing && v.Shell.Serves(RatingPath)
}

// What a page asks below its content.
const (
	RatePage    = ""        // whether its information is clear
	RateService = "service" // whether the service was easy to use: on its last page
	RateNothing = "none"
)

// Stars are the answers, from the worst.
func (v view) Stars() []int { return []int{1, 2, 3, 4, 5} }

// Reasons are those to choose from beneath a rating: the words of "rating.good.N" and
// "rating.bad.N".
func (v view) Reasons() []int { return []int{1, 2, 3, 4, 5} }

// Day is a day without a time, for Page.Updated.
func Day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}

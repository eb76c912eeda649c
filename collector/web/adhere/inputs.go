package adhere

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"anagrafe/protocol/pages"
)

// input is a field of a form as the template "input" shows it. Label and Hint are
// keys of words, Error that of what is wrong with the value.
type input struct {
	Name, Label, Hint string
	Value, Error      string
	Type              string // "" text
	Mode              string // inputmode: which keyboard a phone shows
	Auto              string // autocomplete
	Most              int    // characters
	Optional          bool
	Unmarked          bool // not said to be optional: another answer decides
}

// ID is that of the element.
func (i input) ID() string { return "f-" + i.Name }

// form is the fields of a page, by name.
type form map[string]*input

// wrong marks a field.
func (f form) wrong(name, key string) { f[name].Error = key }

// problems are the fields that something is wrong with, in the order of names, for the
// list above the form.
func (f form) problems(names ...string) (all []*input) {
	for _, name := range names {
		if i := f[name]; i != nil && i.Error != "" {
			all = append(all, i)
		}
	}
	return all
}

// typed takes what was posted into the fields, trimmed; one that holds what a page
// cannot show, or more than it may, is wrong.
func (f form) typed(r *http.Request) {
	for name, i := range f {
		i.Value = strings.TrimSpace(r.PostFormValue(name))
		switch {
		case !plain(i.Value):
			i.Value, i.Error = "", "wrong.text"
		case utf8.RuneCountInString(i.Value) > i.Most:
			i.Error = "wrong.long"
		case i.Value == "" && !i.Optional:
			i.Error = "wrong.missing"
		}
	}
}

// plain reports whether a text is fit for one line of a page: what turns the direction
// of writing would show another text than it is (see protocol's own check).
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
	})
}

// option is one of a choice. Key is of its words.
type option struct {
	Value, Key string
	Chosen     bool
}

// choice is a field of which one option is chosen, for the template "choice".
type choice struct {
	Input *input
	Hint  string // key; "" none
	All   []option
}

// wrongNote is what stands above a page where something typed is wrong.
func wrongNote(problems []*input) []pages.Note {
	if len(problems) == 0 {
		return nil
	}
	return []pages.Note{{Kind: "danger", Key: "wrong.form"}}
}

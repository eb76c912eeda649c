package web

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReadFields takes fields from a form or from a JSON object of strings, trimmed. A
// JSON field that is not asked for is an error: it would be a misspelt one.
func ReadFields(r *http.Request, fields map[string]*string) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		if err := r.ParseForm(); err != nil {
			return err
		}
		for name, field := range fields {
			*field = strings.TrimSpace(r.PostForm.Get(name))
		}
		return nil
	}
	var given map[string]string
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil { // bounded by the route's limit
		return err
	}
	for name, value := range given {
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no field %q", name)
		}
		*field = strings.TrimSpace(value)
	}
	return nil
}

// MaxName is the longest name of a person or a force, in characters.
const MaxName = 200

// OneLine reports whether a text has at most so many characters and is fit for one
// line of a page.
func OneLine(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

// CSVText is a text as a cell of a CSV file. One that a spreadsheet would reckon as a
// formula gets a quote in front (OWASP, CSV injection): what owners typed is in it.
func CSVText(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Package privacy writes the two documents that data protection law demands of the
// collector's operator: the information notice for owners and contacts (art. 13 of
// Regulation (EU) 2016/679) and the record of processing activities (art. 30(1)). They are
// generated from the running settings, and each statement that depends on a setting names
// it with its value. What the settings lack (the controller, the data protection officer's
// contact) is conspicuously marked as missing.
//
// The words are in it.json and en.json; notice.go and record.go choose and order the
// statements. The command line prints the documents, and the public pages show them.
package privacy

import (
	"embed"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// The kinds of document.
const (
	Notice = "privacy" // art. 13
	Record = "record"  // art. 30(1)
)

// Document is one of them in one language.
type Document struct {
	Kind     string     `json:"kind"` // Notice or Record
	Lang     pages.Lang `json:"lang"`
	Title    string     `json:"title"`
	Lead     string     `json:"lead"`
	Sections []section  `json:"sections"`
	Missing  int        `json:"missing"` // statements that cannot be made yet; 0: complete
}

// section is a part of it.
type section struct {
	Title      string      `json:"title"`
	Statements []statement `json:"statements"`
}

// statement is one thing said, and the settings that it comes from; none: it holds
// however the collector is set.
type statement struct {
	Text    string    `json:"text"`
	From    []setting `json:"from,omitempty"`
	Missing bool      `json:"missing,omitempty"` // a setting that it needs is empty
}

// setting is a key of collector.toml with its value.
type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"` // "": not set
}

func (s setting) String() string { return fmt.Sprintf("%s = %q", s.Name, s.Value) }

// Documents makes the documents of one collector.
type Documents struct {
	settings Settings
	pages    *pages.Set
}

// New loads the words.
func New(s Settings, log *slog.Logger) (*Documents, error) {
	set, err := pages.Load(files, log)
	if err != nil {
		return nil, fmt.Errorf("load the notices: %w", err)
	}
	return &Documents{s, set}, nil
}

// Document returns the document of a kind; ok is false where there is no such kind.
func (n *Documents) Document(kind string, lang pages.Lang) (d Document, ok bool) {
	b := &builder{words: n.pages.Words(lang), Settings: n.settings}
	switch kind {
	case Notice:
		b.notice()
	case Record:
		b.record()
	default:
		return Document{}, false
	}
	b.doc.Kind, b.doc.Lang = kind, b.words.Lang
	b.doc.Title, b.doc.Lead = b.words.T("notice."+kind+".title"), b.words.T("notice."+kind+".lead")
	return b.doc, true
}

// Page serves the information notice as a public page.
func (n *Documents) Page() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		d, _ := n.Document(Notice, pages.Language(r))
		n.pages.Render(rw, r, pages.Page{Template: "document.html", Title: "notice.privacy.title", Face: pages.FacePublic, Indexed: true, Data: d})
	})
}

// Write prints it as plain text, each setting below what comes from it.
func (d Document) Write(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n%s\n", d.Title, d.Lead)
	for _, s := range d.Sections {
		fmt.Fprintf(&out, "\n%s\n\n", s.Title)
		for _, st := range s.Statements {
			fmt.Fprintf(&out, "- %s\n", st.Text)
			for _, from := range st.From {
				fmt.Fprintf(&out, "    [%s]\n", from)
			}
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// Package letter words the Comune's invitations, in Italian and in English, as tagged PDF
// (a page each) and as the text of an e-mail; also the letters by which an association
// sends codes to its members (association.go), and that to who dictated a declaration
// (dictated.go). Packages mail and ops and main send and print them.
//
// All other messages but alerts have one neutral wording ("C'è un messaggio, aprilo qui"), so
// that readers of the mail do not learn what a site is asked. An invitation says what it is: a
// stranger to the register would take a neutral message for fraud, and it gives nothing
// away, since an invited shop may or may not have an entry. It names the sender, the
// purpose, that joining is voluntary, the source of the address (art. 14 GDPR), the code,
// where to ask, and how to receive no more.
package letter

import (
	"embed"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

//go:embed it.json en.json
var files embed.FS

// Most is how many letters one file may have.
const Most = 5000

// Office is the sender, as the configuration says.
type Office struct {
	Name     string // of the controller; "": not set
	Contact  string // how to reach it; "": not set
	Page     string // where an invitation leads: its token follows
	Dictated string // where the code of a Dictation is typed, and leads: a slash and the code follow
	Privacy  string // address of the information notice
	KeptDays int    // that an unused invitation is kept after its code has ended
}

// Invitation is one.
type Invitation struct {
	Site   protocol.Site
	Code   protocol.Code
	Token  string
	Source string    // where the address comes from
	At     time.Time // the day that stands on it
	Until  time.Time // when its code ends
}

// Letters words them.
type Letters struct {
	office Office
	words  *pages.Set
}

// New loads the words.
func New(o Office, log *slog.Logger) (*Letters, error) {
	set, err := pages.Load(files, log)
	if err != nil {
		return nil, fmt.Errorf("load the words of invitations: %w", err)
	}
	return &Letters{o, set}, nil
}

// Subject is of an e-mail.
func (l *Letters) Subject() string {
	var all []string
	for _, lang := range pages.Langs {
		all = append(all, l.words.Words(lang.Lang).T("letter.subject"))
	}
	return strings.Join(all, " / ")
}

// Text is an e-mail's, with lines that end in CRLF.
func (l *Letters) Text(i Invitation) string {
	var b strings.Builder
	for n, lang := range pages.Langs {
		if n > 0 {
			b.WriteString("\n-----\n\n")
		}
		w := l.words.Words(lang.Lang)
		all := []string{l.office.Name, w.T("letter.to", "name", i.Site.Name), w.T("letter.what"), w.T("letter.free"), l.how(w, i), l.code(w, i), l.ask(w), l.data(w, i)}
		for _, paragraph := range all {
			if paragraph != "" {
				b.WriteString(paragraph + "\n\n")
			}
		}
	}
	return strings.ReplaceAll(strings.TrimSpace(b.String())+"\n", "\n", "\r\n")
}

func (l *Letters) link(i Invitation) string { return l.office.Page + i.Token }

func (l *Letters) how(w *pages.Words, i Invitation) string {
	return w.T("letter.how", "link", l.link(i))
}

func (l *Letters) code(w *pages.Words, i Invitation) string {
	return w.T("letter.code", "until", w.Day(i.Until), "code", i.Code.String())
}

func (l *Letters) ask(w *pages.Words) string {
	if l.office.Contact == "" {
		return ""
	}
	return w.T("letter.ask", "contact", l.office.Contact)
}

func (l *Letters) data(w *pages.Words, i Invitation) string {
	return w.T("letter.data", "source", i.Source, "days", w.N("days", l.office.KeptDays), "privacy", l.office.Privacy)
}

// qrSide is the side of a QR code, in millimetres: a phone reads it from a hand's
// breadth.
const qrSide = 34

// Document has a page for each invitation, in their order. Its date is that of the
// first.
func (l *Letters) Document(all []Invitation) (pdf.Document, error) {
	d := pdf.Document{Title: l.words.Words(pages.It).T("letter.title"), Author: l.office.Name, Lang: "it-IT", Most: max(1, len(all))}
	if l.office.Name != "" {
		d.Footer = []string{l.office.Name}
	}
	for n, i := range all {
		if n == 0 {
			d.Made = i.At
		} else {
			d.Content = append(d.Content, pdf.Block{Kind: pdf.Break})
		}
		picture, err := pages.QRImage(l.link(i))
		if err != nil {
			return d, err
		}
		d.Content = append(d.Content, l.italian(i, picture)...)
		d.Content = append(d.Content, l.english(i)...)
	}
	return d, nil
}

func (l *Letters) italian(i Invitation, picture []byte) (page []pdf.Block) {
	w := l.words.Words(pages.It)
	add := func(kind pdf.Kind, text string) {
		if text != "" {
			page = append(page, pdf.Block{Kind: kind, Text: text})
		}
	}
	add(pdf.H3, l.office.Name)
	add(pdf.Text, w.Day(i.At))
	add(pdf.Text, i.Site.Name)
	street, town, _ := strings.Cut(i.Site.Address, ", ")
	add(pdf.Text, street)
	add(pdf.Text, town)
	add(pdf.H1, w.T("letter.subject"))
	add(pdf.Text, w.T("letter.what"))
	add(pdf.Text, w.T("letter.free"))
	add(pdf.Text, l.how(w, i))
	page = append(page, pdf.Block{Kind: pdf.Image, Picture: picture, SideMM: qrSide, Text: w.T("letter.qr", "link", l.link(i))})
	add(pdf.H3, l.code(w, i))
	add(pdf.Text, l.ask(w))
	add(pdf.Small, l.data(w, i))
	return page
}

func (l *Letters) english(i Invitation) (page []pdf.Block) {
	w := l.words.Words(pages.En)
	page = append(page, pdf.Block{Kind: pdf.H2, Lang: "en-GB", Text: w.T("letter.subject")})
	for _, text := range []string{w.T("letter.what") + " " + w.T("letter.free"), l.how(w, i) + ". " + l.code(w, i), l.ask(w), l.data(w, i)} {
		if text != "" {
			page = append(page, pdf.Block{Kind: pdf.Small, Lang: "en-GB", Text: text})
		}
	}
	return page
}

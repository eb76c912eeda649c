package letter

import (
	"strings"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Dictation is a letter to who dictated a declaration to the Comune's office: with its
// code they look at it and confirm it. Without Name and Address somebody writes them on
// the envelope.
type Dictation struct {
	Name, Address string
	Code          protocol.Code
	At, Until     time.Time
}

// DictatedDocument is the letter, one page.
func (l *Letters) DictatedDocument(d Dictation) (pdf.Document, error) {
	it, en := l.words.Words(pages.It), l.words.Words(pages.En)
	link := l.office.Dictated + "/" + d.Code.String()
	picture, err := pages.QRImage(link)
	if err != nil {
		return pdf.Document{}, err
	}
	doc := pdf.Document{Title: it.T("dictated.subject"), Author: l.office.Name, Lang: "it-IT", Made: d.At, Most: 1}
	if l.office.Name != "" {
		doc.Footer = []string{l.office.Name}
	}
	add := func(kind pdf.Kind, lang, text string) {
		if strings.TrimSpace(text) != "" {
			doc.Content = append(doc.Content, pdf.Block{Kind: kind, Lang: lang, Text: text})
		}
	}
	street, town, _ := strings.Cut(d.Address, ", ")
	add(pdf.H3, "", l.office.Name)
	for _, line := range []string{it.Day(d.At), d.Name, street, town} {
		add(pdf.Text, "", line)
	}
	add(pdf.H1, "", it.T("dictated.subject"))
	add(pdf.Text, "", it.T("dictated.what"))
	add(pdf.Text, "", it.T("dictated.how", "page", l.office.Dictated, "until", it.Day(d.Until)))
	doc.Content = append(doc.Content, pdf.Block{Kind: pdf.Image, Picture: picture, SideMM: qrSide, Text: it.T("letter.qr", "link", link)})
	add(pdf.H3, "", it.T("dictated.code", "code", d.Code.String()))
	add(pdf.Text, "", it.T("dictated.not"))
	add(pdf.Text, "", l.ask(it))
	add(pdf.Small, "", it.T("dictated.privacy", "privacy", l.office.Privacy))
	add(pdf.H2, "en-GB", en.T("dictated.subject"))
	add(pdf.Small, "en-GB", en.T("dictated.what")+" "+en.T("dictated.how", "page", l.office.Dictated, "until", en.Day(d.Until))+" "+en.T("dictated.code", "code", d.Code.String()))
	add(pdf.Small, "en-GB", en.T("dictated.not")+" "+en.T("dictated.privacy", "privacy", l.office.Privacy))
	return doc, nil
}

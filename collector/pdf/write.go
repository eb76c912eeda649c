package pdf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// maxPages bounds a document that names no bound of its own: a case has some hundred
// cameras, ten to a page.
const maxPages = 200

// ErrTooLong is returned for a document of more pages than it may have.
var ErrTooLong = errors.New("the document would have more than 200 pages: choose fewer cameras")

// Write returns the document as a PDF file.
func Write(d Document) ([]byte, error) {
	if d.Title == "" || d.Lang == "" || d.Made.IsZero() {
		return nil, errors.New("write PDF: a title, a language and a date are needed")
	}
	pages := 0
	// Each page says how many there are, which is known once they were written.
	for {
		p, err := draw(d, pages)
		if err != nil {
			return nil, fmt.Errorf("write PDF: %w", err)
		}
		if p.file.PageNo() == pages {
			var out bytes.Buffer
			if err := p.file.Output(&out); err != nil {
				return nil, fmt.Errorf("write PDF: %w", err)
			}
			whole, err := addTags(out.Bytes(), d.Lang, p.tags)
			if err != nil {
				return nil, fmt.Errorf("tag PDF: %w", err)
			}
			return whole, nil
		}
		pages = p.file.PageNo()
	}
}

// draw lays a document out that has, as it is thought, so many pages.
func draw(d Document, pages int) (*press, error) {
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCatalogSort(true)
	f.SetCreationDate(d.Made.UTC()) // it writes no zone, which stands for UTC
	f.SetModificationDate(d.Made.UTC())
	f.SetProducer("Anagrafe Telecamere", true)
	f.SetTitle(clean(d.Title), true)
	f.SetAuthor(clean(d.Author), true)
	f.SetMargins(margin, margin, margin)
	f.SetCellMargin(0)
	f.SetAutoPageBreak(false, 0)
	// fpdf 0.12.0 writes into the bytes of a font as it takes letters out of it
	// (getMetrics appends to a part of them): each document has its own.
	f.AddUTF8FontFromBytes(family, "", bytes.Clone(goregular.TTF))
	f.AddUTF8FontFromBytes(family, "B", bytes.Clone(gobold.TTF))
	if slices.ContainsFunc(d.Content, func(b Block) bool { return b.Kind == Code }) { // else it would stand in every file
		f.AddUTF8FontFromBytes(mono, "", bytes.Clone(gomono.TTF))
	}
	p := &press{file: f, doc: d, pages: pages, tags: newTags()}
	p.turn()
	for _, b := range d.Content {
		p.block(b)
		if p.file.PageNo() > cmp.Or(d.Most, maxPages) {
			return nil, ErrTooLong
		}
	}
	return p, f.Error()
}

// letters is the font that tells which letters there are; the bold one has the same.
var letters = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic("the font that is compiled in cannot be read: " + err.Error())
	}
	return f
})

// clean is known, with all white space as one space.
func clean(s string) string { return known(strings.Join(strings.Fields(s), " ")) }

// known puts a question mark in the place of what the fonts do not have: fpdf takes
// the width of such a letter for nothing, or reads beyond its table.
func known(s string) string {
	var buffer sfnt.Buffer
	return strings.Map(func(r rune) rune {
		if at, err := letters().GlyphIndex(&buffer, r); err != nil || at == 0 {
			return '?'
		}
		return r
	}, s)
}

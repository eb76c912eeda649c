package guide

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/yuin/goldmark/ast"
	table "github.com/yuin/goldmark/extension/ast"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
)

// written is when the words of the guides last changed; a test holds the two together.
var written = time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)

// qrSide is the side of the sticker's code, in millimetres: it is read from the street.
const qrSide = 90

// tags are the languages as a PDF names them (BCP 47).
var tags = map[pages.Lang]string{pages.It: "it-IT", pages.En: "en-GB"}

// PDF returns a guide of Names as a file. The same guide is the same file, byte for byte.
func (g *Guides) PDF(name string, lang pages.Lang) ([]byte, error) {
	s, words := g.of(name, lang), g.set.Words(lang)
	d := pdf.Document{Title: s.shown.Head, Author: g.about.Name, Lang: tags[lang], Made: written, Content: s.blocks}
	if name != Sticker {
		d.Page, d.Footer = words.T("guide.page"), []string{strings.TrimSpace(g.about.Name + " " + g.about.URL)}
		return pdf.Write(d)
	}
	d.Scale = 2
	code, err := pages.QRImage(g.about.URL)
	if err != nil {
		return nil, err
	}
	d.Content = append(slices.Clone(d.Content), pdf.Block{Kind: pdf.Image, Picture: code, SideMM: qrSide, Text: g.about.URL}, pdf.Block{Kind: pdf.H2, Text: g.about.URL})
	return pdf.Write(d)
}

// paper returns the parts of the text; what has no counterpart on paper is an error.
func (s source) paper() (all []pdf.Block, err error) {
	for n := s.root.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			kinds := map[int]pdf.Kind{1: pdf.H1, 2: pdf.H2, 3: pdf.H3}
			kind, ok := kinds[n.Level]
			if !ok {
				return nil, fmt.Errorf("title %q has the level %d: three are enough", s.plainText(n), n.Level)
			}
			all = append(all, pdf.Block{Kind: kind, Text: s.plainText(n)})
		case *ast.Paragraph:
			if image, ok := n.FirstChild().(*ast.Image); ok {
				picture, err := s.picture(image)
				if err != nil {
					return nil, err
				}
				all = append(all, picture)
				continue
			}
			all = append(all, pdf.Block{Kind: pdf.Text, Text: s.plainText(n)})
		case *ast.List:
			kind := pdf.List
			if n.IsOrdered() {
				kind = pdf.Steps
			}
			all = append(all, pdf.Block{Kind: kind, Items: s.items(n)})
		case *ast.FencedCodeBlock:
			all = append(all, pdf.Block{Kind: pdf.Code, Items: s.lines(n)})
		case *table.Table:
			all = append(all, s.table(n))
		default:
			return nil, fmt.Errorf("a %s cannot be shown on paper", n.Kind())
		}
	}
	return all, nil
}

// pictureSide is how wide a picture is on paper, in millimetres: as wide as the text.
const pictureSide = 170

// picture is one that lies here as a PNG beside the SVG that the page shows.
func (s source) picture(n *ast.Image) (pdf.Block, error) {
	name := path.Base(string(n.Destination))
	png, err := files.ReadFile(strings.TrimSuffix(name, path.Ext(name)) + ".png")
	if err != nil {
		return pdf.Block{}, fmt.Errorf("the picture %s: %w", name, err)
	}
	return pdf.Block{Kind: pdf.Image, Picture: png, SideMM: pictureSide, Text: s.plainText(n)}, nil
}

func (s source) items(list ast.Node) (all []string) {
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		var parts []string
		for part := item.FirstChild(); part != nil; part = part.NextSibling() {
			parts = append(parts, s.plainText(part))
		}
		all = append(all, strings.Join(parts, " "))
	}
	return all
}

func (s source) lines(code *ast.FencedCodeBlock) (all []string) {
	for i := range code.Lines().Len() {
		line := code.Lines().At(i)
		all = append(all, strings.TrimRight(string(line.Value(s.text)), "\n"))
	}
	return all
}

func (s source) table(t *table.Table) pdf.Block {
	b := pdf.Block{Kind: pdf.Table}
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, s.plainText(cell))
		}
		if row.Kind() == table.KindTableHeader {
			b.Head = cells
		} else {
			b.Rows = append(b.Rows, cells)
		}
	}
	return b
}

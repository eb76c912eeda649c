package pdf

import (
	"bytes"
	"fmt"
	"slices"

	"codeberg.org/go-pdf/fpdf"
)

// Measures in millimetres, of A4.
const (
	family     = "go"
	width      = 210.0
	height     = 297.0
	margin     = 20.0
	foot       = 22.0 // kept for the footer
	bottom     = height - foot
	inner      = width - 2*margin
	indent     = 6.0
	cellPad    = 1.5
	blankSpace = 9.0 // height of a line to write on by hand
)

// style is how a line of text looks.
type style struct {
	bold  string  // "" or "B"
	size  float64 // points
	line  float64 // height of a line, millimetres
	above float64 // space before
	below float64
}

var styles = map[Kind]style{
	H1:    {"B", 16, 7.5, 0, 3},
	H2:    {"B", 12, 6, 4, 1.5},
	H3:    {"B", 10.5, 5.2, 3, 1},
	Text:  {"", 10.5, 5.2, 0, 2},
	Small: {"", 8.5, 4.2, 0, 1.5},
	List:  {"", 10.5, 5.2, 0, 1},
	Facts: {"", 10, 4.9, 0, 0},
	Table: {"", 8.5, 4.2, 0, 0},
	Blank: {"", 10.5, 5.2, 0, 0},
	Image: {"", 10.5, 5.2, 0, 2},
}

// press draws the pages of one document, and remembers what is what.
type press struct {
	file  *fpdf.Fpdf
	doc   Document
	pages int // how many there are thought to be
	tags  *tags
	y     float64 // where the next line stands

	pictures int // drawn so far
}

// turn begins a new page, with its footer.
func (p *press) turn() {
	p.file.AddPage()
	p.y = margin
	s := style{"", 7.5, 3.6, 0, 0}
	p.artifact("/Type /Pagination /Subtype /Footer", func() {
		p.file.SetLineWidth(0.2)
		p.file.Line(margin, bottom+3, width-margin, bottom+3)
		y := bottom + 4.5
		footer := slices.Clone(p.doc.Footer)
		if p.doc.Page != "" {
			footer = append(footer, fmt.Sprintf(p.doc.Page, p.file.PageNo(), p.pages))
		}
		for _, text := range footer {
			p.put(s, margin, y, clean(text))
			y += s.line
		}
	})
}

// artifact draws what is no content.
func (p *press) artifact(properties string, draw func()) {
	p.file.RawWriteStr("/Artifact <<" + properties + ">> BDC")
	draw()
	p.file.RawWriteStr("EMC")
}

// put draws one line of what is clean.
func (p *press) put(s style, x, y float64, text string) {
	p.file.SetFont(family, s.bold, s.size)
	p.file.SetXY(x, y)
	p.file.CellFormat(0, s.line, text, "", 0, "L", false, 0, "")
}

// split breaks text into lines of a width; a text of none has one, for a tag
// without content says nothing.
func (p *press) split(s style, text string, w float64) []string {
	p.file.SetFont(family, s.bold, s.size)
	lines := p.file.SplitText(clean(text), w)
	if len(lines) == 0 {
		lines = []string{""}
	}
	for i := range lines[:len(lines)-1] {
		lines[i] += " " // or the words on both sides are read as one
	}
	return lines
}

// room turns the page where so much does not fit any more. Nothing is higher than
// a page: what may be comes line by line.
func (p *press) room(h float64) {
	if p.y+h > bottom && p.y > margin {
		p.turn()
	}
}

// line draws one line of an element.
func (p *press) line(of *element, s style, x float64, text string) {
	p.tags.begin(p.file, of)
	p.put(s, x, p.y, text)
	p.file.RawWriteStr("EMC")
}

// lines draws the lines of an element one below the other.
func (p *press) lines(of *element, s style, x float64, all []string) {
	for _, text := range all {
		p.room(s.line)
		p.line(of, s, x, text)
		p.y += s.line
	}
}

func (p *press) block(b Block) {
	s := styles[b.Kind]
	p.tags.lang = b.Lang
	if p.y > margin {
		p.y += s.above
	}
	switch b.Kind {
	case H1, H2, H3:
		all := p.split(s, b.Text, inner)
		p.room(float64(len(all))*s.line + s.below + 3*styles[Text].line) // not alone at the foot of a page
		p.lines(p.tags.add(nil, map[Kind]string{H1: "H1", H2: "H2", H3: "H3"}[b.Kind]), s, margin, all)
	case Text, Small:
		all := p.split(s, b.Text, inner)
		p.room(min(2, float64(len(all))) * s.line)
		p.lines(p.tags.add(nil, "P"), s, margin, all)
	case List:
		list := p.tags.add(nil, "L")
		for _, item := range b.Items {
			p.item(p.tags.add(list, "LI"), s, item)
		}
	case Facts:
		p.table(b, s, nil, []float64{0.32, 0.68})
		p.y += 2
	case Table:
		p.table(b, s, b.Head, b.Widths)
		p.y += 3
	case Blank:
		p.blank(s, b.Text)
	case Image:
		p.image(b)
	case Break:
		if p.y > margin {
			p.turn()
		}
	}
	p.y += s.below
}

func (p *press) item(li *element, s style, text string) {
	all := p.split(s, text, inner-indent)
	p.room(s.line)
	p.line(p.tags.add(li, "Lbl"), s, margin+1.5, "•")
	p.lines(p.tags.add(li, "LBody"), s, margin+indent, all)
	p.y += s.below
}

// blank draws the name of what is to be written, and a line after it.
func (p *press) blank(s style, text string) {
	p.room(blankSpace)
	p.y += blankSpace - s.line
	text = clean(text)
	p.line(p.tags.add(nil, "P"), s, margin, text)
	from := margin + p.file.GetStringWidth(text) + 2
	p.rule(min(from, width-margin-20), p.y+s.line-0.5)
	p.y += s.line
}

// rule draws a line as wide as the text, from x.
func (p *press) rule(x, y float64) {
	p.artifact("/Type /Layout", func() {
		p.file.SetLineWidth(0.15)
		p.file.Line(x, y, width-margin, y)
	})
}

// image draws a square picture at the left margin.
func (p *press) image(b Block) {
	p.room(b.SideMM)
	figure := p.tags.add(nil, "Figure")
	figure.alt = b.Text
	p.pictures++
	name, as := fmt.Sprintf("picture %06d", p.pictures), fpdf.ImageOptions{ImageType: "PNG"}
	p.file.RegisterImageOptionsReader(name, as, bytes.NewReader(b.Picture))
	p.tags.begin(p.file, figure)
	p.file.ImageOptions(name, margin, p.y, b.SideMM, b.SideMM, false, as, 0, "")
	p.file.RawWriteStr("EMC")
	p.y += b.SideMM
}

package pdf

import (
	"bytes"
	"cmp"
	"fmt"
	"image/png"
	"slices"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// Measures in millimetres, of A4.
const (
	family     = "go"
	mono       = "gomono"
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
	font  string // family or mono; "": family
}

var styles = map[Kind]style{
	H1:    {bold: "B", size: 16, line: 7.5, below: 3},
	H2:    {bold: "B", size: 12, line: 6, above: 4, below: 1.5},
	H3:    {bold: "B", size: 10.5, line: 5.2, above: 3, below: 1},
	Text:  {size: 10.5, line: 5.2, below: 2},
	Small: {size: 8.5, line: 4.2, below: 1.5},
	List:  {size: 10.5, line: 5.2, below: 1},
	Steps: {size: 10.5, line: 5.2, below: 1},
	Code:  {size: 8, line: 4.2, above: 0.5, below: 2.5, font: mono},
	Facts: {size: 10, line: 4.9},
	Table: {size: 8.5, line: 4.2},
	Blank: {size: 10.5, line: 5.2},
	Image: {size: 10.5, line: 5.2, below: 2},
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
	if len(p.doc.Footer) == 0 && p.doc.Page == "" {
		return
	}
	s := style{size: 7.5, line: 3.6}
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
	p.file.SetFont(cmp.Or(s.font, family), s.bold, s.size)
	p.file.SetXY(x, y)
	p.file.CellFormat(0, s.line, text, "", 0, "L", false, 0, "")
}

// split breaks text into lines of a width; a text of none has one, for a tag
// without content says nothing.
func (p *press) split(s style, text string, w float64) []string {
	p.file.SetFont(cmp.Or(s.font, family), s.bold, s.size)
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
	if p.doc.Scale > 0 {
		s.size, s.line, s.above, s.below = s.size*p.doc.Scale, s.line*p.doc.Scale, s.above*p.doc.Scale, s.below*p.doc.Scale
	}
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
	case List, Steps:
		list := p.tags.add(nil, "L")
		for i, item := range b.Items {
			label := "•"
			if b.Kind == Steps {
				label = fmt.Sprintf("%d.", i+1)
			}
			p.item(p.tags.add(list, "LI"), s, label, item)
		}
	case Code:
		p.code(s, b.Items)
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

func (p *press) item(li *element, s style, label, text string) {
	all := p.split(s, text, inner-indent)
	p.room(s.line)
	p.line(p.tags.add(li, "Lbl"), s, margin+1.5, label)
	p.lines(p.tags.add(li, "LBody"), s, margin+indent, all)
	p.y += s.below
}

// code draws lines as they are typed: one too long goes on below, further in. Tags
// know code inside a paragraph only (ISO 32000-1, 14.8.4.4).
func (p *press) code(s style, lines []string) {
	p.file.SetFont(mono, s.bold, s.size)
	most := int((inner - indent) / p.file.GetStringWidth("0"))
	of := p.tags.add(p.tags.add(nil, "P"), "Code")
	for _, text := range lines {
		for i, piece := range wrap(known(text), most) {
			p.lines(of, s, margin+indent*float64(min(i, 1)), []string{piece})
		}
	}
}

// wrap breaks a line of letters of one width after at most so many, at a space where
// there is one.
func wrap(text string, most int) (all []string) {
	for letters := []rune(text); ; {
		if len(letters) <= most {
			return append(all, string(letters))
		}
		at := most
		if i := strings.LastIndexByte(string(letters[:most]), ' '); i > 0 {
			at = len([]rune(string(letters[:most])[:i+1]))
		}
		all, letters = append(all, string(letters[:at])), letters[at:]
	}
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

// image draws a picture at the left margin, as high as its proportions have it.
func (p *press) image(b Block) {
	high := b.SideMM
	if is, err := png.DecodeConfig(bytes.NewReader(b.Picture)); err == nil { // else fpdf says what is wrong with it
		high *= float64(is.Height) / float64(is.Width)
	}
	p.room(high)
	figure := p.tags.add(nil, "Figure")
	figure.alt = b.Text
	p.pictures++
	name, as := fmt.Sprintf("picture %06d", p.pictures), fpdf.ImageOptions{ImageType: "PNG"}
	p.file.RegisterImageOptionsReader(name, as, bytes.NewReader(b.Picture))
	p.tags.begin(p.file, figure)
	p.file.ImageOptions(name, margin, p.y, b.SideMM, high, false, as, 0, "")
	p.file.RawWriteStr("EMC")
	p.y += high
}

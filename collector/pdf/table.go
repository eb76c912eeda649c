package pdf

// table draws rows below each other. A row that fits on a page is not parted;
// a longer one goes on on the next. head is nil for a table without one; the first
// cell of a row is its header.
func (p *press) table(b Block, s style, head []string, widths []float64) {
	if len(b.Rows) == 0 {
		return
	}
	columns := p.columns(len(b.Rows[0]), widths)
	t := p.tags.add(nil, "Table")
	t.alt = b.Text
	bold := s
	bold.bold = "B"
	if head != nil {
		tr := p.tags.add(t, "TR")
		cells := make([]cell, len(head))
		for i, text := range head {
			th := p.tags.add(tr, "TH")
			th.scope = "Column"
			cells[i] = cell{th, bold, p.split(bold, text, columns[i]-2*cellPad)}
		}
		p.room(2 * rowHeight(cells, s)) // not without what it is the head of
		p.row(cells, columns, s, nil)
	}
	for _, texts := range b.Rows {
		tr := p.tags.add(t, "TR")
		cells := make([]cell, len(texts))
		for i, text := range texts {
			if i == 0 {
				th := p.tags.add(tr, "TH")
				th.scope = "Row"
				cells[i] = cell{th, bold, p.split(bold, text, columns[i]-2*cellPad)}
				continue
			}
			cells[i] = cell{p.tags.add(tr, "TD"), s, p.split(s, text, columns[i]-2*cellPad)}
		}
		p.row(cells, columns, s, func() { p.repeat(head, columns, bold) })
	}
}

// cell is a cell whose lines are still to be drawn.
type cell struct {
	tag   *element
	style style
	lines []string
}

// columns returns the widths of columns in millimetres.
func (p *press) columns(n int, parts []float64) []float64 {
	if len(parts) != n {
		parts = make([]float64, n)
		for i := range parts {
			parts[i] = 1
		}
	}
	var sum float64
	for _, part := range parts {
		sum += part
	}
	out := make([]float64, n)
	for i, part := range parts {
		out[i] = inner * part / sum
	}
	return out
}

func rowHeight(cells []cell, s style) float64 {
	most := 0
	for _, c := range cells {
		most = max(most, len(c.lines))
	}
	return float64(most)*s.line + 2*cellPad
}

// row draws the cells of one row, each whole where they fit; again is called after
// each page that had to be turned.
func (p *press) row(cells []cell, columns []float64, s style, again func()) {
	turn := func() {
		p.turn()
		if again != nil {
			again()
		}
	}
	if h := rowHeight(cells, s); p.y+h > bottom && h < (bottom-margin)/2 {
		turn()
	}
	for at := 0; ; {
		fit := int((bottom - p.y - 2*cellPad) / s.line)
		if fit < 1 {
			turn()
			continue
		}
		most, left := 0, false
		for i, x := 0, margin; i < len(cells); i++ {
			lines := cells[i].lines[min(at, len(cells[i].lines)):]
			if len(lines) > fit {
				lines, left = lines[:fit], true
			}
			p.column(cells[i], lines, x+cellPad)
			most = max(most, len(lines))
			x += columns[i]
		}
		p.y += float64(most)*s.line + 2*cellPad
		p.rule(margin, p.y)
		if at += fit; !left {
			return
		}
		turn()
	}
}

// column draws lines of a cell, and stays where the row is.
func (p *press) column(c cell, lines []string, x float64) {
	top := p.y
	p.y += cellPad
	for _, text := range lines {
		p.line(c.tag, c.style, x, text)
		p.y += c.style.line
	}
	p.y = top
}

// repeat draws the head of a table anew, for the eye alone.
func (p *press) repeat(head []string, columns []float64, s style) {
	if head == nil {
		return
	}
	most := 0
	p.artifact("/Type /Pagination", func() {
		x := margin
		for i, text := range head {
			lines := p.split(s, text, columns[i]-2*cellPad)
			for n, line := range lines {
				p.put(s, x+cellPad, p.y+cellPad+float64(n)*s.line, line)
			}
			most = max(most, len(lines))
			x += columns[i]
		}
	})
	p.y += float64(most)*s.line + 2*cellPad
	p.rule(margin, p.y)
}

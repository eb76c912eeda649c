package disclosure

import "slices"

// Counts are exact: one margin or several of the same whole.
type Counts []struct {
	Of    string `json:"of"` // "municipio"
	Parts []Part `json:"parts"`
}

// Part is a count, and others of the same things that are at least as many: of sites,
// and of their cameras.
type Part struct {
	Name string `json:"name"` // "" what has none
	N    []int  `json:"n"`
}

// Numbers are published.
type Numbers struct {
	Rule
	Total   []Cell   `json:"total"`
	Margins []Margin `json:"margins"`
}

// Margin is the parts of the whole.
type Margin struct {
	Of string `json:"of"`
	// Withheld: there is no line that could be shown.
	Withheld bool   `json:"withheld,omitempty"`
	Lines    []Line `json:"lines"`
}

// Line is a part: all of its cells are shown, or none.
type Line struct {
	Name  string `json:"name"`
	Cells []Cell `json:"cells"`
}

// hidden are the names that a margin leaves out.
func (n Numbers) hidden(of string) map[string]bool {
	names := make(map[string]bool)
	for _, m := range n.Margins {
		for _, l := range m.Lines {
			names[l.Name] = names[l.Name] || m.Of == of && (m.Withheld || l.Cells[0].Hidden)
		}
	}
	return names
}

// numbers publishes counts, or their total alone. What the publication before left out
// stays so until it is twice K.
func (r Rule) numbers(c Counts, before *Numbers, withhold bool) Numbers {
	n := Numbers{Rule: r}
	for i, margin := range c {
		total := make([]int, 0, 2)
		first := make([]int, len(margin.Parts))
		var held []bool // nil: none
		for j, p := range margin.Parts {
			first[j] = p.N[0]
			for len(total) < len(p.N) {
				total = append(total, 0)
			}
			for k, x := range p.N {
				total[k] += x
			}
			if before != nil {
				held = append(held, p.N[0] < 2*r.K && before.hidden(margin.Of)[p.Name])
			}
		}
		if i == 0 {
			for _, x := range total {
				n.Total = append(n.Total, r.cell(x, total[0] < r.K))
			}
		}
		hidden, all := r.hide(first, held)
		all = all || withhold
		m := Margin{Of: margin.Of, Withheld: all}
		for j, p := range margin.Parts {
			l := Line{Name: p.Name}
			for _, x := range p.N {
				l.Cells = append(l.Cells, r.cell(x, all || hidden[j]))
			}
			m.Lines = append(m.Lines, l)
		}
		n.Margins = append(n.Margins, m)
	}
	return n
}

// Month is what is published of the consultations of a month.
type Month struct {
	Searches Numbers `json:"searches"` // by force
	Requests Numbers `json:"requests"` // to keep footage, of all forces together
}

// Once publishes counts of which no others come: those of a month that is over.
func (r Rule) Once(c Counts) Numbers { return r.numbers(c, nil, false) }

// Why Next publishes nothing.
const (
	tooSoon    = "fewer changes than are published together"
	tooTelling = "compared with what was published before, the new numbers would tell a count that is left out"
)

// Published is numbers with the exact counts behind them.
type Published struct {
	Numbers
	Counts Counts
}

// Next publishes counts that come after others, those of the last year, newest first.
// why is not "" where nothing is to be published, and what was stays.
func (r Rule) Next(c Counts, published []Published) (n Numbers, why string) {
	if len(published) == 0 {
		return r.numbers(c, nil, false), ""
	}
	if changes(c, published[0].Counts) < r.K {
		return n, tooSoon
	}
	for _, withhold := range []bool{false, true} {
		n = r.numbers(c, &published[0].Numbers, withhold)
		if !r.attack(append([]Published{{n, c}}, published...)) {
			return n, ""
		}
	}
	return n, tooTelling
}

// changes reports how many sites at least have come, gone or moved.
func changes(c, last Counts) (most int) {
	for _, margin := range c {
		was := make(map[string]int)
		for _, m := range last {
			for _, p := range m.Parts {
				if m.Of == margin.Of {
					was[p.Name] = p.N[0]
				}
			}
		}
		n := 0
		for _, p := range margin.Parts {
			n += max(p.N[0]-was[p.Name], was[p.Name]-p.N[0])
			delete(was, p.Name)
		}
		for _, x := range was {
			n += x
		}
		most = max(most, n)
	}
	return most
}

// shown is what a name's cell of a margin was published as; false: it was not.
func (n Numbers) shown(of, name string, cell int) (int, bool) {
	for _, m := range n.Margins {
		if m.Of != of {
			continue
		}
		i := slices.IndexFunc(m.Lines, func(l Line) bool { return l.Name == name })
		if i >= 0 && !m.Lines[i].Cells[cell].Hidden {
			return m.Lines[i].Cells[cell].Count, true
		}
	}
	return 0, false
}

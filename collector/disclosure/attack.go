package disclosure

import "math"

// span is what a count may be, both ends included.
type span struct{ from, until int }

func (s span) values() int { return max(0, s.until-s.from+1) }

func (s span) has(n int) bool { return s.from <= n && n <= s.until }

func (s span) and(other span) span {
	return span{max(s.from, other.from), min(s.until, other.until)}
}

// anything is what a count that is left out may be.
var anything = span{0, math.MaxInt32}

// of is what a shown count may be.
func (r Rule) of(count int) span {
	return span{max(r.K, count-r.Round/2), count + r.Round/2}
}

// attack reports whether a reader of all publications, who takes a count that one leaves
// out for the same as in the next one that shows it, could narrow
// such a count to fewer than Round values: of all values or, where the margin is not
// withheld as a whole, so that one part at least must be small, of the small ones.
func (r Rule) attack(all []Published) bool {
	for at, n := range all {
		for m := range n.Margins {
			for cell := range n.Total {
				if !n.Total[cell].Hidden && r.subtract(all, at, m, cell) {
					return true
				}
			}
		}
	}
	return false
}

// subtract takes from a total all but one of its parts.
func (r Rule) subtract(all []Published, at, margin, cell int) bool {
	m := all[at].Margins[margin]
	known := make([]span, len(m.Lines))
	ok := make([]bool, len(m.Lines))
	for i, l := range m.Lines {
		var count int
		if count, ok[i] = nearest(all, at, m.Of, l.Name, cell); ok[i] {
			known[i] = r.of(count)
		}
	}
	total := r.total(all[at].Numbers, cell)
	for one, l := range m.Lines {
		if !m.Withheld && !l.Cells[cell].Hidden {
			continue
		}
		left, alone := total, true
		for i, k := range known {
			if i != one {
				left, alone = span{left.from - k.until, left.until - k.from}, alone && ok[i]
			}
		}
		if !alone {
			left.from = 0
		}
		left = left.and(anything)
		if !m.Withheld {
			if small := left.and(span{0, r.K - 1}); small.values() > 0 {
				left = small
			}
		}
		if left.values() < r.Round && left.has(all[at].Counts[margin].Parts[one].N[cell]) {
			return true
		}
	}
	return false
}

// total is what the total may be, by itself and by what each margin shows of it.
func (r Rule) total(n Numbers, cell int) span {
	s := r.of(n.Total[cell].Count)
	for _, m := range n.Margins {
		sum := span{}
		for _, l := range m.Lines {
			part := anything
			if !l.Cells[cell].Hidden {
				part = r.of(l.Cells[cell].Count)
			}
			sum = span{sum.from + part.from, sum.until + part.until}
		}
		s = s.and(sum)
	}
	return s
}

// nearest is what a part was published as, in the publication nearest to one; false: in
// none.
func nearest(all []Published, at int, of, name string, cell int) (int, bool) {
	for off := range all {
		for _, i := range []int{at - off, at + off} {
			if i >= 0 && i < len(all) {
				if count, ok := all[i].shown(of, name, cell); ok {
					return count, true
				}
			}
		}
	}
	return 0, false
}

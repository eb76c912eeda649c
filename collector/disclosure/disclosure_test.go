package disclosure

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Every margin of up to 5 parts: whoever knows the rule, and the exact value of all that
// is shown, is left with at least K values for each part that is not.
func TestNoHiddenPartCanBeGotBySubtraction(t *testing.T) {
	for _, c := range []struct{ parts, most, k int }{{2, 40, 10}, {3, 34, 10}, {4, 14, 3}, {4, 18, 4}} {
		rule := Rule{K: c.k, Round: 1}
		possible := map[string][]map[int]bool{}
		cut := map[string]bool{} // what explains it may lie beyond the largest part that is tried
		shown := 0
		parts := make([]int, c.parts)
		for more := true; more; more = next(parts, c.most) {
			n := rule.numbers(counts(parts), nil, false)
			seen := fmt.Sprint(n)
			if possible[seen] == nil {
				possible[seen] = make([]map[int]bool, c.parts)
			}
			hidden := 0
			for i, l := range n.Margins[0].Lines {
				switch {
				case !l.Cells[0].Hidden && parts[i] < c.k:
					t.Fatalf("%+v: part %d of %v is shown", rule, i, parts)
				case !l.Cells[0].Hidden:
					shown++
				default:
					hidden += parts[i]
					if possible[seen][i] == nil {
						possible[seen][i] = map[int]bool{}
					}
					possible[seen][i][parts[i]] = true
				}
			}
			cut[seen] = cut[seen] || hidden > c.most
		}
		tried := 0
		for seen, values := range possible {
			for i, of := range values {
				if cut[seen] || of == nil {
					continue
				}
				if tried++; len(of) < c.k {
					t.Errorf("%+v: %s: part %d can only be one of %v", rule, seen, i, of)
				}
			}
		}
		if shown == 0 || tried == 0 {
			t.Errorf("%+v of %d: %d parts are shown, %d were tried", rule, c.parts, shown, tried)
		}
	}
}

// counts is one margin.
func counts(parts []int) Counts {
	margin := make([]Part, len(parts))
	for i, n := range parts {
		margin[i] = Part{fmt.Sprint("p", i), []int{n}}
	}
	return Counts{{"municipio", margin}}
}

// next counts parts up, each from 0 to most; false: that was the last.
func next(parts []int, most int) bool {
	for i := range parts {
		if parts[i]++; parts[i] <= most {
			return true
		}
		parts[i] = 0
	}
	return false
}

// city is sites by municipio and category, with their cameras.
type city struct {
	sites [4][3]int
	extra [4][3]int // cameras beyond one a site
}

func (c *city) counts() Counts {
	margins := Counts{{"municipio", make([]Part, 4)}, {"category", make([]Part, 3)}}
	for m := range 4 {
		for k := range 3 {
			for _, p := range []*Part{&margins[0].Parts[m], &margins[1].Parts[k]} {
				if p.N == nil {
					p.N = []int{0, 0}
				}
				p.N[0] += c.sites[m][k]
				p.N[1] += c.sites[m][k] + c.extra[m][k]
			}
		}
	}
	for m := range margins {
		for i := range margins[m].Parts {
			margins[m].Parts[i].Name = fmt.Sprint(margins[m].Of, i)
		}
	}
	return margins
}

// A register that grows and shrinks for two years. A reader writes down all that was
// published as a system of inequalities, and takes for the same what is left out in one
// publication and shown in another; that reader is never rightly left with fewer values than
// Round for a count that is left out, nor with fewer than K by one publication alone.
func TestPublicationsTellNoHiddenCount(t *testing.T) {
	published, hiddenCells, totalAlone, left := 0, 0, 0, map[string]int{}
	for seed := range uint64(60) {
		dice := rand.New(rand.NewPCG(seed, 10))
		var c city
		var all []Published // newest first
		for range 100 {
			for range dice.IntN(30) {
				m, k := min(dice.IntN(5), 3), dice.IntN(3)*dice.IntN(2)
				switch d := dice.IntN(10); {
				case d < 6:
					c.sites[m][k]++
					c.extra[m][k] += dice.IntN(4)
				case c.sites[m][k] > 0:
					c.extra[m][k] -= c.extra[m][k] / c.sites[m][k]
					c.sites[m][k]--
				}
			}
			now := c.counts()
			n, why := Usual.Next(now, all)
			left[why]++
			if why != "" {
				continue
			}
			all = append([]Published{{n, now}}, all...)
			published++
			if usual := Usual.numbers(now, nil, false); n.Margins[0].Withheld && !usual.Margins[0].Withheld {
				totalAlone++
			}
			hiddenCells += alone(t, now, n)
			system(t, all)
		}
	}
	if published < 500 || hiddenCells < 500 || left[tooSoon] == 0 || totalAlone == 0 {
		t.Errorf("%d publications with %d hidden cells, of %d the total alone, not published: %v: too little was tried", published, hiddenCells, totalAlone, left)
	}
}

// alone gives a reader of one publication the exact value of all that it shows.
func alone(t *testing.T, c Counts, n Numbers) (hidden int) {
	for m, margin := range n.Margins {
		for cell := range n.Total {
			rest, unknown, total := 0, 0, 0
			for i, l := range margin.Lines {
				x := c[m].Parts[i].N[cell]
				total += x
				if l.Cells[cell].Hidden {
					rest, unknown = rest+x, unknown+1
				} else if x < n.K {
					t.Errorf("%d is shown", x)
				}
			}
			hidden += unknown
			if unknown == 1 || unknown > 1 && rest < n.K-1 && total >= n.K {
				t.Errorf("%s: %d cells are left out, and come to %d: %+v", margin.Of, unknown, rest, margin)
			}
		}
	}
	return hidden
}

// system solves for the bounds of each count that the newest publication leaves out, or
// that an older one does: the bounds of the total, and of each count that is shown,
// there or elsewhere, are narrowed until they stay.
func system(t *testing.T, all []Published) {
	t.Helper()
	for at, n := range all {
		for m, margin := range n.Margins {
			for cell := range n.Total {
				if n.Total[cell].Hidden {
					continue
				}
				for one := range margin.Lines {
					if !margin.Lines[one].Cells[cell].Hidden {
						continue
					}
					lo, hi := bounds(all, at, m, cell, one)
					if !margin.Withheld && lo < n.K { // it may be one of the small ones
						hi = min(hi, n.K-1)
					}
					truth := all[at].Counts[m].Parts[one].N[cell]
					if lo <= truth && truth <= hi && hi-lo+1 < n.Round { // if not, it has changed meanwhile
						t.Errorf("publication %d of %d, %s %d, cell %d: only %d to %d", at, len(all), margin.Of, one, cell, lo, hi)
					}
				}
			}
		}
	}
}

func bounds(all []Published, at, m, cell, one int) (lo, hi int) {
	n := all[at].Numbers
	shownAs := func(c Cell) (int, int) { return max(n.K, c.Count-2), c.Count + 2 }
	const most = 1 << 20
	lows, highs := make([]int, len(n.Margins[m].Lines)), make([]int, len(n.Margins[m].Lines))
	for i := range lows {
		highs[i] = most
		for off := 0; off < len(all) && i != one && highs[i] == most; off++ {
			for _, p := range []int{at - off, at + off} {
				if p >= 0 && p < len(all) && !all[p].Margins[m].Lines[i].Cells[cell].Hidden && highs[i] == most {
					lows[i], highs[i] = shownAs(all[p].Margins[m].Lines[i].Cells[cell])
				}
			}
		}
	}
	low, high := shownAs(n.Total[cell])
	for _, other := range n.Margins { // the total is that of the other margins, too
		sumLow, sumHigh := 0, 0
		for _, l := range other.Lines {
			a, b := 0, most
			if !l.Cells[cell].Hidden {
				a, b = shownAs(l.Cells[cell])
			}
			sumLow, sumHigh = sumLow+a, sumHigh+b
		}
		low, high = max(low, sumLow), min(high, sumHigh)
	}
	for range 3 { // propagation: each bound by all others
		sumLow, sumHigh := 0, 0
		for i := range lows {
			sumLow, sumHigh = sumLow+lows[i], sumHigh+highs[i]
		}
		low, high = max(low, sumLow), min(high, sumHigh)
		if low > high {
			return 1, 0
		}
		for i := range lows {
			l, h := max(lows[i], low-(sumHigh-highs[i])), min(highs[i], high-(sumLow-lows[i]))
			if l > h {
				return 1, 0
			}
			sumLow, sumHigh = sumLow+l-lows[i], sumHigh+h-highs[i]
			lows[i], highs[i] = l, h
		}
	}
	return lows[one], highs[one]
}

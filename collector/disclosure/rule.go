package disclosure

// Rule is how counts are published.
type Rule struct {
	K     int `json:"k"`     // counts below it are left out
	Round int `json:"round"` // others are published as the nearest multiple; odd, so that it is clear which
}

// Usual is the rule of the register.
var Usual = Rule{K: 10, Round: 5}

// Cell is a published count.
type Cell struct {
	Count  int  `json:"count"`
	Hidden bool `json:"hidden,omitempty"` // left out; Count is 0
}

// hide decides which parts of a whole are left out. held are those that were before;
// nil: none. all: the whole margin is.
func (r Rule) hide(parts []int, held []bool) (hidden []bool, all bool) {
	hidden = make([]bool, len(parts))
	n, left, sum := 0, 0, 0 // of what is left out: how many, and what they come to
	take := func(i int) { hidden[i], n, left = true, n+1, left+parts[i] }
	for i, x := range parts {
		sum += x
		if x < r.K || held != nil && held[i] {
			take(i)
		}
	}
	if sum < r.K+(len(parts)-1)*(r.K-1) {
		return hidden, true
	}
	if n == 0 {
		return hidden, false
	}
	small := n // or held
	for i := range parts {
		if n > small && left >= r.K+(n-1)*(r.K-1) {
			break
		}
		if !hidden[i] {
			take(i)
		}
	}
	return hidden, n == len(parts)
}

func (r Rule) cell(n int, hidden bool) Cell {
	if hidden {
		return Cell{Hidden: true}
	}
	return Cell{Count: (n + r.Round/2) / r.Round * r.Round}
}

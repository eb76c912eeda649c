package gazetteer

import (
	"slices"
	"strings"
)

// What keeps a name from being the one that was typed, as points: streets with
// equally many fit equally. From doubt on a person is asked, even if it is the
// only one.
const (
	pTitle   = 1  // a title, or who owns the street, is left out or added
	pInitial = 1  // a first name is an initial
	pNoKind  = 2  // "buenos aires"
	pPartial = 4  // first names are left out
	pOutside = 4  // the street lies in no district of the city
	doubt    = 20 // more than all of the above together
	pIgnored = 21 // a word was not used
	pLast    = 25 // the last word of the name is left out
	pKind    = 30 // "via" for "viale"
	pEdit    = 40 // a typing error
)

// spelling maps a typed word to words of the index that it may be, with typing
// errors, and how many.
type spelling map[string]map[string]int

// fit reports how well typed words fit a name; ok is false where a word does not
// fit at all. Errors are forgiven as far as wrong says; it may be nil.
func fit(typed []word, n name, wrong spelling) (points int, ok bool) {
	if len(typed) > maxWords || len(n.words) > maxWords {
		return 0, false
	}
	var used [maxWords]bool
	var done [maxWords]bool
	take := func(accept func(q, s word) (int, bool)) {
		for i, q := range typed {
			for j, s := range n.words {
				if done[i] {
					break
				}
				if used[j] {
					continue
				}
				if p, ok := accept(q, s); ok {
					used[j], done[i] = true, true
					points += p
				}
			}
		}
	}
	take(func(q, s word) (int, bool) { return 0, q.text == s.text })
	initials := 0
	take(func(q, s word) (int, bool) {
		yes := q.short && strings.HasPrefix(s.text, q.text) || s.short && strings.HasPrefix(q.text, s.text)
		if yes {
			initials = pInitial
		}
		return 0, yes
	})
	if wrong != nil {
		take(func(q, s word) (int, bool) {
			n, ok := wrong[q.text][s.text]
			return n * pEdit, ok
		})
	}
	points += initials
	real := 0 // words that say which street it is
	for i, q := range typed {
		switch {
		case done[i] && !title(typed, i) && !q.short:
			real++
		case done[i]:
		case title(typed, i):
			points += pTitle
		default:
			return 0, false
		}
	}
	if real == 0 && len(typed) > 0 {
		return 0, false // initials and titles alone
	}
	return points + missing(n, used[:len(n.words)]), true
}

// missing are the points for the words of a name that were not typed.
func missing(n name, used []bool) int {
	last := len(n.words) - 1
	for last > 0 && numeral(n.words[last]) { // Vittorio Emanuele II
		last--
	}
	points := 0
	for j, w := range n.words {
		switch {
		case used[j]:
		case title(n.words, j):
			points = max(points, pTitle)
		case j == last || numeral(w) && j < last: // "piazza Maggio" for 24 Maggio
			points = max(points, pLast)
		default:
			points = max(points, pPartial)
		}
	}
	return points
}

// title reports whether a word is one that may be left out; the last never is
// ("Cimitero Maggiore").
func title(words []word, i int) bool { return titles[words[i].text] && i < len(words)-1 }

func numeral(w word) bool { return w.text != "" && isDigit(w.text[0]) }

// fitted is a street that fits, and with how many points.
type fitted struct {
	street int
	points int
}

// match finds the streets that typed words fit. kind is "" where none was typed.
func (x *Index) match(kind string, typed []word, wrong spelling) (found []fitted) {
	tried := make(map[int32]bool)
	for i := range x.candidates(typed, wrong) {
		if tried[i] {
			continue
		}
		tried[i] = true
		s := &x.streets[i]
		points, ok := fit(typed, s.name, wrong)
		if !ok {
			continue
		}
		switch {
		case kind == s.name.kind:
		case kind == "":
			points += pNoKind
		default:
			points += pKind
		}
		if s.outside {
			points += pOutside
		}
		found = append(found, fitted{int(i), points})
	}
	return found
}

// candidates returns the streets that have one of the words, by that of them which
// the fewest streets have: each of the words must be in the name, but for titles
// and initials.
func (x *Index) candidates(typed []word, wrong spelling) func(yield func(int32) bool) {
	var lists [][]posting
	fewest := -1
	for i, q := range typed {
		if q.short || title(typed, i) {
			continue
		}
		these := [][]posting{x.words[q.text]}
		for w := range wrong[q.text] {
			these = append(these, x.words[w])
		}
		n := 0
		for _, l := range these {
			n += len(l)
		}
		if fewest < 0 || n < fewest {
			fewest, lists = n, these
		}
	}
	return func(yield func(int32) bool) {
		for _, l := range lists {
			for _, p := range l {
				if !yield(p.street) {
					return
				}
			}
		}
	}
}

// spellings looks up the words of the index that a typed word may be.
func (x *Index) spellings(typed []word, into spelling) {
	for _, q := range typed {
		if q.short || into[q.text] != nil || numeral(q) {
			continue
		}
		near := make(map[string]int)
		most, set := allowed(len(q.text)), letters(q.text)
		for i, w := range x.spelled {
			if most == 0 || len(w) < 4 || !mayBe(set, x.sets[i], most) || isDigit(w[0]) {
				continue
			}
			if n := edits(q.text, w, most); n > 0 && n <= most {
				near[w] = n
			}
		}
		into[q.text] = near
	}
}

// completions are the words of the index that begin with what was typed.
func (x *Index) completions(begin string) []string {
	from, _ := slices.BinarySearch(x.spelled, begin)
	to := from
	for to < len(x.spelled) && strings.HasPrefix(x.spelled[to], begin) {
		to++
	}
	return x.spelled[from:to]
}

// joined finds streets by their whole name without spaces: for a space that was
// lost ("vialeToscana"), and for errors in words that are too short to look for
// them one by one.
func (x *Index) joined(all []reading) (found []read) {
	for _, r := range all {
		if len(r.whole) < 3 || len(r.ignored) > 0 || r.wrong > 0 {
			continue
		}
		most, set := min(2, 1+len(r.whole)/8), letters(r.whole)
		for i := range x.streets {
			n := &x.streets[i].name
			if r.kind != "" && r.kind != n.kind {
				continue
			}
			errors := most + 1
			if mayBe(set, n.set, most) {
				errors = edits(r.whole, n.whole, most)
			}
			if r.kind == "" && errors > most && mayBe(set, n.set|letters(n.kind), most) { // "vialeToscana"
				errors = edits(r.whole, n.kind+n.whole, most)
			}
			if errors <= most {
				found = append(found, read{r, fitted{i, pEdit * max(1, errors)}})
			}
		}
	}
	return found
}

package gazetteer

import (
	"regexp"
	"slices"
	"strings"
)

// reading is one way to read what was typed.
type reading struct {
	kind     string      // of street; "" not typed
	words    []word      // of the name
	whole    string      // the name in one word, with its particles
	house    houseNumber // N 0: no number
	written  string      // the number as typed
	postcode string
	ignored  []string // words that this reading has no use for
	wrong    int      // typing errors in the kind
}

var (
	towns     = set("milano mi milan mailand lombardia italia italy it")
	postcode  = regexp.MustCompile(`^\d{5}$`)
	numberFor = set("n nr no num numero civico civ nn")
	inside    = set("scala scale interno int piano palazzina citofono")
	seconds   = set("bis ter quater")
)

// maxText bounds what is read, in bytes.
const maxText = 200

// readings takes a text apart in all the ways that make sense: which of its
// numbers is the house's, and where the name begins.
func readings(text string) (all []reading) {
	if len(text) > maxText {
		return nil
	}
	words, r := trimmed(wordsOf(text))
	for i := len(words) - 1; i >= 0; i-- {
		for _, size := range []int{2, 1} {
			h, written, ok := houseAt(words, i, size)
			if !ok {
				continue
			}
			before, after := words[:i], words[i+size:]
			for len(before) > 0 && numberFor[before[len(before)-1].text] {
				before = before[:len(before)-1]
			}
			r := r
			r.house, r.written = h, written
			all = append(all, r.around(before, after)...)
		}
	}
	return append(all, r.named(words)...)
}

// trimmed takes off what says nothing about the street: the post code, the door
// inside the house, and that there is no number.
func trimmed(words []word) (kept []word, r reading) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case postcode.MatchString(w.text):
			r.postcode = w.text
		case w.text == "snc":
		case w.text == "senza" && i+1 < len(words) && words[i+1].text == "numero":
			i++
		case inside[w.text] && i > 0 && i+1 < len(words) && (words[i+1].short || numeral(words[i+1])):
			i++
		default:
			kept = append(kept, w)
		}
	}
	return kept, r
}

// houseAt reads a house number of one word, or of two: "7 bis", "7 a".
func houseAt(words []word, i, size int) (h houseNumber, written string, ok bool) {
	if i+size > len(words) || !numeral(words[i]) || words[i].raw == "" || !isDigit(words[i].raw[0]) {
		return h, "", false
	}
	written = words[i].text
	if size == 2 {
		next := words[i+1]
		if !seconds[next.text] && (len(next.raw) != 1 || isDigit(next.raw[0])) {
			return h, "", false
		}
		written += next.raw
	}
	h, ok = parseHouse(written)
	return h, written, ok
}

// around reads a name beside the number: before it, or, where nothing is, after.
func (r reading) around(before, after []word) (all []reading) {
	switch name := withoutCommas(before); {
	case len(name) == 0:
		return r.named(after)
	case len(name) == 1 && kindOf(name[0], true) != "": // via 8 Ottobre, and no number
		return r.named(append(slices.Clone(before), after...))
	}
	for _, w := range withoutCommas(after) {
		if !towns[w.text] {
			r.ignored = append(r.ignored, w.raw)
		}
	}
	return r.named(before)
}

// named reads words as a name: with and without a town at the end, and with what
// stands before the kind of street as something else.
func (r reading) named(words []word) (all []reading) {
	list := withoutCommas(words)
	add := func(words []word, kind string, ignored []word) {
		r := r
		r.whole = inOne(words)
		if words = withoutParticles(words); len(words) == 0 {
			return
		}
		r.kind, r.words = kind, words
		for _, w := range ignored {
			r.ignored = append(r.ignored[:len(r.ignored):len(r.ignored)], w.raw)
		}
		all = append(all, r)
	}
	for {
		for i, w := range list {
			if k := kindOf(w, i == 0); k != "" && i < len(list)-1 {
				add(list[i+1:], k, list[:i])
				if i > 0 {
					break // the first that begins an address in the middle
				}
			}
		}
		if len(list) != 1 || !kinds[list[0].text] {
			add(list, "", nil)
		}
		if k, n := misspelt(list); k != "" {
			added := len(all)
			add(list[1:], k, nil)
			for i := range all[added:] {
				all[added+i].wrong = n
			}
		}
		if n := len(list); n > 1 && kindOf(list[n-1], false) != "" { // "Torino (via)"
			add(list[:n-1], list[n-1].text, nil)
		}
		if n := len(list); n < 2 || !towns[list[n-1].text] {
			break
		}
		list = list[:len(list)-1]
	}
	// What follows a comma and is no town that we know: the name without it.
	if cut := slices.IndexFunc(words, func(w word) bool { return w.text == "," }); cut > 0 && cut < len(words)-1 {
		r := r
		for _, w := range withoutCommas(words[cut:]) {
			if !towns[w.text] {
				r.ignored = append(r.ignored[:len(r.ignored):len(r.ignored)], w.raw)
			}
		}
		all = append(all, r.named(words[:cut])...)
	}
	return all
}

// inOne writes words without the spaces between them.
func inOne(words []word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.text)
	}
	return b.String()
}

// misspelt returns the kind of street that the first word may be meant for.
func misspelt(words []word) (kind string, errors int) {
	if len(words) < 2 || words[0].short || kindOf(words[0], true) != "" {
		return "", 0
	}
	for _, k := range usual {
		if n := edits(words[0].text, k, 1); n == 1 && len(words[0].text) > 3 {
			return k, n
		}
	}
	return "", 0
}

// usual are the kinds that most streets are of.
var usual = strings.Fields("via viale piazza piazzale corso largo vicolo strada galleria")

func withoutCommas(words []word) []word {
	return slices.DeleteFunc(slices.Clone(words), func(w word) bool { return w.text == "," })
}

package gazetteer

import "math/bits"

// edits counts the typing errors between two words: a letter left out, too many,
// wrong, or two that changed places (the restricted Damerau-Levenshtein distance:
// no place is changed twice). It gives most+1 when there are more than most.
func edits(a, b string, most int) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > most || len(b) > maxWord {
		return most + 1
	}
	// Rows of the table: two before, the one before, and this one.
	var rows [3][maxWord + 1]uint8
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row[0] = uint8(i)
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := uint8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if int(least) > most {
			return most + 1
		}
		before, above, row = above, row, before
	}
	return min(int(above[len(b)]), most+1)
}

// letters has a bit for each letter and digit of a word. An error changes at most
// two of them: most words are told apart without counting errors.
func letters(s string) (set uint64) {
	for i := range len(s) {
		set |= 1 << (s[i] & 63)
	}
	return set
}

func mayBe(a, b uint64, most int) bool { return bits.OnesCount64(a^b) <= 2*most }

// maxWord is the longest word, in bytes, in which errors are looked for.
const maxWord = 40

// allowed is how many typing errors a word of so many letters may have: a short
// one would become any other.
func allowed(length int) int {
	switch {
	case length < 4:
		return 0
	case length < 8:
		return 1
	}
	return 2
}

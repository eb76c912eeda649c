package gazetteer

import (
	"cmp"
	"slices"
)

// maxCompletions bounds the words that a beginning is taken for.
const maxCompletions = 400

// Suggest returns streets and addresses that a text which is still being typed may
// become, best first: the last word may be the beginning of one. Typing errors are
// not looked for.
func (x *Index) Suggest(text string) []Answer {
	var found []read
	all := readings(text)
	begun := make(spelling)
	for _, r := range all {
		if r.house.N > 0 || len(r.ignored) > 0 {
			continue
		}
		last := r.words[len(r.words)-1].text
		if len(last) < 2 || begun[last] != nil {
			continue
		}
		begun[last] = make(map[string]int)
		for i, w := range x.completions(last) {
			if i == maxCompletions {
				break
			}
			begun[last][w] = 0
		}
	}
	for _, f := range x.fitAll(all, begun) {
		if f.points < doubt+pLast && len(f.ignored) == 0 {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b read) int {
		return cmp.Or(cmp.Compare(a.points, b.points), cmp.Compare(x.streets[a.street].title, x.streets[b.street].title))
	})
	answers := x.named(text)
	for _, f := range found[:min(len(found), maxAnswers)] {
		answers = append(answers, x.answer(f.reading, f.fitted)[0])
	}
	return answers[:min(len(answers), maxAnswers)]
}

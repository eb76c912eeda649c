package gazetteer

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// Kind says what an answer rests on.
type Kind string

const (
	Exact     Kind = "exact"     // the house number itself
	Nearest   Kind = "nearest"   // the nearest number that is known, or a point near the number
	Street    Kind = "street"    // the street's middle
	Area      Kind = "district"  // a district as a whole
	Ambiguous Kind = "ambiguous" // several fit equally; of Found alone
	None      Kind = "none"      // of Found alone
)

// Answer is one place that was found.
type Answer struct {
	Kind     Kind           `json:"kind"`
	Street   string         `json:"street,omitempty"` // as it is written officially
	Number   string         `json:"number,omitempty"` // the one that At belongs to
	Asked    string         `json:"asked,omitempty"`  // the number that was typed, where it is another one or Number is empty
	Off      int            `json:"off"`              // how many numbers of that side Number is from Asked
	Across   bool           `json:"across,omitempty"` // Number is on the other side of the street: on that of Asked none is known
	Rough    bool           `json:"rough,omitempty"`  // At is a point near the number: up to ReachM from it
	At       protocol.Point `json:"at"`
	ReachM   int            `json:"reach_m,omitempty"` // how far from At what was asked for may be, metres; 0: it is there, or not known
	Postcode string         `json:"postcode,omitempty"`
	Place                   // municipio and NIL of At
	District *District      `json:"-"`                   // of Kind district
	Changed  bool           `json:"changed,omitempty"`   // the name was typed otherwise: "intendevi ...?"
	Ignored  []string       `json:"ignored,omitempty"`   // words that were not used
	Distance float64        `json:"distance_m,omitzero"` // from the point that Reverse was asked about, metres

	points   int
	kindless bool // the kind of street was not typed
}

// Place is in which districts a point lies; "" where that is not known.
type Place struct {
	Municipio string `json:"municipio,omitempty"`
	NIL       string `json:"nil,omitempty"`
}

// Name is the address of an answer: "Via Torino 12", "Via Torino", "Isola".
func (a Answer) Name() string {
	switch {
	case a.District != nil:
		return a.District.Title()
	case a.Number == "":
		return a.Street
	}
	return a.Street + " " + a.Number
}

// Found is what a text may mean, best first.
type Found struct {
	Kind    Kind     `json:"kind"` // of the best answer; ambiguous: several fit equally; none: nothing does
	Sure    bool     `json:"sure"` // the first answer is what was typed, and nobody need be asked
	Answers []Answer `json:"answers"`
	More    int      `json:"more,omitempty"` // answers that are not listed
}

// maxAnswers is how many a person is given to choose from.
const maxAnswers = 8

// conflictM: points of one number that lie farther apart are not one place.
const conflictM = 100

// roughM is how far a rough point was off at most, in Milan.
const roughM = 180

// Find says what place a text may mean. It takes below a millisecond, some
// milliseconds where typing errors are looked for among all words.
func (x *Index) Find(text string) Found {
	all := readings(text)
	best := x.fitAll(all, nil)
	if least(best) >= doubt {
		wrong := make(spelling)
		for _, r := range all {
			x.spellings(r.words, wrong)
		}
		best = x.fitAll(all, wrong)
	}
	if len(best) == 0 {
		best = once(x.joined(all))
	}
	var answers []Answer
	for _, b := range best {
		answers = append(answers, x.answer(b.reading, b.fitted)...)
	}
	answers = append(answers, x.named(text)...)
	return x.ranked(answers)
}

// read is a street that fits a reading.
type read struct {
	reading
	fitted
}

func least(all []read) int {
	if len(all) == 0 {
		return doubt
	}
	return slices.MinFunc(all, func(a, b read) int { return cmp.Compare(a.points, b.points) }).points
}

// fitAll matches all readings.
func (x *Index) fitAll(all []reading, wrong spelling) (found []read) {
	for _, r := range all {
		for _, f := range x.match(r.kind, r.words, wrong) {
			f.points += pIgnored*len(r.ignored) + pEdit*r.wrong
			found = append(found, read{r, f})
		}
	}
	return once(found)
}

// once keeps of each street the reading that it fits best.
func once(all []read) (kept []read) {
	at := make(map[int]int)
	for _, f := range all {
		i, ok := at[f.street]
		if !ok {
			at[f.street] = len(kept)
			kept = append(kept, f)
		} else if f.points < kept[i].points {
			kept[i] = f
		}
	}
	return kept
}

// answer is what is known of a number of a street.
func (x *Index) answer(r reading, f fitted) []Answer {
	s := &x.streets[f.street]
	base := Answer{Kind: Street, Street: s.title, Asked: r.written, At: s.at, ReachM: s.reachM, Changed: f.points-pIgnored*len(r.ignored) >= doubt, Ignored: r.ignored,
		points: f.points, kindless: r.kind == ""}
	if r.postcode != "" && len(x.postcodes) > 0 && !x.fitsPostcode(s, r.postcode) {
		base.Ignored = append(slices.Clip(base.Ignored), r.postcode)
		base.points += pIgnored
	}
	if r.house.N == 0 || len(s.houses) == 0 {
		base.Place = x.PlaceOf(base.At)
		return []Answer{base}
	}
	h, across := s.nearest(r.house)
	answers := []Answer{x.atHouse(base, r.house, h, across)}
	for _, other := range s.houses {
		if other.houseNumber == h.houseNumber && answers[0].Kind == Exact && !other.rough && protocol.DistanceM(h.at, other.at) > conflictM {
			answers = append(answers, x.atHouse(base, r.house, other, false))
		}
	}
	return answers
}

// fitsPostcode: a street of which no post code is known has any of the city's.
// 20100 is all of Milan's together.
func (x *Index) fitsPostcode(s *street, code string) bool {
	general := strings.HasSuffix(code, "00") && slices.ContainsFunc(slices.Collect(maps.Keys(x.postcodes)), func(c string) bool { return c[:3] == code[:3] })
	if len(s.postcodes) == 0 {
		return x.postcodes[code] || general
	}
	return general || slices.Contains(s.postcodes, code)
}

func (x *Index) atHouse(a Answer, asked houseNumber, h house, across bool) Answer {
	a.Kind, a.Number, a.At, a.ReachM, a.Postcode, a.Rough, a.Across = Nearest, h.houseNumber.String(), h.at, 0, h.postcode, h.rough, across
	a.Off = steps(asked, h.houseNumber)
	if h.rough {
		a.ReachM = roughM
	}
	if h.houseNumber == asked {
		a.Asked = ""
		if !h.rough {
			a.Kind = Exact
		}
	}
	a.Place = x.placeOr(a.At, Place{h.municipio, h.nil})
	return a
}

// nearest is the number itself, else the nearest on its side of the street (even
// numbers on one, odd ones on the other), else the nearest on the other. Of two
// equally near the smaller; a point at the door before a rough one.
func (s *street) nearest(asked houseNumber) (best house, across bool) {
	rate := func(h house) [4]int {
		d := h.N - asked.N
		other := boolInt(d%2 != 0)
		if h.houseNumber == asked {
			return [4]int{0, boolInt(h.rough), 0, 0}
		}
		return [4]int{1 + other, max(d, -d), boolInt(h.rough), boolInt(h.Suffix != "")}
	}
	best = s.houses[0]
	for _, h := range s.houses[1:] {
		if a, b := rate(h), rate(best); slices.Compare(a[:], b[:]) < 0 {
			best = h
		}
	}
	return best, (best.N-asked.N)%2 != 0
}

// margin is how much worse an answer may be and still fit equally. Where the kind
// of street was not typed, first names left out count for nothing: "manzoni" is
// Piazza Manzoni as well as Via Alessandro Manzoni.
func margin(a Answer) int {
	if a.kindless {
		return pPartial
	}
	return 0
}

// ranked puts the best first and says what the whole is.
func (x *Index) ranked(answers []Answer) Found {
	if len(answers) == 0 {
		return Found{Kind: None, Answers: []Answer{}}
	}
	slices.SortStableFunc(answers, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.points, b.points), cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Off, b.Off), cmp.Compare(a.Name(), b.Name()))
	})
	best := answers[0]
	equal := 1
	for equal < len(answers) && answers[equal].points <= best.points+margin(best) {
		equal++
	}
	f := Found{Kind: best.Kind, Answers: answers}
	if best.points < doubt {
		f.Answers = answers[:equal] // what fits worse is not meant
	}
	if equal > 1 {
		f.Kind = Ambiguous
	}
	f.Sure = equal == 1 && best.points < doubt && (best.Kind == Exact || best.Kind == Area)
	f.More = max(0, len(f.Answers)-maxAnswers)
	f.Answers = f.Answers[:len(f.Answers)-f.More]
	return f
}

func rank(k Kind) int { return slices.Index([]Kind{Exact, Nearest, Area, Street}, k) }

package gazetteer

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// Entry is one line of a source of addresses: a house number, or a street as a
// whole where House is empty.
type Entry struct {
	Street    string         `json:"s"`
	House     string         `json:"h,omitempty"`
	Postcode  string         `json:"c,omitempty"`
	Municipio string         `json:"m,omitempty"` // "Municipio 3"; "" not known
	NIL       string         `json:"n,omitempty"`
	At        protocol.Point `json:"p"`
	ReachM    int            `json:"r,omitempty"` // of a street: how far it may reach from At, metres
	Rough     bool           `json:"u,omitempty"` // At is near the number, not at it
	Rank      int            `json:"k,omitempty"` // 0: the Comune's own register; more: less to rely on for how a street is written
}

// house is a number of a street.
type house struct {
	houseNumber
	at             protocol.Point
	postcode       string
	municipio, nil string
	rough          bool
	rank           int
}

// street is all that the sources know of one.
type street struct {
	title     string // as it is written officially
	rank      int
	name      name
	houses    []house // by number
	at        protocol.Point
	reachM    int
	postcodes []string
	outside   bool // of all districts, where there are any
	box       [4]int32
}

// posting says that a word is one of a street's name.
type posting struct{ street int32 }

// Index is a gazetteer that was read. It is not changed any more.
type Index struct {
	streets   []street
	words     map[string][]posting
	spelled   []string // the words, sorted
	sets      []uint64 // their letters
	districts []District
	postcodes map[string]bool
	grid      map[cell][]numbered
	numbers   int
}

// Build makes an index of all sources.
func Build(entries []Entry, districts []District) *Index {
	x := &Index{districts: slices.Clone(districts), words: make(map[string][]posting), postcodes: make(map[string]bool), grid: make(map[cell][]numbered)}
	for i := range x.districts {
		x.districts[i].prepare()
	}
	byKey := make(map[string]*street)
	var keys []string // in the order of the sources, so that the same files give the same index
	for _, e := range entries {
		n := nameOf(e.Street)
		key := n.key()
		s := byKey[key]
		if s == nil {
			s = &street{title: e.Street, rank: e.Rank, name: n, box: emptyBox}
			byKey[key] = s
			keys = append(keys, key)
		}
		s.add(e, n)
	}
	all := make([]*street, len(keys))
	for i, key := range keys {
		all[i] = byKey[key]
	}
	for _, s := range merge(all) {
		s.finish(x)
		x.streets = append(x.streets, *s)
	}
	x.spell()
	x.place()
	return x
}

// key is the same for names that differ in order, particles and writing alone.
func (n name) key() string {
	var words []string
	for _, w := range n.words {
		words = append(words, w.text)
	}
	slices.Sort(words)
	return n.kind + " " + strings.Join(words, " ")
}

var emptyBox = [4]int32{math.MaxInt32, math.MaxInt32, math.MinInt32, math.MinInt32}

func (s *street) add(e Entry, n name) {
	if e.Rank < s.rank {
		s.title, s.rank, s.name = e.Street, e.Rank, n
	}
	s.box = [4]int32{min(s.box[0], e.At.Lon), min(s.box[1], e.At.Lat), max(s.box[2], e.At.Lon), max(s.box[3], e.At.Lat)}
	h, ok := parseHouse(e.House)
	if !ok {
		if s.at == (protocol.Point{}) {
			s.at, s.reachM = e.At, e.ReachM
		}
		return
	}
	s.houses = append(s.houses, house{h, e.At, e.Postcode, e.Municipio, e.NIL, e.Rough, e.Rank})
}

// join takes over what another spelling of the same street has.
func (s *street) join(other *street) {
	s.houses = append(s.houses, other.houses...)
	if s.at == (protocol.Point{}) {
		s.at, s.reachM = other.at, other.reachM
	}
	s.box = [4]int32{min(s.box[0], other.box[0]), min(s.box[1], other.box[1]), max(s.box[2], other.box[2]), max(s.box[3], other.box[3])}
}

// spellingsM is how near to a street another must be that is written shorter, to
// be the same.
const spellingsM = 400

// merge puts streets together that less careful lists write in a shorter way: Via
// Mascheroni is Via Lorenzo Mascheroni, where that is the only one and they lie
// together.
func merge(all []*street) []*street {
	byWord := make(map[string][]*street)
	for _, s := range all {
		for _, w := range s.name.words {
			if !w.short {
				byWord[w.text] = append(byWord[w.text], s)
			}
		}
	}
	into := make(map[*street]*street)
	for _, s := range all {
		if s.rank == 0 {
			continue
		}
		if other := longer(s, byWord); other != nil {
			into[s] = other
		}
	}
	var kept []*street
	for _, s := range all {
		last := s
		for range len(all) { // a longer one may itself be a spelling of another
			next := into[last]
			if next == nil || next == s {
				break
			}
			last = next
		}
		if last == s {
			kept = append(kept, s)
			continue
		}
		last.join(s)
	}
	return kept
}

// longer is the one street that s is a shorter spelling of; nil: none, or several.
func longer(s *street, byWord map[string][]*street) (found *street) {
	tried := make(map[*street]bool)
	best := doubt
	for _, w := range s.name.words {
		for _, other := range byWord[w.text] {
			if other == s || tried[other] || other.rank > s.rank || other.name.kind != s.name.kind || len(other.name.words) < len(s.name.words) {
				continue
			}
			tried[other] = true
			p, ok := fit(s.name.words, other.name, nil)
			if !ok || p == 0 || p > best || apart(s.box, other.box) > spellingsM {
				continue
			}
			if p == best {
				found = nil
				continue
			}
			found, best = other, p
		}
	}
	return found
}

// apart is the distance between two boxes, metres.
func apart(a, b [4]int32) float64 {
	gap := func(i int) int32 { return max(0, a[i]-b[i+2], b[i]-a[i+2]) }
	mid := protocol.Point{Lon: a[0], Lat: a[1]}
	return protocol.DistanceM(mid, protocol.Point{Lon: mid.Lon + gap(0), Lat: mid.Lat + gap(1)})
}

// finish sorts the numbers and finds the middle: of a street with numbers the
// number next to the mean of all, which lies on it.
func (s *street) finish(x *Index) {
	slices.SortStableFunc(s.houses, func(a, b house) int {
		return cmp.Or(a.compare(b.houseNumber), cmp.Compare(boolInt(a.rough), boolInt(b.rough)), cmp.Compare(a.rank, b.rank))
	})
	for _, h := range s.houses {
		if h.postcode != "" {
			x.postcodes[h.postcode] = true
			if !slices.Contains(s.postcodes, h.postcode) {
				s.postcodes = append(s.postcodes, h.postcode)
			}
		}
	}
	if len(s.houses) > 0 && (s.at == protocol.Point{} || slices.ContainsFunc(s.houses, func(h house) bool { return !h.rough })) {
		s.at, s.reachM = middle(s.houses)
	}
	s.outside = len(x.districts) > 0 && len(x.Districts(s.at)) == 0
}

func middle(houses []house) (at protocol.Point, reachM int) {
	var lon, lat int64
	for _, h := range houses {
		lon, lat = lon+int64(h.at.Lon), lat+int64(h.at.Lat)
	}
	mean := protocol.Point{Lon: int32(lon / int64(len(houses))), Lat: int32(lat / int64(len(houses)))}
	at = slices.MinFunc(houses, func(a, b house) int {
		return cmp.Compare(protocol.DistanceM(a.at, mean), protocol.DistanceM(b.at, mean))
	}).at
	for _, h := range houses {
		reachM = max(reachM, int(math.Ceil(protocol.DistanceM(at, h.at))))
	}
	return at, reachM
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spell lists the words of all names.
func (x *Index) spell() {
	for i := range x.streets {
		for _, w := range x.streets[i].name.words {
			p := posting{int32(i)}
			if all := x.words[w.text]; len(all) == 0 || all[len(all)-1] != p {
				x.words[w.text] = append(all, p)
			}
		}
	}
	for w := range x.words {
		x.spelled = append(x.spelled, w)
	}
	slices.Sort(x.spelled)
	for _, w := range x.spelled {
		x.sets = append(x.sets, letters(w))
	}
}

// Streets and Numbers count what the index holds.
func (x *Index) Streets() int { return len(x.streets) }
func (x *Index) Numbers() int { return x.numbers }

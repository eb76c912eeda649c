package gazetteer

import (
	"cmp"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// District is a part of the city: a municipio, a NIL (nucleo di identità locale,
// Milan's neighbourhoods), or what another city has.
type District struct {
	Kind string `json:"kind"`           // "municipio", "nil", "district"
	Code string `json:"code,omitempty"` // its number: "3"
	Name string `json:"name"`           // "Municipio 3", "ISOLA"
	// Polygons are its parts: of each the outer ring, then its holes. A ring closes
	// on its first corner, as in GeoJSON (RFC 7946).
	Polygons [][][]protocol.Point `json:"polygons"`

	box   [4]int32
	names [][]word
}

// Kinds of districts.
const (
	kindMunicipio = "municipio"
	kindNIL       = "nil"
	kindDistrict  = "district"
)

// Title is what a person calls it: "Municipio 3", "NIL 11 ISOLA".
func (d *District) Title() string {
	if d.Kind == kindNIL && d.Code != "" {
		return "NIL " + d.Code + " " + d.Name
	}
	return d.Name
}

// prepare finds its box and the names by which it is asked for.
func (d *District) prepare() {
	d.box = emptyBox
	for _, polygon := range d.Polygons {
		for _, p := range polygon[0] {
			d.box = [4]int32{min(d.box[0], p.Lon), min(d.box[1], p.Lat), max(d.box[2], p.Lon), max(d.box[3], p.Lat)}
		}
	}
	d.names = nil
	add := func(name string) {
		if words := withoutParticles(withoutCommas(wordsOf(expanded(name)))); len(words) > 0 {
			d.names = append(d.names, words)
		}
	}
	add(d.Name)
	if parts := strings.Split(d.Name, " - "); len(parts) > 1 { // "LORETO - CASORETTO - NOLO"
		for _, p := range parts {
			add(p)
		}
	}
	if d.Code != "" {
		add(d.Kind + " " + d.Code)
		if d.Kind == kindMunicipio {
			add("zona " + d.Code) // as it was called until 2016
		}
	}
}

// expanded writes out what Milan's names of NIL shorten.
func expanded(name string) string {
	return strings.NewReplacer("Q.RE ", "quartiere ", "P.TA ", "porta ", "PTA ", "porta ").Replace(strings.ToUpper(name))
}

// contains reports whether a point lies in the district; its border is on either
// side.
func (d *District) contains(p protocol.Point) bool {
	if p.Lon < d.box[0] || p.Lat < d.box[1] || p.Lon > d.box[2] || p.Lat > d.box[3] {
		return false
	}
	for _, polygon := range d.Polygons {
		inside := false
		for _, ring := range polygon { // a hole turns it over again
			if within(ring, p) {
				inside = !inside
			}
		}
		if inside {
			return true
		}
	}
	return false
}

// within counts the edges that a line from p to the east crosses.
func within(ring []protocol.Point, p protocol.Point) (inside bool) {
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) &&
			float64(p.Lon) < float64(b.Lon-a.Lon)*float64(p.Lat-a.Lat)/float64(b.Lat-a.Lat)+float64(a.Lon) {
			inside = !inside
		}
	}
	return inside
}

// Districts are all that a point lies in.
func (x *Index) Districts(p protocol.Point) (all []*District) {
	for i := range x.districts {
		if d := &x.districts[i]; d.contains(p) {
			all = append(all, d)
		}
	}
	return all
}

// HasDistricts reports whether any were imported.
func (x *Index) HasDistricts() bool { return len(x.districts) > 0 }

// Municipi are the names of all, by number.
func (x *Index) Municipi() (names []string) {
	for _, d := range x.ofKinds(kindMunicipio) {
		names = append(names, d.Name)
	}
	return names
}

// ofKinds are the districts of some kinds, by number.
func (x *Index) ofKinds(kinds ...string) (all []*District) {
	for i := range x.districts {
		if d := &x.districts[i]; slices.Contains(kinds, d.Kind) {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b *District) int {
		return cmp.Or(cmp.Compare(len(a.Code), len(b.Code)), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// Extent is the ground that a name of Place stands for.
type Extent struct {
	Name     string
	Polygons [][][]protocol.Point // as in District
	Numbers  int                  // house numbers that are known in it
}

// Extents are those of all municipi, and those of all names that Place.NIL may have,
// by number. It looks at each house number once a district near it: half a second for a
// city.
func (x *Index) Extents() (municipi, nils []Extent) {
	return x.extents(kindMunicipio), x.extents(kindNIL, kindDistrict)
}

func (x *Index) extents(kinds ...string) (all []Extent) {
	for _, d := range x.ofKinds(kinds...) {
		i := slices.IndexFunc(all, func(e Extent) bool { return e.Name == d.Name })
		switch {
		case i < 0:
			all = append(all, Extent{d.Name, d.Polygons, x.numbersIn(d)})
		case !slices.EqualFunc(all[i].Polygons, d.Polygons, sameRings): // else it was imported twice
			all[i].Polygons = slices.Concat(all[i].Polygons, d.Polygons)
			all[i].Numbers += x.numbersIn(d)
		}
	}
	return all
}

func sameRings(a, b [][]protocol.Point) bool { return slices.EqualFunc(a, b, slices.Equal) }

// numbersIn counts the house numbers in a district, each once, of however many sources.
func (x *Index) numbersIn(d *District) (n int) {
	for i := range x.streets {
		s := &x.streets[i]
		if s.box[0] > d.box[2] || s.box[2] < d.box[0] || s.box[1] > d.box[3] || s.box[3] < d.box[1] {
			continue
		}
		for j, h := range s.houses {
			if (j == 0 || h.houseNumber != s.houses[j-1].houseNumber) && d.contains(h.at) {
				n++
			}
		}
	}
	return n
}

// PlaceOf is the municipio and NIL of a point; empty where no districts were
// imported, or outside all of them.
func (x *Index) PlaceOf(p protocol.Point) (place Place) {
	for _, d := range x.Districts(p) {
		switch d.Kind {
		case kindMunicipio:
			place.Municipio = d.Name
		case kindNIL, kindDistrict:
			place.NIL = d.Name
		}
	}
	return place
}

// placeOr is PlaceOf, or what a source says of a number.
func (x *Index) placeOr(p protocol.Point, said Place) Place {
	place := x.PlaceOf(p)
	if place.Municipio == "" {
		place.Municipio = said.Municipio
	}
	if place.NIL == "" {
		place.NIL = said.NIL
	}
	return place
}

// named finds the districts whose name was typed, whole: "Municipio 3", "Isola",
// "NIL 11".
func (x *Index) named(text string) (all []Answer) {
	if len(text) > maxText {
		return nil
	}
	typed := withoutParticles(withoutCommas(wordsOf(expanded(text))))
	for i := range x.districts {
		d := &x.districts[i]
		if slices.ContainsFunc(d.names, func(name []word) bool { return same(name, typed) }) {
			// As good as a street without its kind: "Loreto" is a square, too.
			all = append(all, Answer{Kind: Area, District: d, At: d.middle(), Place: x.PlaceOf(d.middle()), points: pNoKind})
		}
	}
	return all
}

func same(a, b []word) bool {
	return slices.EqualFunc(a, b, func(v, w word) bool { return v.text == w.text })
}

// middle is the centre of its box.
func (d *District) middle() protocol.Point {
	return protocol.Point{Lon: int32((int64(d.box[0]) + int64(d.box[2])) / 2), Lat: int32((int64(d.box[1]) + int64(d.box[3])) / 2)}
}

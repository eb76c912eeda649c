// Package choropleth draws the city's districts as one SVG picture, each coloured by a count. It
// hides the simplification of borders with tens of thousands of corners to a few kilobytes, the
// projection, and the classes. Ops and public show the picture beside the table with the
// same numbers; main hands them the districts, so that neither needs to know the gazetteer.
//
// The picture needs no script, tiles or styles of its own (choropleth.css has the colours). Each
// class has a pattern besides its colour, and each linked district says its name and number in
// words.
package choropleth

import (
	"anagrafe/protocol"
)

// District is a part of the city.
type District struct {
	Name      string
	Polygons  [][][]protocol.Point // of each the outer ring, then its holes; a ring closes on its first corner
	Addresses int                  // house numbers that are known in it
}

// Map is the districts of one kind, ready to be coloured. It is made once for each
// import of borders, and not changed any more.
type Map struct {
	Districts []Fact // as they were given

	width, height int // of the drawing, in its units
	shapes        []shape
	named         bool // each name has room in its district
}

// Fact is what is known of a district without any count.
type Fact struct {
	Name      string
	KM2       float64
	Addresses int
}

// New draws districts; nil where there are none.
func New(districts []District) *Map {
	flat := flatten(districts)
	if len(flat) == 0 {
		return nil
	}
	bound := flat[0].Bound()
	for _, area := range flat {
		bound = bound.Union(area.Bound())
	}
	s := newSheet(bound)
	m := &Map{width: s.width, height: s.height, named: true}
	for i, d := range districts {
		m.Districts = append(m.Districts, Fact{d.Name, areaOf(flat[i]), d.Addresses})
		one := s.draw(flat[i])
		m.shapes = append(m.shapes, one)
		m.named = m.named && one.fits(d.Name, nameSize)
	}
	return m
}

// Fact returns what is known of a district; false: there is none of that name.
func (m *Map) Fact(name string) (Fact, bool) {
	if m != nil {
		for _, f := range m.Districts {
			if f.Name == name {
				return f, true
			}
		}
	}
	return Fact{}, false
}

package gazetteer

import (
	"math"

	"anagrafe/protocol"
)

// cell is a square of the grid of numbers: 0.002 degrees, about 155 by 220 m in
// Milan.
type cell struct{ x, y int32 }

const cellSize = 2000 // microdegrees

func cellOf(p protocol.Point) cell {
	return cell{int32(math.Floor(float64(p.Lon) / cellSize)), int32(math.Floor(float64(p.Lat) / cellSize))}
}

// numbered is a number of a street.
type numbered struct{ street, house int32 }

// reverseM is how far the address of a point may be, metres.
const reverseM = 300

// place puts all numbers that are points at a door on the grid.
func (x *Index) place() {
	for i := range x.streets {
		for j, h := range x.streets[i].houses {
			x.numbers++
			if !h.rough {
				c := cellOf(h.at)
				x.grid[c] = append(x.grid[c], numbered{int32(i), int32(j)})
			}
		}
	}
}

// Reverse is the address nearest to a point, within 300 m, with how far it is.
func (x *Index) Reverse(p protocol.Point) (a Answer, ok bool) {
	centre := cellOf(p)
	a.Distance = reverseM
	// A cell is at least 222 m high; and, up to 60 degrees of latitude, 111 m wide.
	for dx := int32(-3); dx <= 3; dx++ {
		for dy := int32(-2); dy <= 2; dy++ {
			for _, n := range x.grid[cell{centre.x + dx, centre.y + dy}] {
				s := &x.streets[n.street]
				h := s.houses[n.house]
				if d := protocol.DistanceM(p, h.at); d < a.Distance {
					a = Answer{Kind: Nearest, Street: s.title, Number: h.houseNumber.String(), At: h.at, Postcode: h.postcode, Distance: d}
					a.Place = Place{h.municipio, h.nil}
					ok = true
				}
			}
		}
	}
	if !ok {
		return Answer{}, false
	}
	a.Place = x.placeOr(p, a.Place) // of the point, not of the door
	return a, true
}

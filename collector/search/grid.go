package search

import "anagrafe/protocol"

// A cell is 0.0025 degrees wide: about 280 by 195 m in Milan, so that half of what
// lies in the cells of an ordinary search is within its radius. The first number
// counts from -180 degrees eastwards and wraps, the second is the latitude.
type cell struct{ x, y int32 }

const (
	cellSize = 2500 // microdegrees
	around   = fullTurn / cellSize
)

func cellOf(p protocol.Point) cell {
	x := (int64(p.Lon) + fullTurn/2) / cellSize % around // Lon is at least -180 degrees
	return cell{int32(x), int32(floorDiv(int64(p.Lat), cellSize))}
}

// cells calls f once for every cell that the box touches.
func (b box) cells(f func(cell)) {
	x := func(lon int64) int64 { return floorDiv(lon+fullTurn/2, cellSize) }
	from, until := x(b.west), x(b.east)
	if until-from >= around {
		from, until = 0, around-1
	}
	for y := floorDiv(b.south, cellSize); y <= floorDiv(b.north, cellSize); y++ {
		for x := from; x <= until; x++ {
			f(cell{int32((x%around + around) % around), int32(y)})
		}
	}
}

// holds reports whether a point lies in the box.
func (b box) holds(p protocol.Point) bool {
	lat, lon := int64(p.Lat), int64(p.Lon)
	return b.south <= lat && lat <= b.north &&
		(b.west <= lon && lon <= b.east || b.west <= lon-fullTurn || lon+fullTurn <= b.east)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// appendTight appends to the placements of a cell. They grow by an eighth, for what is
// not used of them is not used in every cell.
func appendTight(s []placement, p placement) []placement {
	if len(s) == cap(s) {
		s = append(make([]placement, 0, len(s)+len(s)/8+1), s...)
	}
	return append(s, p)
}

package buildings

import (
	"testing"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

const (
	yes     = protocol.Yes
	no      = protocol.No
	unknown = protocol.Unknown
)

// quarter is a block with a courtyard, 40 by 40 m with walls 10 m deep, a house
// east of it across a street of 12 m, an arcade north of it, and south, beyond
// open ground, two houses wall to wall.
func quarter() []maptest.Building {
	arcade := building(rectangle(0, 60, 40, 64))
	arcade.Above = 4
	return []maptest.Building{
		building(rectangle(0, 0, 40, 40), rectangle(10, 10, 30, 30)),
		building(rectangle(52, 0, 72, 40)),
		arcade,
		building(rectangle(0, -60, 20, -40)), building(rectangle(20, -60, 40, -40)),
	}
}

func TestHides(t *testing.T) {
	o := openMap(t, maptest.Margin, quarter()...)
	for _, c := range []struct {
		name                string
		east, north         float64
		accuracy, direction int
		toEast, toNorth     float64
		want                protocol.Answer
	}{
		{"over open ground", -30, -20, 3, 90, 20, -20, no},
		{"through the block", -10, 20, 3, 90, 46, 20, yes},
		{"far from all buildings", 500, 500, 3, 90, 540, 500, no},
		{"outside the map", 90_000, 0, 3, 90, 90_040, 0, no},
		{"declared within its own wall, to the street", 38, 20, 3, 90, 46, 24, no},
		{"declared on the street before its wall", 41, 20, 3, 90, 46, 24, no},
		{"from its wall, through its own house", 38, 20, 3, 90, -10, 20, yes},
		{"in the courtyard, within it", 20, 20, 3, 0, 27, 27, no},
		{"in the courtyard, to the street", 20, 20, 3, 90, 46, 20, yes},
		{"on the courtyard's wall, declared within it", 31, 20, 3, 270, 15, 20, no},
		{"on the courtyard's wall, to the street behind", 31, 20, 3, 270, 46, 20, yes},
		{"the same wall, on its other side: direction decides", 35, 20, 3, 270, 15, 20, no},
		{"the same place, to the street", 35, 20, 3, 90, 46, 20, no},
		{"beside the corner: the error decides", -1, 44, 6, 180, -3, -3, unknown},
		{"beside the corner, well known", -4, 44, 1, 180, -4, -3, no},
		{"known to a street only", 46, 20, 40, 90, 46, -30, unknown},
		{"known to nothing", 300, -20, 200, 90, 310, -20, unknown},
		{"deep within a house", 62, 20, 2, 90, 90, 20, unknown},
		{"wall to wall, out of the front", 19, -41, 2, 0, 19, -20, no},
		{"wall to wall, through the neighbour", 18, -50, 2, 90, 46, -50, unknown},
		{"below the arcade", 20, 50, 2, 0, 20, 70, no},
		{"nobody knows where it looks", 38, 20, 3, -1, 46, 24, no},
		{"nobody knows where it looks, through the block", -10, 20, 3, -1, 46, 20, yes},
		{"the door is drawn inside, before it", 46, 30, 2, 270, 37, 30, no},
		{"the door is drawn inside, behind it", -10, 30, 2, 90, 37, 30, yes},
		{"a point deep within a large house", 46, 20, 2, 90, 62, 20, unknown},
	} {
		at, view := camera(c.east, c.north, c.accuracy, c.direction)
		if got := o.Hides(at, view, metres(c.toEast, c.toNorth)); got != c.want {
			t.Errorf("%s: hidden %s, want %s", c.name, got, c.want)
		}
	}
}

// TestCutsAreNoWalls draws a courtyard and a street over the edge of a tile, with
// and without the ground that tiles repeat.
func TestCutsAreNoWalls(t *testing.T) {
	for _, margin := range []int{0, 8, maptest.Margin} {
		// From 40 m before the edge to 40 m behind it, a courtyard 40 m wide.
		o := openMap(t, margin, building(rectangle(edge-40, 0, edge+40, 60), rectangle(edge-20, 20, edge+20, 40)),
			building(rectangle(edge-40, -30, edge+40, -12)))
		for _, c := range []struct {
			name            string
			east, north     float64
			direction       int
			toEast, toNorth float64
			want            protocol.Answer
		}{
			{"across the courtyard", edge - 15, 30, 90, edge + 15, 30, no},
			{"back", edge + 15, 30, 270, edge - 15, 31, no},
			{"along the street", edge - 30, -6, 90, edge + 30, -6, no},
			{"along the edge in the courtyard", edge, 24, 0, edge, 36, no},
			{"along the edge through the house", edge, -6, 0, edge, 30, yes},
			{"out of the courtyard", edge - 15, 30, 90, edge + 50, 30, yes},
			{"from the wall within the other tile", edge + 22, 30, 270, edge - 15, 30, no},
		} {
			at, view := camera(c.east, c.north, 1, c.direction)
			if got := o.Hides(at, view, metres(c.toEast, c.toNorth)); got != c.want {
				t.Errorf("margin %d, %s: hidden %s, want %s", margin, c.name, got, c.want)
			}
		}
	}
}

package buildings

import (
	"fmt"
	"math"
)

// box is a part of a plane, its edges included.
type box struct{ left, top, right, bottom float64 }

var nowhere = box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}

func (b box) with(p point) box {
	return box{min(b.left, p.x), min(b.top, p.y), max(b.right, p.x), max(b.bottom, p.y)}
}

func (b box) grown(by float64) box {
	return box{b.left - by, b.top - by, b.right + by, b.bottom + by}
}

func (b box) has(p point) bool {
	return b.left <= p.x && p.x <= b.right && b.top <= p.y && p.y <= b.bottom
}

func newOutline(rings [][]point) outline {
	o := outline{rings, nowhere}
	for _, ring := range rings {
		for _, p := range ring {
			o.box = o.box.with(p)
		}
	}
	return o
}

// has reports whether p lies within, by the parity of the walls east of it: rings
// within rings are courtyards, however they are turned.
func (o *outline) has(p point) bool {
	if !o.box.has(p) {
		return false
	}
	in := false
	for _, ring := range o.rings {
		a := ring[len(ring)-1]
		for _, b := range ring {
			if (a.y > p.y) != (b.y > p.y) && p.x < a.x+(b.x-a.x)*(p.y-a.y)/(b.y-a.y) {
				in = !in
			}
			a = b
		}
	}
	return in
}

// wall is a straight piece of an outline.
type wall struct{ a, b point }

// nearest is the point of a wall that is nearest to p.
func (w wall) nearest(p point) point {
	d := point{w.b.x - w.a.x, w.b.y - w.a.y}
	along := 0.0
	if square := d.x*d.x + d.y*d.y; square > 0 {
		along = min(max(((p.x-w.a.x)*d.x+(p.y-w.a.y)*d.y)/square, 0), 1)
	}
	return point{w.a.x + along*d.x, w.a.y + along*d.y}
}

func (w wall) distance(p point) float64 {
	at := w.nearest(p)
	return math.Hypot(at.x-p.x, at.y-p.y)
}

func (w wall) box() box { return nowhere.with(w.a).with(w.b) }

// tile is one tile's buildings.
type tile struct {
	outlines []outline
	walls    []wall // within the tile's own square
	where    grid   // of outlines
	standing grid   // of walls
}

// newTile sorts outlines into a tile.
func newTile(outlines []outline) (*tile, error) {
	t := &tile{outlines: outlines}
	// Without a margin the cuts lie on the square's edge. Whether there is one
	// shows where some building crosses that edge.
	around := nowhere
	for _, o := range outlines {
		around = around.with(point{o.box.left, o.box.top}).with(point{o.box.right, o.box.bottom})
	}
	margin := around.left < 0 || around.top < 0 || around.right > units || around.bottom > units
	for _, o := range outlines {
		for _, ring := range o.rings {
			a := ring[len(ring)-1]
			for _, b := range ring {
				if w, ok := inSquare(wall{a, b}); ok && (margin || !onEdge(w)) {
					t.walls = append(t.walls, w)
				}
				a = b
			}
		}
	}
	var err error
	if t.where, err = newGrid(len(t.outlines), func(i int) box { return t.outlines[i].box }); err != nil {
		return nil, err
	}
	t.standing, err = newGrid(len(t.walls), func(i int) box { return t.walls[i].box() })
	return t, err
}

// bytes is about how much memory it takes.
func (t *tile) bytes() int {
	n := 32*len(t.walls) + t.where.bytes() + t.standing.bytes()
	for _, o := range t.outlines {
		n += 64
		for _, ring := range o.rings {
			n += 24 + 16*len(ring)
		}
	}
	return n
}

// inSquare cuts a wall to the tile's square, by the parameter along it
// (Liang and Barsky, ACM Transactions on Graphics 3(1), 1984). What only
// touches the square is not in it.
func inSquare(w wall) (wall, bool) {
	from, until := 0.0, 1.0
	d := point{w.b.x - w.a.x, w.b.y - w.a.y}
	for _, side := range [4][2]float64{{-d.x, w.a.x}, {d.x, units - w.a.x}, {-d.y, w.a.y}, {d.y, units - w.a.y}} {
		out, room := side[0], side[1]
		switch {
		case out == 0 && room < 0:
			return w, false
		case out < 0:
			from = max(from, room/out)
		case out > 0:
			until = min(until, room/out)
		}
	}
	if from >= until {
		return w, false
	}
	return wall{point{w.a.x + from*d.x, w.a.y + from*d.y}, point{w.a.x + until*d.x, w.a.y + until*d.y}}, true
}

// onEdge reports whether a wall lies along the square's edge.
func onEdge(w wall) bool {
	return w.a.x == w.b.x && (w.a.x == 0 || w.a.x == units) || w.a.y == w.b.y && (w.a.y == 0 || w.a.y == units)
}

// covered reports whether p lies within a building.
func (t *tile) covered(p point) bool {
	for _, i := range t.where.at(p) {
		if t.outlines[i].has(p) {
			return true
		}
	}
	return false
}

// A grid finds things by where they are: cells of 64 units, some 27 m in Milan,
// each with the numbers of the things that touch it. What lies beyond the square
// counts to the cells at its edge.
type grid struct {
	from []uint32 // cells*cells+1: where a cell's numbers begin
	in   []uint32
}

const (
	cells    = 64
	cellSize = units / cells
)

func cellOf(v float64) int { return min(max(int(math.Floor(v/cellSize)), 0), cells-1) }

// maxTouched bounds a grid: things that all claim the whole tile would fill it.
const maxTouched = 2_000_000

func newGrid(n int, where func(int) box) (grid, error) {
	g := grid{from: make([]uint32, cells*cells+1)}
	touched := 0
	for i := range n {
		left, top, right, bottom := span(where(i))
		if touched += (right - left + 1) * (bottom - top + 1); touched > maxTouched {
			return grid{}, fmt.Errorf("%w: its buildings are too large", errTile)
		}
		for y := top; y <= bottom; y++ {
			for x := left; x <= right; x++ {
				g.from[y*cells+x+1]++
			}
		}
	}
	for cell := range cells * cells {
		g.from[cell+1] += g.from[cell]
	}
	g.in = make([]uint32, touched)
	next := make([]uint32, cells*cells)
	for i := range n {
		left, top, right, bottom := span(where(i))
		for y := top; y <= bottom; y++ {
			for x := left; x <= right; x++ {
				cell := y*cells + x
				g.in[g.from[cell]+next[cell]] = uint32(i)
				next[cell]++
			}
		}
	}
	return g, nil
}

// span are the cells that a box touches.
func span(b box) (left, top, right, bottom int) {
	return cellOf(b.left), cellOf(b.top), cellOf(b.right), cellOf(b.bottom)
}

func (g *grid) bytes() int { return 4 * (len(g.from) + len(g.in)) }

// at are the things whose box touches p's cell.
func (g *grid) at(p point) []uint32 {
	cell := cellOf(p.y)*cells + cellOf(p.x)
	return g.in[g.from[cell]:g.from[cell+1]]
}

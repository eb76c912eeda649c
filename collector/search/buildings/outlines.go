package buildings

import (
	"container/list"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"

	"anagrafe/collector/basemap"
	"anagrafe/protocol"
)

// zoom is the only one at which the OpenMapTiles schema has whole outlines.
const zoom = 14

// maxKept bounds the tiles in memory, bytes. A tile in the middle of Milan takes
// some 1.5 MB, so that this holds a city's centre, and 2 km around any point.
const maxKept = 64 << 20

// Outlines are the buildings of a basemap. Its methods may be called from many
// goroutines.
type Outlines struct {
	file  *basemap.File
	log   *slog.Logger
	limit int // maxKept; tests have less

	mu   sync.Mutex // held also while a tile is read, some milliseconds
	kept map[spot]*list.Element
	used *list.List // of *cached, the last used first
	size int        // bytes
}

// spot is a tile's column and row at zoom.
type spot struct{ x, y int }

type cached struct {
	spot
	tile *tile
	err  error // it could not be read, and would not another time
}

// New reads buildings from a basemap, which must stay open; nil if it has none.
func New(f *basemap.File, log *slog.Logger) *Outlines {
	if !slices.Contains(f.Layers, layerName) || f.MinZoom > zoom || f.MaxZoom < zoom {
		return nil
	}
	return &Outlines{file: f, log: log, limit: maxKept, kept: map[spot]*list.Element{}, used: list.New()}
}

// tile gives a tile's buildings. What is damaged is told once in the log.
func (o *Outlines) tile(at spot) (*tile, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.kept[at]; e != nil {
		o.used.MoveToFront(e)
		c := e.Value.(*cached)
		return c.tile, c.err
	}
	c := &cached{spot: at}
	if c.tile, c.err = o.read(at); c.err != nil {
		o.log.Error("buildings of the basemap not read: what they hide is unknown there; make the file anew", "err", c.err)
	}
	o.kept[at] = o.used.PushFront(c)
	o.size += c.bytes()
	for o.size > o.limit && o.used.Len() > 1 {
		last := o.used.Remove(o.used.Back()).(*cached)
		delete(o.kept, last.spot)
		o.size -= last.bytes()
	}
	return c.tile, c.err
}

func (c *cached) bytes() int {
	const rest = 200 // of the map and the list
	if c.tile == nil {
		return rest
	}
	return rest + c.tile.bytes()
}

func (o *Outlines) read(at spot) (*tile, error) {
	raw, err := o.file.Tile(zoom, at.x, at.y)
	if err != nil {
		return nil, err
	}
	outlines, err := parseTile(raw)
	if err != nil {
		return nil, fmt.Errorf("tile %d/%d/%d: %w", zoom, at.x, at.y, err)
	}
	t, err := newTile(outlines)
	if err != nil {
		return nil, fmt.Errorf("tile %d/%d/%d: %w", zoom, at.x, at.y, err)
	}
	return t, nil
}

// ground is the plane around a point: metres, x eastwards and y northwards from
// it. It is Web Mercator (EPSG:3857), to scale at the point; 2 km away the scale
// is off by 0.04 %.
type ground struct {
	o     *Outlines
	x, y  float64 // of the point, in units from the world's north-west corner
	metre float64 // units
}

// wide is the world's side at zoom, in units.
const wide = units << zoom

// meanRadiusM is the earth's, as in protocol.
const meanRadiusM = 6_371_008.8

func (o *Outlines) around(p protocol.Point) ground {
	x, y := mercator(p)
	lat := float64(p.Lat) / 1e6 * math.Pi / 180
	return ground{o, x, y, wide / (2 * math.Pi * meanRadiusM * math.Cos(lat))}
}

// mercator returns a place in units of the world at zoom.
func mercator(p protocol.Point) (x, y float64) {
	const limit = 85.05 // degrees: where the map ends
	lat := min(max(float64(p.Lat)/1e6, -limit), limit) * math.Pi / 180
	return (float64(p.Lon)/1e6 + 180) / 360 * wide, (0.5 - math.Asinh(math.Tan(lat))/(2*math.Pi)) * wide
}

// place is where a point of the earth lies on the ground.
func (g ground) place(p protocol.Point) point {
	x, y := mercator(p)
	return point{(x - g.x) / g.metre, (g.y - y) / g.metre}
}

// earth undoes place.
func (g ground) earth(p point) protocol.Point {
	x, y := g.x+p.x*g.metre, g.y-p.y*g.metre
	lat := math.Atan(math.Sinh((0.5 - y/wide) * 2 * math.Pi))
	return protocol.Point{Lon: int32(math.Round((x/wide*360 - 180) * 1e6)), Lat: int32(math.Round(lat * 180 / math.Pi * 1e6))}
}

var errWide = errors.New("buildings are asked for over too wide a place")

// tiles calls f for each tile that a box of the ground touches, with the box
// in that tile's units.
func (g ground) tiles(b box, f func(t *tile, corner point, inTile box)) error {
	left, right := g.x+b.left*g.metre, g.x+b.right*g.metre
	top, bottom := g.y-b.bottom*g.metre, g.y-b.top*g.metre // the ground's y runs north
	if right-left > 16*units || bottom-top > 16*units {
		return errWide
	}
	var failed error
	for y := math.Floor(top / units); y <= bottom/units; y++ {
		for x := math.Floor(left / units); x <= right/units; x++ {
			t, err := g.o.tile(spot{int(x), int(y)})
			if err != nil {
				failed = err
				continue
			}
			corner := point{x * units, y * units}
			f(t, corner, box{left - corner.x, top - corner.y, right - corner.x, bottom - corner.y})
		}
	}
	return failed
}

// walls returns the walls that may come within so many metres of the straight
// line from a to b.
func (g ground) walls(a, b point, within float64) ([]wall, error) {
	var all []wall
	line := wall{a, b}
	err := g.tiles(line.box().grown(within), func(t *tile, corner point, in box) {
		// To a cell's farthest corner from its middle, metres.
		half := cellSize / math.Sqrt2 / g.metre
		left, top, right, bottom := span(in)
		for y := top; y <= bottom; y++ {
			for x := left; x <= right; x++ {
				middle := point{(float64(x) + 0.5) * cellSize, (float64(y) + 0.5) * cellSize}
				if line.distance(g.metres(corner, middle)) > within+half {
					continue
				}
				cell := y*cells + x
				for _, i := range t.standing.in[t.standing.from[cell]:t.standing.from[cell+1]] {
					all = append(all, wall{g.metres(corner, t.walls[i].a), g.metres(corner, t.walls[i].b)})
				}
			}
		}
	})
	return all, err
}

func (g ground) metres(corner, p point) point {
	return point{(corner.x + p.x - g.x) / g.metre, (g.y - corner.y - p.y) / g.metre}
}

// covered reports whether a place of the ground lies within a building.
func (g ground) covered(p point) (covered bool, err error) {
	err = g.tiles(box{p.x, p.y, p.x, p.y}, func(t *tile, _ point, in box) {
		covered = t.covered(point{in.left, in.top})
	})
	return covered, err
}

package buildings

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The little of a vector tile that is needed here: the polygons of one layer and
// one of their numbers
// (https://github.com/mapbox/vector-tile-spec/blob/master/2.1/vector_tile.proto).
// The libraries for it bring an archived protobuf and a database's codec along.

// layerName and overhead are of the OpenMapTiles schema.
const (
	layerName = "building"
	overhead  = "render_min_height" // metres above ground at which it begins
)

// clearanceM is from what height on a part of a building hides nobody below it.
const clearanceM = 2

// Limits of a tile. The fullest of a city hold some 50,000 points.
const (
	maxPoints = 500_000
	maxExtent = 1 << 16
)

var errTile = errors.New("the tile is damaged")

// point is a place in a tile, in 1/units of its side, x eastwards and y
// southwards from its north-west corner; or metres, where that is said.
type point struct{ x, y float64 }

// units is how fine a tile is written: 4096 on a side is what makers use.
const units = 4096

// outline is one building or part of one: closed rings, of which the last point
// is not the first again.
type outline struct {
	rings [][]point
	box   box
}

// field is one field of a protobuf message: a number (its bits, if it has a
// fraction), or bytes.
type field struct {
	num   protowire.Number
	n     uint64
	bytes []byte
}

// fields calls f for each field of a message.
func fields(raw []byte, f func(field) error) error {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return errTile
		}
		raw = raw[n:]
		one := field{num: num}
		switch kind {
		case protowire.VarintType:
			one.n, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			one.bytes, n = protowire.ConsumeBytes(raw)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(raw)
			one.n = uint64(bits)
		case protowire.Fixed64Type:
			one.n, n = protowire.ConsumeFixed64(raw)
		default: // groups are not used
			return errTile
		}
		if n < 0 {
			return errTile
		}
		if err := f(one); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return nil
}

// parseTile returns the outlines of a tile that stand on the ground.
func parseTile(raw []byte) ([]outline, error) {
	var all []outline
	points := 0
	err := fields(raw, func(f field) error {
		if f.num != 3 || f.bytes == nil { // layers
			return nil
		}
		l, err := parseLayer(f.bytes)
		if err != nil || l.name != layerName {
			return err
		}
		l.points = points
		found, err := l.outlines()
		points = l.points
		all = append(all, found...)
		return err
	})
	return all, err
}

// layer is a layer's parts, its features not yet read.
type layer struct {
	name     string
	features [][]byte
	overhead uint64 // index of that key in keys, if hasKey
	hasKey   bool
	keys     uint64 // seen so far
	values   [][]byte
	extent   uint64 // of its square, 4096 unless told
	points   int    // read so far of the tile
}

func parseLayer(raw []byte) (*layer, error) {
	l := &layer{extent: units}
	err := fields(raw, func(f field) error {
		switch f.num {
		case 1:
			l.name = string(f.bytes)
		case 2:
			l.features = append(l.features, f.bytes)
		case 3:
			if string(f.bytes) == overhead {
				l.overhead, l.hasKey = l.keys, true
			}
			l.keys++
		case 4:
			l.values = append(l.values, f.bytes)
		case 5:
			l.extent = f.n
		}
		return nil
	})
	if err == nil && (l.extent == 0 || l.extent > maxExtent) {
		err = fmt.Errorf("%w: its side is %d units", errTile, l.extent)
	}
	return l, err
}

func (l *layer) outlines() ([]outline, error) {
	var all []outline
	for _, raw := range l.features {
		var kind uint64
		var tags, geometry []byte
		err := fields(raw, func(f field) error {
			switch f.num {
			case 2:
				tags = f.bytes
			case 3:
				kind = f.n
			case 4:
				geometry = f.bytes
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		const polygon = 3
		if kind != polygon {
			continue
		}
		above, err := l.above(tags)
		if err != nil {
			return nil, err
		}
		if above >= clearanceM {
			continue
		}
		rings, err := l.rings(geometry)
		if err != nil {
			return nil, err
		}
		if len(rings) > 0 {
			all = append(all, newOutline(rings))
		}
	}
	return all, nil
}

// above reads from what height on a feature stands, metres; 0 if it does not say.
func (l *layer) above(tags []byte) (float64, error) {
	for len(tags) > 0 {
		key, n := protowire.ConsumeVarint(tags)
		if n < 0 {
			return 0, errTile
		}
		value, m := protowire.ConsumeVarint(tags[n:])
		if m < 0 || value >= uint64(len(l.values)) {
			return 0, errTile
		}
		if l.hasKey && key == l.overhead {
			return number(l.values[value])
		}
		tags = tags[n+m:]
	}
	return 0, nil
}

// number reads a tag's value, in any of the five ways to write a number; a text
// is 0.
func number(raw []byte) (v float64, err error) {
	err = fields(raw, func(f field) error {
		switch f.num {
		case 2:
			v = float64(math.Float32frombits(uint32(f.n)))
		case 3:
			v = math.Float64frombits(f.n)
		case 4, 5:
			v = float64(int64(f.n))
		case 6:
			v = float64(protowire.DecodeZigZag(f.n))
		}
		return nil
	})
	return v, err
}

// rings draws what a geometry commands (section 4.3 of the specification).
func (l *layer) rings(raw []byte) ([][]point, error) {
	const moveTo, lineTo, closePath = 1, 2, 7
	var all [][]point
	var ring []point
	var x, y int64
	next := func() (uint64, bool) {
		v, n := protowire.ConsumeVarint(raw)
		if n < 0 {
			return 0, false
		}
		raw = raw[n:]
		return v, true
	}
	scale := units / float64(l.extent)
	for len(raw) > 0 {
		command, ok := next()
		if !ok {
			return nil, errTile
		}
		if command&7 == closePath {
			if len(ring) >= 3 {
				all = append(all, ring)
			}
			ring = nil
			continue
		}
		if k := command & 7; k != moveTo && k != lineTo {
			return nil, errTile
		}
		for range command >> 3 {
			dx, ok := next()
			dy, ok2 := next()
			x, y = x+protowire.DecodeZigZag(dx), y+protowire.DecodeZigZag(dy)
			side := int64(l.extent)
			// A building may lie somewhat beyond the tile, not tiles away.
			if !ok || !ok2 || x < -side || x > 2*side || y < -side || y > 2*side {
				return nil, errTile
			}
			if l.points++; l.points > maxPoints {
				return nil, fmt.Errorf("%w: over %d points", errTile, maxPoints)
			}
			if command&7 == moveTo {
				ring = nil
			}
			ring = append(ring, point{float64(x) * scale, float64(y) * scale})
		}
	}
	return all, nil
}

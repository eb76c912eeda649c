// Package maptest makes small basemaps for tests: PMTiles files with the buildings that
// a test draws, in the OpenMapTiles schema at zoom 14, clipped at tile edges as tile
// generators do; and it finds the real data of Milan. Only tests import it.
package maptest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	zoom  = 14
	units = 4096
	wide  = units << zoom
)

// Building is an outline: closed rings of longitude and latitude in degrees, as
// in GeoJSON, the first around the others.
type Building struct {
	Rings [][][2]float64
	Above int // metres above ground at which it begins
}

// Margin is how far makers of OpenMapTiles let tiles go beyond their square.
const Margin = 64

// Write makes a basemap of buildings, its tiles so many units wider than their
// square, and gives its path.
func Write(t testing.TB, margin int, buildings ...Building) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "map.pmtiles")
	if err := os.WriteFile(path, File(t, Tiles(margin, buildings...)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Spot is a tile's column and row at zoom 14.
type Spot struct{ X, Y int }

// Tiles cuts buildings into vector tiles.
func Tiles(margin int, buildings ...Building) map[Spot][]byte {
	features := map[Spot][][]byte{}
	for _, b := range buildings {
		var rings [][][2]float64 // units of the world
		west, north, east, south := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, ring := range b.Rings {
			var out [][2]float64
			for _, p := range ring[:len(ring)-1] {
				lat := p[1] * math.Pi / 180
				x, y := (p[0]+180)/360*wide, (0.5-math.Asinh(math.Tan(lat))/(2*math.Pi))*wide
				west, east, north, south = min(west, x), max(east, x), min(north, y), max(south, y)
				out = append(out, [2]float64{x, y})
			}
			rings = append(rings, out)
		}
		m := float64(margin)
		for x := int((west - m) / units); x <= int((east+m)/units); x++ {
			for y := int((north - m) / units); y <= int((south+m)/units); y++ {
				var inTile [][][2]float64
				for _, ring := range rings {
					if ring = cut(ring, float64(x*units), float64(y*units), m); len(ring) >= 3 {
						inTile = append(inTile, ring)
					}
				}
				if len(inTile) > 0 {
					features[Spot{x, y}] = append(features[Spot{x, y}], feature(inTile, b.Above))
				}
			}
		}
	}
	tiles := map[Spot][]byte{}
	for at, all := range features {
		tiles[at] = tile(all)
	}
	return tiles
}

// cut clips a ring to a tile and its margin (Sutherland and Hodgman), in units
// from the tile's corner.
func cut(ring [][2]float64, x, y, margin float64) [][2]float64 {
	out := make([][2]float64, len(ring))
	for i, p := range ring {
		out[i] = [2]float64{p[0] - x, p[1] - y}
	}
	for axis := range 2 {
		for _, edge := range []struct{ sign, at float64 }{{1, -margin}, {-1, units + margin}} {
			var next [][2]float64
			for i, b := range out {
				a := out[(i+len(out)-1)%len(out)]
				inA, inB := edge.sign*(a[axis]-edge.at), edge.sign*(b[axis]-edge.at)
				if (inA < 0) != (inB < 0) {
					f := inA / (inA - inB)
					p := [2]float64{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])}
					p[axis] = edge.at
					next = append(next, p)
				}
				if inB >= 0 {
					next = append(next, b)
				}
			}
			out = next
		}
	}
	return out
}

// feature writes a polygon (Mapbox vector tile specification 2.1, section 4).
func feature(rings [][][2]float64, above int) []byte {
	var geometry []byte
	x, y := 0, 0
	to := func(p [2]float64) {
		px, py := int(math.Round(p[0])), int(math.Round(p[1]))
		geometry = protowire.AppendVarint(geometry, protowire.EncodeZigZag(int64(px-x)))
		geometry = protowire.AppendVarint(geometry, protowire.EncodeZigZag(int64(py-y)))
		x, y = px, py
	}
	for _, ring := range rings {
		geometry = protowire.AppendVarint(geometry, 1|1<<3)
		to(ring[0])
		geometry = protowire.AppendVarint(geometry, uint64(2|(len(ring)-1)<<3))
		for _, p := range ring[1:] {
			to(p)
		}
		geometry = protowire.AppendVarint(geometry, 7|1<<3)
	}
	f := message(nil, 2, []byte{0, byte(above)}) // the key, and the value of that number
	f = protowire.AppendVarint(protowire.AppendTag(f, 3, protowire.VarintType), 3)
	return message(f, 4, geometry)
}

func tile(features [][]byte) []byte {
	layer := message(nil, 1, []byte("building"))
	for _, f := range features {
		layer = message(layer, 2, f)
	}
	layer = message(layer, 3, []byte("render_min_height"))
	for height := range 100 {
		layer = message(layer, 4, protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), uint64(height)))
	}
	layer = protowire.AppendVarint(protowire.AppendTag(layer, 5, protowire.VarintType), units)
	layer = protowire.AppendVarint(protowire.AppendTag(layer, 15, protowire.VarintType), 2)
	return message(nil, 3, layer)
}

func message(b []byte, num protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), body)
}

// File packs tiles into a PMTiles v3 file.
func File(t testing.TB, tiles map[Spot][]byte) []byte {
	t.Helper()
	type entry struct {
		id  uint64
		raw []byte
	}
	var entries []entry
	for at, raw := range tiles {
		// The pyramid above holds (4^14 - 1) / 3 tiles.
		entries = append(entries, entry{(1<<(2*zoom)-1)/3 + hilbert(1<<zoom, uint64(at.X), uint64(at.Y)), zipped(t, raw)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return int(int64(a.id) - int64(b.id)) })
	var ids, runs, lengths, offsets, data []byte
	last := uint64(0)
	for _, e := range entries {
		ids = binary.AppendUvarint(ids, e.id-last)
		last = e.id
		runs = binary.AppendUvarint(runs, 1)
		lengths = binary.AppendUvarint(lengths, uint64(len(e.raw)))
		offsets = binary.AppendUvarint(offsets, uint64(len(data))+1)
		data = append(data, e.raw...)
	}
	root := zipped(t, slices.Concat(binary.AppendUvarint(nil, uint64(len(entries))), ids, runs, lengths, offsets))
	about := zipped(t, []byte(`{"attribution":"drawn for a test","vector_layers":[{"id":"building"}]}`))
	head := make([]byte, 127)
	copy(head, "PMTiles\x03")
	at := uint64(len(head))
	for i, part := range [][]byte{root, about, nil, data} {
		binary.LittleEndian.PutUint64(head[8+16*i:], at)
		binary.LittleEndian.PutUint64(head[16+16*i:], uint64(len(part)))
		at += uint64(len(part))
	}
	head[97], head[98], head[99], head[100], head[101] = 2, 2, 1, zoom, zoom
	return slices.Concat(head, root, about, data)
}

func zipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hilbert numbers the cells of a square of n by n along the curve.
func hilbert(n, x, y uint64) uint64 {
	h := n / 2
	switch {
	case h == 0:
		return 0
	case x < h && y < h:
		return hilbert(h, y, x)
	case x < h:
		return h*h + hilbert(h, x, y-h)
	case y >= h:
		return 2*h*h + hilbert(h, x-h, y-h)
	default:
		return 3*h*h + hilbert(h, h-1-y, 2*h-1-x)
	}
}

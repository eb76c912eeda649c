package buildings

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"anagrafe/collector/basemap"
	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// openTiles opens a map of such tiles; what it logs is kept.
func openTiles(t testing.TB, tiles map[maptest.Spot][]byte) (*Outlines, *bytes.Buffer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "map.pmtiles")
	if err := os.WriteFile(path, maptest.File(t, tiles), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := basemap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var log bytes.Buffer
	return New(f, slog.New(slog.NewTextHandler(&log, nil))), &log
}

// TestDamagedTile: what cannot be read hides nothing for sure, and is told once.
func TestDamagedTile(t *testing.T) {
	tiles := maptest.Tiles(maptest.Margin, quarter()...)
	if len(tiles) != 1 {
		t.Fatalf("%d tiles", len(tiles))
	}
	for at, raw := range tiles {
		tiles[at] = raw[:len(raw)-3]
	}
	o, log := openTiles(t, tiles)
	at, view := camera(-10, 20, 3, 90)
	for range 2 {
		if got := o.Hides(at, view, metres(46, 20)); got != unknown {
			t.Errorf("behind a tile that is damaged: %s", got)
		}
		if ring, ok := o.VisibilityPolygon(at, view, 100); ok {
			t.Errorf("seen on a tile that is damaged: %v", ring)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "14/") {
		t.Errorf("told %d times: %s", n, log)
	}
	far, view := camera(5000, 0, 3, 90)
	if got := o.Hides(far, view, metres(5040, 0)); got != no {
		t.Errorf("on another tile: %s", got)
	}
}

func TestTilesInMemoryAreBounded(t *testing.T) {
	var all []maptest.Building
	west := func(i int) float64 { return float64(i) * edge * 2 }
	for i := range 40 {
		all = append(all, building(rectangle(west(i), 0, west(i)+30, 30)))
	}
	o := openMap(t, maptest.Margin, all...)
	one, err := o.tile(spot{8610, 5863})
	if err != nil {
		t.Fatal(err)
	}
	o.limit = 10 * one.bytes()
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for i := range 40 {
				at, view := camera(west(i)-5, 15, 1, 90)
				if got := o.Hides(at, view, metres(west(i)+35, 15)); got != yes {
					t.Errorf("house %d hides nothing: %s", i, got)
				}
			}
		})
	}
	askers.Wait()
	size := 0
	for e := o.used.Front(); e != nil; e = e.Next() {
		size += e.Value.(*cached).bytes()
	}
	if len(o.kept) != o.used.Len() || size != o.size || o.size > o.limit || o.used.Len() < 5 {
		t.Errorf("%d tiles of %d bytes are kept, counted %d and %d, at most %d", o.used.Len(), size, len(o.kept), o.size, o.limit)
	}
}

func TestMapWithoutBuildings(t *testing.T) {
	f, err := basemap.Open(maptest.Write(t, maptest.Margin, quarter()...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if New(f, log) == nil {
		t.Error("no buildings in a map with some")
	}
	coarse := *f
	coarse.MaxZoom = 13
	if New(&coarse, log) != nil {
		t.Error("outlines of a map that has none at zoom 14")
	}
	f.Layers = []string{"water"}
	if New(f, log) != nil {
		t.Error("buildings of a map without that layer")
	}
}

func TestGroundIsToScale(t *testing.T) {
	g := (&Outlines{}).around(middle)
	for _, p := range []protocol.Point{{Lon: middle.Lon + 1000, Lat: middle.Lat}, {Lon: middle.Lon - 2000, Lat: middle.Lat + 3000}, {Lon: middle.Lon, Lat: middle.Lat - 9000}} {
		at := g.place(p)
		if far, want := fromZero(at), protocol.DistanceM(middle, p); far < want*0.996 || far > want*1.004 {
			t.Errorf("%v is %.2f m away, want %.2f", p, far, want)
		}
		if back := g.earth(at); back != p {
			t.Errorf("%v and back is %v", p, back)
		}
	}
}

func fromZero(p point) float64 { return wall{p, p}.distance(point{}) }

// TestLyingTiles: each is refused, at little cost.
func TestLyingTiles(t *testing.T) {
	layer := func(parts ...[]byte) []byte {
		body := bytes.Join(append([][]byte{message(1, []byte(layerName))}, parts...), nil)
		return message(3, body)
	}
	geometry := func(numbers ...uint64) []byte {
		var raw []byte
		for _, n := range numbers {
			raw = protowire.AppendVarint(raw, n)
		}
		return message(2, append(number3(3), message(4, raw)...))
	}
	const move, line, end = 1 | 1<<3, 2 | 2<<3, 7 | 1<<3
	square := geometry(move, 20, 20, line, 20, 0, 0, 20, end)
	if all, err := parseTile(layer(square)); err != nil || len(all) != 1 || len(all[0].rings[0]) != 3 || all[0].rings[0][1] != (point{20, 10}) {
		t.Fatalf("%+v %v", all, err)
	}
	if all, err := parseTile(layer(square, protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.VarintType), 512))); err != nil || all[0].rings[0][1] != (point{160, 80}) {
		t.Fatalf("a coarse tile: %+v %v", all, err)
	}
	extent := func(n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.VarintType), n)
	}
	for name, raw := range map[string][]byte{
		"no message":         {0xff, 0xff},
		"cut":                layer(square)[:20],
		"no extent":          layer(square, extent(0)),
		"an endless extent":  layer(square, extent(1<<40)),
		"points without end": layer(geometry(1|1<<60, 20, 20)),
		"half a point":       layer(geometry(move, 20)),
		"far from the tile":  layer(geometry(move, 1<<30, 20, line, 20, 0, 0, 20, end)),
		"an unknown command": layer(geometry(move, 20, 20, 3|1<<3, 20, 0)),
		"a tag of no value":  layer(message(2, append(number3(3), message(2, []byte{0, 9})...))),
		"half a tag":         layer(message(2, append(number3(3), message(2, []byte{0})...))),
		"too many points":    layer(geometry(append([]uint64{2 | (maxPoints+1)<<3}, make([]uint64, 2*(maxPoints+1))...)...)),
	} {
		if all, err := parseTile(raw); err == nil {
			t.Errorf("%s: %d outlines", name, len(all))
		}
	}
	// Of the heights that are written with a fraction one is above heads.
	for height, want := range map[float32]int{1.5: 1, 2.5: 0} {
		value := protowire.AppendFixed32(protowire.AppendTag(nil, 2, protowire.Fixed32Type), math.Float32bits(height))
		above := message(2, append(append(number3(3), message(2, []byte{0, 0})...), square[len(number3(3))+2:]...))
		if all, err := parseTile(layer(above, message(3, []byte(overhead)), message(4, value))); err != nil || len(all) != want {
			t.Errorf("a part %g m above ground: %d outlines, %v", height, len(all), err)
		}
	}
	// Thousands of houses that each claim the whole tile would fill the grid.
	whole := outline{rings: [][]point{{{0, 0}, {units, 0}, {units, units}, {0, units}}}, box: box{0, 0, units, units}}
	many := make([]outline, 1000)
	for i := range many {
		many[i] = whole
	}
	if _, err := newTile(many); err == nil {
		t.Error("a tile of a thousand houses as large as itself")
	}
}

func message(num protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), body)
}

// number3 is field 3 of a feature: its kind.
func number3(n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), n)
}

func FuzzTile(f *testing.F) {
	for _, raw := range maptest.Tiles(maptest.Margin, quarter()...) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		outlines, err := parseTile(raw)
		if err != nil {
			return
		}
		tile, err := newTile(outlines)
		if err != nil {
			return
		}
		for _, w := range tile.walls {
			for _, p := range []point{w.a, w.b} {
				if !(p.x > -1e-6 && p.x < units+1e-6 && p.y > -1e-6 && p.y < units+1e-6) {
					t.Fatalf("a wall beyond the square: %v", w)
				}
			}
		}
		tile.covered(point{7, 9})
	})
}

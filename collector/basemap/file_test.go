package basemap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/basemap/maptest"
)

// described is a file with nothing in it but a header and a description.
func described(description string) []byte {
	head := make([]byte, headerSize)
	copy(head, "PMTiles\x03")
	part(head, 8, headerSize, 0)
	part(head, 24, headerSize, len(description))
	head[97], head[98], head[99], head[101] = packedNot, packedNot, 1, 14
	binary.LittleEndian.PutUint32(head[102:], 90_000_000)
	return append(head, description...)
}

// part writes where a part of the file lies.
func part(head []byte, at, offset, length int) {
	binary.LittleEndian.PutUint64(head[at:], uint64(offset))
	binary.LittleEndian.PutUint64(head[at+8:], uint64(length))
}

func open(raw []byte) (*File, error) { return newFile(bytes.NewReader(raw), int64(len(raw))) }

func TestDescription(t *testing.T) {
	f, err := open(described(`{"attribution":"<a href=\"https://x\">&copy; Someone</a>  and others","vector_layers":[{"id":"water"},{"id":"building"}]}`))
	if err != nil || f.Attribution != "© Someone and others" || strings.Join(f.Layers, " ") != "water building" || f.Bounds[0] != 9 || f.MaxZoom != 14 {
		t.Fatalf("%+v %v", f, err)
	}
	raster, old, long, beyond := described("{}"), described("{}"), described("{}"), described("{}")
	raster[99], old[7] = 2, 2
	part(long, 24, headerSize, 1<<40)
	part(beyond, 24, math.MaxInt64-1, 2)
	for name, raw := range map[string][]byte{"empty": nil, "other": []byte(strings.Repeat("x", 300)), "raster": raster, "old": old, "long": long, "beyond": beyond,
		"cut": described("{}")[:100], "no json": described("nothing"), "short": described("{}")[:headerSize+1]} {
		if _, err := open(raw); err == nil {
			t.Errorf("%s was taken for a basemap", name)
		}
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.pmtiles")
	raw := described(`{"attribution":"x"}`)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if _, err := whole.ReadFrom(f.Content()); err != nil || !bytes.Equal(whole.Bytes(), raw) || f.ETag == "" || f.Changed.IsZero() {
		t.Errorf("%d of %d bytes, tag %q, changed %v: %v", whole.Len(), len(raw), f.ETag, f.Changed, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(path + ".absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

// row is an entry of a directory as a test writes it: at is where the tile
// lies, -1: after the one before.
type row struct{ id, run, length, at int }

func directoryOf(rows ...row) []byte {
	out := binary.AppendUvarint(nil, uint64(len(rows)))
	last := 0
	for _, r := range rows {
		out, last = binary.AppendUvarint(out, uint64(r.id-last)), r.id
	}
	for _, r := range rows {
		out = binary.AppendUvarint(out, uint64(r.run))
	}
	for _, r := range rows {
		out = binary.AppendUvarint(out, uint64(r.length))
	}
	for _, r := range rows {
		out = binary.AppendUvarint(out, uint64(r.at+1))
	}
	return out
}

// withTiles is a file with a root directory, one leaf and tiles.
func withTiles(root, leaf, tiles []byte) []byte {
	raw := described("{}")
	for at, body := range map[int][]byte{8: root, 40: leaf, 56: tiles} {
		part(raw, at, len(raw), len(body))
		raw = append(raw, body...)
	}
	return raw
}

func TestTiles(t *testing.T) {
	// Ids by the specification's own table: 0/0/0 is 0, 1/0/0 1, 1/0/1 2, 1/1/1
	// 3, 1/1/0 4, 2/0/0 5; and 12/3423/1763 is 19078479.
	for _, c := range []struct{ z, x, y, id int }{{0, 0, 0, 0}, {1, 0, 0, 1}, {1, 0, 1, 2}, {1, 1, 1, 3}, {1, 1, 0, 4}, {2, 0, 0, 5}, {12, 3423, 1763, 19078479}} {
		if id := tileID(c.z, c.x, c.y); id != uint64(c.id) {
			t.Errorf("%d/%d/%d is tile %d, want %d", c.z, c.x, c.y, id, c.id)
		}
	}
	leaf := directoryOf(row{5, 1, 2, 7})
	root := directoryOf(row{0, 1, 3, 0}, row{1, 2, 4, -1}, row{4, 0, len(leaf), 0})
	f, err := open(withTiles(root, leaf, []byte("one"+"twos"+"of")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		z, x, y int
		want    string
	}{
		{0, 0, 0, "one"}, {1, 0, 0, "twos"}, {1, 0, 1, "twos"}, // a run of two
		{1, 1, 1, ""}, {2, 0, 0, "of"}, {2, 1, 0, ""}, // in the leaf, and not
		{-1, 0, 0, ""}, {1, 2, 0, ""}, {1, 0, -1, ""}, {40, 0, 0, ""},
	} {
		if raw, err := f.Tile(c.z, c.x, c.y); err != nil || string(raw) != c.want {
			t.Errorf("%d/%d/%d is %q (%v), want %q", c.z, c.x, c.y, raw, err, c.want)
		}
	}
}

// A packed tile is as it lies in the file, or packed where the file does not.
func TestPackedTiles(t *testing.T) {
	ready := zip(t, []byte("ready"))
	f, err := open(withTiles(directoryOf(row{0, 1, len(ready), 0}, row{1, 1, 5, -1}), nil, slices.Concat(ready, []byte("plain"))))
	if err != nil {
		t.Fatal(err)
	}
	unzip := func(packed []byte) string {
		zr, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err.Error()
		}
		raw, err := io.ReadAll(zr)
		if err != nil {
			return err.Error()
		}
		return string(raw)
	}
	if packed, err := f.Packed(1, 0, 0); err != nil || unzip(packed) != "plain" {
		t.Errorf("%q, %v", packed, err)
	}
	f.head.tilePacking = packedGzip
	if packed, err := f.Packed(0, 0, 0); err != nil || !bytes.Equal(packed, ready) {
		t.Errorf("%q, %v", packed, err)
	}
	for _, none := range [][3]int{{1, 1, 1}, {-1, 0, 0}, {40, 0, 0}} {
		if packed, err := f.Packed(none[0], none[1], none[2]); err != nil || packed != nil {
			t.Errorf("%v: %q, %v", none, packed, err)
		}
	}
	f.head.tilePacking = 3
	if _, err := f.Packed(0, 0, 0); err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("brotli: %v", err)
	}
}

func TestTilesAreUnpackedWithinALimit(t *testing.T) {
	bomb := zip(t, make([]byte, maxUnpacked+1))
	whole := zip(t, make([]byte, maxUnpacked))
	f, err := open(withTiles(directoryOf(row{0, 1, len(bomb), 0}, row{1, 1, len(whole), -1}), nil, slices.Concat(bomb, whole)))
	if err != nil {
		t.Fatal(err)
	}
	f.head.tilePacking = packedGzip
	if _, err := f.Tile(0, 0, 0); err == nil || !strings.Contains(err.Error(), "0/0/0") {
		t.Errorf("a tile that swells: %v", err)
	}
	if raw, err := f.Tile(1, 0, 0); err != nil || len(raw) != maxUnpacked {
		t.Errorf("a tile at the limit: %d bytes, %v", len(raw), err)
	}
	f.head.tilePacking = 3
	if _, err := f.Tile(1, 0, 0); err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("brotli: %v", err)
	}
}

func TestDamagedDirectories(t *testing.T) {
	good := directoryOf(row{0, 1, 3, 0}, row{1, 1, 3, -1})
	if _, err := parseDirectory(good); err != nil {
		t.Fatal(err)
	}
	many := binary.AppendUvarint(nil, 1<<40)
	for name, raw := range map[string][]byte{
		"cut":                   good[:len(good)-1],
		"more than it counts":   append(slices.Clone(good), 0),
		"counts without end":    append(many, good...),
		"the same tile twice":   directoryOf(row{1, 1, 3, 0}, row{1, 1, 3, -1}),
		"first after nothing":   directoryOf(row{0, 1, 3, -1}),
		"a tile of a gigabyte":  directoryOf(row{0, 1, 1 << 30, 0}),
		"a tile of no zoom":     directoryOf(row{maxID + 1, 1, 3, 0}),
		"a run beyond the last": directoryOf(row{0, maxID + 1, 3, 0}),
	} {
		if _, err := parseDirectory(raw); !errors.Is(err, errDirectory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A leaf that is its own leaf ends.
	self := directoryOf(row{0, 0, 5, 0})
	f, err := open(withTiles(self, self, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tile(3, 1, 1); !errors.Is(err, errDirectory) {
		t.Errorf("a leaf in itself: %v", err)
	}
}

// TestMilan reads tiles of the real map beside the project.
func TestMilan(t *testing.T) {
	f, err := Open(maptest.Milan(t, "basemap/milano-basemap.pmtiles"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !slices.Contains(f.Layers, "building") || f.MaxZoom != 14 {
		t.Fatalf("%v to zoom %d", f.Layers, f.MaxZoom)
	}
	// 14/8610/5863 holds the cathedral; Paris is not on it.
	if raw, err := f.Tile(14, 8610, 5863); err != nil || !bytes.Contains(raw, []byte("building")) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	if raw, err := f.Tile(14, 8298, 5635); err != nil || raw != nil {
		t.Errorf("of Paris %d bytes, %v", len(raw), err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(described(`{"attribution":"x"}`), 0, 0, 0)
	zipped := described("\x1f\x8b\x08")
	zipped[97] = packedGzip
	f.Add(zipped, 1, 0, 1)
	leaf := directoryOf(row{5, 1, 2, 7})
	f.Add(withTiles(directoryOf(row{0, 1, 3, 0}, row{4, 0, len(leaf), 0}), leaf, []byte("one")), 2, 0, 0)
	f.Fuzz(func(t *testing.T, raw []byte, z, x, y int) {
		file, err := open(raw)
		if err != nil {
			return
		}
		if strings.ContainsAny(file.Attribution, "\n\t") {
			t.Fatalf("credit is not one line: %q", file.Attribution)
		}
		if tile, err := file.Tile(z, x, y); err != nil && tile != nil {
			t.Fatal(fmt.Sprint("a tile and an error: ", err))
		}
		if packed, err := file.Packed(z, x, y); len(packed) > 2*maxPacked {
			t.Fatal(len(packed), err)
		}
	})
}

func zip(t testing.TB, raw []byte) []byte {
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

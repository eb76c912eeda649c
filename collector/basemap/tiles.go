package basemap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// entry tells where tiles are (section 4.1). Its run of tiles, of ids one after
// the other, is the same content; a run of 0 is a leaf directory instead.
type entry struct {
	id     uint64
	at     uint64
	length uint32
	run    uint32
}

var errDirectory = errors.New("a directory of its tiles is damaged")

// directory reads a root or leaf directory.
func (f *File) directory(e extent) ([]entry, error) {
	raw, err := f.unpacked(e, f.head.directoryPacking, maxUnpacked)
	if err != nil {
		return nil, fmt.Errorf("read its directory: %w", err)
	}
	return parseDirectory(raw)
}

// parseDirectory reads the columns of a directory: ids as differences, runs,
// lengths, offsets plus 1, where 0 means right after the entry before
// (section 4.2).
func parseDirectory(raw []byte) ([]entry, error) {
	if len(raw) == 0 {
		return nil, nil // a file without tiles
	}
	bad := false
	next := func() uint64 {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			bad = true
			return 0
		}
		raw = raw[n:]
		return v
	}
	count := next()
	if count > uint64(len(raw))/4 { // each entry has four numbers
		return nil, errDirectory
	}
	entries := make([]entry, count)
	var id uint64
	for i := range entries {
		step := next()
		bad = bad || step > maxID || i > 0 && step == 0
		id += step
		bad = bad || id > maxID
		entries[i].id = id
	}
	for i := range entries {
		run := next()
		bad = bad || run > maxID
		entries[i].run = uint32(run)
	}
	for i := range entries {
		length := next()
		bad = bad || length > maxPacked
		entries[i].length = uint32(length)
	}
	for i := range entries {
		at := next()
		switch {
		case at > 0:
			entries[i].at = at - 1
		case i > 0:
			entries[i].at = entries[i-1].at + uint64(entries[i-1].length)
		default:
			bad = true
		}
	}
	if bad || len(raw) > 0 {
		return nil, errDirectory
	}
	return entries, nil
}

// maxTileZoom is deeper than any basemap goes; a tile's id then fits in 32 bits.
const (
	maxTileZoom = 15
	maxID       = 1 << 31
)

// maxDepth is how many leaf directories may follow upon one another: files have
// one level, and the specification warns of more than three.
const maxDepth = 4

// Tile returns a tile as it is once unpacked; nil where the file has none.
func (f *File) Tile(z, x, y int) ([]byte, error) {
	at, err := f.locate(z, x, y)
	if err != nil {
		return nil, err
	}
	raw, err := f.unpacked(at, f.head.tilePacking, maxUnpacked)
	if err != nil {
		return nil, fmt.Errorf("tile %d/%d/%d: %w", z, x, y, err)
	}
	return raw, nil
}

// Packed returns a tile packed by gzip (RFC 1952), which is how it lies in most
// files; nil where the file has none.
func (f *File) Packed(z, x, y int) ([]byte, error) {
	at, err := f.locate(z, x, y)
	if err != nil {
		return nil, err
	}
	packed, err := f.part(at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("tile %d/%d/%d: %w", z, x, y, err)
	case f.head.tilePacking == packedGzip || packed == nil:
		return packed, nil
	case f.head.tilePacking != packedNot:
		return nil, fmt.Errorf("tile %d/%d/%d: compression %d is not known: none or gzip is needed", z, x, y, f.head.tilePacking)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err = w.Write(packed); err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

// locate finds where a tile lies; of length 0 where the file has none.
func (f *File) locate(z, x, y int) (extent, error) {
	if z < 0 || z > maxTileZoom || x < 0 || y < 0 || x >= 1<<z || y >= 1<<z {
		return extent{}, nil
	}
	id := tileID(z, x, y)
	entries := f.root
	for range maxDepth {
		e, ok := find(entries, id)
		if !ok {
			return extent{}, nil
		}
		if e.run > 0 {
			return within(f.head.tiles, e), nil
		}
		var err error
		if entries, err = f.directory(within(f.head.leaves, e)); err != nil {
			return extent{}, fmt.Errorf("tile %d/%d/%d: %w", z, x, y, err)
		}
	}
	return extent{}, fmt.Errorf("tile %d/%d/%d: %w", z, x, y, errDirectory)
}

// within is where an entry lies in the file. A sum that turns over is beyond
// the end of any file, or a part that is read and is not what was meant.
func within(section extent, e entry) extent {
	return extent{section.at + e.at, uint64(e.length)}
}

// find returns the last entry that begins at or before id, if it holds id.
func find(entries []entry, id uint64) (entry, bool) {
	i, exact := slices.BinarySearchFunc(entries, id, func(e entry, id uint64) int {
		switch {
		case e.id < id:
			return -1
		case e.id > id:
			return 1
		}
		return 0
	})
	if !exact {
		i--
	}
	if i < 0 {
		return entry{}, false
	}
	e := entries[i]
	return e, e.run == 0 || id < e.id+uint64(e.run)
}

// tileID numbers tiles by zoom, and within a zoom along a Hilbert curve
// (section 4.1): the pyramid above holds (4^z - 1) / 3 tiles.
func tileID(z, x, y int) uint64 {
	id := (uint64(1)<<(2*z) - 1) / 3
	for s := 1 << z / 2; s > 0; s /= 2 {
		var rx, ry int
		if x&s > 0 {
			rx = 1
		}
		if y&s > 0 {
			ry = 1
		}
		id += uint64(s) * uint64(s) * uint64((3*rx)^ry)
		if ry == 0 { // turn the quadrant
			if rx == 1 {
				x, y = s-1-x, s-1-y
			}
			x, y = y, x
		}
	}
	return id
}

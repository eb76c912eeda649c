package basemap

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"time"
)

// Limits of what is read, packed and unpacked. OpenMapTiles keeps its tiles
// below 500 KB, and PMTiles its root directory below 16 KiB.
const (
	maxPacked      = 4 << 20
	maxDescription = 4 << 20
	maxUnpacked    = 4 << 20
)

// File is an open basemap. Its methods may be called from many goroutines.
type File struct {
	Attribution string     // the credit of its makers, plain text; "": not told
	Layers      []string   // of the tiles; "housenumber" is not in every file
	Bounds      [4]float64 // west, south, east, north, degrees
	MinZoom     int
	MaxZoom     int
	Changed     time.Time
	ETag        string // another map has another tag
	Sum         string // of what the file says of itself: the same map has the same one on every host

	in    io.ReaderAt
	size  int64 // bytes
	close func() error
	head  header
	root  []entry
}

// header is the part of the PMTiles v3 header (section 3) that is used.
type header struct {
	root, description, leaves, tiles extent
	directoryPacking, tilePacking    byte
}

// extent is a part of the file.
type extent struct{ at, length uint64 }

// Kinds of compression in the header.
const (
	packedNot  = 1
	packedGzip = 2
)

// Open opens a basemap, which Close closes.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open basemap: %w", err)
	}
	b, err := read(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("basemap %s: %w", path, err)
	}
	b.close = f.Close
	return b, nil
}

// read opens what is already an open file.
func read(f interface {
	io.ReaderAt
	Stat() (os.FileInfo, error)
}) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b, err := newFile(f, info.Size())
	if err != nil {
		return nil, err
	}
	b.Changed = info.ModTime()
	// The header holds every offset and count, so another map has another tag.
	b.ETag = fmt.Sprintf(`"%s-%x-%x"`, b.Sum, info.Size(), info.ModTime().UnixMicro())
	return b, nil
}

func (f *File) Close() error { return f.close() }

// Content is the whole file, to be served by ranges.
func (f *File) Content() io.ReadSeeker { return io.NewSectionReader(f.in, 0, f.size) }

const headerSize = 127

// newFile reads header, description and root directory (sections 3 to 5).
func newFile(in io.ReaderAt, size int64) (*File, error) {
	var head [headerSize]byte
	if _, err := in.ReadAt(head[:], 0); err != nil || string(head[:7]) != "PMTiles" {
		return nil, errors.New("this is not a PMTiles file")
	}
	const vector = 1
	if head[7] != 3 || head[99] != vector {
		return nil, fmt.Errorf("PMTiles version %d with tiles of type %d: version 3 with vector tiles is needed", head[7], head[99])
	}
	part := func(at int) extent {
		return extent{binary.LittleEndian.Uint64(head[at:]), binary.LittleEndian.Uint64(head[at+8:])}
	}
	f := &File{in: in, size: size, MinZoom: int(head[100]), MaxZoom: int(head[101]),
		head: header{root: part(8), description: part(24), leaves: part(40), tiles: part(56), directoryPacking: head[97], tilePacking: head[98]}}
	for i := range f.Bounds {
		f.Bounds[i] = float64(int32(binary.LittleEndian.Uint32(head[102+4*i:]))) / 1e7
	}
	raw, err := f.unpacked(f.head.description, f.head.directoryPacking, maxDescription)
	if err != nil {
		return nil, fmt.Errorf("read its description: %w", err)
	}
	if err := f.describe(raw); err != nil {
		return nil, fmt.Errorf("read its description: %w", err)
	}
	if f.root, err = f.directory(f.head.root); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(head[:], raw...))
	f.Sum = hex.EncodeToString(sum[:6])
	return f, nil
}

// describe reads the description, which is JSON (section 5).
func (f *File) describe(raw []byte) error {
	var about struct {
		Attribution string `json:"attribution"`
		Layers      []struct {
			ID string `json:"id"`
		} `json:"vector_layers"`
	}
	if err := json.Unmarshal(raw, &about); err != nil {
		return err
	}
	f.Attribution = plainText(about.Attribution)
	for _, l := range about.Layers {
		f.Layers = append(f.Layers, l.ID)
	}
	return nil
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plainText takes the markup off a credit: most tools write links into it.
func plainText(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s, " "))), " ")
}

// part reads a part of the file as it lies there; nil where it is empty.
func (f *File) part(e extent) ([]byte, error) {
	switch {
	case e.length > maxPacked:
		return nil, fmt.Errorf("a part of %d bytes is too long", e.length)
	case e.at > math.MaxInt64-maxPacked || int64(e.at+e.length) > f.size:
		return nil, errors.New("a part lies beyond the end of the file")
	case e.length == 0:
		return nil, nil
	}
	raw := make([]byte, e.length)
	if _, err := f.in.ReadAt(raw, int64(e.at)); err != nil {
		return nil, err
	}
	return raw, nil
}

// unpacked reads a part of the file and undoes its compression.
func (f *File) unpacked(e extent, packing byte, limit int64) ([]byte, error) {
	raw, err := f.part(e)
	switch {
	case err != nil || raw == nil:
		return nil, err
	case packing == packedNot:
		return raw, nil
	case packing != packedGzip:
		return nil, fmt.Errorf("compression %d is not known: none or gzip is needed", packing)
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	raw, err = io.ReadAll(io.LimitReader(zr, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("a part is over %d bytes when unpacked", limit)
	}
	return raw, err
}

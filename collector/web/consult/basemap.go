package consult

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
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"anagrafe/protocol/pages"
)

// maxMetadata bounds what is read of a PMTiles file's description.
const maxMetadata = 4 << 20

// basemap is an open PMTiles v3 file, served by ranges as it lies on disk.
type basemap struct {
	file        *os.File
	etag        string
	changed     time.Time
	attribution string
	layers      []string   // of the tiles; "housenumber" is not in every file
	bounds      [4]float64 // west, south, east, north
}

// openBasemap opens a PMTiles file and reads its header and description
// (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, sections 3 and 5).
func openBasemap(path string) (*basemap, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open basemap: %w", err)
	}
	b, err := readBasemap(f)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			b.file, b.changed = f, info.ModTime()
			// The header holds every offset and count, so another map has another tag.
			b.etag = fmt.Sprintf(`"%s-%x-%x"`, b.etag, info.Size(), info.ModTime().UnixMicro())
			return b, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("basemap %s: %w", path, err)
}

// Where things stand in the header of a PMTiles v3 file.
const (
	headerSize      = 127
	metadataOffset  = 24 // uint64 offset, then uint64 length
	compressionByte = 97 // of directories and description: 1 none, 2 gzip
	tileTypeByte    = 99 // 1 vector
	boundsOffset    = 102
)

func readBasemap(r io.ReaderAt) (*basemap, error) {
	var head [headerSize]byte
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:7]) != "PMTiles" {
		return nil, errors.New("this is not a PMTiles file")
	}
	if head[7] != 3 || head[tileTypeByte] != 1 {
		return nil, fmt.Errorf("PMTiles version %d with tiles of type %d: version 3 with vector tiles is needed", head[7], head[tileTypeByte])
	}
	offset := binary.LittleEndian.Uint64(head[metadataOffset:])
	length := binary.LittleEndian.Uint64(head[metadataOffset+8:])
	if length > maxMetadata || offset > 1<<50 {
		return nil, errors.New("its description is too long")
	}
	raw := make([]byte, length)
	if _, err := r.ReadAt(raw, int64(offset)); err != nil {
		return nil, fmt.Errorf("read its description: %w", err)
	}
	if head[compressionByte] == 2 {
		zr, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("read its description: %w", err)
		}
		if raw, err = io.ReadAll(io.LimitReader(zr, maxMetadata)); err != nil {
			return nil, fmt.Errorf("read its description: %w", err)
		}
	}
	var about struct {
		Attribution string `json:"attribution"`
		Layers      []struct {
			ID string `json:"id"`
		} `json:"vector_layers"`
	}
	if err := json.Unmarshal(raw, &about); err != nil {
		return nil, fmt.Errorf("read its description: %w", err)
	}
	b := &basemap{attribution: plainText(about.Attribution)}
	for _, l := range about.Layers {
		b.layers = append(b.layers, l.ID)
	}
	for i := range b.bounds {
		b.bounds[i] = float64(int32(binary.LittleEndian.Uint32(head[boundsOffset+4*i:]))) / 1e7
	}
	sum := sha256.Sum256(append(head[:], raw...))
	b.etag = hex.EncodeToString(sum[:6])
	return b, nil
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plainText takes the markup off a credit: most tools write links into it.
func plainText(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s, " "))), " ")
}

func (b *basemap) Close() error { return b.file.Close() }

// serveBasemap answers ranges of the file. Tiles in it are compressed already;
// compressing a range would break it. The name never changes, so browsers ask
// each time whether their copy still holds.
func (c *Consult) serveBasemap(w http.ResponseWriter, r *http.Request) {
	if c.base == nil {
		http.NotFound(w, r)
		return
	}
	pages.SecureHeaders(w.Header())
	h := w.Header()
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("ETag", c.base.etag)
	info, err := c.base.file.Stat()
	if err != nil {
		c.Log.ErrorContext(r.Context(), "basemap not read", "err", err)
		http.Error(w, "basemap not readable", http.StatusInternalServerError)
		return
	}
	http.ServeContent(w, r, "basemap.pmtiles", c.base.changed, io.NewSectionReader(c.base.file, 0, info.Size()))
}

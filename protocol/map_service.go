package protocol

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"anagrafe/protocol/wire"
)

// Limits of MapService.
const (
	MaxTile      = 1 << 20 // bytes of a tile, unpacked and packed
	MaxTileZoom  = 16
	MaxPlaceText = 200 // bytes of an address that is looked up
	maxPlaces    = 8   // places of an answer
)

const (
	maxCredit = 500 // characters
	maxMapTag = 100
)

// MapDescription is what a collector has of the map.
type MapDescription struct {
	Tiles   bool   // there is a map
	Credit  string // of its makers, to be shown with it
	MinZoom int
	MaxZoom int    // of the tiles, at most MaxTileZoom
	Tag     string // another map has another one
	Places  bool   // addresses can be looked up
}

// Wire is the answer of DescribeMap.
func (d MapDescription) Wire() *wire.DescribeMapResponse {
	return &wire.DescribeMapResponse{Tiles: d.Tiles, Credit: d.Credit, MinZoom: uint32(d.MinZoom), MaxZoom: uint32(d.MaxZoom), Tag: d.Tag, Places: d.Places}
}

// MapDescriptionFromWire reads an answer of DescribeMap. What is wrong is
// FieldErrors.
func MapDescriptionFromWire(w *wire.DescribeMapResponse) (MapDescription, error) {
	var errs FieldErrors
	c := checker{&errs, ""}
	c.text("credit", w.GetCredit(), maxCredit)
	c.text("tag", w.GetTag(), maxMapTag)
	c.number("max_zoom", int64(w.GetMaxZoom()), 0, 30)
	c.number("min_zoom", int64(w.GetMinZoom()), 0, int64(w.GetMaxZoom()))
	if len(errs) > 0 {
		return MapDescription{}, errs
	}
	return MapDescription{Tiles: w.GetTiles(), Credit: w.GetCredit(), Tag: w.GetTag(), Places: w.GetPlaces(),
		MinZoom: min(int(w.GetMinZoom()), MaxTileZoom), MaxZoom: min(int(w.GetMaxZoom()), MaxTileZoom)}, nil
}

// TileAt names one tile by the usual scheme: X from the west and Y from the north,
// 2^Z of each.
type TileAt struct{ Z, X, Y int }

// Valid reports whether there is such a tile, of a zoom that is served.
func (t TileAt) Valid() bool {
	return t.Z >= 0 && t.Z <= MaxTileZoom && t.X >= 0 && t.Y >= 0 && t.X < 1<<t.Z && t.Y < 1<<t.Z
}

// Wire is the request of GetTile.
func (t TileAt) Wire() *wire.GetTileRequest {
	return &wire.GetTileRequest{Zoom: uint32(t.Z), Column: uint32(t.X), Row: uint32(t.Y)}
}

// TileAtFromWire reads a request of GetTile. What is wrong is FieldErrors.
func TileAtFromWire(w *wire.GetTileRequest) (TileAt, error) {
	t := TileAt{int(w.GetZoom()), int(w.GetColumn()), int(w.GetRow())}
	if !t.Valid() {
		return TileAt{}, FieldErrors{{Field: "zoom", Why: fmt.Sprintf("there is no such tile: zoom is from 0 to %d, column and row are below 2 to the power of it", MaxTileZoom)}}
	}
	return t, nil
}

// UnpackTile undoes the compression of a tile; nil where there is nothing.
func UnpackTile(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("tile: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(zr, MaxTile+1))
	if err != nil {
		return nil, fmt.Errorf("tile: %w", err)
	}
	if len(raw) > MaxTile {
		return nil, fmt.Errorf("tile: %w: it has over %d bytes", ErrTooBig, MaxTile)
	}
	return raw, nil
}

// FoundPlace is a place that an address may mean.
type FoundPlace struct {
	Name string `json:"name"` // "Via Torino 1"
	At   Point  `json:"at"`
	Sure bool   `json:"sure"` // the very place that was asked for
}

// CheckPlaceText refuses a text that cannot be an address, with FieldErrors.
func CheckPlaceText(text string) error {
	var errs FieldErrors
	switch {
	case blank(text):
		errs.add("text", "is missing: a street and a number, or a district")
	case len(text) > MaxPlaceText:
		errs.add("text", "must have at most %d bytes", MaxPlaceText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, hidden):
		errs.add("text", "must be valid UTF-8 without control characters")
	default:
		return nil
	}
	return errs
}

// PlacesToWire is the answer of FindPlaces: maxPlaces of them at most.
func PlacesToWire(all []FoundPlace) *wire.FindPlacesResponse {
	w := &wire.FindPlacesResponse{}
	for _, p := range all[:min(len(all), maxPlaces)] {
		w.Places = append(w.Places, &wire.Place{Name: p.Name, LonMicrodegrees: p.At.Lon, LatMicrodegrees: p.At.Lat, Sure: p.Sure})
	}
	return w
}

// PlacesFromWire reads an answer of FindPlaces. What is wrong is FieldErrors.
func PlacesFromWire(w *wire.FindPlacesResponse) ([]FoundPlace, error) {
	var errs FieldErrors
	if n := len(w.GetPlaces()); n > maxPlaces {
		errs.add("places", "has %d, at most %d are allowed", n, maxPlaces)
		return nil, errs
	}
	all := make([]FoundPlace, 0, len(w.GetPlaces()))
	for i, p := range w.GetPlaces() {
		c := checker{&errs, ""}.at("places", i)
		c.required("name", p.GetName(), maxLine)
		c.number("lon_microdegrees", int64(p.GetLonMicrodegrees()), -180e6, 180e6)
		c.number("lat_microdegrees", int64(p.GetLatMicrodegrees()), -90e6, 90e6)
		all = append(all, FoundPlace{Name: p.GetName(), At: Point{Lon: p.GetLonMicrodegrees(), Lat: p.GetLatMicrodegrees()}, Sure: p.GetSure()})
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return all, nil
}

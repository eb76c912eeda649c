package protocol

import (
	"bytes"
	"compress/gzip"
	"errors"
	"reflect"
	"strings"
	"testing"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
)

func packed(t testing.TB, raw []byte) []byte {
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

func TestMapDescription(t *testing.T) {
	d := MapDescription{Tiles: true, Credit: "© Someone", MinZoom: 8, MaxZoom: 14, Tag: `"a-1"`, Places: true}
	if got, err := MapDescriptionFromWire(d.Wire()); err != nil || got != d {
		t.Errorf("%+v, %v", got, err)
	}
	deep, err := MapDescriptionFromWire(&wire.DescribeMapResponse{MinZoom: 17, MaxZoom: 20})
	if err != nil || deep.MinZoom != MaxTileZoom || deep.MaxZoom != MaxTileZoom {
		t.Errorf("a map that goes deeper: %+v, %v", deep, err)
	}
	for field, w := range map[string]*wire.DescribeMapResponse{
		"credit":   {Credit: strings.Repeat("x", maxCredit+1)},
		"tag":      {Tag: "a\nb"},
		"max_zoom": {MaxZoom: 1 << 31},
		"min_zoom": {MinZoom: 3, MaxZoom: 2},
	} {
		_, err := MapDescriptionFromWire(w)
		if errs, ok := errors.AsType[FieldErrors](err); !ok || errs[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTileAt(t *testing.T) {
	for _, at := range []TileAt{{0, 0, 0}, {14, 8610, 5863}, {16, 65535, 65535}} {
		if got, err := TileAtFromWire(at.Wire()); err != nil || got != at {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, w := range []*wire.GetTileRequest{{Zoom: 17}, {Zoom: 1 << 31}, {Zoom: 1, Column: 2}, {Zoom: 1, Row: 2}, {Column: 1}, {Zoom: 16, Row: 1 << 31}} {
		if at, err := TileAtFromWire(w); err == nil {
			t.Errorf("%v is %+v", w, at)
		}
	}
	for _, at := range []TileAt{{-1, 0, 0}, {3, -1, 0}, {3, 0, -1}} {
		if at.Valid() {
			t.Errorf("%+v is valid", at)
		}
	}
}

func TestUnpackTile(t *testing.T) {
	whole := bytes.Repeat([]byte("x"), MaxTile)
	for name, raw := range map[string][]byte{"some": []byte("a tile"), "the largest": whole} {
		if got, err := UnpackTile(packed(t, raw)); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if got, err := UnpackTile(nil); err != nil || got != nil {
		t.Errorf("nothing: %q, %v", got, err)
	}
	damaged := packed(t, []byte("a tile"))
	damaged[12] ^= 1
	for name, b := range map[string][]byte{"damaged": damaged, "cut": packed(t, []byte("a tile"))[:20], "no gzip": []byte("a tile that is none")} {
		if got, err := UnpackTile(b); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got, err := UnpackTile(packed(t, append(whole, 'x'))); !errors.Is(err, ErrTooBig) || got != nil {
		t.Errorf("one that swells: %d bytes, %v", len(got), err)
	}
}

func TestPlaces(t *testing.T) {
	all := []FoundPlace{{"Via Torino 1", Point{9_187_600, 45_462_900}, true}, {"Largo Torino", Point{-9_000_000, -45_000_000}, false}}
	if got, err := PlacesFromWire(PlacesToWire(all)); err != nil || !reflect.DeepEqual(got, all) {
		t.Errorf("%+v, %v", got, err)
	}
	many := make([]FoundPlace, maxPlaces+3)
	for i := range many {
		many[i] = all[0]
	}
	if got, err := PlacesFromWire(PlacesToWire(many)); err != nil || len(got) != maxPlaces {
		t.Errorf("%d of many, %v", len(got), err)
	}
	if got, err := PlacesFromWire(PlacesToWire(nil)); err != nil || len(got) != 0 {
		t.Errorf("none: %+v, %v", got, err)
	}
	for field, p := range map[string]*wire.Place{
		"places[0].name":             {Name: "a\nb"},
		"places[0].lon_microdegrees": {Name: "x", LonMicrodegrees: 180e6 + 1},
		"places[0].lat_microdegrees": {Name: "x", LatMicrodegrees: -90e6 - 1},
	} {
		_, err := PlacesFromWire(&wire.FindPlacesResponse{Places: []*wire.Place{p}})
		if errs, ok := errors.AsType[FieldErrors](err); !ok || errs[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := PlacesFromWire(&wire.FindPlacesResponse{Places: make([]*wire.Place, maxPlaces+1)}); err == nil {
		t.Error("more than are allowed are taken")
	}
	for text, ok := range map[string]bool{"via Torino 1": true, "": false, "\t": false, "a\x00": false, "\xff": false,
		strings.Repeat("x", MaxPlaceText): true, strings.Repeat("x", MaxPlaceText+1): false} {
		if err := CheckPlaceText(text); (err == nil) != ok {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// FuzzMapAnswers: whatever a collector answers, what is taken of it is within its
// limits.
func FuzzMapAnswers(f *testing.F) {
	for _, m := range []proto.Message{MapDescription{Tiles: true, Credit: "x", MaxZoom: 14}.Wire(), PlacesToWire([]FoundPlace{{Name: "x"}}),
		&wire.GetTileResponse{Tile: packed(f, []byte("a tile"))}} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		about, found, tile := new(wire.DescribeMapResponse), new(wire.FindPlacesResponse), new(wire.GetTileResponse)
		if proto.Unmarshal(b, about) == nil {
			if d, err := MapDescriptionFromWire(about); err == nil && (d.MinZoom > d.MaxZoom || d.MaxZoom > MaxTileZoom || d.MinZoom < 0) {
				t.Errorf("%+v", d)
			}
		}
		if proto.Unmarshal(b, found) == nil {
			all, err := PlacesFromWire(found)
			if len(all) > maxPlaces || err != nil && all != nil {
				t.Errorf("%+v, %v", all, err)
			}
		}
		if proto.Unmarshal(b, tile) == nil {
			if raw, err := UnpackTile(tile.GetTile()); len(raw) > MaxTile || err != nil && raw != nil {
				t.Errorf("%d bytes, %v", len(raw), err)
			}
		}
	})
}

package review

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

// MapInfo describes the map.
type MapInfo struct {
	Available   bool   `json:"available"` // tiles can be asked for; where one is not at hand, Tile says so
	Attribution string `json:"attribution,omitempty"`
	MinZoom     int    `json:"min_zoom"`
	MaxZoom     int    `json:"max_zoom"` // of the tiles; browsers enlarge those of it
}

// Place is a place that an address may mean.
type Place struct {
	Name string  `json:"name"` // "Via Torino 1"
	Lon  float64 `json:"lon"`  // degrees, WGS84
	Lat  float64 `json:"lat"`
	Sure bool    `json:"sure"` // the very place that was typed; nobody need be asked
}

const (
	maxTileZoom = 16  // Tile's z
	maxAsked    = 200 // bytes of an address
)

// noMap is the answer where nothing gives tiles or addresses, or what does
// cannot be reached now. The pages go on with coordinates.
func noMap(hint string) problem {
	return problem{status: http.StatusServiceUnavailable, key: "map.none", What: "the map and the addresses cannot be had now", Hint: hint}
}

// mapInfo describes the map; none is there where it cannot be described.
func (v *Review) mapInfo(ctx context.Context) MapInfo {
	if v.Map == nil {
		return MapInfo{}
	}
	info, err := v.Map(ctx)
	if err != nil {
		return MapInfo{}
	}
	return info
}

// tile answers GET /map/{z}/{x}/{y} with a vector tile as it is unpacked, 204
// where the map has none, 503 where it cannot be had. The numbers are those of the
// usual tile scheme: x from the west, y from the north, 2^z of each.
func (v *Review) tile(w http.ResponseWriter, r *http.Request) {
	z, x, y, ok := tileAt(r)
	if !ok {
		pages.SecureHeaders(w.Header())
		v.fail(w, r, problem{status: http.StatusNotFound, key: "error.page", What: "there is no such tile"})
		return
	}
	var raw []byte
	err := errors.New("no map is given")
	if v.Tile != nil {
		raw, err = v.Tile(r.Context(), z, x, y)
	}
	pages.SecureHeaders(w.Header())
	if err != nil {
		v.fail(w, r, noMap(err.Error()))
		return
	}
	// In the browser's own memory for the time that one works on the page; this
	// computer keeps tiles itself.
	w.Header().Set("Cache-Control", "private, max-age=3600")
	if len(raw) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.mapbox-vector-tile")
	_, _ = w.Write(raw) // the reader has gone: nobody to tell
}

// tileAt reads which tile is meant.
func tileAt(r *http.Request) (z, x, y int, ok bool) {
	var n [3]int
	for i, name := range [...]string{"z", "x", "y"} {
		u, err := strconv.ParseUint(r.PathValue(name), 10, 31)
		if err != nil {
			return 0, 0, 0, false
		}
		n[i] = int(u)
	}
	z, x, y = n[0], n[1], n[2]
	return z, x, y, z <= maxTileZoom && x < 1<<z && y < 1<<z
}

// places answers GET /places?site=&q= with what the address may mean, best first,
// at most eight. It is for scripts: a person is led to the first page.
func (v *Review) places(r *http.Request) (answer, error) {
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	found, err := v.findPlaces(r.Context(), r.URL.Query().Get("site"), text)
	if err != nil {
		return answer{}, err
	}
	return answer{json: map[string]any{"places": found}, to: "/"}, nil
}

// findPlaces asks for the places that an address of a site may mean; siteID may be ""
// where there is one site alone. The error is a problem, to be shown as it is.
func (v *Review) findPlaces(ctx context.Context, siteID, text string) ([]Place, error) {
	if text == "" || len(text) > maxAsked || !utf8.ValidString(text) {
		return nil, problem{status: http.StatusUnprocessableEntity, What: "q: an address of at most " + strconv.Itoa(maxAsked) + " bytes", Field: "q", key: "map.address"}
	}
	if v.Places == nil {
		return nil, noMap("")
	}
	found, err := v.Places(ctx, siteID, text)
	switch {
	case errors.Is(err, inventory.ErrUnknown), errors.Is(err, inventory.ErrNotEnrolled):
		return nil, err
	case err != nil:
		return nil, noMap(err.Error())
	case found == nil:
		found = []Place{}
	}
	return found, nil
}

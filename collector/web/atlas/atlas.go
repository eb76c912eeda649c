// Package atlas serves the public pages the map on which owners place their cameras: tiles of
// the basemap, and the places that an address may mean. It hides the rate limit: an address
// that asks for more than a person who draws is slowed down. Agents get the same through package
// ingest. Requests are written down nowhere, and no typed address stands in a URL.
//
// Main gives it the map: by the import rule it knows neither search nor the gazetteer.
package atlas

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// What one address may ask for in a minute, and all together. To place the cameras of a site takes some
// ten tiles of 100 KiB for each time the map is moved; a look-up with its typing errors
// takes some milliseconds.
const (
	mostTiles, allTiles   = 600, 60_000
	mostPlaces, allPlaces = 40, 4000
)

// Map is the ground; its methods may be called from many goroutines, and those that
// Describe says are not there are not called.
type Map interface {
	Describe() protocol.MapDescription
	// Packed gives a vector tile packed by gzip; nil: there is nothing.
	Packed(z, x, y int) ([]byte, error)
	// Find says what an address may mean, best first.
	Find(text string) []protocol.FoundPlace
}

// Options: all but Roles are required.
type Options struct {
	Web *web.Web // of the listener
	Map Map
	Log *slog.Logger

	Roles []string // who may, on a listener where people sign in; none: anybody
}

// Atlas answers for the map.
type Atlas struct {
	Options
	tiles, places *web.Limit
}

func New(o Options) (*Atlas, error) {
	if o.Web == nil || o.Map == nil || o.Log == nil {
		return nil, errors.New("the ground of the public pages needs their listener, a map and a log")
	}
	return &Atlas{Options: o, tiles: web.NewLimit(o.Web.Now, mostTiles, allTiles, time.Minute), places: web.NewLimit(o.Web.Now, mostPlaces, allPlaces, time.Minute)}, nil
}

// Routes are the tiles and the addresses.
func (a *Atlas) Routes() []web.Route {
	open := len(a.Roles) == 0
	return []web.Route{
		{Pattern: "GET /map/{z}/{x}/{y}", Open: open, Roles: a.Roles, ByPage: true, Handler: http.HandlerFunc(a.tile)},
		{Pattern: "POST /places", Open: open, Roles: a.Roles, ByPage: true, Handler: http.HandlerFunc(a.find)},
	}
}

// tile answers with a vector tile; 204 where the map has none there. A script asks:
// what goes wrong needs no page.
func (a *Atlas) tile(rw http.ResponseWriter, r *http.Request) {
	about := a.Map.Describe()
	at, ok := tileAt(r)
	if !about.Tiles || !ok {
		http.Error(rw, "there is no such tile", http.StatusNotFound)
		return
	}
	if !a.tiles.Try(web.From(r)) {
		tooMany(rw)
		return
	}
	packed, err := a.Map.Packed(at.Z, at.X, at.Y)
	zipped := pages.Accepts(r.Header.Get("Accept-Encoding"), "gzip")
	etag := `"` + about.Tag + `"`
	if zipped {
		etag = `"` + about.Tag + `-gzip"`
	} else if err == nil {
		packed, err = protocol.UnpackTile(packed)
	}
	if err != nil {
		// The file's own trouble, without the words that name the tile.
		a.Log.ErrorContext(r.Context(), "the map cannot be read", "err", errors.Unwrap(err))
		http.Error(rw, "the map cannot be read now", http.StatusServiceUnavailable)
		return
	}
	// A day in any cache: all get the same, and another map has another tag.
	h := rw.Header()
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	if len(packed) == 0 {
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", "application/vnd.mapbox-vector-tile")
	http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(packed))
}

// tileAt reads which tile is meant.
func tileAt(r *http.Request) (protocol.TileAt, bool) {
	var n [3]int
	for i, name := range [...]string{"z", "x", "y"} {
		u, err := strconv.ParseUint(r.PathValue(name), 10, 31)
		if err != nil {
			return protocol.TileAt{}, false
		}
		n[i] = int(u)
	}
	at := protocol.TileAt{Z: n[0], X: n[1], Y: n[2]}
	return at, at.Valid()
}

// place is one that an address may mean, as the editor's script reads it.
type place struct {
	Name string  `json:"name"`
	Lon  float64 `json:"lon"` // degrees WGS84
	Lat  float64 `json:"lat"`
	Sure bool    `json:"sure"` // the very house
}

// find answers POST /places, of a form with the address q, with what it may mean.
func (a *Atlas) find(rw http.ResponseWriter, r *http.Request) {
	text := strings.TrimSpace(r.PostFormValue("q"))
	found, err := a.Find(r, text)
	var wrong protocol.FieldErrors
	switch {
	case errors.As(err, &wrong):
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: wrong.Error(), Field: "q"})
	case errors.Is(err, errTooMany):
		tooMany(rw)
	case err != nil:
		web.WriteJSON(rw, http.StatusServiceUnavailable, web.Problem{Error: err.Error(), Hint: "type coordinates"})
	default:
		all := make([]place, 0, len(found))
		for _, p := range found {
			all = append(all, place{p.Name, float64(p.At.Lon) / 1e6, float64(p.At.Lat) / 1e6, p.Sure})
		}
		rw.Header().Set("Cache-Control", "no-store")
		web.WriteJSON(rw, http.StatusOK, map[string]any{"places": all})
	}
}

var (
	// errTooMany says that an address has to wait.
	errTooMany = errors.New("too many look-ups from this address: wait a minute")
	// errNoAddresses says that no addresses were imported.
	errNoAddresses = errors.New("this collector has no addresses")
)

// Find says what an address may mean that somebody typed, best first: the same for a
// page without scripts. The error is protocol.FieldErrors, errTooMany or errNoAddresses.
func (a *Atlas) Find(r *http.Request, text string) ([]protocol.FoundPlace, error) {
	if err := protocol.CheckPlaceText(text); err != nil {
		return nil, err
	}
	if !a.Map.Describe().Places {
		return nil, errNoAddresses
	}
	if !a.places.Try(web.From(r)) {
		return nil, errTooMany
	}
	return a.Map.Find(text), nil
}

func tooMany(rw http.ResponseWriter) {
	rw.Header().Set("Retry-After", "60")
	web.WriteJSON(rw, http.StatusTooManyRequests, web.Problem{Error: "too many requests from this address", Hint: "wait a minute"})
}

package consult

import (
	"math"
	"net/http"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// assumedRangeM is how far a camera is drawn whose range nobody knows; its
// outline is dashed.
const assumedRangeM = 40

// mapView is what the template "map" reads.
type mapView struct {
	Map     mapData
	HasBase bool
	Credit  string
	Through *throughView // nil: no buildings are known, or nothing was found
}

// mapData goes to the script as JSON inside the page.
type mapData struct {
	Base   string         `json:"base"`   // address of the PMTiles file, "": none
	Layers []string       `json:"layers"` // of its tiles
	Bounds *[4]float64    `json:"bounds"` // of the basemap: west, south, east, north
	Point  *[2]float64    `json:"point"`  // lon, lat that was asked for
	Radius int            `json:"radius"` // metres
	Area   [][][2]float64 `json:"area"`   // rings of the area that was asked for; null: none
	Route  [][2]float64   `json:"route"`  // the route; null: none
	Shapes collection     `json:"shapes"` // one for each result: what it films
	// Sectors are the whole ones of those whose shape the buildings have cut.
	Sectors collection        `json:"sectors"`
	Pick    bool              `json:"pick"` // a click fills the form's place
	Words   map[string]string `json:"words"`
}

// collection and its parts are GeoJSON (RFC 7946).
type collection struct {
	Type     string    `json:"type"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string   `json:"type"`
	Geometry   geometry `json:"geometry"`
	Properties shape    `json:"properties"`
}

type geometry struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

// shape is what the script knows of one camera: nothing that the list beside
// the map does not say.
type shape struct {
	N       int        `json:"n"`       // its number in the list
	Kind    string     `json:"kind"`    // "sees", "may", "near", "gone"
	Assumed bool       `json:"assumed"` // range or direction is not known
	At      [2]float64 `json:"at"`      // where it hangs
	Mark    [2]float64 `json:"mark"`    // where its number stands: inside what it sees
	Name    string     `json:"name"`
}

// mapView draws rows: among the buildings, or through them.
func (c *Consult) mapView(r *http.Request, q *question, rows []row, through bool) mapView {
	words := c.words(r)
	none := collection{Type: "FeatureCollection", Features: []feature{}}
	d := mapData{Radius: q.RadiusM, Shapes: none, Sectors: none, Words: map[string]string{}}
	for _, key := range []string{"label", "in", "out", "point", "camera", "failed", "reveal", "from", "to",
		"draw.begin.area", "draw.begin.route", "draw.more", "draw.count", "draw.full", "draw.moved", "draw.corner",
		"draw.corner.name", "draw.here", "draw.remove", "draw.cleared", "draw.done.area", "draw.done.route"} {
		d.Words[key] = words.T("map." + key)
	}
	v := mapView{HasBase: c.base != nil}
	if c.base != nil {
		v.Credit = c.credit
		d.Base, d.Layers, d.Bounds, d.Pick = "/basemap.pmtiles", c.base.Layers, &c.base.Bounds, true
	}
	if q.Point != (protocol.Point{}) {
		d.Point = &[2]float64{lonOf(q.Point), latOf(q.Point)}
	}
	for _, ring := range q.Rings {
		d.Area = append(d.Area, closed(lonLat(ring)))
	}
	if q.Line != nil {
		d.Route = lonLat(q.Line)
	}
	for i, row := range rows {
		whole := sectorOf(row)
		if ring := c.seen(row, through || i >= maxSeen); ring != nil {
			d.Sectors.Features = append(d.Sectors.Features, whole)
			whole.Geometry.Coordinates = [][][2]float64{ring}
		}
		d.Shapes.Features = append(d.Shapes.Features, whole)
	}
	v.Map = d
	return v
}

// rangeOf is how far a camera is drawn, metres.
func rangeOf(v protocol.View) float64 {
	if v.RangeM == nil {
		return assumedRangeM
	}
	return float64(*v.RangeM)
}

// sectorOf returns the sector that a camera films, or the circle within which it
// hangs and looks somewhere.
func sectorOf(row row) feature {
	cam := row.R.Camera
	at := cam.Position.Point
	s := shape{N: row.N, Kind: row.Kind, At: [2]float64{lonOf(at), latOf(at)}, Name: row.R.SiteName, Assumed: cam.View.RangeM == nil}
	reach := rangeOf(cam.View)
	var ring [][2]float64
	if cam.View.DirectionDeg == nil || cam.View.AngleDeg == nil || cam.View.Turns || *cam.View.AngleDeg >= 360 {
		s.Assumed = s.Assumed || cam.View.DirectionDeg == nil || cam.View.Turns
		ring = arc(at, reach, 0, 360)
		s.Mark = s.At
	} else {
		from := float64(*cam.View.DirectionDeg) - float64(*cam.View.AngleDeg)/2
		ring = append([][2]float64{s.At}, arc(at, reach, from, float64(*cam.View.AngleDeg))...)
		ring = append(ring, s.At)
		// Cameras of one site hang side by side: their numbers stand apart when
		// each stands inside what its camera sees, yet nearer to the camera than
		// to the place that all of them see.
		s.Mark = away(at, math.Min(reach*0.35, 12), float64(*cam.View.DirectionDeg))
	}
	return feature{Type: "Feature", Properties: s, Geometry: geometry{Type: "Polygon", Coordinates: [][][2]float64{ring}}}
}

// arc returns the points on a circle from one direction over so many degrees,
// one every 8 degrees or less.
func arc(at protocol.Point, metres, from, over float64) [][2]float64 {
	steps := int(math.Ceil(over / 8))
	points := make([][2]float64, 0, steps+1)
	for i := range steps + 1 {
		points = append(points, away(at, metres, from+over*float64(i)/float64(steps)))
	}
	if over >= 360 {
		points[len(points)-1] = points[0] // a ring closes on the very same numbers
	}
	return points
}

// away returns the point so many metres from at in a direction, on a flat earth:
// within 2 km the error is some centimetres.
func away(at protocol.Point, metres, deg float64) [2]float64 {
	const metresPerDegree = 111_195
	sin, cos := math.Sincos(deg * math.Pi / 180)
	lat := latOf(at) + metres*cos/metresPerDegree
	lon := lonOf(at) + metres*sin/(metresPerDegree*math.Cos(latOf(at)*math.Pi/180))
	return [2]float64{round6(lon), round6(lat)}
}

func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// kindOf is how a result is drawn and marked.
func kindOf(r search.Result) string {
	switch {
	case r.Class == search.ClassC:
		return "gone"
	case r.Class == search.ClassB:
		return "near"
	case r.Sight.Sees == protocol.Yes:
		return "sees"
	default:
		return "may"
	}
}

// maxSeen is how many rows are drawn among the buildings: as many as get a number
// on the map. At a tenth of a millisecond and 2 kB each that is what a page bears.
const maxSeen = 200

// seen is what a camera films among the buildings; nil: its whole sector.
func (c *Consult) seen(row row, through bool) [][2]float64 {
	if through || c.hidden == nil {
		return nil
	}
	cam := row.R.Camera
	points, ok := c.hidden.VisibilityPolygon(cam.Position, cam.View, rangeOf(cam.View))
	if !ok {
		return nil
	}
	ring := make([][2]float64, len(points))
	for i, p := range points {
		ring[i] = [2]float64{lonOf(p), latOf(p)}
	}
	return ring
}

// closed ends a ring where it begins, as GeoJSON wants it.
func closed(ring [][2]float64) [][2]float64 {
	if n := len(ring); n > 0 && ring[0] != ring[n-1] {
		ring = append(ring, ring[0])
	}
	return ring
}

// Drawn reports whether there is something to draw besides cameras.
func (v mapView) Drawn() bool {
	return v.Map.Point != nil || v.Map.Area != nil || v.Map.Route != nil
}

// throughView is the switch between what is seen among the buildings and through
// them: of the map in the page, of the list by an address.
type throughView struct {
	On    bool   // the list and the map are as if there were no buildings
	Other string // address of the same answer the other way
}

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
	h.Set("ETag", c.base.ETag)
	http.ServeContent(w, r, "basemap.pmtiles", c.base.Changed, c.base.Content())
}

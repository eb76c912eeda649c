package review

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// placeView is the page on which a camera is put on the map and pointed: a form that
// a script draws, and that is whole without it.
type placeView struct {
	Steps     stepsView
	Camera    cameraView
	More      bool // the person may see its other data
	Still     still
	Form      fields
	Direction choice
	Angle     choice
	Range     choice
	Start     string // where the point comes from, in words; "" is the camera's own
	Previous  string // the name of a camera whose point can be taken; "": none, or it is taken
	Others    []placedCamera
	Found     []foundPlace // what the address that was asked for may mean
	FoundSay  string       // how many, or why none
	Map       placeMap
	Credit    string
}

// placeMap goes to the script as JSON inside the page.
type placeMap struct {
	Tiles    *tileZooms        `json:"tiles"` // null: there is no map now
	Site     string            `json:"site"`
	Others   []placedCamera    `json:"others"`   // of the same site
	Previous *startPoint       `json:"previous"` // of the button that takes another camera's point
	Words    map[string]string `json:"words"`
}

// startPoint is where a camera may hang, and how it comes to be proposed.
type startPoint struct {
	At       [2]float64 `json:"at"` // longitude and latitude, degrees WGS84
	Method   string     `json:"method"`
	Accuracy int        `json:"accuracy"` // metres
}

// tileZooms are those that tiles can be asked for.
type tileZooms struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// placedCamera is one that hangs there already, as it is drawn.
type placedCamera struct {
	Name      string     `json:"name"`
	At        [2]float64 `json:"at"` // longitude and latitude, degrees WGS84
	Direction *int       `json:"direction"`
	Angle     *int       `json:"angle"`
	Range     *int       `json:"range"`

	position protocol.Position
}

// foundPlace is one of those that an address may mean.
type foundPlace struct {
	Name, Position string
	Sure           bool
}

// othersOf are the cameras of the same site that are on the map already.
func (v *Review) othersOf(r *http.Request, c inventory.Camera) ([]placedCamera, error) {
	all, err := v.Inventory.Cameras(r.Context())
	if err != nil {
		return nil, err
	}
	others := []placedCamera{}
	for _, o := range all {
		p := o.Values.Position
		if o.ID == c.ID || o.SiteID != c.SiteID || !p.Placed() || keptBack(o) {
			continue
		}
		view := o.Values.View
		others = append(others, placedCamera{Name: nameOf(v.words(r), o), At: lonLat(p.Point),
			Direction: view.DirectionDeg, Angle: view.AngleDeg, Range: view.RangeM, position: p})
	}
	return others, nil
}

// pointWords is a point as people copy it from a map: latitude, longitude.
func pointWords(p protocol.Point) string { return degrees(p.Lat) + ", " + degrees(p.Lon) }

func lonLat(p protocol.Point) [2]float64 {
	return [2]float64{float64(p.Lon) / 1e6, float64(p.Lat) / 1e6}
}

// lastPlaced is the one of which a person spoke last; nil: there is none.
func lastPlaced(others []placedCamera) (last *placedCamera) {
	for i, o := range others {
		if last == nil || o.position.Fact.At.After(last.position.Fact.At) {
			last = &others[i]
		}
	}
	return last
}

// addressOf is the address of a camera's site; "" where that is not known yet.
func (v *Review) addressOf(ctx context.Context, c inventory.Camera) (string, error) {
	grants, err := v.Inventory.Grants(ctx)
	for _, g := range grants {
		if g.SiteID == c.SiteID {
			return g.Address, nil
		}
	}
	return "", err
}

func (v *Review) placePage(r *http.Request, c inventory.Camera, view placeView, status int) (answer, error) {
	w, f := v.words(r), view.Form
	view.Camera = viewOf(w, c)
	var err error
	if view.Steps, err = v.firstRun(r); err != nil {
		return answer{}, err
	}
	view.More = may(r, "GET /cameras/{id}")
	view.Still = v.picture(r, c.Device.ID, c.ID, view.Camera.Name)
	view.Direction = choiceOf(w, f, "direction", "view.exact", sides(""), 0, 359)
	view.Angle = choiceOf(w, f, "angle", "view.exact", []option{{Value: "40", Key: "place.angle.narrow"}, {Value: "80", Key: "place.angle.normal"},
		{Value: "110", Key: "place.angle.wide"}, {Value: "360", Key: "place.angle.all"}}, 10, 360)
	view.Range = choiceOf(w, f, "range", "place.exact", []option{{Value: "15", Key: "place.range.near"}, {Value: "30", Key: "place.range.street"},
		{Value: "60", Key: "place.range.square"}}, 2, 120)
	if p := lastPlaced(view.Others); p != nil && pointWords(p.position.Point) != f["position"].Value {
		view.Previous = p.Name
		view.Map.Previous = &startPoint{At: p.At, Method: p.position.Method, Accuracy: p.position.AccuracyM + besideAccuracyM}
	}
	view.Map.Site, view.Map.Others, view.Map.Words = c.SiteID, view.Others, map[string]string{}
	for _, key := range []string{"label", "in", "out", "failed", "lost", "found.one", "found.other", "found.none", "found.not", "here", "start.here",
		"aim.side", "aim.street", "aim.unknown", "exact"} {
		view.Map.Words[key] = w.T("place." + key)
	}
	view.Map.Words["unknown"] = w.T("camera.dontknow")
	for _, key := range []string{"view.angle", "view.range", "view.exact", "wind.0", "wind.1", "wind.2", "wind.3", "wind.4", "wind.5", "wind.6", "wind.7"} {
		view.Map.Words[key] = w.T(key)
	}
	if info := v.mapInfo(r.Context()); info.Available {
		view.Map.Tiles, view.Credit = &tileZooms{info.MinZoom, info.MaxZoom}, info.Attribution
	}
	a := page("place.html", "place.title", view)
	a.page.Status, a.page.Wide = status, true
	a.page.Styles, a.page.Scripts = []string{"place.css"}, []string{"place.js"}
	return a, nil
}

// choice is a number that is chosen among a few, or by a slider, or is not known.
type choice struct {
	Name     string
	Presets  []option
	Exact    string // the value, where it is none of these
	Words    string // of Exact
	Unknown  bool
	Wrong    bool
	Min, Max int // of the slider
}

func choiceOf(w *pages.Words, f fields, name, key string, presets []option, least, most int) choice {
	value := f[name].Value
	c := choice{Name: name, Presets: presets, Unknown: value == "", Wrong: f[name].Error != "", Min: least, Max: most}
	n, err := strconv.Atoi(value)
	if err != nil {
		return c
	}
	c.Min, c.Max = min(least, n), max(most, n)
	if i := slices.IndexFunc(presets, func(o option) bool { return o.Value == value }); i >= 0 {
		presets[i].Chosen = true
		return c
	}
	c.Exact, c.Words = value, w.T(key, "deg", n, "m", n)
	return c
}

package review

import (
	"net/http"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// placeView is the page on which a camera is put on the map and pointed: a form that
// a script draws, and that is whole without it.
type placeView struct {
	Steps    stepsView
	Camera   cameraView
	More     bool // the person may see its other data
	Still    still
	Form     fields
	Start    string // where the point comes from, in words; "" is the camera's own
	Others   []placedCamera
	Found    []pages.FoundPoint // what the address that was asked for may mean
	FoundSay string             // how many, or why none
	FOV      pages.FOV
}

// placedCamera is one that hangs there already.
type placedCamera struct {
	pages.DrawnCamera
	position protocol.Position
}

// othersOf are the cameras of the same site that are on the map already.
func othersOf(w *pages.Words, known inventory.View, c inventory.Camera) (others []placedCamera) {
	for _, o := range known.Cameras {
		p := o.Values.Position
		if o.ID == c.ID || o.SiteID != c.SiteID || !p.Placed() || keptBack(o) {
			continue
		}
		view := o.Values.View
		others = append(others, placedCamera{position: p, DrawnCamera: pages.DrawnCamera{Name: nameOf(w, o), At: lonLat(p.Point),
			Direction: view.DirectionDeg, Angle: view.AngleDeg, Range: view.RangeM}})
	}
	return others
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
func addressOf(known inventory.View, c inventory.Camera) string {
	for _, g := range known.Sites {
		if g.SiteID == c.SiteID {
			return g.Address
		}
	}
	return ""
}

func (v *Review) placePage(r *http.Request, known inventory.View, c inventory.Camera, view placeView, status int) answer {
	w, f := v.words(r), view.Form
	view.Camera, view.Steps = viewOf(w, c), firstRun(r, known)
	view.More = may(r, "GET /cameras/{id}")
	view.Still = v.picture(r, c.Device.ID, c.ID, view.Camera.Name)
	control := func(name string) pages.FOVField {
		c := pages.FOVField{Value: f[name].Value}
		if f[name].Error != "" {
			c.Error = w.T(f[name].Error)
		}
		return c
	}
	fov := pages.FOV{Action: "/cameras/" + c.ID + "/place", Address: f["address"].Value, Found: view.Found, FoundSay: view.FoundSay, Start: view.Start,
		Position: control("position"), Accuracy: control("accuracy_m"), Proposed: f["start"].Value, Method: f["method"].Value}
	fov.Aim(w, control("direction"), control("angle"), control("range"))
	if p := lastPlaced(view.Others); p != nil && pointWords(p.position.Point) != f["position"].Value {
		fov.Previous = p.Name
		fov.Script.Previous = &pages.StartPoint{At: p.At, Method: p.position.Method, Accuracy: p.position.AccuracyM + besideAccuracyM}
	}
	fov.Script.SiteID, fov.Script.Others = c.SiteID, []pages.DrawnCamera{}
	for _, o := range view.Others {
		fov.Script.Others = append(fov.Script.Others, o.DrawnCamera)
	}
	if info := v.mapInfo(r.Context()); info.Available {
		fov.Script.Tiles, fov.Credit = &pages.TileZooms{Min: info.MinZoom, Max: info.MaxZoom}, info.Attribution
	}
	view.FOV = fov
	a := page("place.html", "place.title", view)
	a.page.Status, a.page.Wide = status, true
	a.page.Styles, a.page.Scripts = []string{"fov.css"}, []string{"place.js"}
	return a
}

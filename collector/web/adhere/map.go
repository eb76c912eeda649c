package adhere

import (
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// fov begins the map of a page whose form holds such a point; it is empty where this
// listener serves no map, and the page is its fields.
func (a *Adhere) fov(r *http.Request, f form) pages.FOV {
	if a.Map == nil {
		return pages.FOV{}
	}
	var v pages.FOV
	v.Place(a.words(r))
	v.Position.Value, v.Accuracy.Value, v.Method = f["position"].Value, f["accuracy_m"].Value, f["method"].Value
	v.Script.Others = []pages.DrawnCamera{}
	if m := a.Map(); m.Tiles {
		v.Credit, v.Script.Tiles = m.Credit, &pages.TileZooms{Min: m.MinZoom, Max: m.MaxZoom}
	}
	return v
}

// cameraMap is the map of a camera: where it hangs, or where it will until it gets a place
// of its own, what it sees, and the others beside it.
func (a *Adhere) cameraMap(r *http.Request, s registry.Submission, id string, f form) pages.FOV {
	v := a.fov(r, f)
	if v.Script.Words == nil {
		return v
	}
	v.Aim(a.words(r), pages.FOVField{}, pages.FOVField{}, pages.FOVField{})
	at := func(p protocol.Position) [2]float64 {
		if !p.Placed() {
			p = s.Place
		}
		return [2]float64{float64(p.Lon) / 1e6, float64(p.Lat) / 1e6}
	}
	if s.Place.Placed() {
		v.Script.Site = &pages.StartPoint{At: at(s.Place), Method: s.Place.Method, Accuracy: s.Place.AccuracyM}
	}
	for _, c := range s.Cameras {
		if c.Camera.ID != id {
			view := c.Camera.View
			v.Script.Others = append(v.Script.Others, pages.DrawnCamera{Name: c.Camera.Name, At: at(c.Camera.Position), Direction: view.DirectionDeg, Angle: view.AngleDeg, Range: view.RangeM})
		}
	}
	return v
}

// drawn adds to a page what draws its map, if it has one.
func drawn(v pages.FOV, p pages.Page) pages.Page {
	if v.Script.Words != nil {
		p.Styles, p.Scripts = append(p.Styles, "fov.css"), append(p.Scripts, "adhere.js")
	}
	return p
}

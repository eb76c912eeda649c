package review

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Accuracy in metres of a point that nobody has moved: a house found by its address, on
// which the camera hangs somewhere; a street; a point copied from the camera beside it,
// which adds to that one's own accuracy.
const (
	sureAccuracyM    = 20
	streetAccuracyM  = 100
	besideAccuracyM  = 10
	maxStartAccuracy = 10_000 // as inventory takes it
)

// addressWait bounds the page's own question for the invited address: it must come
// also where the collector does not answer.
const addressWait = 4 * time.Second

var placeNames = []string{"position", "accuracy_m", "method", "start", "direction", "angle", "range", "address"}

// placing shows the page.
func (v *Review) placing(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	c, err := known.Camera(r.PathValue("id"))
	if err != nil || wantsJSON(r) {
		return answer{json: c}, err
	}
	return v.placePage(r, known, c, v.startPlacing(r, known, c, addressOf(known, c)), 0), nil
}

// startPlacing fills the form with what is known, and proposes a point where none is.
func (v *Review) startPlacing(r *http.Request, known inventory.View, c inventory.Camera, address string) placeView {
	view := placeView{Form: formOf(c), Others: othersOf(v.words(r), known, c)}
	view.Form["address"] = field{Value: address}
	if p := c.Values.Position; p.Placed() {
		view.Form.startAt(p.Point, p.AccuracyM, p.Method)
	} else {
		view.Start = v.begin(r, view.Form, c, view.Others)
	}
	return view
}

// startAt puts a point into the form that was placed in such a way.
func (f fields) startAt(p protocol.Point, accuracyM int, method string) {
	at := pointWords(p)
	f["position"], f["start"], f["method"] = field{Value: at}, field{Value: at}, field{Value: method}
	f["accuracy_m"] = field{Value: strconv.Itoa(min(accuracyM, maxStartAccuracy))}
}

// startBeside proposes the point of another camera of the site.
func (f fields) startBeside(p protocol.Position) {
	f.startAt(p.Point, p.AccuracyM+besideAccuracyM, p.Method)
}

// begin proposes where a camera may hang that was not placed yet, and says in words
// why: beside the one of its site that was placed last, since a shop's cameras are
// some metres apart and that point was put right by a person; else at the address of
// the invitation.
func (v *Review) begin(r *http.Request, f fields, c inventory.Camera, others []placedCamera) string {
	w := v.words(r)
	if p := lastPlaced(others); p != nil {
		f.startBeside(p.position)
		return w.T("fov.start.previous", "name", p.Name)
	}
	if address := f["address"].Value; address != "" {
		ctx, cancel := context.WithTimeout(r.Context(), addressWait)
		defer cancel()
		if found, err := v.findPlaces(ctx, c.SiteID, address); err == nil && len(found) > 0 {
			f.startAt(pointOf(found[0]), accuracyOf(found[0].Sure), "address")
			return w.T("place.start.address", "address", found[0].Name)
		}
	}
	return w.T("fov.start.none")
}

// pointOf is a place as the register keeps it.
func pointOf(p Place) protocol.Point {
	return protocol.Point{Lon: int32(math.Round(p.Lon * 1e6)), Lat: int32(math.Round(p.Lat * 1e6))}
}

func accuracyOf(sure bool) int {
	if sure {
		return sureAccuracyM
	}
	return streetAccuracyM
}

// setPlace keeps where a camera hangs and what it sees; or answers a button that
// looks for an address or puts the point on one, and keeps nothing.
func (v *Review) setPlace(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	c, err := known.Camera(r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	if err := form(r); err != nil {
		return answer{}, err
	}
	f := typed(r, placeNames...)
	if !r.PostForm.Has("position") { // of the form that looks for addresses
		return v.lookUp(r, known, c, f["address"].Value), nil
	}
	e, errs := editOf(f, r.PostForm.Has)
	if f["position"].Value == "" {
		errs = append(errs, protocol.FieldError{Field: "position", Why: "is missing"})
	}
	if e.Method = f["method"].Value; f["position"].Value != f["start"].Value || e.Method == "" {
		e.Method = "typed"
	}
	if err = errs; len(errs) == 0 {
		err = v.Inventory.Set(r.Context(), c.ID, e)
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && !wantsJSON(r) {
		f.wrong(errs, map[string]string{"lat": "position", "lon": "position"})
		f["address"] = field{Value: addressOf(known, c)}
		return v.placePage(r, known, c, placeView{Form: f, Others: othersOf(v.words(r), known, c)}, http.StatusUnprocessableEntity), nil
	}
	if err != nil {
		return answer{}, err
	}
	return v.kept(r, c.ID) // and on to the next camera that has no place, or the next step
}

// lookUp answers the form that looks for addresses: with what an address may mean, or,
// by the button beside one of those, with the point there. Nothing is kept by it.
func (v *Review) lookUp(r *http.Request, known inventory.View, c inventory.Camera, address string) answer {
	w, view := v.words(r), v.startPlacing(r, known, c, address)
	for name, sure := range map[string]bool{"at": true, "near": false} {
		if lat, lon, ok := coordinates(r.PostForm.Get(name)); ok {
			view.Form.startAt(pointOf(Place{Lon: lon, Lat: lat}), accuracyOf(sure), "address")
			view.Start = w.T("fov.start.here")
			return v.placePage(r, known, c, view, 0)
		}
	}
	if p := lastPlaced(view.Others); p != nil && r.PostForm.Has("previous") {
		view.Form.startBeside(p.position)
		view.Start = w.T("fov.start.previous", "name", p.Name)
		return v.placePage(r, known, c, view, 0)
	}
	found, err := v.findPlaces(r.Context(), c.SiteID, address)
	switch {
	case err != nil: // coordinates will do
		view.FoundSay = w.T("fov.found.not")
	case len(found) == 0:
		view.FoundSay = w.T("fov.found.none")
	default:
		view.FoundSay = w.N("fov.found", len(found))
	}
	for _, p := range found {
		view.Found = append(view.Found, pages.FoundPoint{Name: p.Name, Position: pointWords(pointOf(p)), Sure: p.Sure})
	}
	return v.placePage(r, known, c, view, 0)
}

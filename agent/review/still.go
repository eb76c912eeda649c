package review

import (
	"cmp"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"anagrafe/agent/interrogate"
)

// still is what a page shows where a camera's picture may be: {{template "picture" .}}.
//
// A still picture helps to recognise a camera. It is fetched one at a
// time, on a click, for the owner's session in which that recorder's password was
// typed and found right; never for a technician's link, never on the command line's
// socket. It goes into this one page, as data, and nowhere else: no address leads to
// it, nothing keeps it.
type still struct {
	State  string       // "none", "owner", "type", "ask", "shown", "failed": of the words and of what is offered
	ID     string       // the camera's; the device's where any camera of it will do
	Name   string       // of the camera, for people
	Device string       // whose password is to be typed
	Path   string       // of this page
	Link   string       // of this page with the picture, for htmx: only the part is renewed
	Source template.URL // of the picture, while it is shown
	Why    string       // of "failed": key of the words
}

// showing is the parameter of a page's address that names whose picture is wanted.
const showing = "show"

// picture is a camera's picture on the page of r; cameraID "" is any of the device.
// It is fetched where the page's address asks for it (see showing), which only the
// button of the part does. The page keeps what its address else holds.
func (v *Review) picture(r *http.Request, deviceID, cameraID, name string) still {
	query := url.Values{}
	for k, values := range r.URL.Query() {
		if k != showing && k != "done" {
			query[k] = values
		}
	}
	p := still{ID: cmp.Or(cameraID, deviceID), Name: name, Device: deviceID, Path: r.URL.Path, Link: r.URL.Path}
	if len(query) > 0 {
		p.Link += "?" + query.Encode()
	}
	switch s := sessionOf(r); {
	case v.Picture == nil:
		p.State = "none"
	case s == nil || s.role != roleOwner:
		p.State = "owner"
	case !s.typed(deviceID):
		p.State = "type"
	case r.URL.Query().Get(showing) != p.ID:
		p.State = "ask"
	default:
		v.fetch(r, &p, cameraID)
	}
	return p
}

// fetch gets the picture. What goes wrong is told on the page and not logged: a
// device's words may hold anything.
func (v *Review) fetch(r *http.Request, p *still, cameraID string) {
	jpeg, err := v.Picture(r.Context(), p.Device, cameraID)
	switch {
	case err == nil:
		p.State, p.Source = "shown", template.URL("data:image/jpeg;base64,"+base64.StdEncoding.EncodeToString(jpeg))
		return
	case errors.Is(err, interrogate.ErrNoPicture):
		p.Why = "picture.cannot"
	case errors.Is(err, interrogate.ErrMayNotSee):
		p.Why = "picture.forbidden"
	default:
		p.Why = "picture.silent"
	}
	p.State = "failed"
}

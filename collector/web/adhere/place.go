package adhere

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
	"anagrafe/protocol/pages"
)

// How far from a point that somebody chose by its address a camera may hang, in metres.
const (
	sureAccuracyM   = 20  // of a house number
	streetAccuracyM = 100 // of a street, or a place in it
)

// placeView is the page of where the site is.
type placeView struct {
	Bar      bar
	Form     form
	Problems []*input
	Found    []foundPlace
	Say      string // how many were found, or why none
	Map      pages.FOV
	Back     string
}

// foundPlace is one of those that an address may mean.
type foundPlace struct {
	Name, Position string
	Sure           bool
}

var placeNames = []string{"address", "position"}

func placeForm() form {
	return form{
		"address":    {Name: "address", Label: "place.address", Hint: "place.address.hint", Auto: "street-address", Most: 200},
		"position":   {Name: "position", Label: "place.position", Hint: "place.position.hint", Mode: "text", Auto: "off", Most: 60, Optional: true},
		"accuracy_m": {Name: "accuracy_m", Most: 5, Optional: true},
		"method":     {Name: "method", Most: 10, Optional: true},
	}
}

func (a *Adhere) place(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	f := a.form(placeForm())
	f["address"].Value = s.Site.Address
	if s.Place.Placed() {
		f["position"].Value = pointText(s.Place.Point)
	}
	a.showPlace(rw, r, s, f, placeView{}, 0)
}

func (a *Adhere) showPlace(rw http.ResponseWriter, r *http.Request, s registry.Submission, f form, v placeView, status int) {
	v.Bar, v.Form, v.Problems, v.Back = a.bar(s, "place"), f, f.problems(placeNames...), back(r)
	v.Map = a.fov(r, f)
	a.show(rw, r, drawn(v.Map, pages.Page{Template: "place.html", Title: "place.title", Status: status, Notes: wrongNote(v.Problems), Data: v}))
}

// setPlace takes the address and where it is: as coordinates, or looked up.
func (a *Adhere) setPlace(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	f := a.form(placeForm())
	f.typed(r)
	var v placeView
	if s.Place.Placed() && f["address"].Value != s.Site.Address && f["position"].Value == pointText(s.Place.Point) {
		a.moved(s, f)
	}
	at, ok := a.point(r, f, &v)
	if f["address"].Error != "" || !ok {
		a.showPlace(rw, r, s, f, v, http.StatusUnprocessableEntity)
		return
	}
	if !a.Inside(at.Point) {
		a.outside(rw, r, s)
		return
	}
	if _, ok := a.change(rw, r, s.ID, func(s *registry.Submission) error {
		s.Site.Address, s.Place = f["address"].Value, at
		return nil
	}); ok {
		a.to(rw, r, a.after(r, "/telecamere"))
	}
}

// nearM is how far from its address somebody may have put a point on purpose, in metres.
const nearM = 200

// moved takes back the point of another address than the one that is typed now, so that
// it is looked up; unless that is a better spelling of the same place.
func (a *Adhere) moved(s registry.Submission, f form) {
	found := a.Find(f["address"].Value)
	if len(found) != 1 || !found[0].Sure || protocol.DistanceM(found[0].At, s.Place.Point) > nearM {
		f["position"].Value, f["method"].Value, f["accuracy_m"].Value = "", "", ""
	}
}

// point reads the point of a form with an address and a position, or looks it up; false:
// the fields or the view say why there is none yet.
func (a *Adhere) point(r *http.Request, f form, v *placeView) (protocol.Position, bool) {
	for name, accuracy := range map[string]int{"at": sureAccuracyM, "near": streetAccuracyM} {
		if chosen := r.PostFormValue(name); chosen != "" { // the button of one that was found
			f["position"].Value, f["accuracy_m"].Value, f["method"].Value = chosen, strconv.Itoa(accuracy), "address"
		}
	}
	if f["position"].Error != "" {
		return protocol.Position{}, false
	}
	if f["position"].Value != "" && r.PostFormValue("find") == "" {
		p, ok := readPoint(f["position"].Value)
		if !ok {
			f.wrong("position", "wrong.position")
			return protocol.Position{}, false
		}
		at := protocol.Position{Point: p, Method: "typed"}
		if m := f["method"].Value; m == "map" || m == "address" || m == "gps" {
			at.Method = m
			if n, err := strconv.Atoi(f["accuracy_m"].Value); err == nil && n > 0 && n <= maxAccuracyM {
				at.AccuracyM = n
			}
		}
		return at, true
	}
	if f["address"].Error != "" {
		return protocol.Position{}, false
	}
	return a.look(r, f, v)
}

// maxAccuracyM is as protocol takes it.
const maxAccuracyM = 10_000

// look looks the address up. One that is sure is taken, unless it was only asked for.
func (a *Adhere) look(r *http.Request, f form, v *placeView) (protocol.Position, bool) {
	words := a.words(r)
	found := a.Find(f["address"].Value)
	if len(found) == 1 && found[0].Sure && r.PostFormValue("find") == "" {
		return protocol.Position{Point: found[0].At, Method: "address", AccuracyM: sureAccuracyM}, true
	}
	for _, p := range found {
		v.Found = append(v.Found, foundPlace{Name: p.Name, Position: pointText(p.At), Sure: p.Sure})
	}
	if v.Say = words.N("place.found", len(found)); len(found) == 0 {
		f.wrong("position", "wrong.unfound")
	}
	return protocol.Position{}, false
}

// outside says that the place is not the register's, and keeps nothing.
func (a *Adhere) outside(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	if !s.Changes { // what is recorded stays as it is
		if !a.discard(rw, r, s) {
			return
		}
	}
	a.show(rw, r, pages.Page{Template: "outside.html", Title: "outside.title", Status: http.StatusOK, Self: a.base, Data: s.Changes})
}

// readPoint reads a point as people copy it from a map: latitude, then longitude, in
// degrees, apart by a comma, a semicolon or a space; with commas for decimals too,
// "45,4641 9,1900".
func readPoint(typed string) (protocol.Point, bool) {
	parts := strings.FieldsFunc(typed, func(r rune) bool { return r == ' ' || r == ';' || r == '\u00a0' || r == '\t' })
	for i := range parts {
		parts[i] = strings.Trim(parts[i], ",()")
	}
	if len(parts) == 1 { // "45.4641,9.1900"
		parts = strings.Split(parts[0], ",")
	}
	if len(parts) != 2 {
		return protocol.Point{}, false
	}
	lat, ok1 := micros(parts[0], 90)
	lon, ok2 := micros(parts[1], 180)
	p := protocol.Point{Lon: lon, Lat: lat}
	return p, ok1 && ok2 && p.Placed()
}

// micros are degrees in millionths.
func micros(typed string, most float64) (int32, bool) {
	f, ok := csvfile.Number(typed)
	if !ok || math.Abs(f) > most {
		return 0, false
	}
	return int32(math.Round(f * 1e6)), true
}

// pointText is what readPoint reads.
func pointText(p protocol.Point) string {
	return fmt.Sprintf("%.6f, %.6f", float64(p.Lat)/1e6, float64(p.Lon)/1e6)
}

// back is "check" for who came from the summary and goes back there.
func back(r *http.Request) string {
	if r.FormValue("back") == "check" {
		return "check"
	}
	return ""
}

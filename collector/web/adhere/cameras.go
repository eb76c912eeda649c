package adhere

import (
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// camerasView is the list of the cameras that were typed.
type camerasView struct {
	Bar  bar
	All  []policeView
	Full bool
	Back string
}

// doneNotes are what the list says about what was done just before.
var doneNotes = map[string]string{"interna": "cameras.indoor", "fuori": "cameras.outside"}

func (a *Adhere) cameras(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	key := doneNotes[r.URL.Query().Get("fatto")]
	if len(s.Cameras) == 0 && key == "" {
		a.to(rw, r, "/telecamere/nuova")
		return
	}
	v := camerasView{Bar: a.bar(s, "cameras"), All: a.police(r, s), Full: len(s.Cameras) >= maxCameras, Back: back(r)}
	p := pages.Page{Template: "cameras.html", Title: "cameras.title", Data: v}
	if key != "" {
		p.Notes = []pages.Note{{Kind: "info", Key: key}}
	}
	a.show(rw, r, p)
}

func (a *Adhere) removeCamera(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	if _, ok := a.change(rw, r, s.ID, without(r.PathValue("id"))); ok {
		a.to(rw, r, "/telecamere")
	}
}

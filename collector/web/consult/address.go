package consult

import (
	"net/http"
	"slices"
	"strings"

	"anagrafe/collector/search/gazetteer"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// located is what the gazetteer makes of the form's place.
type located struct {
	Found  gazetteer.Found   // not yet chosen from; no answers: nothing to choose
	Answer *gazetteer.Answer // the address that was asked for; nil: it was a point
	Near   *gazetteer.Answer // of a point: the nearest address; nil: none
	Place  gazetteer.Place   // municipio and NIL of the point
}

// locate reads the place as an address or a district where it is no position, and
// finds the address of one that is. What is not sure is not searched: a.Found then
// has what to choose from.
func (c *Consult) locate(q *question) {
	if c.Places == nil {
		return
	}
	x := c.Places.Index()
	if q.wrong("at") == "error.at.form" && c.findsNames() {
		q.address(x)
	}
	if q.wrong("at") != "" || !q.Point.Placed() {
		return
	}
	q.Place = x.PlaceOf(q.Point)
	if near, ok := x.Reverse(q.Point); ok && q.Answer == nil {
		q.Near = &near
	}
}

// findsNames reports whether addresses or districts were imported.
func (c *Consult) findsNames() bool {
	return c.Places != nil && (c.Places.Index().Streets() > 0 || c.Places.Index().HasDistricts())
}

// address finds the place by its name.
func (q *question) address(x *gazetteer.Index) {
	found := x.Find(q.At)
	chosen := slices.IndexFunc(found.Answers, func(f gazetteer.Answer) bool { return pickOf(f) == q.Pick })
	if chosen < 0 && found.Sure {
		chosen = 0
	}
	q.Errors = slices.DeleteFunc(q.Errors, func(e fieldError) bool { return e.Field == "at" })
	if chosen < 0 {
		q.Found = found
		key := "error.at.which"
		if found.Kind == gazetteer.None {
			key = "error.at.unknown"
		}
		q.fail("at", key)
		return
	}
	q.Answer, q.Pick = &found.Answers[chosen], pickOf(found.Answers[chosen])
	if d := q.Answer.District; d != nil {
		q.Rings = slices.Concat(d.Polygons...)
		return
	}
	q.Point = q.Answer.At
}

// pickOf is how the form names an answer: by what it is and where.
func pickOf(f gazetteer.Answer) string { return f.Name() + " " + writePlace(f.At) }

// choice is one answer in the form.
type choice struct {
	Value, Name, Detail string
	Checked             bool
}

// choices words what there is to choose from. The only one is chosen already, so
// that Enter says yes to it.
func choices(w *pages.Words, found gazetteer.Found) (all []choice) {
	for _, f := range found.Answers {
		all = append(all, choice{pickOf(f), f.Name(), detail(w, f), len(found.Answers) == 1})
	}
	return all
}

// detail says what an answer rests on, and in which part of the city it is.
func detail(w *pages.Words, f gazetteer.Answer) string {
	var parts []string
	switch {
	case f.Kind == gazetteer.Nearest && f.Rough && f.Asked == "":
		parts = append(parts, w.T("place.rough", "metres", w.Number(f.ReachM)))
	case f.Kind == gazetteer.Nearest && f.Across:
		parts = append(parts, w.T("place.across", "asked", f.Asked))
	case f.Kind == gazetteer.Nearest && f.Off == 0:
		parts = append(parts, w.T("place.door", "asked", f.Asked))
	case f.Kind == gazetteer.Nearest:
		parts = append(parts, w.N("place.nearest", f.Off, "asked", f.Asked))
	case f.Kind == gazetteer.Street && f.Asked != "":
		parts = append(parts, w.T("place.nonumbers", "asked", f.Asked))
	case f.Kind == gazetteer.Street:
		parts = append(parts, w.T("place.street"))
	case f.Kind == gazetteer.Area:
		parts = append(parts, w.T("place.district"))
	}
	if f.Kind == gazetteer.Street && f.ReachM > 0 {
		parts = append(parts, w.T("place.reach", "metres", w.Number(f.ReachM)))
	}
	if len(f.Ignored) > 0 {
		parts = append(parts, w.T("place.ignored", "words", strings.Join(f.Ignored, " ")))
	}
	if where := placeWords(f.Place); where != "" && f.Kind != gazetteer.Area {
		parts = append(parts, where)
	}
	return strings.Join(parts, " · ")
}

// placeWords are the municipio and the NIL, as far as they are known.
func placeWords(p gazetteer.Place) string {
	var parts []string
	if p.Municipio != "" {
		parts = append(parts, p.Municipio)
	}
	if p.NIL != "" {
		parts = append(parts, "NIL "+p.NIL)
	}
	return strings.Join(parts, ", ")
}

// placeLine words the place that was asked for, for the head of the results: its
// address, what that rests on, and in which part of the city it is. "": nothing
// more is known than its position.
func placeLine(w *pages.Words, q *question) string {
	switch {
	case q.Answer != nil && q.Answer.District != nil:
		return "" // its name is in what was asked
	case q.Answer != nil:
		if d := detail(w, *q.Answer); d != "" {
			return q.Answer.Name() + " · " + d
		}
		return q.Answer.Name()
	case q.Near != nil:
		near := w.T("place.near", "metres", w.Number(int(q.Near.Distance+0.5)), "address", q.Near.Name())
		if p := placeWords(q.Place); p != "" {
			return near + " · " + p
		}
		return near
	}
	return placeWords(q.Place)
}

// placeName is the address that was asked for, "" for a point.
func (q *question) placeName() string {
	if q.Answer == nil {
		return ""
	}
	return q.Answer.Name()
}

// jsonPlace is an address, a street or a district that a text may mean.
type jsonPlace struct {
	Name      string         `json:"name"`             // "Via Torino 12"
	Kind      gazetteer.Kind `json:"kind"`             // "exact", "nearest", "street" or "district"
	Asked     string         `json:"number,omitempty"` // the number that was typed, where the place is not its
	Off       int            `json:"off,omitempty"`    // how many numbers of that side of the street it is from there
	Lon       float64        `json:"lon"`
	Lat       float64        `json:"lat"`
	ReachM    int            `json:"reach_m,omitempty"` // what was asked for may be so far from there, metres
	Municipio string         `json:"municipio,omitempty"`
	NIL       string         `json:"nil,omitempty"`
}

// jsonPlaces answers POST /addresses.
type jsonPlaces struct {
	Places []jsonPlace `json:"places"`
}

func placesJSON(found []gazetteer.Answer) []jsonPlace {
	all := []jsonPlace{}
	for _, f := range found {
		all = append(all, jsonPlace{f.Name(), f.Kind, f.Asked, f.Off, lonOf(f.At), latOf(f.At), f.ReachM, f.Municipio, f.NIL})
	}
	return all
}

// suggest gives what the place that is being typed may become: as options of the
// form's list, or as JSON. It is a POST, for no address of ours holds a place, and
// what is typed is not kept anywhere.
func (c *Consult) suggest(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusBadRequest, "error.body", err)
		return
	}
	var found []gazetteer.Answer
	typed := strings.TrimSpace(r.PostForm.Get("at"))
	if _, err := parsePlace(typed, true); err != nil && c.Places != nil {
		found = c.Places.Index().Suggest(typed)
	}
	if web.WantsJSON(r) {
		web.WriteJSON(w, http.StatusOK, jsonPlaces{placesJSON(found)})
		return
	}
	words := c.words(r)
	var view []choice
	for _, f := range found {
		view = append(view, choice{Name: f.Name(), Detail: detail(words, f)})
	}
	c.set.Fragment(w, r, "form.html", "suggestions", view)
}

package consult

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"anagrafe/collector/search"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"

	"anagrafe/collector/web"
)

// formView is what the form's template reads.
type formView struct {
	Asked    *question
	User     string // id of whose tab it is: the script keeps the case for that person only
	Kinds    []string
	Offences []string
	Radii    []int
	Choices  []choice // of what the place may mean
	More     int      // that are not among them
	onMap    bool
	Chips    []chip // times to choose from
	named    bool   // addresses or districts are there to be found
	first    string // the field that has the cursor
}

func (c *Consult) formView(r *http.Request, q *question, user string) formView {
	v := formView{Asked: q, User: user, Kinds: caseKinds, Offences: offences, Radii: radiiWith(q.RadiusM), onMap: c.base != nil, first: "at",
		Chips: chipsOf(q, c.Now()), Choices: choices(c.set.Words(pages.Language(r)), q.Found), More: q.Found.More, named: c.findsNames()}
	if len(q.Errors) > 0 {
		v.first = q.Errors[0].Field
	}
	if q.AskWhichOne {
		v.first = "fold"
	}
	if len(v.Choices) > 0 && v.first == "at" {
		v.first = "pick"
	}
	return v
}

// OtherWays reports whether the question names an area, a route or a filter, or was
// to: then that part of the form is open.
func (v formView) OtherWays() bool {
	q := v.Asked
	if q.Area != "" || q.Route != "" || q.Speed != "" || q.Arrival != "" || len(q.Categories) > 0 || q.Continuous || q.Certain {
		return true
	}
	return slices.ContainsFunc([]string{"area", "route", "means", "speed", "arrival", "category"}, func(f string) bool { return q.wrong(f) != "" })
}

// AllMeans are the means of the list.
func (v formView) AllMeans() []search.Means { return search.AllMeans }

// Usual writes the speeds that are usual for a means.
func (v formView) Usual(m search.Means) string {
	s, _ := m.Usual()
	return fmt.Sprintf("%g–%g", s.MinKmh, s.MaxKmh)
}

// Categories are those of the list; Chosen tells whether one is ticked.
func (v formView) Categories() []protocol.Category { return protocol.Categories }

func (v formView) Chosen(c protocol.Category) bool {
	return slices.Contains(v.Asked.Categories, string(c))
}

// AtHint is the key of what may be typed as the place.
func (v formView) AtHint() string {
	switch {
	case v.named && v.onMap:
		return "form.at.hint.names.map"
	case v.named:
		return "form.at.hint.names"
	case v.onMap:
		return "form.at.hint.map"
	}
	return "form.at.hint"
}

// KeepPick reports whether the choice goes with the form: where the place, asked for
// by its name, would be doubtful again.
func (v formView) KeepPick() bool {
	found := v.Asked.Answer
	return found != nil && (found.Kind == gazetteer.Street || found.Kind == gazetteer.Nearest && found.Rough)
}

// Named reports whether places can be found by their names.
func (v formView) Named() bool { return v.named }

// OnMap reports whether a click on the map can name the place.
func (v formView) OnMap() bool { return v.onMap }

// Wrong returns the key of what is wrong with a field, or "".
func (v formView) Wrong(field string) string { return v.Asked.wrong(field) }

// Focus reports which field has the cursor when the page opens.
func (v formView) Focus(field string) bool { return v.first == field }

// Error is what the template "wrong" reads.
func (v formView) Error(field string) (e struct {
	ID string
	fieldError
}) {
	e.ID = field
	if i := slices.IndexFunc(v.Asked.Errors, func(e fieldError) bool { return e.Field == field }); i >= 0 {
		e.fieldError = v.Asked.Errors[i]
	}
	return e
}

// radiiWith is the list of radii, with the caller's own among them.
func radiiWith(own int) []int {
	all := slices.Clone(radii)
	if own >= search.MinRadiusM && own <= search.MaxRadiusM && !slices.Contains(all, own) {
		all = append(all, own)
		slices.Sort(all)
	}
	return all
}

// form shows the empty form.
func (c *Consult) form(w http.ResponseWriter, r *http.Request) {
	c.showForm(w, r, blank(c.Now()), http.StatusOK)
}

// backToForm answers whoever loads /search by its address.
func (c *Consult) backToForm(w http.ResponseWriter, r *http.Request) {
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refuse answers a question that cannot be understood, with what was typed
// still in the form.
func (c *Consult) refuse(w http.ResponseWriter, r *http.Request, q *question) {
	if !web.WantsJSON(r) {
		c.showForm(w, r, q, http.StatusUnprocessableEntity)
		return
	}
	p := problemOf(c.words(r), q.Errors, "hint.api")
	for i, e := range p.Errors {
		if e.Field == "at" {
			p.Errors[i].Places = placesJSON(q.Found.Answers)
		}
	}
	web.WriteJSON(w, http.StatusUnprocessableEntity, p)
}

// fail answers an error that no field is to blame for; the form comes with it,
// so that nobody is left without a next step.
func (c *Consult) fail(w http.ResponseWriter, r *http.Request, status int, key string, err error) {
	if web.WantsJSON(r) {
		p := web.Problem{Error: c.words(r).T(key)}
		if err != nil && errors.Is(err, errForce) {
			p.Hint = err.Error()
		}
		web.WriteJSON(w, status, p)
		return
	}
	q := blank(c.Now())
	if r.PostForm != nil && (r.PostForm.Has("at") || r.PostForm.Has("area") || r.PostForm.Has("route")) {
		q = readQuestion(r.PostForm, c.Now(), false)
		c.locate(q)
		if err := c.findCase(r.Context(), user(r), q); err != nil {
			q.Case.ID = ""
		}
		q.Errors = nil
	}
	c.showForm(w, r, q, status, pages.Note{Kind: "danger", Key: key})
}

func (c *Consult) showForm(w http.ResponseWriter, r *http.Request, q *question, status int, notes ...pages.Note) {
	if n := len(q.Errors); n > 0 {
		words := c.words(r)
		notes = append(notes, pages.Note{Kind: "danger", Text: words.N("form.wrong", n)})
		if key := q.wrong("case"); key != "" {
			notes = append(notes, pages.Note{Kind: "danger", Key: key})
		}
	}
	u := user(r)
	var in *inCase
	var mine []caseBand
	if q.Case.ID == "" {
		mine = c.mine(r.Context(), u)
	} else {
		var err error
		if in, err = c.inCase(r, q.Case); err != nil {
			c.Log.ErrorContext(r.Context(), "history of a case not read", "err", err)
			in = &inCase{Band: c.band(q.Case, u)}
		}
	}
	p := c.page(r, "form.html", "form.title", status, notes)
	p.Data = struct {
		formView
		mapView
		In   *inCase    // nil: the case is still to be described
		Mine []caseBand // open ones of the officer's, to go on with
	}{c.formView(r, q, u.ID), c.mapView(r, q, nil, false), in, mine}
	c.set.Render(w, r, p)
}

// formOf fills the form with an answered question, as a person would have typed it.
func formOf(q *question) *question {
	f := *q
	f.Radius = strconv.Itoa(q.RadiusM)
	switch {
	case q.Answer != nil:
		f.At = q.Answer.Name()
	case q.Rings == nil && q.Line == nil:
		f.At = writePlace(q.Point)
	}
	from := q.From.In(pages.Rome())
	f.Date, f.Time, f.Until = typed(q.From, q.To)
	f.When = whenExact
	if f.Fold = ""; len(pages.Instants(from.Year(), from.Month(), from.Day(), from.Hour(), from.Minute())) == 2 {
		if f.Fold = foldSecond; from.IsDST() {
			f.Fold = foldFirst
		}
	}
	return &f
}

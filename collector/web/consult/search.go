package consult

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

var errForce = errors.New("your force is not set up in this register: ask who administers it to add the force and its key")

// officer gives who asks and the key that their force's trail is sealed to.
func (c *Consult) officer(ctx context.Context) (registry.User, string, error) {
	u, ok := web.User(ctx)
	if !ok {
		return u, "", errors.New("nobody is signed in")
	}
	f, ok, err := c.Registry.Force(ctx, u.Force)
	if err != nil {
		return u, "", fmt.Errorf("look up force: %w", err)
	}
	if !ok || f.Recipient == "" {
		return u, "", errForce
	}
	return u, f.Recipient, nil
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

// searchBody is what the trail keeps of a question, sealed.
type searchBody struct {
	whyBody
	Qualification string `json:"qualification,omitempty"`
	placeBody
	drawnBody
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// found is one camera as it was shown.
type found struct {
	Camera string       `json:"camera_id"`
	Site   string       `json:"site_id"`
	Class  search.Class `json:"class"`
	// Whether buildings hide the place from it: without them it stood, and was
	// to be seen at a click, in class A.
	Hidden protocol.Answer `json:"hidden,omitempty"`
}

func (c *Consult) search(w http.ResponseWriter, r *http.Request) {
	exact := web.WantsJSON(r)
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusBadRequest, "error.body", err)
		return
	}
	q := readQuestion(r.PostForm, c.Now(), exact)
	c.locate(q)
	if err := c.findCase(r.Context(), user(r), q); err != nil {
		c.broken(w, r, err)
		return
	}
	if len(q.Errors) > 0 {
		c.refuse(w, r, q)
		return
	}
	ans, err := c.ask(r, q, exact)
	if bad, ok := errors.AsType[search.QueryError](err); ok {
		q.Errors = append(q.Errors, fieldError{Field: formField(bad.Field), Key: queryError(bad), Detail: bad.Why})
		c.refuse(w, r, q)
		return
	}
	switch {
	case errors.Is(err, errForce):
		c.fail(w, r, http.StatusForbidden, "error.force", err)
	case err != nil:
		c.Log.ErrorContext(r.Context(), "search refused", "err", err)
		c.fail(w, r, http.StatusServiceUnavailable, "error.unanswered", err)
	case exact:
		web.WriteJSON(w, http.StatusOK, c.answerJSON(r, ans))
	default:
		pages.SecureHeaders(w.Header())
		http.Redirect(w, r, "/search/"+ans.id, http.StatusSeeOther)
	}
}

// ask puts the question to the index, through the trail. Programs (exact) are told
// of all that it finds, a person of the first page. A case that is not there yet is
// opened once the question has an answer.
func (c *Consult) ask(r *http.Request, a *question, exact bool) (*answer, error) {
	u, recipient, err := c.officer(r.Context())
	if err != nil {
		return nil, err
	}
	now, opens := c.Now(), a.Case.ID == ""
	if opens {
		a.Case = a.newCase(now)
	}
	entry := trail.Entry{At: now, Actor: u.ID, Force: u.Force, Kind: "search", Case: a.Case.ID, Recipient: recipient, Body: searchBody{
		whyBody: a.why(u, web.From(r)), Qualification: u.Qualification,
		placeBody: a.place(), drawnBody: a.body(), From: a.From.UTC(), Until: a.To.UTC()}}
	got, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) (answered, int, any, error) {
		q := a.query(now)
		if c.hidden != nil {
			q.Buildings = c.hidden
		}
		all, err := c.Index.Search(ctx, q)
		if err != nil {
			return answered{}, 0, nil, err
		}
		if opens {
			if err := c.openCase(ctx, a.Case, u, recipient, web.From(r)); err != nil {
				return answered{}, 0, nil, err
			}
			opens = false
		}
		until := pageRows
		if exact {
			until = len(all.Hits)
		}
		return c.show(ctx, all, 0, until)
	})
	if opens { // it was not: the form shall ask for it again
		a.Case.ID = ""
	}
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	ans := &answer{id: rand.Text(), userID: u.ID, question: a, at: now, hidden: got.Hidden, proof: proof}
	ans.take(got)
	if err := c.rememberSearch(r.Context(), u, ans, entry, proof, got); err != nil {
		return nil, fmt.Errorf("the answer is refused, since it could not be copied into its case: %w", err)
	}
	c.answers.keep(ans)
	return ans, nil
}

// formField maps a field of a query to the form's.
func formField(field string) string {
	switch field {
	case "at", "radius", "until", "area", "route", "speed", "arrival", "category":
		return field
	default:
		return "time"
	}
}

// queryError is the word for what a query may not be.
func queryError(e search.QueryError) string {
	switch e.Field {
	case "area", "route", "speed", "arrival":
		return "error." + e.Field + ".limits"
	default:
		return "error.query"
	}
}

// shown shows an answered search again.
func (c *Consult) shown(w http.ResponseWriter, r *http.Request) {
	u, _ := web.User(r.Context())
	ans, ok := c.find(r, r.PathValue("id"), u.ID)
	if !ok {
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	k, ok, err := c.caseOf(r.Context(), ans, u)
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !ok: // not shared any more, or destroyed
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	_, from, until := pageOf(r, ans)
	if web.WantsJSON(r) {
		from, until = 0, len(ans.all())
	}
	if !k.ClosedAt.IsZero() && !ans.isShown(from, until) {
		c.refuseClosed(w, r, k)
		return
	}
	switch err := c.turn(r, ans, from, until); {
	case err != nil:
		c.Log.ErrorContext(r.Context(), "page of an answer refused", "err", err)
		c.fail(w, r, http.StatusServiceUnavailable, "error.unanswered", err)
	case web.WantsJSON(r):
		web.WriteJSON(w, http.StatusOK, c.answerJSON(r, ans))
	default:
		c.showAnswer(w, r, ans, nil, http.StatusOK)
	}
}

// refuseClosed answers what would read more of the register for a closed case.
func (c *Consult) refuseClosed(w http.ResponseWriter, r *http.Request, k registry.Case) {
	if web.WantsJSON(r) {
		c.fail(w, r, http.StatusUnprocessableEntity, "error.case.closed", nil)
		return
	}
	c.showCase(w, r, k, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "error.case.closed"})
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

func (c *Consult) showAnswer(w http.ResponseWriter, r *http.Request, ans *answer, notes []pages.Note, status int) {
	u := user(r)
	k, ok, err := c.caseOf(r.Context(), ans, u)
	called, err2 := c.calledIn(r.Context(), k.ID)
	if err := errors.Join(err, err2); err != nil {
		c.broken(w, r, err)
		return
	}
	if !ok { // not shared any more, or destroyed
		c.fail(w, r, http.StatusNotFound, "error.gone", nil)
		return
	}
	p := c.page(r, "results.html", "results.title", status, notes)
	p.Data = c.resultsView(r, ans, c.band(k, u), called)
	c.set.Render(w, r, p)
}

// words are those of the language that is asked for.
func (c *Consult) words(r *http.Request) *pages.Words { return c.set.Words(web.Language(r)) }

// page is what all pages of this face have in common.
func (c *Consult) page(r *http.Request, template, title string, status int, notes []pages.Note) pages.Page {
	u, _ := web.User(r.Context())
	return pages.Page{Template: template, Title: title, Face: pages.FaceConsult, User: u.Name, Notes: notes,
		Scripts: []string{"consult.js"}, Styles: []string{"consult.css"}, Wide: true, Status: status}
}

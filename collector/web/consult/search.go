package consult

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

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
	if c.openedMeanwhile(r, q, err) {
		ans, err = c.ask(r, q, exact)
	}
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
func (c *Consult) ask(r *http.Request, q *question, exact bool) (*answer, error) {
	u, err := c.officer(r)
	if err != nil {
		return nil, err
	}
	now, opens := c.Now(), q.Case.ID == ""
	if opens {
		q.Case = q.newCase(now)
	}
	entry := u.entry(now, act.Search, q.Case.ID, 0, searchBody{
		whyBody: q.why(u), Qualification: u.Qualification,
		placeBody: q.place(), drawnBody: q.body(), From: q.From.UTC(), Until: q.To.UTC()})
	got, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) (answered, int, any, error) {
		query := q.query(now)
		if c.hidden != nil {
			query.Buildings = c.hidden
		}
		all, err := c.Index.Search(ctx, query)
		if err != nil {
			return answered{}, 0, nil, err
		}
		if opens {
			if err := c.openCase(ctx, q.Case, u); err != nil {
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
		q.Case.ID = ""
	}
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	ans := &answer{id: rand.Text(), userID: u.ID, question: q, at: now, query: got.Query, results: got.rows(), hidden: got.Hidden, proof: proof}
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

// answered is what a question gave, and what is shown of its hits.
type answered struct {
	search.Answer
	from  int // counted from 0
	shown []search.Result
}

// rows are the results, of those not shown the hit alone.
func (a answered) rows() []search.Result {
	rows := make([]search.Result, len(a.Hits))
	for i, h := range a.Hits {
		rows[i].Hit = h
	}
	copy(rows[min(a.from, len(rows)):], a.shown) // there may be fewer than when these were asked for
	return rows
}

// show reads what is shown of hits, and names for the trail all that were found.
func (c *Consult) show(ctx context.Context, a search.Answer, from, until int) (answered, int, any, error) {
	a, results, err := c.Index.Show(ctx, a, from, until)
	list := make([]found, len(a.Hits))
	for i, h := range a.Hits {
		list[i] = found{h.CameraID, h.SiteID, h.Class, h.Hidden}
	}
	return answered{a, from, results}, len(list), list, err
}

// searchRecord is the body of a record of the kind "search": the question, and the
// rows as they were shown, in Italian.
type searchRecord struct {
	jsonAnswer
	User          string `json:"user"`
	Force         string `json:"force"`
	Qualification string `json:"qualification,omitempty"`
	Reason        string `json:"reason"`
	Offence       string `json:"offence"`
	FromRow       int    `json:"from_row"` // number of the first row, counted from 1
	Total         int    `json:"total"`    // rows found
}

// rememberSearch copies rows of an answer into its case.
func (c *Consult) rememberSearch(ctx context.Context, u officer, ans *answer, e trail.Entry, proof trail.Proof, got answered) error {
	all := searchRecord{jsonAnswer: c.rowsJSON(c.set.Words(pages.It), ans, got.shown), User: u.Name, Force: u.Force, Qualification: u.Qualification,
		Reason: ans.question.Reason, Offence: ans.question.Offence, FromRow: got.from + 1, Total: len(got.Hits)}
	all.At, all.Trail = e.At.UTC(), jsonProof{proof.Index, string(proof.Checkpoint)}
	b := brief{Search: ans.id, Words: c.inWords(func(w *pages.Words) string {
		text := whereWords(w, ans.question)
		if where := placeLine(w, ans.question); where != "" {
			text += " · " + where
		}
		return text + " · " + w.N("results.count", len(got.Hits))
	})}
	return c.remember(ctx, e, proof, b, all)
}

package consult

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
)

// pageRows is how many cameras a page of results shows: what is shown of them is
// read from the register for each page, and once.
const pageRows = 100

// pageBody is what the trail keeps, sealed, of a further page of an answer.
type pageBody struct {
	Search int64 `json:"search_index"` // the search's own entry
	From   int   `json:"from_row"`     // counted from 1
	whyBody
}

// answered is what a question gave, and what is shown of its hits.
type answered struct {
	search.Answer
	from  int // counted from 0
	shown []search.Result
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

// turn has the rows from..until of an answer be read, if they are not yet: through
// the trail, as the sites that they are of are asked anew.
func (c *Consult) turn(r *http.Request, ans *answer, from, until int) error {
	if ans.isShown(from, until) {
		return nil
	}
	u, recipient, err := c.officer(r.Context())
	if err != nil {
		return err
	}
	entry := trail.Entry{At: c.Now(), Actor: u.ID, Force: u.Force, Kind: "search", Case: ans.question.Case.ID, Recipient: recipient,
		Body: pageBody{ans.proof.Index, from + 1, ans.question.why(u, web.From(r))}}
	got, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) (answered, int, any, error) {
		return c.show(ctx, ans.hits(), from, until)
	})
	if err == nil {
		err = c.rememberSearch(r.Context(), u, ans, entry, proof, got)
	}
	if err != nil {
		return fmt.Errorf("show a further page: %w", err)
	}
	ans.take(got)
	return nil
}

// pageOf is the page of an answer that a request is about, counted from 1, and
// its rows, counted from 0. Beyond the last it is the last.
func pageOf(r *http.Request, ans *answer) (page, from, until int) {
	total := len(ans.all())
	n, _ := strconv.Atoi(r.FormValue("page")) // whatever it is not is the first
	page = max(min(n, (total+pageRows-1)/pageRows), 1)
	return page, (page - 1) * pageRows, min(page*pageRows, total)
}

// pageURL is where a page of an answer is.
func pageURL(ans *answer, page int) string {
	at, and := pathOf(ans.id, ans.base != nil), "?"
	if ans.base != nil {
		and = "&"
	}
	if page > 1 {
		at += and + "page=" + strconv.Itoa(page)
	}
	return at
}

// rowURL is where the first row of a site is on the page that a request is about:
// the anchor is followed by its number.
func rowURL(r *http.Request, ans *answer, anchor, site string) string {
	page, from, until := pageOf(r, ans)
	for i, row := range ans.all()[from:until] {
		if row.SiteID == site {
			return pageURL(ans, page) + anchor + strconv.Itoa(from+i+1)
		}
	}
	return pageURL(ans, page)
}

// all are the results in their order, of those not shown yet the hit alone.
func (a *answer) all() []search.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.results
}

func (a *answer) hits() search.Answer {
	all := search.Answer{Query: a.query, Hidden: a.hidden}
	for _, r := range a.all() {
		all.Hits = append(all.Hits, r.Hit)
	}
	return all
}

func (a *answer) isShown(from, until int) bool {
	for _, r := range a.all()[from:until] {
		if r.Camera.ID == "" {
			return false
		}
	}
	return true
}

// take takes over an answer with what is shown of some of its hits. What was shown
// of others stays, if they are what they were.
func (a *answer) take(got answered) {
	type camera struct{ site, id string }
	a.mu.Lock()
	defer a.mu.Unlock()
	before := make(map[camera]search.Result, len(a.results))
	for _, r := range a.results {
		before[camera{r.SiteID, r.CameraID}] = r
	}
	results := make([]search.Result, len(got.Hits))
	for i, h := range got.Hits {
		results[i].Hit = h
		if was := before[camera{h.SiteID, h.CameraID}]; was.Hit == h {
			results[i] = was
		}
	}
	copy(results[got.from:], got.shown)
	a.query, a.results = got.Query, results
}

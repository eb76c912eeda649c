package consult

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"anagrafe/collector/act"
	"anagrafe/collector/trail"
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

// turn has the rows of a window of an answer be read, if they are not yet: through
// the trail, as the sites that they are of are asked anew. If that makes the answer
// shorter or longer, the window moves, and its rows are read as well.
func (c *Consult) turn(r *http.Request, ans *answer, window func() (from, until int)) error {
	for from, until := window(); !ans.isShown(from, until); from, until = window() {
		if err := c.readRows(r, ans, from, until); err != nil {
			return fmt.Errorf("show a further page: %w", err)
		}
	}
	return nil
}

func (c *Consult) readRows(r *http.Request, ans *answer, from, until int) error {
	u, err := c.officer(r)
	if err != nil {
		return err
	}
	entry := u.entry(c.Now(), act.Search, ans.question.Case.ID, 0, pageBody{ans.proof.Index, from + 1, ans.question.why(u)})
	got, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) (answered, int, any, error) {
		return c.show(ctx, ans.hits(), from, until)
	})
	if err != nil {
		return err
	}
	if err := c.rememberSearch(r.Context(), u, ans, entry, proof, got); err != nil {
		return err
	}
	ans.take(got)
	return nil
}

// whole is the window of all rows.
func (a *answer) whole() (from, until int) { return 0, len(a.results) }

// pageOf is the page of an answer that a request is about, counted from 1, and
// its rows, counted from 0. Beyond the last it is the last.
func pageOf(r *http.Request, ans *answer) (page, from, until int) {
	total := len(ans.results)
	n, _ := strconv.Atoi(r.FormValue("page")) // whatever it is not is the first
	page = max(min(n, (total+pageRows-1)/pageRows), 1)
	return page, (page - 1) * pageRows, min(page*pageRows, total)
}

// pageURL is where a page of an answer is.
func pageURL(ans *answer, page int) string {
	at, and := pathOf(ans.id, ans.through), "?"
	if ans.through {
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
	for i, row := range ans.results[from:until] {
		if row.SiteID == site {
			return pageURL(ans, page) + anchor + strconv.Itoa(from+i+1)
		}
	}
	return pageURL(ans, page)
}

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

// turn has the rows from..until of an answer be read, if they are not yet: through
// the trail, as the sites that they are of are asked anew.
func (c *Consult) turn(r *http.Request, ans *answer, from, until int) error {
	if ans.isShown(from, until) {
		return nil
	}
	u, err := c.officer(r)
	if err != nil {
		return err
	}
	entry := u.entry(c.Now(), act.Search, ans.question.Case.ID, 0, pageBody{ans.proof.Index, from + 1, ans.question.why(u)})
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

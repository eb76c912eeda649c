package ops

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// remarksAPage is how many remarks of readers one page shows, and ratingsMonths how
// many months of ratings are summed up.
const remarksAPage, ratingsMonths = 25, 12

// ratedPage is how one of the public pages was rated.
type ratedPage struct {
	Path    string
	Given   int
	Mean    string // with one decimal
	Stars   [5]int // how often one, two, ... stars
	Reasons []reason
}

// reason is one of those that readers choose, by its word.
type reason struct {
	Key   string
	Given int
}

// remark is one as it is shown; Number is what its reader was given.
type remark struct {
	registry.Remark
	Number string
}

type remarksData struct {
	Remarks []remark
	All     bool   // also those that were dealt with
	Next    string // address of the next page; "": this is the last
	Rated   []ratedPage
}

// remarks shows what readers of the public pages wrote, the newest first, and how they
// rated them.
func (o *Ops) remarks(rw http.ResponseWriter, r *http.Request) {
	all := r.URL.Query().Get("all") != ""
	q := registry.RemarkQuery{Closed: all, Limit: remarksAPage + 1}
	first := true
	if at, id, ok := strings.Cut(r.URL.Query().Get("before"), "."); ok {
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			q.Before, q.ID, first = time.UnixMicro(n), id, false
		}
	}
	found, err := o.Registry.Remarks(r.Context(), q)
	data := remarksData{All: all}
	if err == nil && first {
		var ratings []registry.Rating
		ratings, err = o.Registry.Ratings(r.Context(), o.Web.Now().AddDate(0, -ratingsMonths, 0))
		data.Rated = sumUp(ratings, o.pages.Words(web.Language(r)))
	}
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if len(found) > remarksAPage {
		found = found[:remarksAPage]
		last := found[remarksAPage-1]
		next := url.Values{"before": {strconv.FormatInt(last.At.UnixMicro(), 10) + "." + last.ID}}
		if all {
			next.Set("all", "1")
		}
		data.Next = "/remarks?" + next.Encode()
	}
	for _, m := range found {
		data.Remarks = append(data.Remarks, remark{m, strings.ToUpper(m.ID[:min(8, len(m.ID))])})
	}
	o.show(rw, r, pages.Page{Template: "remarks.html", Title: "remarks.title", Wide: true, Data: data})
}

// sumUp gathers ratings, which come in order of their page, by page.
func sumUp(ratings []registry.Rating, words *pages.Words) (all []ratedPage) {
	sum := 0
	for _, g := range ratings {
		if len(all) == 0 || all[len(all)-1].Path != g.Page {
			all, sum = append(all, ratedPage{Path: g.Page}), 0
		}
		p := &all[len(all)-1]
		p.Given += g.Given
		p.Stars[g.Stars-1] += g.Given
		sum += g.Stars * g.Given
		p.Mean = decimal(words.Lang, float64(sum)/float64(p.Given))
		if g.Reason > 0 {
			p.count("rating."+side(g.Stars)+"."+strconv.Itoa(g.Reason), g.Given)
		}
	}
	return all
}

// decimal writes a number with one decimal.
func decimal(l pages.Lang, n float64) string {
	s := strconv.FormatFloat(n, 'f', 1, 64)
	if l == pages.It {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// side is which reasons the stars have to choose from.
func side(stars int) string {
	if stars > 3 {
		return "good"
	}
	return "bad"
}

func (p *ratedPage) count(key string, n int) {
	for i := range p.Reasons {
		if p.Reasons[i].Key == key {
			p.Reasons[i].Given += n
			return
		}
	}
	p.Reasons = append(p.Reasons, reason{key, n})
}

// closeRemark says that a remark was dealt with.
func (o *Ops) closeRemark(rw http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !o.record(rw, r, act.RemarkClose, map[string]string{"remark": id}) {
		return
	}
	err := o.Registry.CloseRemark(r.Context(), id, o.Web.Now())
	if err != nil && !errors.Is(err, registry.ErrUnknownRemark) { // somebody else was quicker: it is what was wanted
		o.Web.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/remarks", http.StatusSeeOther)
}

package public

import (
	"errors"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

const (
	// reportPath is where readers report what does not work: also the feedback mechanism
	// of the accessibility statement.
	reportPath = "/segnalazione"
	sentPath   = reportPath + "/inviata"

	maxReport = 2000 // characters of a report
	maxRating = 200  // of the words beside a rating, as the model has it
	maxWhere  = 300  // of a page's name or address
	maxEmail  = 254  // RFC 5321, 4.5.3.1.3

	// What one address, and what all of them, may send in an hour: a library's readers
	// have one address, and a day of both fits into what the register keeps.
	perAddress, perHour = 20, 300
)

// topics are what a report may be about: the words of "report.topic.NAME".
var topics = []string{"broken", "accessibility", "wrong", "other"}

// report is the form as it was typed.
type report struct {
	Topic, Where, Text, Email string
	Wrong                     map[string]string // by field, the word that says what is wrong
	Topics                    []string
}

func (p *Public) reportPage(rw http.ResponseWriter, r *http.Request) {
	p.showReport(rw, r, report{}, http.StatusOK, nil)
}

func (p *Public) showReport(rw http.ResponseWriter, r *http.Request, in report, status int, notes []pages.Note) {
	in.Topics = topics
	p.show(rw, r, pages.Page{Template: "report.html", Title: "report", Indexed: status == http.StatusOK, Updated: written, Status: status,
		Self: reportPath, Rating: pages.RateNothing, Notes: notes, Data: in})
}

// report keeps what does not work.
func (p *Public) report(rw http.ResponseWriter, r *http.Request) {
	var in report
	if err := web.ReadFields(r, map[string]*string{"topic": &in.Topic, "where": &in.Where, "text": &in.Text, "email": &in.Email}); err != nil {
		p.showReport(rw, r, in, http.StatusBadRequest, []pages.Note{{Kind: "danger", Key: "report.unreadable"}})
		return
	}
	if in.Wrong = in.check(); len(in.Wrong) > 0 {
		p.showReport(rw, r, in, http.StatusUnprocessableEntity, []pages.Note{{Kind: "danger", Key: "report.wrong"}})
		return
	}
	if !p.limit.Try(web.From(r)) {
		p.showReport(rw, r, in, http.StatusTooManyRequests, []pages.Note{{Kind: "danger", Key: "report.many"}})
		return
	}
	id, err := p.Registry.AddRemark(r.Context(), registry.Remark{At: p.Web.Now(), Kind: registry.RemarkReport,
		Topic: in.Topic, Page: in.Where, Text: in.Text, Email: in.Email})
	switch {
	case errors.Is(err, registry.ErrTooManyRemarks):
		p.showReport(rw, r, in, http.StatusServiceUnavailable, []pages.Note{{Kind: "danger", Key: "report.full"}})
	case err != nil:
		p.Web.Broken(rw, r, err)
	default:
		http.Redirect(rw, r, sentPath+"?n="+number(id), http.StatusSeeOther)
	}
}

// number is what the reader is given of a report's id, to ask after it.
func number(id string) string { return strings.ToUpper(id[:8]) }

// check reports which fields cannot be taken, and why.
func (in report) check() map[string]string {
	wrong := map[string]string{}
	known := false
	for _, t := range topics {
		known = known || t == in.Topic
	}
	if !known {
		wrong["topic"] = "report.topic.missing"
	}
	if !web.OneLine(in.Where, maxWhere) {
		wrong["where"] = "report.where.wrong"
	}
	switch {
	case in.Text == "":
		wrong["text"] = "report.text.missing"
	case !lines(in.Text, maxReport):
		wrong["text"] = "report.text.wrong"
	}
	if a, err := mail.ParseAddress(in.Email); in.Email != "" && (err != nil || a.Address != in.Email || !web.OneLine(in.Email, maxEmail)) {
		wrong["email"] = "report.email.wrong"
	}
	return wrong
}

// lines reports whether a text has at most so many characters and none but those that a
// page can show.
func lines(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
	})
}

// sent thanks for a report, and gives its number.
func (p *Public) sent(rw http.ResponseWriter, r *http.Request) {
	n := r.URL.Query().Get("n")
	if len(n) != 8 || strings.Trim(n, "0123456789ABCDEF") != "" {
		n = ""
	}
	p.show(rw, r, pages.Page{Template: "sent.html", Title: "sent", Data: n})
}

// rate counts a rating, and keeps the words beside it.
func (p *Public) rate(rw http.ResponseWriter, r *http.Request) {
	var page, stars, good, bad, text string
	err := web.ReadFields(r, map[string]*string{"page": &page, "stars": &stars, "good": &good, "bad": &bad, "text": &text})
	n, ok := digit(stars)
	reason := good
	if n <= 3 { // the model asks other things of those
		reason = bad
	}
	why, whyOK := digit(reason)
	switch {
	case err != nil || !ok || reason != "" && !whyOK || !pages.Served(r.Context(), page) || !lines(text, maxRating):
		p.rated(rw, r, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "rated.wrong"})
		return
	case !p.limit.Try(web.From(r)):
		p.rated(rw, r, http.StatusTooManyRequests, pages.Note{Kind: "danger", Key: "report.many"})
		return
	}
	now := p.Web.Now()
	err = p.Registry.AddRating(r.Context(), registry.Rating{Page: page, Stars: n, Reason: why}, now)
	if err == nil && text != "" {
		_, err = p.Registry.AddRemark(r.Context(), registry.Remark{At: now, Kind: registry.RemarkRating, Page: page, Stars: n, Text: text})
	}
	if err != nil && !errors.Is(err, registry.ErrTooManyRemarks) { // the stars were counted
		p.Web.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, pages.RatingPath, http.StatusSeeOther)
}

// digit reads one of the five answers there are to choose from.
func digit(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= 5 && len(s) == 1
}

func (p *Public) ratedPage(rw http.ResponseWriter, r *http.Request) {
	p.rated(rw, r, http.StatusOK)
}

func (p *Public) rated(rw http.ResponseWriter, r *http.Request, status int, notes ...pages.Note) {
	p.show(rw, r, pages.Page{Template: "rated.html", Title: "rated", Status: status, Notes: notes, Rating: pages.RateNothing, Data: status == http.StatusOK})
}

// show answers with a page.
func (p *Public) show(rw http.ResponseWriter, r *http.Request, page pages.Page) {
	page.Face, page.Styles = pages.FacePublic, []string{"public.css"}
	p.pages.Render(rw, r, page)
}

// newLimit bounds what readers may send.
func newLimit(now func() time.Time) *web.Limit {
	return web.NewLimit(now, perAddress, perHour, time.Hour)
}

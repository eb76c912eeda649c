package review

import "net/http"

// reportView is the page of a technician's report: on one or two sheets of A4, to
// be signed and left behind.
type reportView struct{ reportFacts }

// reportPage shows what there is and what is to be mended, at any time, not only
// at the end of a visit. The command line is given the same as text.
func (v *Review) reportPage(r *http.Request) (answer, error) {
	w := v.words(r)
	facts, err := v.reportFacts(r.Context(), w)
	if err != nil {
		return answer{}, err
	}
	text := report{w: w}
	text.facts(facts)
	a := page("report.html", "report.title", reportView{facts})
	a.json = struct {
		reportFacts
		Text string `json:"text"`
	}{facts, text.text.String()}
	return a, nil
}

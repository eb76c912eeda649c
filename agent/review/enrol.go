package review

import (
	"anagrafe/agent/inventory"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// enrolView is the form for the code from the Comune.
type enrolView struct {
	Grants []inventory.Site
	Form   fields
	Detail string // in English, for whoever helps
	Steps  stepsView
}

func (v *Review) askCode(r *http.Request) (answer, error) {
	// A link from the Comune may bring the code; only the button uses it up.
	return v.enrolPage(r, fields{"code": {Value: strings.TrimSpace(r.URL.Query().Get("code"))}}, "", 0)
}

func (v *Review) enrolPage(r *http.Request, f fields, detail string, status int) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	a := page("enrol.html", "enrol.title", enrolView{Grants: known.Sites, Form: f, Detail: detail, Steps: firstRun(r, known)})
	a.json = struct {
		Sites []inventory.Site `json:"sites"`
	}{append([]inventory.Site{}, known.Sites...)}
	a.page.Status = status
	return a, nil
}

// enrolled is the answer to a code: the grant, and how many cameras of the site
// the register already holds that are not known here.
type enrolled struct {
	inventory.Site
	Recorded int `json:"recorded"`
}

// enrol redeems a code; the answer is the grant that it gave.
func (v *Review) enrol(r *http.Request) (answer, error) {
	var in struct {
		Code      string `json:"code"`
		Collector string `json:"collector"`
		Replace   bool   `json:"replace"`
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		in.Code, in.Collector = strings.TrimSpace(r.PostForm.Get("code")), strings.TrimSpace(r.PostForm.Get("collector"))
	}
	if s := sessionOf(r); in.Replace && s != nil && s.role != roleOwner {
		return answer{}, notOwner() // other computers would lose the site
	}
	before, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if err := v.Enrol(r.Context(), in.Code, in.Collector, in.Replace); err != nil {
		reason, hint := v.Explain(err)
		v.Log.Warn("enrolment failed", "reason", reason, "err", err)
		if wantsJSON(r) {
			return answer{}, problem{status: http.StatusUnprocessableEntity, What: err.Error(), Field: enrolField(reason), Hint: hint}
		}
		f := typed(r, "code", "collector")
		c := f[enrolField(reason)]
		c.Error = "enrol.failed"
		if v.words(r).Has("reason." + reason) {
			c.Error = "reason." + reason
		}
		f[enrolField(reason)] = c
		return v.enrolPage(r, f, err.Error(), http.StatusUnprocessableEntity)
	}
	after, err := v.Inventory.View(r.Context())
	if err != nil || len(after.Sites) == 0 {
		return answer{}, errors.Join(err, errors.New("enrolled, but no site was granted"))
	}
	granted := after.Sites[len(after.Sites)-1]
	for _, g := range after.Sites {
		if !slices.Contains(before.Sites, g) {
			granted = g
		}
	}
	to := onward(r, after, "/?done=enrolled")
	switch {
	case to == "/scan": // there is no reason to wait for another click
		if !wantsJSON(r) {
			v.start()
		}
	case len(after.Takeovers) > 0 && to == "/?done=enrolled": // the first run is over, and leads to it no more
		to = "/takeover"
	}
	return answer{json: enrolled{granted, recordedOf(after.Takeovers, granted.SiteID)}, to: to}, nil
}

// enrolField is the control that an enrolment's failure is shown at.
func enrolField(reason string) string {
	switch reason {
	case "no-collector", "unreachable", "server-untrusted", "proxy-refused", "other-collector":
		return "collector"
	}
	return "code"
}

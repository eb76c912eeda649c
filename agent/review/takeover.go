package review

import (
	"errors"
	"net/http"
	"slices"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// recordedOf counts the cameras of a site that wait for a choice.
func recordedOf(all []inventory.Takeover, siteID string) int {
	for _, t := range all {
		if t.SiteID == siteID {
			return len(t.Recorded)
		}
	}
	return 0
}

// takeoverView is what the register already had of one site, beside what was
// found here.
type takeoverView struct {
	inventory.Takeover
	Groups []takeoverGroup
	Left   int // further sites that wait
	Error  string
	Detail string // in English, for whoever helps
	Steps  stepsView
}

// takeoverGroup are the recorded cameras of one recorder.
type takeoverGroup struct {
	Recorder protocol.Recorder
	Cameras  []inventory.Recorded
}

// takeovers shows the first site that waits; the command line gets all.
func (v *Review) takeovers(r *http.Request) (answer, error) {
	return v.takeoverPage(r, nil, nil)
}

func (v *Review) takeoverPage(r *http.Request, choices []inventory.Choice, wrong error) (answer, error) {
	all, err := v.Inventory.Takeovers(r.Context())
	if err != nil {
		return answer{}, err
	}
	if wantsJSON(r) {
		return answer{json: struct {
			Sites []inventory.Takeover `json:"sites"`
		}{append([]inventory.Takeover{}, all...)}}, nil
	}
	if len(all) == 0 {
		return answer{to: "/"}, nil
	}
	view := takeoverView{Takeover: all[0], Left: len(all) - 1}
	for _, c := range view.Recorded {
		// What was chosen stands again when something of it was wrong.
		if at := slices.IndexFunc(choices, func(o inventory.Choice) bool { return o.ID == c.Camera.ID }); at >= 0 {
			c.Here, c.Sure = choices[at].Here, c.Sure && c.Here == choices[at].Here
		}
		at := slices.IndexFunc(view.Groups, func(g takeoverGroup) bool { return g.Recorder.ID == c.Recorder.ID })
		if at < 0 {
			at = len(view.Groups)
			view.Groups = append(view.Groups, takeoverGroup{Recorder: c.Recorder})
		}
		view.Groups[at].Cameras = append(view.Groups[at].Cameras, c)
	}
	if view.Steps, err = v.firstRun(r); err != nil {
		return answer{}, err
	}
	a := page("takeover.html", "takeover.title", view)
	if wrong != nil {
		view.Error, view.Detail = "takeover.wrong", wrong.Error()
		a = page("takeover.html", "takeover.title", view)
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// takeoverIn is what the owner chose for one site.
type takeoverIn struct {
	SiteID  string             `json:"site_id"`
	Replace bool               `json:"replace"`
	Choices []inventory.Choice `json:"choices"`
}

// dropped is the choice of who does not want to keep a camera.
const dropped = "drop"

func takeoverOf(r *http.Request) (in takeoverIn, err error) {
	if isJSON(r) {
		return in, decode(r, &in)
	}
	if err := form(r); err != nil {
		return in, err
	}
	in.SiteID, in.Replace = r.PostForm.Get("site_id"), r.PostForm.Get("replace") == "yes"
	for _, id := range r.PostForm["recorded"] {
		c := inventory.Choice{ID: id, Here: r.PostForm.Get("here-" + id)}
		if c.Here == dropped {
			c.Here, c.Drop = "", true
		}
		in.Choices = append(in.Choices, c)
	}
	return in, nil
}

// takeOver does what the owner chose. The other computers are ended before
// anything changes here: if the collector cannot be asked, the choice can be
// made again.
func (v *Review) takeOver(r *http.Request) (answer, error) {
	in, err := takeoverOf(r)
	if err != nil {
		return answer{}, err
	}
	all, err := v.Inventory.Takeovers(r.Context())
	if err != nil {
		return answer{}, err
	}
	at := slices.IndexFunc(all, func(t inventory.Takeover) bool { return t.SiteID == in.SiteID })
	if at < 0 {
		if wantsJSON(r) {
			return answer{}, problem{status: http.StatusNotFound, What: "nothing of this site waits for a choice", Field: "site_id", key: "error.page"}
		}
		return answer{to: "/"}, nil
	}
	if err := all[at].Check(in.Choices); err != nil {
		if wantsJSON(r) {
			return answer{}, err
		}
		return v.takeoverPage(r, in.Choices, err)
	}
	// Where nobody else speaks for the site any more, this computer takes the
	// place of those that did: all that they declared has been chosen here.
	if !in.Replace && all[at].Others > 0 {
		// Beside another one, what is not found here stays as it is by that one's
		// declaration: declared from here too, it would be a stale copy that stands
		// before it.
		for i := range in.Choices {
			in.Choices[i].Drop = in.Choices[i].Here == ""
		}
	} else {
		if err := v.Enrol(r.Context(), all[at].Code, "", true); err != nil {
			reason, hint := v.Explain(err)
			v.Log.Warn("taking the place of the other computers failed", "reason", reason, "error", err)
			if wantsJSON(r) {
				return answer{}, problem{status: http.StatusUnprocessableEntity, What: err.Error(), Field: "replace", Hint: hint}
			}
			return v.takeoverPage(r, in.Choices, err)
		}
	}
	err = v.Inventory.TakeOver(r.Context(), in.SiteID, in.Choices)
	if _, ok := errors.AsType[protocol.FieldErrors](err); ok && !wantsJSON(r) {
		return v.takeoverPage(r, in.Choices, err)
	}
	if err != nil {
		return answer{}, err
	}
	to, err := v.nextOr(r, "/?done=takeover")
	return answer{json: in, to: to}, err
}

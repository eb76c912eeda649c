package review

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	Typed  bool            // all of it was typed on a form
	Here   []takeoverFound // with their pictures, where somebody has to tell them apart
	Left   int             // further sites that wait
	Error  string
	Detail string // in English, for whoever helps
	Steps  stepsView
}

// takeoverGroup are the recorded cameras of one recorder.
type takeoverGroup struct {
	Recorder protocol.Recorder
	Cameras  []takeoverCamera
}

// takeoverCamera is a recorded camera and what is chosen for it: a found camera's id,
// "", dropped, or the device it is on after onDevice. Open: nothing is.
type takeoverCamera struct {
	inventory.Recorded
	Choice  string
	Open    bool
	Lacking bool // it was left open
}

// takeoverFound is a camera of this network, to be recognised.
type takeoverFound struct {
	inventory.FoundCamera
	Still still
}

// takeovers shows the first site that waits; the command line gets all.
func (v *Review) takeovers(r *http.Request) (answer, error) {
	return v.takeoverPage(r, choicesOf(r.URL.Query()), nil)
}

func (v *Review) takeoverPage(r *http.Request, choices []inventory.Choice, wrong error) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	all := known.Takeovers
	if wantsJSON(r) {
		return answer{json: struct {
			Sites []inventory.Takeover `json:"sites"`
		}{append([]inventory.Takeover{}, all...)}}, nil
	}
	if len(all) == 0 {
		return answer{to: "/"}, nil
	}
	view := takeoverView{Steps: firstRun(r, known), Takeover: all[0], Left: len(all) - 1, Typed: !slices.ContainsFunc(all[0].Recorded, func(c inventory.Recorded) bool { return !c.Typed })}
	for _, f := range view.Found {
		if slices.ContainsFunc(view.Recorded, inventory.Recorded.Asks) {
			view.Here = append(view.Here, takeoverFound{f, v.picture(r, f.DeviceID, f.ID, f.Name)})
		}
	}
	for _, recorded := range view.Recorded {
		c := takeoverCamera{Recorded: recorded, Choice: recorded.Here, Open: recorded.Asks() && recorded.Here == "" && recorded.On == "", Lacking: wrong != nil}
		if c.On != "" {
			c.Choice = onDevice + c.On
		}
		// What was chosen stands again: something of it was wrong, or a picture was looked at.
		if at := slices.IndexFunc(choices, func(o inventory.Choice) bool { return o.ID == c.Camera.ID }); at >= 0 {
			c.Choice, c.Open = chosen(choices[at]), false
			c.Sure = c.Sure && c.Here == c.Choice
		}
		c.Lacking = c.Lacking && c.Open
		at := slices.IndexFunc(view.Groups, func(g takeoverGroup) bool { return g.Recorder.ID == c.Recorder.ID })
		if at < 0 {
			at = len(view.Groups)
			view.Groups = append(view.Groups, takeoverGroup{Recorder: c.Recorder})
		}
		view.Groups[at].Cameras = append(view.Groups[at].Cameras, c)
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

// dropped is the choice not to keep a camera.
const dropped = "drop"

// onDevice comes before the id of the locked device that a camera is on, and undecided
// is the choice that is none.
const (
	onDevice  = "on-"
	undecided = "?"
)

// chosen is a choice as the control has it.
func chosen(c inventory.Choice) string {
	switch {
	case c.Drop:
		return dropped
	case c.On != "":
		return onDevice + c.On
	}
	return c.Here
}

// choicesOf reads the controls. What is left open is none of them.
func choicesOf(form url.Values) (all []inventory.Choice) {
	for _, id := range form["recorded"] {
		c := inventory.Choice{ID: id, Here: form.Get("here-" + id)}
		if device, on := strings.CutPrefix(c.Here, onDevice); on {
			c.Here, c.On = "", device
		}
		switch c.Here {
		case undecided:
			continue
		case dropped:
			c.Here, c.Drop = "", true
		}
		all = append(all, c)
	}
	return all
}

func takeoverOf(r *http.Request) (in takeoverIn, err error) {
	if filled, err := read(r, &in); err != nil || !filled {
		return in, err
	}
	in.SiteID, in.Replace = r.PostForm.Get("site_id"), r.PostForm.Get("replace") == "yes"
	in.Choices = choicesOf(r.PostForm)
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
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	all := known.Takeovers
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
			in.Choices[i].Drop = in.Choices[i].Here == "" && in.Choices[i].On == ""
		}
	} else {
		if err := v.Enrol(r.Context(), all[at].Code, "", true); err != nil {
			reason, hint := v.Explain(err)
			v.Log.Warn("taking the place of the other computers failed", "reason", reason, "err", err)
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

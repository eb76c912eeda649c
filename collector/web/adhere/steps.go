package adhere

import (
	"time"

	"anagrafe/collector/registry"
)

// step is one of the form, told from what the submission holds.
type step struct {
	Key     string // of the words "step.KEY"
	N       int    // from 1
	Href    string // "" while it cannot be opened yet
	Done    bool
	Current bool // the page on show
}

// bar is what stands above every page of the form, for the template "steps".
type bar struct {
	Base     string
	Last     string // path of the last step
	Assisted bool   // an operator types it
	All      []step
	Now      step
	Began    time.Time // zero: nothing is kept yet
	Until    time.Time // what was typed is kept until then
	Code     string    // by which it is opened elsewhere; "": it is not
}

// stepKey is a step with its path below the form's.
type stepKey struct{ key, path string }

// typedSteps are those that are the same whoever types.
var typedSteps = []stepKey{{"who", "/chi"}, {"place", "/luogo"}, {"cameras", "/telecamere"}, {"call", "/chiamare"}}

var (
	ownSteps      = append(typedSteps[:4:4], stepKey{"identity", "/identita"}, stepKey{"check", "/riepilogo"})
	assistedSteps = append(typedSteps[:4:4], stepKey{"send", "/invio"})
)

// steps are those of the form in their order; the last one is never done.
func (a *Adhere) steps() []stepKey {
	if a.Assisted != nil {
		return assistedSteps
	}
	return ownSteps
}

// last is the path of the last step, where all that was typed is shown.
func (a *Adhere) last() string { return a.steps()[len(a.steps())-1].path }

// bar reports how far a submission is, on the page of the step with this key. A step
// can be opened once all before it are done.
func (a *Adhere) bar(s registry.Submission, key string) bar {
	b := bar{Base: a.base, Last: a.base + a.last(), Assisted: a.Assisted != nil, Began: s.BeganAt, Until: s.EndsAt()}
	if s.ID == "" {
		b.Until = time.Time{}
	} else if a.Assisted == nil {
		b.Code = a.Registry.SubmissionCode(s.ID).String()
	}
	open := true
	for i, k := range a.steps() {
		one := step{Key: k.key, N: i + 1, Done: done(s, k.key), Current: k.key == key}
		if open {
			one.Href = a.base + k.path
		}
		open = open && one.Done
		if one.Current {
			b.Now = one
		}
		b.All = append(b.All, one)
	}
	return b
}

// done reports whether nothing is left to be done in a step.
func done(s registry.Submission, key string) bool {
	switch key {
	case "who":
		return s.ID != "" && s.Site.Name != "" && s.Site.Category != "" && len(s.Contacts) > 0
	case "place":
		return s.Place.Placed() && s.Site.Address != ""
	case "cameras":
		return len(s.Cameras) > 0
	case "call":
		return s.Called
	case "identity":
		return s.Identity != nil
	}
	return false
}

// next is the path of the first step that is to be done; of the last, once all are.
func (a *Adhere) next(s registry.Submission) string {
	for _, k := range a.steps() {
		if !done(s, k.key) {
			return a.base + k.path
		}
	}
	return a.base + a.last()
}

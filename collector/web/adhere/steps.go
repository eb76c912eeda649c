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
	Base  string
	All   []step
	Now   step
	Began time.Time // zero: nothing is kept yet
	Until time.Time // what was typed is kept until then
	Code  string    // by which it is opened elsewhere
}

// stepKeys are the steps in their order, with their paths below Base.
var stepKeys = []struct{ key, path string }{
	{"who", "/chi"}, {"place", "/luogo"}, {"cameras", "/telecamere"}, {"call", "/chiamare"}, {"identity", "/identita"}, {"check", "/riepilogo"},
}

// bar tells how far a submission is, on the page of the step with this key. A step
// can be opened once all before it are done.
func (a *Adhere) bar(s registry.Submission, key string) bar {
	b := bar{Base: a.Base, Began: s.BeganAt, Until: s.EndsAt()}
	if s.ID == "" {
		b.Until = time.Time{}
	} else {
		b.Code = a.Registry.SubmissionCode(s.ID).String()
	}
	open := true
	for i, k := range stepKeys {
		if a.Then != "" && k.key == "identity" {
			break
		}
		one := step{Key: k.key, N: i + 1, Done: done(s, k.key), Current: k.key == key}
		if open {
			one.Href = a.Base + k.path
		}
		open = open && one.Done
		if one.Current {
			b.Now = one
		}
		b.All = append(b.All, one)
	}
	return b
}

// done tells whether nothing is left to be done in a step.
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
	for _, k := range stepKeys {
		if a.Then != "" && k.key == "identity" {
			break
		}
		if !done(s, k.key) {
			return a.Base + k.path
		}
	}
	return a.Then // of the public form the summary is never done, and was found above
}

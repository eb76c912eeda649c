package review

import (
	"net/http"
	"slices"
	"strings"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// step is one of the first run, told from what the inventory holds: nothing of
// it is kept besides, so that it can be left and gone on with at any time, in
// any browser.
type step struct {
	Key     string // of the words "step.KEY"
	N       int    // from 1
	Href    string // "" while it cannot be opened yet
	Done    bool   // there is nothing to do in it
	Current bool   // the page on show
}

// stepsView is the bar of steps above a page of the first run, for the template
// part "steps". It is empty once the site has been declared.
type stepsView struct {
	All []step
	Now step // the one on show; zero on a page that is none of them
}

// stepOf are the pages of the steps by their paths; those of one camera by
// their ends.
var stepOf = map[string]string{
	"/enrol": "code", "/scan": "search", "/credentials": "password", "/byhand": "password",
	"/takeover": "mine", "/mine": "mine", "/place": "place", "/hours": "hours", "/contact": "contact", "/approve": "join",
}

// firstNext is the one thing that comes next in the first run; without a Key there
// is none, as where the owner shares no camera.
func firstNext(all []step, found bool) next {
	s := nextOf(all, "")
	switch {
	case s.Key == "":
		return next{}
	case s.Href == "/takeover":
		return next{Key: "takeover", Href: s.Href}
	case s.Key == "search" && found:
		return next{Key: "again", Search: true}
	case s.Key == "search":
		return next{Key: "search", Search: true}
	}
	return next{Key: "first." + s.Key, Href: s.Href}
}

// stepAt is the key of the step that a path belongs to, "" for none.
func stepAt(path string) string {
	if rest, ok := strings.CutPrefix(path, "/cameras/"); ok && rest != "" {
		return "place"
	}
	return stepOf[path]
}

// firstRun returns the bar of steps for the page of r.
func firstRun(r *http.Request, known inventory.View) (bar stepsView) {
	bar.All = stepsFor(r, known)
	key := stepAt(r.URL.Path)
	for i := range bar.All {
		if bar.All[i].Key == key {
			bar.All[i].Current = true
			bar.Now = bar.All[i]
		}
	}
	return bar
}

// onward is where the first run goes on after the page of r: its next step that is
// not done. Once the site has been declared it is the page after.
func onward(r *http.Request, known inventory.View, after string) string {
	all := stepsFor(r, known)
	if len(all) == 0 {
		return after
	}
	return or(nextOf(all, stepAt(r.URL.Path)).Href, "/")
}

// nextOr is onward once r has changed what is known.
func (v *Review) nextOr(r *http.Request, after string) (string, error) {
	known, err := v.Inventory.View(r.Context())
	return onward(r, known, after), err
}

// nextOf finds the first step that is to be done: of those from the one with the
// key on, so that who leaves a step for later is not sent back to it at once;
// else of all. It is zero where nothing can be done.
func nextOf(all []step, key string) step {
	from := max(0, slices.IndexFunc(all, func(s step) bool { return s.Key == key }))
	for _, s := range append(slices.Clone(all[from:]), all[:from]...) {
		if !s.Done && s.Href != "" {
			return s
		}
	}
	return step{}
}

// stepsFor are the steps of the first run for the person of r, who may not be let
// into each of them; nil once a declaration has been made.
func stepsFor(r *http.Request, known inventory.View) []step {
	if len(known.Decided) > 0 {
		return nil
	}
	all := stepsOf(known)
	for i, s := range all {
		if s.Href != "" && !may(r, routeOf(s.Href)) {
			all[i].Href = ""
		}
	}
	return all
}

// routeOf is the route of a step's page.
func routeOf(href string) string {
	path, _, _ := strings.Cut(href, "?")
	if rest, ok := strings.CutPrefix(path, "/cameras/"); ok {
		_, page, _ := strings.Cut(rest, "/")
		return strings.TrimSuffix("GET /cameras/{id}/"+page, "/")
	}
	return "GET " + path
}

// stepsOf reports how far the first run is. A step that does not apply is done.
func stepsOf(known inventory.View) []step {
	said, open := 0, 0                      // cameras whose owner has answered, and not
	unplaced, nameless, first := "", "", "" // of those that film the street
	ready, unsaid := false, false           // unsaid: nobody confirmed when one of these records
	for _, c := range known.Cameras {
		ready = ready || c.State == inventory.StateReady
		switch {
		case keptBack(c) || c.Mine == inventory.MineLater:
			said++
		case c.Outdoor == nil:
			open++
		default:
			said++
			first = or(first, c.ID)
			unsaid = unsaid || c.HoursAt.IsZero()
			if unplaced == "" && slices.Contains(c.Missing, "position") {
				unplaced = c.ID
			}
			if nameless == "" && (slices.Contains(c.Missing, "name") || slices.Contains(c.Missing, "site")) {
				nameless = c.ID
			}
		}
	}
	locked, opened := "", "" // the first device that asks for a password, and that was given one
	for _, d := range known.Devices {
		if opened == "" && d.HasPassword {
			opened = d.ID
		}
		if locked == "" && isLocked(d) && !slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool { return c.Device.ID == d.ID && doesWithout(c) }) {
			locked = d.ID
		}
	}
	code := step{Key: "code", Href: "/enrol", Done: len(known.Sites) > 0}
	search := step{Key: "search", Href: "/scan", Done: len(known.Cameras) > 0 || locked != ""}
	// Who has answered for a camera has gone past the passwords.
	password := step{Key: "password", Done: search.Done && locked == "" || said > 0}
	if wanted := or(locked, opened); wanted != "" {
		password.Href = "/credentials?device=" + wanted
	}
	held := len(known.Takeovers) > 0 // by the register: it waits to be compared
	mine := step{Key: "mine", Done: said > 0 && open == 0 && !held}
	place := step{Key: "place", Done: mine.Done && unplaced == "" && nameless == ""}
	hours := step{Key: "hours", Done: place.Done && !unsaid}
	switch {
	case held && len(known.Devices) > 0: // which of them are in the register comes before whose they are
		mine.Href = "/takeover"
	case len(known.Cameras) > 0:
		mine.Href = "/mine"
	}
	if first != "" {
		hours.Href = "/hours"
		place.Href = "/cameras/" + or(unplaced, first) + "/place"
		if unplaced == "" && nameless != "" { // there it is asked for its name too
			place.Href = "/cameras/" + nameless
		}
	}
	contact := step{Key: "contact", Href: "/contact", Done: len(known.Contacts[""]) > 0 && !unnamed(known)}
	join := step{Key: "join"}
	if ready && code.Done {
		join.Href = "/approve"
	}
	all := []step{code, search, password, mine, place, hours, contact, join}
	for i := range all {
		all[i].N = i + 1
	}
	return all
}

// doesWithout: for this camera no password is needed, be it that its owner keeps
// it out or that the cameras of its recorder are known without.
func doesWithout(c inventory.Camera) bool {
	return keptBack(c) || c.Mine == inventory.MineLater || c.Device.Kind == interrogate.KindRecorder
}

// isLocked: the device wants a password that we do not have, or another one.
func isLocked(d inventory.Device) bool { return d.Needs != "" && d.Needs != interrogate.NeedsNothing }

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
func (v *Review) firstRun(r *http.Request) (bar stepsView, err error) {
	bar.All, err = v.steps(r)
	key := stepAt(r.URL.Path)
	for i := range bar.All {
		if bar.All[i].Key == key {
			bar.All[i].Current = true
			bar.Now = bar.All[i]
		}
	}
	return bar, err
}

// nextHref is where the first run goes on after the page of r: its next step
// that is not done. Once the site has been declared it is the first page.
func (v *Review) nextHref(r *http.Request) (string, error) { return v.nextOr(r, "/") }

// nextOr is nextHref with another page for the time after the first run.
func (v *Review) nextOr(r *http.Request, after string) (string, error) {
	all, err := v.steps(r)
	if err != nil || len(all) == 0 {
		return after, err
	}
	if s := nextOf(all, stepAt(r.URL.Path)); s.Href != "" {
		return s.Href, nil
	}
	return "/", nil
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

// steps lists the steps of the first run for the person of r, who may not be let
// into each of them; nil once a declaration has been made.
func (v *Review) steps(r *http.Request) ([]step, error) {
	ctx := r.Context()
	decided, err := v.Inventory.LastDecisions(ctx)
	if err != nil || len(decided) > 0 {
		return nil, err
	}
	k := known{}
	if k.grants, err = v.Inventory.Sites(ctx); err != nil {
		return nil, err
	}
	if k.devices, err = v.Inventory.Devices(ctx); err != nil {
		return nil, err
	}
	if k.cameras, err = v.Inventory.Cameras(ctx); err != nil {
		return nil, err
	}
	contacts, err := v.Inventory.Contacts(ctx, "")
	if err != nil {
		return nil, err
	}
	k.contact = len(contacts) > 0
	waiting, err := v.Inventory.Takeovers(ctx)
	k.takeover = len(waiting) > 0
	all := stepsOf(k)
	for i, s := range all {
		if s.Href != "" && !may(r, routeOf(s.Href)) {
			all[i].Href = ""
		}
	}
	return all, err
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

// known is what the steps are told from.
type known struct {
	grants   []inventory.Site
	devices  []inventory.Device
	cameras  []inventory.Camera
	contact  bool // somebody can be called
	takeover bool // what the register holds of the site waits to be compared
}

// stepsOf reports how far the first run is. A step that does not apply is done.
func stepsOf(k known) []step {
	said, open := 0, 0                     // cameras whose owner has answered, and not
	unplaced, unnamed, first := "", "", "" // of those that film the street
	ready, unsaid := false, false          // unsaid: nobody confirmed when one of these records
	for _, c := range k.cameras {
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
			if unnamed == "" && (slices.Contains(c.Missing, "name") || slices.Contains(c.Missing, "site")) {
				unnamed = c.ID
			}
		}
	}
	locked, opened := "", "" // the first device that asks for a password, and that was given one
	for _, d := range k.devices {
		if opened == "" && d.HasPassword {
			opened = d.ID
		}
		if locked == "" && isLocked(d) && !slices.ContainsFunc(k.cameras, func(c inventory.Camera) bool { return c.Device.ID == d.ID && doesWithout(c) }) {
			locked = d.ID
		}
	}
	code := step{Key: "code", Href: "/enrol", Done: len(k.grants) > 0}
	search := step{Key: "search", Href: "/scan", Done: len(k.cameras) > 0 || locked != ""}
	// Who has answered for a camera has gone past the passwords.
	password := step{Key: "password", Done: search.Done && locked == "" || said > 0}
	if wanted := or(locked, opened); wanted != "" {
		password.Href = "/credentials?device=" + wanted
	}
	mine := step{Key: "mine", Done: said > 0 && open == 0 && !k.takeover}
	place := step{Key: "place", Done: mine.Done && unplaced == "" && unnamed == ""}
	hours := step{Key: "hours", Done: place.Done && !unsaid}
	switch {
	case k.takeover && len(k.devices) > 0: // which of them are in the register comes before whose they are
		mine.Href = "/takeover"
	case len(k.cameras) > 0:
		mine.Href = "/mine"
	}
	if first != "" {
		hours.Href = "/hours"
		place.Href = "/cameras/" + or(unplaced, first) + "/place"
		if unplaced == "" && unnamed != "" { // there it is asked for its name too
			place.Href = "/cameras/" + unnamed
		}
	}
	contact := step{Key: "contact", Href: "/contact", Done: k.contact && !slices.ContainsFunc(k.grants, func(g inventory.Site) bool { return g.SiteName == "" })}
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

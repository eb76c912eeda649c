package review

import (
	"net/http"
	"slices"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// next is the one thing that comes next.
type next struct {
	Key    string // of the words "next.KEY", "next.KEY.why" and "next.KEY.do"
	N      int
	Href   string
	Search bool // the button starts a search
}

// say is the sentence, in the language of w.
func (n next) say(w *pages.Words) string {
	if key := "next." + n.Key; w.Has(key + ".other") {
		return w.N(key, n.N)
	}
	return w.T("next." + n.Key)
}

// group is a recorder and its cameras, or a camera that keeps its own footage.
type group struct {
	Device  inventory.Device
	Apart   string // see apart
	Locked  bool   // it wants a password that we do not have, or another one
	Clock   string // in words, when it is so wrong that footage would be missed
	Hours   string // instead of it, when it shows whole hours more or less than clocks in Italy
	Cameras []cameraView
}

type homeView struct {
	Steps  stepsView
	Banner banner
	Hidden bool // a site is suspended
	Next   next
	Say    string // Next, as a sentence
	Groups []group
	Advice int          // what is open on its page; 0 while there is something more urgent to do
	Kept   []cameraView // refused, withdrawn, or answered no
	Mute   []inventory.Device
}

// home lists what was found.
func (v *Review) home(r *http.Request) (answer, error) {
	if wantsJSON(r) {
		return v.list(r)
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if s := sessionOf(r); s != nil && s.role == roleTechnician {
		return page("helping.html", "helping.title", helpingOf(v.words(r), known, s.until)), nil
	}
	return page("list.html", "list.title", homeOf(r, v.words(r), known)), nil
}

func homeOf(r *http.Request, w *pages.Words, known inventory.View) homeView {
	view := homeView{Next: nextStep(known), Steps: firstRun(r, known), Banner: bannerOf(known)}
	if len(known.Takeovers) > 0 && len(known.Devices) > 0 {
		view.Next = next{Key: "takeover", Href: "/takeover"}
	}
	if n := firstNext(view.Steps.All, len(known.Devices) > 0); n.Key != "" {
		view.Next = n
	}
	view.Say = view.Next.say(w)
	view.Hidden = slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.State == protocol.SiteSuspended })
	if slices.Contains([]string{"calm", "sending", "none"}, view.Next.Key) {
		view.Advice = openAdvice(known)
	}
	view.show(w, known)
	return view
}

// sentOf is how far what was decided of a site has come. Where a new code is needed,
// the next decision would not be taken either.
func sentOf(known inventory.View, siteID string) inventory.SentState {
	if slices.Contains(known.NotGranted, siteID) {
		return inventory.Rejected
	}
	return known.Decided[siteID]
}

// show puts the cameras below their devices: what the owner kept back by itself, and
// devices that show no camera too.
func (view *homeView) show(w *pages.Words, known inventory.View) {
	marks := apart(known.Devices, titleOf)
	for _, d := range known.Devices {
		g := group{Device: d, Apart: marks[d.ID], Locked: isLocked(d)}
		if gap, ok := hoursOff(d); ok {
			g.Hours = clockWords(w, &protocol.Clock{OffsetMs: gap.Milliseconds()})
		} else if c := d.Clock; c != nil && wrongClock(c) {
			g.Clock = clockWords(w, c)
		}
		any := false
		for _, c := range known.Cameras {
			switch {
			case c.Device.ID != d.ID:
			case keptBack(c):
				view.Kept = append(view.Kept, viewOf(w, c))
				any = true
			default:
				shown := viewOf(w, c)
				shown.Sent = sentOf(known, c.SiteID)
				g.Cameras = append(g.Cameras, shown)
			}
		}
		switch {
		case len(g.Cameras) > 0 || g.Locked && !any:
			view.Groups = append(view.Groups, g)
		case !any:
			view.Mute = append(view.Mute, d)
		}
	}
}

// wrongClock reports that a recorder's clock is so wrong that its owner is told.
func wrongClock(c *protocol.Clock) bool {
	return (time.Duration(c.OffsetMs) * time.Millisecond).Abs() > protocol.WrongClock
}

// hoursOff reports that a recorder's display is whole hours ahead of clocks in Italy,
// or behind them, and gives by how much, to the minute: its clock may be right in
// UTC and its zone be another, or its summer time be off.
func hoursOff(d inventory.Device) (gap time.Duration, ok bool) {
	if d.Clock == nil {
		return 0, false
	}
	gap = time.Duration(d.Clock.OffsetMs) * time.Millisecond
	if zone, known := zoneOf(d.Zone); known {
		_, there := d.Clock.At.In(zone).Zone()
		_, here := d.Clock.At.In(pages.Rome()).Zone()
		gap += time.Duration(there-here) * time.Second
	}
	return protocol.HoursOff(gap)
}

// keptBack are the cameras that the owner has decided not to share.
func keptBack(c inventory.Camera) bool {
	return c.State == inventory.StateRefused || c.State == inventory.StateWithdrawn || c.Outdoor != nil && !*c.Outdoor
}

// list answers with all devices and cameras; a browser is sent home.
func (v *Review) list(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	return answer{to: "/", json: struct {
		Devices []inventory.Device `json:"devices"`
		Cameras []inventory.Camera `json:"cameras"`
	}{known.Devices, known.Cameras}}, nil
}

// nextStep finds what an owner who has never seen the pages should do now.
func nextStep(known inventory.View) next {
	open := slices.DeleteFunc(slices.Clone(known.Cameras), keptBack)
	count := func(is func(inventory.Camera) bool) (n int, first string) {
		for _, c := range open {
			if is(c) {
				if n == 0 {
					first = c.ID
				}
				n++
			}
		}
		return n, first
	}
	lacks := func(what ...string) func(inventory.Camera) bool {
		return func(c inventory.Camera) bool {
			return (c.State != inventory.StateDeclared || c.AskAgain) && c.Mine != inventory.MineLater && slices.ContainsFunc(c.Missing, func(m string) bool { return slices.Contains(what, m) })
		}
	}
	if len(known.Devices) == 0 {
		return next{Key: "search", Search: true}
	}
	if len(known.Cameras) == 0 {
		return next{Key: "again", Search: true}
	}
	// Before what is still to be answered: the owner believes it done.
	for _, g := range known.Sites {
		if sentOf(known, g.SiteID) == inventory.Rejected {
			return next{Key: "rejected", Href: "/outbox"}
		}
	}
	if n, first := count(lacks("name", "position", "outdoor_public", "site")); n > 0 {
		return next{Key: "answer", N: n, Href: "/cameras/" + first}
	}
	if n, _ := count(lacks("contact", "place")); n > 0 {
		return next{Key: "contact", N: n, Href: "/contact"}
	}
	ready, _ := count(func(c inventory.Camera) bool { return c.State == inventory.StateReady })
	if ready > 0 && len(known.Sites) == 0 {
		return next{Key: "enrol", N: ready, Href: "/enrol"}
	}
	if ready > 0 {
		return next{Key: "approve", N: ready, Href: "/approve"}
	}
	if n, _ := count(func(c inventory.Camera) bool { return len(c.Changed) > 0 && !c.AskAgain }); n > 0 {
		return next{Key: "changed", N: n, Href: "/approve"}
	}
	shared, _ := count(func(c inventory.Camera) bool { return c.State == inventory.StateDeclared })
	for _, g := range known.Sites {
		if sentOf(known, g.SiteID) == inventory.Waiting {
			return next{Key: "sending", N: shared, Href: "/status"}
		}
	}
	if shared > 0 {
		return next{Key: "calm", N: shared, Href: "/outbox"}
	}
	return next{Key: "none", Search: true}
}

// scan starts a search. The command line waits for its end, a browser is shown
// how it goes on.
func (v *Review) scan(r *http.Request) (answer, error) {
	ended := v.start()
	if !wantsJSON(r) {
		return answer{to: "/scan"}, nil
	}
	select {
	case <-ended:
	case <-r.Context().Done():
		return answer{}, r.Context().Err()
	}
	if _, err := v.search.state(); err != nil {
		return answer{}, problem{status: http.StatusInternalServerError, What: "the search failed: " + err.Error(), Hint: "the agent's log says more"}
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	return answer{json: map[string]int{"devices": len(known.Devices), "cameras": len(known.Cameras)}}, nil
}

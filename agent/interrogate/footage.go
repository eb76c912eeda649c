package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// Presence is whether a recorder still has footage of an interval.
type Presence string

// What a recorder's answer can mean. Unknown is not "no".
const (
	PresenceUnknown Presence = "unknown"
	PresenceYes     Presence = "yes"    // of all of the interval
	PresencePartly  Presence = "partly" // of some of it, as where it records when something moves
	PresenceNo      Presence = "no"     // of none of it, while it has other footage of the channel
)

// Period is a stretch of footage, in true time.
type Period struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// Wanted is footage that somebody asks for.
type Wanted struct {
	Channel string // Channel.ID, the device's own token
	// Continuous: by its schedule the channel records always. It proves by which
	// clock a recorder dates its footage.
	Continuous  bool
	From, Until time.Time // true time
}

// Found is what a recorder says of one Wanted.
type Found struct {
	Presence Presence
	Periods  []Period // within the interval, in order; none unless it is yes or partly
	Why      string   // of unknown, in English
}

// Finder tells how a recorder is asked for footage: what was read of it before.
type Finder struct {
	Family Family
	Clock  *protocol.Clock // its last reading; without it no date of the recorder means anything
	Zone   string          // IANA, or fixed as "UTC+01:00"; "" unknown
}

// errNoSearch: nobody knows how to ask recorders of this family for an interval.
// What is read of them in any case (Asker.Ask) tells how far back footage reaches.
var errNoSearch = errors.New("recorders of this family cannot be asked for an interval")

// finder is a driver that can ask for an interval.
type finder interface {
	// find logs in where it must, and gives the search.
	find(ctx context.Context, w *web, on recorderTime) (search, error)
}

// search gives the footage of a channel that touches a window; more: there is
// further footage in the window, which was not told.
type search func(ctx context.Context, want Wanted, within window) (found []dated, more bool, err error)

// dated is a stretch of footage as the recorder dates it. An end that is not known
// is still being written.
type dated struct{ from, until stamp }

// CanFind tells whether recorders of a family can be asked for an interval.
func CanFind(f Family) bool {
	i := slices.IndexFunc(families, func(c family) bool { return c.name == f })
	if i < 0 {
		return false
	}
	_, ok := families[i].driver.(finder)
	return ok
}

// Footage asks one recorder which footage it has of the intervals. It only reads,
// within the limits of a look, and an answer is of metadata alone. The error
// says why the recorder could not be asked: then nothing is known. Found has the order of wanted.
func (a *Asker) Footage(ctx context.Context, s discover.Sighting, f Finder, wanted []Wanted) ([]Found, error) {
	if !CanFind(f.Family) {
		return nil, errNoSearch
	}
	on, err := newRecorderTime(f, a.o.Now())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	w, err := a.enter(ctx, s, f.Family)
	if err != nil {
		return nil, err
	}
	defer w.close(ctx)
	defer w.auth.forget(ctx)
	i := slices.IndexFunc(families, func(c family) bool { return c.name == f.Family })
	ask, err := families[i].driver.(finder).find(ctx, w, on)
	if err != nil {
		return nil, errors.New(w.auth.words(err.Error()))
	}
	found := make([]Found, len(wanted))
	for i, want := range wanted {
		if found[i], err = on.presence(ctx, ask, want); err != nil {
			found[i] = Found{Presence: PresenceUnknown, Why: w.auth.words(err.Error())}
		}
	}
	return found, nil
}

// enter finds the family's own interface on a device that was read before.
func (a *Asker) enter(ctx context.Context, s discover.Sighting, name Family) (*web, error) {
	i := slices.IndexFunc(families, func(c family) bool { return c.name == name })
	of := a.subject(s)
	of.trust.recall(ctx)
	base := s.Service()
	c := candidate{family: families[i], suggested: true}
	for _, at := range c.placesOn(s.Address.Addr(), url.URL{Scheme: base.Scheme, Host: base.Host}) {
		if of.try(ctx, &c, at); c.found != stranger {
			break
		}
	}
	if c.found == stranger {
		if c.other {
			return nil, errors.New("it shows another certificate than before: accept it on the page of its password")
		}
		return nil, errors.New("it does not answer now: see whether it is switched on and connected")
	}
	of.trust.adopt(c.trust)
	return newWeb(c.at, of), nil
}

// How footage is joined and believed.
const (
	// joint is what a recorder may take to end one file and begin the next.
	joint = 10 * time.Second
	// settling is how long footage may not yet be in a recorder's lists.
	settling = 15 * time.Minute
	// listed is how long before an interval is searched too: some recorders list a
	// file by its beginning alone, and files have an hour or two.
	listed = 2 * time.Hour
	// longestWanted bounds how much is listed.
	longestWanted = 7 * 24 * time.Hour
)

// presence asks for one interval. That there is none is believed only from a
// recorder that shows other footage of the channel: an empty list may as well mean
// that this user may not play it back.
func (on recorderTime) presence(ctx context.Context, ask search, want Wanted) (Found, error) {
	if want.Until.Sub(want.From) > longestWanted {
		return Found{}, errors.New("the interval is longer than is asked for: a week")
	}
	margin := on.uncertainty() + joint
	spans, more, err := ask(ctx, want, on.window(want.From.Add(-margin-listed), want.Until.Add(margin)))
	if err != nil {
		return Found{}, err
	}
	periods, near, err := on.periods(spans, want, margin)
	if err != nil {
		return Found{}, err
	}
	switch {
	case len(periods) > 0 && on.twice(want):
		return Found{}, errors.New("the clocks were changed around that time, and its dates do not say by which they go")
	case len(periods) > 0 && !more && covered(periods, want, margin):
		return Found{Presence: PresenceYes, Periods: periods}, nil
	case len(periods) > 0:
		return Found{Presence: PresencePartly, Periods: periods}, nil
	case near || more:
		return Found{}, errors.New("it has footage so close to the interval that its clock cannot tell")
	case on.now.Sub(want.Until) < settling:
		return Found{}, errors.New("the interval has only just ended: its lists may not show it yet")
	}
	others, _, err := ask(ctx, want, on.everything())
	if err != nil {
		return Found{}, fmt.Errorf("it shows nothing of the interval, and not whether this user may see anything: %w", err)
	}
	if len(others) == 0 {
		return Found{}, errors.New("it shows no footage of this camera at all: perhaps the agent's user may not play it back")
	}
	return Found{Presence: PresenceNo}, nil
}

// periods gives the parts of spans that lie in the interval, joined and in order.
// near: there are some within margin of it.
func (on recorderTime) periods(spans []dated, want Wanted, margin time.Duration) (all []Period, near bool, err error) {
	for _, s := range spans {
		p, err := on.period(s)
		if err != nil {
			return nil, false, err
		}
		near = near || p.From.Before(want.Until.Add(margin)) && p.Until.After(want.From.Add(-margin))
		if p.From, p.Until = protocol.Later(p.From, want.From), protocol.Earlier(p.Until, want.Until); p.Until.After(p.From) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Period) int { return a.From.Compare(b.From) })
	joined := all[:0]
	for _, p := range all {
		if n := len(joined); n > 0 && !p.From.After(joined[n-1].Until.Add(joint)) {
			joined[n-1].Until = protocol.Later(joined[n-1].Until, p.Until)
			continue
		}
		joined = append(joined, p)
	}
	return joined, near, nil
}

// covered tells whether periods are all of an interval, but for what the clock
// does not tell at its ends.
func covered(periods []Period, want Wanted, margin time.Duration) bool {
	margin = min(margin, want.Until.Sub(want.From)/4)
	return len(periods) == 1 && !periods[0].From.After(want.From.Add(margin)) && !periods[0].Until.Before(want.Until.Add(-margin))
}

package search

import (
	"time"

	"anagrafe/protocol"
)

const (
	// oldPlace is how long a position and a view are trusted that nobody has
	// renewed. An adhesion is renewed every year, and a shop that was refitted
	// is told of then: two renewals missed are no oversight.
	oldPlace = 2 * 365 * 24 * time.Hour
	// silent is how long a schedule and a retention are trusted that an agent
	// once read, after its last look. Agents look every day and tell of what
	// has changed, so that silence says that nobody looks any more; shops close
	// for some weeks in summer, but not for two months. What only a person has
	// declared nobody ever looked at: that ages as a position does.
	silent = 60 * 24 * time.Hour
)

// facts are what an answer rests on, and when somebody last looked.
type facts struct {
	position, view, schedule, retention protocol.Fact
	looked                              time.Time // the agent's newest look at the recorder; zero: never
}

// old are the doubts about facts that are too old at from, the time asked about,
// or, for what is kept, now.
func (f *facts) old(from, now time.Time) (doubts protocol.Doubts) {
	if aged(f.position, from, oldPlace) {
		doubts |= protocol.DoubtOldPosition
	}
	if aged(f.view, from, oldPlace) {
		doubts |= protocol.DoubtOldView
	}
	if f.unread(f.schedule, from) {
		doubts |= protocol.DoubtOldSchedule
	}
	if f.unread(f.retention, now) {
		doubts |= protocol.DoubtOldRetention
	}
	return doubts
}

func aged(f protocol.Fact, at time.Time, after time.Duration) bool {
	return f.Source != protocol.SourceUnknown && at.Sub(f.At) > after
}

// unread tells whether a schedule or a retention is too old at a time.
func (f *facts) unread(fact protocol.Fact, at time.Time) bool {
	if fact.Source == protocol.Declared {
		return aged(fact, at, oldPlace)
	}
	return aged(fact, at, silent) && at.Sub(f.looked) > silent
}

// The doubts that make a Yes of Sight.Sees, and of Footage.Exists, a "may".
const (
	doubtSees = protocol.DoubtOldPosition | protocol.DoubtOldView | protocol.DoubtBeforeDeclared | protocol.DoubtNight
	doubtHas  = protocol.DoubtOldSchedule | protocol.DoubtOldRetention | protocol.DoubtNotYet
)

// doubtBoth doubts what is seen among the buildings and what would be without.
func (h *Hit) doubtBoth(at protocol.Point, f *facts, now time.Time, sunAt func(time.Time) sun) {
	if h.Hidden == "" {
		h.doubt(at, f, now, sunAt)
		h.OpenSight, h.OpenDoubts = h.Sight, h.Doubts
		return
	}
	open := *h
	open.Sight = h.OpenSight
	open.doubt(at, f, now, sunAt)
	h.doubt(at, f, now, sunAt)
	h.OpenSight, h.OpenDoubts = open.Sight, open.Doubts
}

// doubt lowers each yes that is not one, and says why. What surely is not is not
// doubted, and a "may" stays what it is. At is where the camera hangs, sunAt tells
// of the sun (see sun).
func (h *Hit) doubt(at protocol.Point, f *facts, now time.Time, sunAt func(time.Time) sun) {
	doubts := f.old(h.From, now)
	if h.BeforeDeclared {
		doubts |= protocol.DoubtBeforeDeclared
	}
	if h.From.After(now.Add(clockTolerance)) {
		doubts |= protocol.DoubtNotYet
	}
	if h.Sight.NightUnknown && h.Sight.Sees != protocol.No && dark(at, h.From, h.Until, sunAt) {
		doubts |= protocol.DoubtNight
	}
	if h.Sight.Sees == protocol.No {
		doubts &^= doubtSees
	}
	if h.Footage.Exists == protocol.No {
		doubts &^= doubtHas
	}
	if h.Sight.Sees == protocol.Yes && doubts&doubtSees != 0 {
		h.Sight.Sees = protocol.Unknown
	}
	if h.Footage.Exists == protocol.Yes && doubts&doubtHas != 0 {
		h.Footage.Exists, h.Footage.Observed = protocol.Unknown, false
	}
	h.Doubts = h.Sight.Doubts | doubts
}

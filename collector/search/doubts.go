package search

import (
	"math"
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

// unread reports whether a schedule or a retention is too old at a time.
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
	if h.Open != nil {
		open := *h
		open.Sight = h.Open.Sight
		open.doubt(at, f, now, sunAt)
		h.Open.Sight, h.Open.Doubts = open.Sight, open.Doubts
	}
	h.doubt(at, f, now, sunAt)
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

// darkDeg is how low the sun stands when it is dark: the end of civil twilight,
// until which one sees outdoors without lamps.
const darkDeg = -6

// dark reports whether it was dark at some time of a window.
func dark(at protocol.Point, from, until time.Time, sunAt func(time.Time) sun) bool {
	if sunAt(from).deg(at) < darkDeg || !until.Equal(from) && sunAt(until).deg(at) < darkDeg {
		return true
	}
	// Both ends may be bright, and a night in between: it is darkest at midnight
	// by the sun, which is within a quarter of an hour of the mean one.
	west := time.Duration(float64(at.Lon) / 15e6 * float64(time.Hour))
	midnight := from.Add(west).Truncate(24 * time.Hour).Add(24*time.Hour - west)
	return !midnight.After(until) && sunAt(midnight).deg(at) < darkDeg
}

// sun is where the sun stands at a moment, seen from nowhere yet: radians.
type sun struct {
	sin, cos float64 // of its declination
	hour     float64 // its hour angle at Greenwich
}

// sunAt is the sun of a moment, to a tenth of a degree in this century: the
// Astronomical Almanac's low-precision formulas (section C, "Low precision
// formulas for the Sun").
func sunAt(t time.Time) sun {
	const rad = math.Pi / 180
	days := float64(t.UnixMicro())/86400e6 - 10957.5 // since noon on 1 January 2000
	anomaly := (357.528 + 0.9856003*days) * rad
	longitude := (280.460 + 0.9856474*days + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly)) * rad
	tilt := (23.439 - 0.0000004*days) * rad
	ascension := math.Atan2(math.Cos(tilt)*math.Sin(longitude), math.Cos(longitude))
	sin := math.Sin(tilt) * math.Sin(longitude)
	return sun{sin, math.Sqrt(1 - sin*sin), math.Mod((280.46062+360.98564737*days)*rad-ascension, 2*math.Pi)}
}

// deg is how many degrees the sun stands above the horizon of a place, without
// refraction.
func (s sun) deg(at protocol.Point) float64 {
	const rad = math.Pi / 180
	sin, cos := math.Sincos(float64(at.Lat) / 1e6 * rad)
	return math.Asin(sin*s.sin+cos*s.cos*math.Cos(s.hour+float64(at.Lon)/1e6*rad)) / rad
}

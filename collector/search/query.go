package search

import (
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// Limits of a query.
const (
	MinRadiusM     = 50
	MaxRadiusM     = 2000
	DefaultRadiusM = 300
	// MaxWindow is the longest time that one query may cover: a schedule is
	// read minute by minute within it.
	MaxWindow = 7 * 24 * time.Hour
)

// Query is a place and a time.
type Query struct {
	In          Area
	From, Until time.Time // Until zero or equal to From: one moment; on a Route when they set out
	Now         time.Time // when it is asked: what still exists is judged as of then
	Only        Only
	Buildings   Buildings // nil: none are known
}

// Class is the first part of the order of the results.
type Class string

const (
	ClassA Class = "A" // sees or may see the point, and may still hold the footage
	ClassB Class = "B" // is near it, and may still hold the footage
	ClassC Class = "C" // surely holds none, or none any more
)

// Hit is one camera of an answer: what decides its place in the order. It comes
// from the index; all of it is as of the time asked for. Nothing in it, or in a
// Result, is about a person.
type Hit struct {
	Class    Class
	CameraID string
	SiteID   string

	BeforeDeclared  bool // the time asked for is before the first declaration: the camera is as first declared
	TimeLeftAssumed bool // see TimeLeft

	Doubts protocol.Doubts // why it does not surely see, or why the footage does not surely exist
	Sight  protocol.Sight  // among the buildings, of the nearest place that it may see, where the query names more than one
	// Hidden tells whether buildings hide what it would see, and Open what that
	// would be without them; "" and nil: not asked.
	Hidden protocol.Answer
	Open   *openSight
	// From and Until are the times that this camera was asked for: Query's, or
	// on a route those at which the subject may have passed it.
	From, Until time.Time
	Recording   protocol.Answer  // the best answer within the window, by the schedule however old it is: see Doubts
	Footage     protocol.Footage // of the moment in the window that is lost next

	// TimeLeft is how long until the footage begins to be overwritten; it
	// ranks within the class. TimeLeftAssumed: not known, ranked as
	// assumedTimeLeft. Zero in class C.
	TimeLeft time.Duration
}

// openSight is what a camera would see if there were no buildings, and why not surely.
type openSight struct {
	Sight  protocol.Sight
	Doubts protocol.Doubts
}

// Answer is what Search found: every camera, in the total order.
type Answer struct {
	Query  Query // with its defaults
	Hits   []Hit
	Hidden Hidden // how many Query.Only left out
}

// Result is a hit with what is shown of it, read from the register (see Show).
// All of it is as of the time asked for, except where "now" is said.
type Result struct {
	Hit

	SiteName string // now
	Category protocol.Category
	Address  string // now
	Trust    string // how the owner's identity was checked

	CameraName      string             // on the recorder, now
	OldName         string             // its name then, where it was another
	Recorder        protocol.Recorder  // where that footage is kept, as it is named now; Clock nil, see below
	OldRecorderName string             // the recorder's name then, where it was another
	Camera          protocol.Camera    // position, view and declared facts
	Schedule        protocol.Schedule  // in force at From
	Retention       protocol.Retention // in force now

	// What to ask for on the recorder's own clock: From and Until as it showed
	// them, widened by ClockWithin on both sides. Clock is the measurement
	// that they rest on; nil: never measured, ClockFrom and ClockUntil are zero.
	ClockFrom, ClockUntil time.Time
	ClockWithin           time.Duration
	Clock                 *protocol.Clock

	Facts   []Fact        // groups in the order name, position, view, schedule, retention, clock; those without a source are left out
	FactAge time.Duration // of the oldest of them
}

// Fact is where a group of values comes from and how old it is.
type Fact struct {
	Group string // "name", "position", "view", "schedule", "retention", "clock"
	protocol.Fact
	Age time.Duration // at Query.Now
}

// QueryError names the field of a query that is outside its limits.
type QueryError struct{ Field, Why string }

func (e QueryError) Error() string { return e.Field + ": " + e.Why }

// checked fills in the defaults, or tells what is wrong.
func (q Query) checked() (Query, error) {
	if q.In == nil {
		return q, QueryError{"at", "is missing"}
	}
	var err error
	if q.Until.IsZero() {
		q.Until = q.From
	}
	switch {
	case q.Now.IsZero() || q.From.IsZero():
		return q, QueryError{"time", "is missing"}
	case q.From.After(q.Now.Add(clockTolerance)):
		return q, QueryError{"time", "is in the future"}
	case q.Until.Before(q.From):
		return q, QueryError{"until", "is before the time"}
	case q.Until.Sub(q.From) > MaxWindow:
		return q, QueryError{"until", fmt.Sprintf("is more than %d days after the time: ask for parts of it", int(MaxWindow.Hours()/24))}
	}
	if q.In, err = q.In.check(q.From, q.Until); err != nil {
		return q, err
	}
	return q, q.Only.check()
}

// clockTolerance is how far the caller's clock may be ahead: "now" is a
// common question.
const clockTolerance = time.Minute

// Only filters results; the zero value keeps all.
type Only struct {
	Categories []protocol.Category // of the site; nil: all
	Continuous bool                // its schedule says that it recorded continuously: Recording is Yes
	Certain    bool                // it surely sees the place, and the footage surely exists
}

// Hidden counts the results that Only left out, each for the first reason.
type Hidden struct{ Category, Continuous, Certain int }

// All is how many were left out.
func (h Hidden) All() int { return h.Category + h.Continuous + h.Certain }

func (o Only) check() error {
	for _, c := range o.Categories {
		if !slices.Contains(protocol.Categories, c) {
			return QueryError{"category", fmt.Sprintf("%.40q is not a category: one of %v", string(c), protocol.Categories)}
		}
	}
	return nil
}

// hides reports whether a hit at a site of that category is left out, and counts it.
func (o Only) hides(category protocol.Category, h *Hit, count *Hidden) bool {
	switch {
	case o.Categories != nil && !slices.Contains(o.Categories, category):
		count.Category++
	case o.Continuous && h.Recording != protocol.Yes:
		count.Continuous++
	case o.Certain && (h.Sight.Sees != protocol.Yes || h.Footage.Exists != protocol.Yes):
		count.Certain++
	default:
		return false
	}
	return true
}

package search

import (
	"fmt"
	"math"
	"time"

	"anagrafe/protocol"
)

// Limits of a route.
const (
	maxRouteVertices = 2000
	maxRouteM        = 50_000
	minSpeedKmh      = 1
	maxSpeedKmh      = 250
)

// Means is how somebody moves.
type Means string

const (
	OnFoot  Means = "foot"
	Bicycle Means = "bicycle" // also a scooter
	Car     Means = "car"     // also a motorcycle, a bus
)

// AllMeans are all that a query may name.
var AllMeans = []Means{OnFoot, Bicycle, Car}

// Speeds are the lowest and highest average speed assumed for a route.
type Speeds struct{ MinKmh, MaxKmh float64 }

// Usual returns the speeds that are plausible in a city: people walk at 3 km/h with a
// load and flee at 18; a bicycle is pushed along slowly or
// ridden at 35; a car averages 5 in dense traffic with its lights, 80 on the
// ring road. ok false: there is no such means.
func (m Means) Usual() (s Speeds, ok bool) {
	switch m {
	case OnFoot:
		return Speeds{3, 18}, true
	case Bicycle:
		return Speeds{6, 35}, true
	case Car:
		return Speeds{5, 80}, true
	}
	return Speeds{}, false
}

// Route is a way that somebody went: they set out between Query.From and Query.Until,
// and up to any point of it their average speed was between the two Speeds.
type Route struct {
	Line    []protocol.Point // in the order of the way; straight lines in between
	RadiusM int              // what hangs within it is listed even if it sees none of the way; MinRadiusM to MaxRadiusM, 0: DefaultRadiusM
	Speeds  Speeds           // zero: on foot
	Arrival time.Time        // when they reached the end; zero: not known

	// Set by check.
	lines    lines
	lengthM  float64
	slowest  float64 // metres a second
	fastest  float64
	arrival  bool
	earliest time.Duration // from Query.From to Arrival
	latest   time.Duration // from Query.Until to Arrival; negative where they set out before
}

func (r Route) check(from, until time.Time) (Area, error) {
	var err error
	if r.RadiusM, err = checkRadius(r.RadiusM); err != nil {
		return r, err
	}
	if n := len(r.Line); n < 2 || n > maxRouteVertices {
		return r, QueryError{"route", fmt.Sprintf("needs from 2 to %d vertices: lon,lat with a space in between, in the order of the way", maxRouteVertices)}
	}
	if err := checkPoints("route", r.Line); err != nil {
		return r, err
	}
	edges := make([]edge, len(r.Line)-1)
	for i := range edges {
		edges[i] = edge{a: r.Line[i], b: r.Line[i+1], startM: r.lengthM, length: protocol.DistanceM(r.Line[i], r.Line[i+1])}
		r.lengthM += edges[i].length
	}
	r.lines = newLines(edges)
	if err := r.lines.checkSides("route"); err != nil {
		return r, err
	}
	switch {
	case r.lengthM < 1:
		return r, QueryError{"route", "is shorter than a metre: for a single place ask for a point"}
	case r.lengthM > maxRouteM:
		return r, QueryError{"route", fmt.Sprintf("is %.1f km long: at most %d, ask for parts of it", r.lengthM/1000, maxRouteM/1000)}
	}
	if err := r.checkSpeeds(until.Sub(from)); err != nil {
		return r, err
	}
	return r, r.checkArrival(from, until)
}

func (r *Route) checkSpeeds(departing time.Duration) error {
	if r.Speeds == (Speeds{}) {
		r.Speeds, _ = OnFoot.Usual()
	}
	if !(r.Speeds.MinKmh >= minSpeedKmh && r.Speeds.MinKmh <= r.Speeds.MaxKmh && r.Speeds.MaxKmh <= maxSpeedKmh) { // also not a number
		return QueryError{"speed", fmt.Sprintf("must be a lower and a higher speed from %d to %d km/h, e.g. 4-15", minSpeedKmh, maxSpeedKmh)}
	}
	r.slowest, r.fastest = r.Speeds.MinKmh/3.6, r.Speeds.MaxKmh/3.6
	if whole := departing + seconds(r.lengthM/r.slowest); whole > MaxWindow {
		return QueryError{"speed", fmt.Sprintf("at %g km/h the %.1f km take until more than %d days after the time: ask for parts of it",
			r.Speeds.MinKmh, r.lengthM/1000, int(MaxWindow.Hours()/24))}
	}
	return nil
}

// checkArrival refuses an arrival that no departure leads to.
func (r *Route) checkArrival(from, until time.Time) error {
	if r.arrival = !r.Arrival.IsZero(); !r.arrival {
		return nil
	}
	r.earliest, r.latest = r.Arrival.Sub(from), r.Arrival.Sub(until)
	quickest, slowest := seconds(r.lengthM/r.fastest), seconds(r.lengthM/r.slowest)
	switch {
	case r.earliest < quickest:
		return QueryError{"arrival", fmt.Sprintf("is too early: %.1f km take at least %s at %g km/h, and it is %s after the time",
			r.lengthM/1000, quickest.Round(time.Second), r.Speeds.MaxKmh, r.earliest.Round(time.Second))}
	case r.latest > slowest:
		return QueryError{"arrival", fmt.Sprintf("is too late: %.1f km take at most %s at %g km/h, and it is %s after the last departure",
			r.lengthM/1000, slowest.Round(time.Second), r.Speeds.MinKmh, r.latest.Round(time.Second))}
	}
	return nil
}

// seconds makes a duration, to the microsecond that the register knows.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s*1e6)) * time.Microsecond }

func (r Route) box() box { return r.lines.box.grown(farthestM) }

// look lists a camera that may see some place of the way, and one that hangs
// within the radius of it. It is asked for the time at which they may have come
// by between the first and the last place that it may see or, where it sees
// none, between the first and the last within the radius.
func (r Route) look(at protocol.Position, view protocol.View) (look, bool) {
	plane := protocol.PlaneAt(at.Point)
	s := protocol.SectorOf(at, view)
	reach, radius := min(s.ReachM(), farthestM), float64(r.RadiusM)
	if r.lines.farther(plane, max(reach, radius)) {
		return look{}, false
	}
	surely := false
	seen, by := newStretch(), newStretch()
	r.lines.near(plane, max(reach, radius), func(e *edge, aEast, aNorth, bEast, bNorth float64) {
		part, sees := s.Along(aEast, aNorth, bEast, bNorth)
		if sees && part.DistanceM <= farthestM {
			surely = surely || part.Surely
			seen.add(e, part, aEast, aNorth, bEast, bNorth)
		}
		if part, within := protocol.Within(radius, aEast, aNorth, bEast, bNorth); within {
			by.add(e, part, aEast, aNorth, bEast, bNorth)
		}
	})
	found, sees := seen, protocol.Unknown
	switch {
	case surely:
		sees = protocol.Yes
	case !seen.any:
		found, sees = by, protocol.No
	}
	if !found.any {
		return look{}, false
	}
	l := look{Sight: s.Sight(found.nearest.east, found.nearest.north, sees)}
	l.after, l.until = r.passing(found.firstM, found.lastM)
	return l, true
}

// passing is when they may have come by between two places of the way, metres
// from its beginning: from Query.From on and from Query.Until on.
func (r *Route) passing(firstM, lastM float64) (after, until time.Duration) {
	after, until = seconds(firstM/r.fastest), seconds(lastM/r.slowest)
	if r.arrival {
		after = max(after, r.earliest-seconds((r.lengthM-firstM)/r.slowest))
		until = min(until, r.latest-seconds((r.lengthM-lastM)/r.fastest))
	}
	return after, until
}

// stretch is the part of a way from the first to the last place that counts.
type stretch struct {
	any           bool
	firstM, lastM float64
	nearest       place
}

func newStretch() stretch {
	return stretch{firstM: math.Inf(1), lastM: math.Inf(-1), nearest: place{metres: math.Inf(1)}}
}

func (s *stretch) add(e *edge, p protocol.Part, aEast, aNorth, bEast, bNorth float64) {
	s.any = true
	s.firstM, s.lastM = min(s.firstM, e.startM+p.First*e.length), max(s.lastM, e.startM+p.Last*e.length)
	if p.DistanceM < s.nearest.metres {
		s.nearest = place{aEast + p.Nearest*(bEast-aEast), aNorth + p.Nearest*(bNorth-aNorth), p.DistanceM}
	}
}

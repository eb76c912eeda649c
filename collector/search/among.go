package search

import (
	"math"
	"slices"

	"anagrafe/protocol"
)

// Buildings says what buildings hide; package buildings implements it.
type Buildings interface {
	// Hides tells whether buildings stand between a camera and p: Yes if they do
	// wherever the camera may hang, No if nowhere, else Unknown.
	Hides(at protocol.Position, view protocol.View, p protocol.Point) protocol.Answer
}

// among is a sight among the buildings. What they hide for sure is not seen, what
// they may hide may be seen. Hidden is "" where nobody asked: no buildings are
// known, or it sees nothing of it anyway, or hangs there itself.
func (q *Query) among(at protocol.Position, view protocol.View, open protocol.Sight) (s protocol.Sight, hidden protocol.Answer) {
	if q.Buildings == nil || open.Sees == protocol.No || open.DistanceM == 0 {
		return open, ""
	}
	s = open
	switch in := q.In.(type) {
	case Circle:
		hidden = q.Buildings.Hides(at, view, in.At)
	case Route:
		if hidden = q.Buildings.Hides(at, view, placeOf(at.Point, open)); hidden != protocol.No {
			s, hidden = along(q.Buildings, in.places(at, view), at, view, s, hidden)
		}
	default:
		if hidden = q.Buildings.Hides(at, view, placeOf(at.Point, open)); hidden == protocol.Yes {
			hidden = protocol.Unknown // of many places only the nearest was asked
		}
	}
	switch hidden {
	case protocol.Yes:
		s.Sees, s.PixelsPerMetre, s.Class, s.Doubts = protocol.No, 0, protocol.ClassNone, 0
	case protocol.Unknown:
		s.Sees, s.Doubts = protocol.Unknown, s.Doubts|protocol.DoubtHidden
	}
	return s, hidden
}

// along looks for the nearest of some places that a camera sees best: one that it
// surely sees and nothing hides, before one that nothing hides, before one that
// may be hidden. Where all are hidden the sight and the answer are those given.
func along(b Buildings, places []protocol.Point, at protocol.Position, view protocol.View, s protocol.Sight, hidden protocol.Answer) (protocol.Sight, protocol.Answer) {
	worth := func(sees, hidden protocol.Answer) int {
		switch {
		case sees == protocol.No || hidden == protocol.Yes:
			return 0
		case hidden == protocol.Unknown:
			return 1
		case sees == protocol.Unknown:
			return 2
		}
		return 3
	}
	best := worth(s.Sees, hidden)
	for _, p := range places {
		one := protocol.See(at, view, p)
		if one.Sees == protocol.No {
			continue
		}
		hides := b.Hides(at, view, p)
		if w := worth(one.Sees, hides); w > best || w == best && w > 0 && one.DistanceM < s.DistanceM {
			best, s, hidden = w, one, hides
		}
	}
	return s, hidden
}

const (
	// placeStepM is how far apart places of a route are asked for: who walks
	// there is seen in at least one of them.
	placeStepM = 5
	maxPlaces  = 40 // of one camera, which then stand farther apart
)

// places are some of the places of the way that a camera would see.
func (r Route) places(at protocol.Position, view protocol.View) []protocol.Point {
	type stretch struct {
		e *edge
		protocol.Part
	}
	var seen []stretch
	length := 0.0
	s := protocol.SectorOf(at, view)
	r.lines.near(protocol.PlaneAt(at.Point), min(s.ReachM(), farthestM), func(e *edge, aEast, aNorth, bEast, bNorth float64) {
		part, sees := s.Along(aEast, aNorth, bEast, bNorth)
		if sees && !slices.ContainsFunc(seen, func(o stretch) bool { return o.e == e }) {
			seen = append(seen, stretch{e, part})
			length += (part.Last - part.First) * e.length
		}
	})
	step := max(placeStepM, length/maxPlaces)
	var places []protocol.Point
	for _, o := range seen {
		n := math.Ceil((o.Last - o.First) * o.e.length / step)
		for i := 0.0; i <= n; i++ {
			t := o.First
			if n > 0 {
				t += (o.Last - o.First) * i / n
			}
			places = append(places, protocol.Point{
				Lon: o.e.a.Lon + int32(math.Round(t*float64(o.e.b.Lon-o.e.a.Lon))),
				Lat: o.e.a.Lat + int32(math.Round(t*float64(o.e.b.Lat-o.e.a.Lat))),
			})
		}
	}
	return places
}

// placeOf is the place that a sight is of, to half a metre at 2 km.
func placeOf(from protocol.Point, s protocol.Sight) protocol.Point {
	const step = 1000 // microdegrees
	perLon := protocol.DistanceM(from, protocol.Point{Lon: from.Lon + step, Lat: from.Lat}) / step
	perLat := protocol.DistanceM(from, protocol.Point{Lon: from.Lon, Lat: from.Lat + step}) / step
	sin, cos := math.Sincos((s.BearingDeg + 180) * math.Pi / 180)
	return protocol.Point{
		Lon: from.Lon + int32(math.Round(s.DistanceM*sin/perLon)),
		Lat: from.Lat + int32(math.Round(s.DistanceM*cos/perLat)),
	}
}

// WithoutBuildings returns the answer as if there were no buildings: the same cameras, in the
// order that they would have. Nothing is searched again.
func WithoutBuildings(results []Result) []Result {
	type camera struct{ site, id string }
	from := make(map[camera]Result, len(results))
	hits := make([]Hit, len(results))
	for i, r := range results {
		from[camera{r.SiteID, r.CameraID}] = r
		if r.Open != nil {
			r.Sight, r.Doubts, r.Hidden, r.Open = r.Open.Sight, r.Open.Doubts, "", nil
			if r.Class == ClassB {
				r.Class = ClassA // only what is seen can be hidden
			}
		}
		hits[i] = r.Hit
	}
	sortHits(hits)
	all := make([]Result, 0, len(results))
	for _, h := range hits {
		r := from[camera{h.SiteID, h.CameraID}]
		r.Hit = h
		all = append(all, r)
	}
	return all
}

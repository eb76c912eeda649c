package protocol

import "math"

// Sector is what a camera sees on the ground, made ready to be asked about many
// places. A place is given as its offset from the camera, metres east and north
// (see Plane). Around the sector lies the position's error, the margin: what is
// farther from the sector than the margin the camera sees from nowhere within
// it, what lies deeper inside it sees from everywhere.
type Sector struct {
	view   View
	reach  float64 // metres
	margin float64 // metres

	round     bool    // the whole circle: it turns, or direction or angle is not known, or it sees all round
	axisEast  float64 // the direction, of length 1; not of a round one
	axisNorth float64
	cos, sin  float64 // of half the angle of view

	doubts Doubts // why it is never sure: all but the margin
}

// SectorOf makes a camera's sector.
func SectorOf(pos Position, view View) Sector {
	s := reaching(pos, view)
	s.aim()
	return s
}

// reaching is a sector that is not aimed yet: it tells how far the camera may see.
func reaching(pos Position, view View) Sector {
	v := view.sane()
	s := Sector{view: v, reach: defaultRangeM, margin: float64(pos.AccuracyM)}
	if pos.AccuracyM <= 0 {
		s.margin = DefaultAccuracyM
	}
	if v.RangeM != nil {
		s.reach = float64(*v.RangeM)
	} else {
		s.doubts |= doubtRange
	}
	return s
}

// aim reports where the camera looks.
func (s *Sector) aim() {
	v := &s.view
	all := v.AngleDeg != nil && *v.AngleDeg == 360
	if v.Turns {
		s.doubts |= doubtTurns
	}
	if v.DirectionDeg == nil && !all && !v.Turns {
		s.doubts |= doubtDirection
	}
	if v.AngleDeg == nil {
		s.doubts |= doubtAngle
	}
	if s.round = all || s.doubts&(doubtTurns|doubtDirection|doubtAngle) != 0; !s.round {
		s.axisEast, s.axisNorth = math.Sincos(float64(*v.DirectionDeg) * math.Pi / 180)
		s.sin, s.cos = math.Sincos(float64(*v.AngleDeg) / 2 * math.Pi / 180)
	}
}

// ReachM is how far from its position the camera may see: its range and the
// position's error, in metres.
func (s *Sector) ReachM() float64 { return s.reach + s.margin }

// MarginM is the position's error in metres.
func (s *Sector) MarginM() float64 { return s.margin }

// Sight is the answer for a place, given whether the camera sees it or the area
// that it belongs to. How many pixels a metre there gets is told for the worst
// end of the position's error, from where the place is that much farther.
func (s *Sector) Sight(east, north float64, sees Answer) Sight {
	distance := math.Hypot(east, north)
	a := Sight{Sees: sees, DistanceM: distance, BearingDeg: bearingOf(-east, -north)}
	a.NightUnknown = !(s.view.Infrared && s.view.RangeM != nil && distance <= s.reach)
	if sees == No {
		return a
	}
	depth := distance
	if !s.round {
		depth, _ = s.turned(east, north)
	}
	a.PixelsPerMetre = s.view.pixelsPerMetre(distance+s.margin, depth+s.margin)
	a.Class = classOf(a.PixelsPerMetre)
	if sees == Unknown {
		a.Doubts = s.doubts
		if a.Doubts == 0 {
			a.Doubts = doubtAccuracy
		}
	}
	return a
}

// sees answers for one place.
func (s *Sector) sees(east, north float64) Answer {
	inside, edge := s.edge(east, north)
	switch {
	case inside && edge >= s.margin && s.doubts == 0:
		return Yes
	case inside || edge <= s.margin:
		return Unknown
	}
	return No
}

// edge reports whether a place lies in the sector, and how far it is from the
// sector's nearest edge, in metres.
func (s *Sector) edge(east, north float64) (inside bool, edge float64) {
	distance := math.Hypot(east, north)
	arc := math.Abs(s.reach - distance)
	if s.round {
		return distance <= s.reach, arc
	}
	depth, across := s.turned(east, north)
	across = math.Abs(across) // both halves are mirror images
	// The sine of how far it lies outside the straight edge, times the distance;
	// both angles are 0 to 180 degrees, so that the sign is that of their difference.
	outside := across*s.cos - depth*s.sin
	within := outside <= 0
	along := math.Min(math.Max(depth*s.cos+across*s.sin, 0), s.reach)
	edge = math.Hypot(depth-along*s.cos, across-along*s.sin)
	if within {
		edge = math.Min(edge, arc)
	}
	return within && distance <= s.reach, edge
}

// turned is an offset seen along the axis: how far ahead and to the right.
func (s *Sector) turned(east, north float64) (depth, across float64) {
	return east*s.axisEast + north*s.axisNorth, east*s.axisNorth - north*s.axisEast
}

// Deepest is the offset of a place that the camera surely sees, where there is
// any such place: the surest part of the sector reaches from the place on its
// axis that is the margin short of its range.
func (s *Sector) Deepest() (east, north float64, ok bool) {
	far := s.reach - s.margin - 1e-6 // a micrometre, so that rounding does not take it out
	east, north = s.axisEast*far, s.axisNorth*far
	if s.round {
		east, north = far, 0
	}
	return east, north, far >= 0 && s.sees(east, north) == Yes
}

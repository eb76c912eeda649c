package protocol

import "math"

// Bounds taken where a value is not known, so that a camera is neither lost
// nor promised.
const (
	// defaultRangeM bounds a camera whose range nobody gave: within it the
	// camera may see, never surely. A 4 MP stream over 90 degrees falls to
	// detection (25 px/m) at 51 m, an 8 MP one at 77 m.
	defaultRangeM = 100
	// DefaultAccuracyM is the position's error where none is given: a point
	// clicked on a map of a street.
	DefaultAccuracyM = 5
	// defaultHeightM is the mounting height where none is given: out of reach.
	defaultHeightM = 3
)

// Point is a place on WGS84, in microdegrees.
type Point struct {
	Lon int32 `json:"lon"`
	Lat int32 `json:"lat"`
}

// Position is where a camera hangs.
type Position struct {
	Point
	AccuracyM int    `json:"accuracy_m"` // 0: not given
	Method    string `json:"method"`     // how it was placed: "map", "address", "gps", "typed"; "" not known
	Fact      Fact   `json:"fact"`
}

// Placed reports whether p is a place: inside the world and not 0,0, which is
// what a form sends that was never filled in.
func (p Point) Placed() bool {
	return p != Point{} && p.Lon >= -180e6 && p.Lon <= 180e6 && p.Lat >= -90e6 && p.Lat <= 90e6
}

// View is what a camera sees. A nil number is unknown.
type View struct {
	DirectionDeg *int `json:"direction_deg,omitempty"` // clockwise from north, 0-359
	AngleDeg     *int `json:"angle_deg,omitempty"`     // horizontal angle of view, 1-360
	RangeM       *int `json:"range_m,omitempty"`       // 1-2000
	HeightCm     *int `json:"height_cm,omitempty"`     // above ground
	Turns        bool `json:"turns,omitempty"`         // PTZ: may look anywhere
	Infrared     bool `json:"infrared,omitempty"`
	WidthPx      int  `json:"width_px,omitempty"` // of the recorded stream; 0 unknown
	HeightPx     int  `json:"height_px,omitempty"`
	Fact         Fact `json:"fact"`
}

// Sight answers "does the camera see point p, and how well?".
type Sight struct {
	Sees           Answer  `json:"sees"`             // Yes, No, or Unknown ("may see": direction, angle or range unknown, turns, or within the position's error)
	DistanceM      float64 `json:"distance_m"`       // camera to point
	BearingDeg     float64 `json:"bearing_deg"`      // from the point to the camera, clockwise from north: the side it sees from
	PixelsPerMetre float64 `json:"pixels_per_metre"` // at the worst end of the position's error; 0: not known, or it does not see
	Class          Class   `json:"class"`
	NightUnknown   bool    `json:"night_unknown"` // no infrared, or beyond its range: "di notte: da verificare"; whether it is night the caller knows
	Doubts         Doubts  `json:"-"`             // why Sees is Unknown; none where it is not
}

// Class is the IEC 62676-4:2015 name of what a pixel density allows.
type Class string

const (
	ClassNone      Class = ""
	ClassDetect    Class = "detect"    // 25 px/m
	ClassObserve   Class = "observe"   // 62 px/m
	ClassRecognise Class = "recognise" // 125 px/m
	ClassIdentify  Class = "identify"  // 250 px/m
)

// classOf names a pixel density.
func classOf(pixelsPerMetre float64) Class {
	switch {
	case pixelsPerMetre >= 250:
		return ClassIdentify
	case pixelsPerMetre >= 125:
		return ClassRecognise
	case pixelsPerMetre >= 62:
		return ClassObserve
	case pixelsPerMetre >= 25:
		return ClassDetect
	}
	return ClassNone
}

// See answers for one camera and one point. The position's accuracy is a
// margin: Yes when the camera would see p from anywhere within it, No when
// from nowhere, else Unknown. A camera that turns, or whose direction, angle
// or range is unknown, never gives more than Unknown, and No beyond its range.
func See(pos Position, view View, p Point) Sight {
	s := reaching(pos, view)
	east, north, near := offsetM(pos.Point, p)
	if !near {
		distance := DistanceM(pos.Point, p)
		sin, cos := math.Sincos(BearingDeg(pos.Point, p) * math.Pi / 180)
		east, north = distance*sin, distance*cos
	}
	sees := No
	if math.Hypot(east, north) <= s.ReachM() { // most of a search's cameras see less far
		s.aim()
		sees = s.sees(east, north)
	}
	a := s.Sight(east, north, sees)
	if sees == Unknown {
		if _, edge := s.edge(east, north); edge < s.margin {
			a.Doubts |= doubtAccuracy
		}
	}
	if !near {
		a.BearingDeg = BearingDeg(p, pos.Point)
	}
	return a
}

// sane drops numbers outside their limits, so that See answers Unknown for
// what Validate would have refused.
func (v View) sane() View {
	drop := func(n **int, from, to int) {
		if *n != nil && (**n < from || **n > to) {
			*n = nil
		}
	}
	drop(&v.DirectionDeg, 0, 359)
	drop(&v.AngleDeg, 1, 360)
	drop(&v.RangeM, 1, maxRangeM)
	drop(&v.HeightCm, 0, maxHeightCm)
	return v
}

// pixelsPerMetre is the density on a target at a distance and at a depth along
// the axis. Up to 120 degrees W / (2 d tan(HFOV/2)) with d the depth; above,
// where a lens maps angles and depth has no meaning (fish-eyes see behind
// themselves), W / (d HFOV) with d the distance. Neither d is ever less than
// the mounting height: a target at the foot of the pole is that far.
func (v View) pixelsPerMetre(distance, depth float64) float64 {
	if v.WidthPx <= 0 || v.AngleDeg == nil {
		return 0
	}
	height := float64(defaultHeightM)
	if v.HeightCm != nil {
		// Half a metre keeps the division finite for a camera on the ground.
		height = math.Max(float64(*v.HeightCm)/100, 0.5)
	}
	angle := float64(*v.AngleDeg) * math.Pi / 180
	if *v.AngleDeg <= 120 {
		return float64(v.WidthPx) / (2 * math.Max(depth, height) * math.Tan(angle/2))
	}
	return float64(v.WidthPx) / (math.Max(distance, height) * angle)
}

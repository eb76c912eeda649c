package search

import (
	"math"
	"time"

	"anagrafe/protocol"
)

// darkDeg is how low the sun stands when it is dark: the end of civil twilight,
// until which one sees outdoors without lamps.
const darkDeg = -6

// dark tells whether it was dark at some time of a window.
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

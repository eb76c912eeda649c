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
func dark(at protocol.Point, from, until time.Time) bool {
	if sunDeg(at, from) < darkDeg || sunDeg(at, until) < darkDeg {
		return true
	}
	// Both ends may be bright, and a night in between: it is darkest at midnight
	// by the sun, which is within a quarter of an hour of the mean one.
	west := time.Duration(float64(at.Lon) / 15e6 * float64(time.Hour))
	midnight := from.Add(west).Truncate(24 * time.Hour).Add(24*time.Hour - west)
	return !midnight.After(until) && sunDeg(at, midnight) < darkDeg
}

// sunDeg is how many degrees the sun stands above the horizon, to a tenth of
// one in this century: the Astronomical Almanac's low-precision formulas
// (section C, "Low precision formulas for the Sun"), without refraction.
func sunDeg(at protocol.Point, t time.Time) float64 {
	const rad = math.Pi / 180
	days := float64(t.UnixMicro())/86400e6 - 10957.5 // since noon on 1 January 2000
	anomaly := (357.528 + 0.9856003*days) * rad
	longitude := (280.460 + 0.9856474*days + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly)) * rad
	tilt := (23.439 - 0.0000004*days) * rad
	ascension := math.Atan2(math.Cos(tilt)*math.Sin(longitude), math.Cos(longitude))
	declination := math.Asin(math.Sin(tilt) * math.Sin(longitude))
	sidereal := (280.46062 + 360.98564737*days + float64(at.Lon)/1e6) * rad
	lat := float64(at.Lat) / 1e6 * rad
	return math.Asin(math.Sin(lat)*math.Sin(declination)+math.Cos(lat)*math.Cos(declination)*math.Cos(sidereal-ascension)) / rad
}

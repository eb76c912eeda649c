package protocol

import "math"

// WGS84: semi-major axis in metres and first eccentricity squared.
const (
	semiMajorM     = 6378137.0
	eccentricitySq = 0.00669437999014
	meanRadiusM    = 6371008.8
)

// DistanceM is the distance between two points in metres: within a degree on
// the ellipsoid's tangent plane at the middle latitude (to a centimetre within
// 2 km, where searches are), farther on the mean sphere (to half a per cent).
func DistanceM(a, b Point) float64 {
	east, north, near := offsetM(a, b)
	if near {
		return math.Hypot(east, north)
	}
	latA, latB := radians(a.Lat), radians(b.Lat)
	sinLat := math.Sin((latB - latA) / 2)
	sinLon := math.Sin(radiansBetween(a.Lon, b.Lon) / 2)
	h := sinLat*sinLat + math.Cos(latA)*math.Cos(latB)*sinLon*sinLon
	return 2 * meanRadiusM * math.Asin(math.Min(1, math.Sqrt(h)))
}

// BearingDeg is the direction from a to b at a, degrees clockwise from north,
// in [0, 360). It is 0 where the points are the same.
func BearingDeg(a, b Point) float64 {
	east, north, near := offsetM(a, b)
	if !near {
		latA, latB, lon := radians(a.Lat), radians(b.Lat), radiansBetween(a.Lon, b.Lon)
		east = math.Sin(lon) * math.Cos(latB)
		north = math.Cos(latA)*math.Sin(latB) - math.Sin(latA)*math.Cos(latB)*math.Cos(lon)
	}
	return bearingOf(east, north)
}

// bearingOf is the direction of a way, degrees clockwise from north.
func bearingOf(east, north float64) float64 {
	deg := math.Atan2(east, north) * 180 / math.Pi
	if deg < 0 {
		deg += 360
	}
	if deg >= 360 || east == 0 && north == 0 { // a tiny negative angle rounds up; no way, no direction
		deg = 0
	}
	return deg
}

// offsetM is the way from a to b in metres east and north; near is false where
// a plane no longer serves: over a degree apart, or by the poles.
func offsetM(a, b Point) (east, north float64, near bool) {
	dLat, dLon := radians(b.Lat)-radians(a.Lat), radiansBetween(a.Lon, b.Lon)
	mid := (radians(a.Lat) + radians(b.Lat)) / 2
	const degree = math.Pi / 180
	if math.Abs(dLat) > degree || math.Abs(dLon) > degree || math.Abs(mid) > 85*degree {
		return 0, 0, false
	}
	perEast, perNorth := metresPerRadian(mid)
	return dLon * perEast, dLat * perNorth, true
}

// metresPerRadian is how long a radian of longitude and one of latitude are on
// the ellipsoid, at a latitude in radians.
func metresPerRadian(lat float64) (east, north float64) {
	sin, cos := math.Sincos(lat)
	w := 1 - eccentricitySq*sin*sin
	normal := semiMajorM / math.Sqrt(w)
	return normal * cos, normal * (1 - eccentricitySq) / w
}

// Plane is the ellipsoid's tangent plane at a point, for many questions about
// what lies around it. At 45 degrees north, up to 200 m from the point it agrees
// with DistanceM to a centimetre, up to 2 km to half a metre.
type Plane struct {
	at          Point
	east, north float64 // metres per microdegree of longitude and of latitude
}

// PlaneAt is the plane at a point.
func PlaneAt(p Point) Plane {
	const microdegree = math.Pi / 180e6
	east, north := metresPerRadian(radians(p.Lat))
	return Plane{p, east * microdegree, north * microdegree}
}

// Offset is the way to a point in metres, the short way round the world.
func (p Plane) Offset(to Point) (east, north float64) {
	lon := int64(to.Lon) - int64(p.at.Lon)
	if lon > 180e6 {
		lon -= 360e6
	}
	if lon < -180e6 {
		lon += 360e6
	}
	return float64(lon) * p.east, float64(int64(to.Lat)-int64(p.at.Lat)) * p.north
}

// Latitude is where an offset to the north lies, in microdegrees.
func (p Plane) Latitude(north float64) int64 {
	return int64(p.at.Lat) + int64(math.Floor(north/p.north))
}

func radians(microdegrees int32) float64 { return float64(microdegrees) / 1e6 * math.Pi / 180 }

// radiansBetween is b - a the short way round, across the date line too.
func radiansBetween(a, b int32) float64 {
	d := int64(b) - int64(a)
	if d > 180e6 {
		d -= 360e6
	}
	if d < -180e6 {
		d += 360e6
	}
	return float64(d) / 1e6 * math.Pi / 180
}

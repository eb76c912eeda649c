package protocol

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var duomo = Point{Lon: 9191900, Lat: 45464200}

// from is the point so many metres east and north of the Duomo, to 6 decimals.
func from(east, north float64) Point {
	lat := float64(duomo.Lat) / 1e6 * math.Pi / 180
	// The usual series for the length of a degree, not the code's own formula.
	perLat := 111132.954 - 559.822*math.Cos(2*lat) + 1.175*math.Cos(4*lat)
	perLon := 111412.84*math.Cos(lat) - 93.5*math.Cos(3*lat) + 0.118*math.Cos(5*lat)
	return Point{
		Lon: duomo.Lon + int32(math.Round(east/perLon*1e6)),
		Lat: duomo.Lat + int32(math.Round(north/perLat*1e6)),
	}
}

func TestDistanceAndBearing(t *testing.T) {
	for _, c := range []struct{ east, north, bearing float64 }{
		{0, 100, 0}, {100, 0, 90}, {0, -100, 180}, {-100, 0, 270}, {50, 50, 45}, {-300, 400, 323.13}, {2000, -1, 90.03}, {-1, 2000, 359.97},
	} {
		p := from(c.east, c.north)
		if got, want := DistanceM(duomo, p), math.Hypot(c.east, c.north); math.Abs(got-want) > 0.15 {
			t.Errorf("%v m east, %v m north: distance %.3f, want %.3f", c.east, c.north, got, want)
		}
		if DistanceM(duomo, p) != DistanceM(p, duomo) {
			t.Errorf("%v m east, %v m north: the way back has another length", c.east, c.north)
		}
		if got := BearingDeg(duomo, p); math.Abs(got-c.bearing) > 0.1 {
			t.Errorf("%v m east, %v m north: bearing %.3f, want %.2f", c.east, c.north, got, c.bearing)
		}
	}
	for _, c := range []struct {
		name              string
		a, b              Point
		distance, bearing float64
	}{
		{"across the date line", Point{179_999_900, 0}, Point{-179_999_900, 0}, 22.26, 90},
		{"across the date line, the other way", Point{-179_999_900, 0}, Point{179_999_900, 0}, 22.26, 270},
		{"Milano to Roma", Point{9_190_000, 45_464_000}, Point{12_496_000, 41_903_000}, 477_000, 145},
		{"over the pole", Point{0, 89_999_000}, Point{180_000_000, 89_999_000}, 222.4, 0},
		{"the same", duomo, duomo, 0, 0},
		{"half the world", Point{0, 1}, Point{180_000_000, 1}, math.Pi * meanRadiusM, 0},
	} {
		within := 0.01 // on the ellipsoid
		if c.distance > 100 {
			within = c.distance*0.005 + 0.1 // on the sphere
		}
		if got := DistanceM(c.a, c.b); math.Abs(got-c.distance) > within {
			t.Errorf("%s: distance %.2f, want %.2f", c.name, got, c.distance)
		}
		if got := BearingDeg(c.a, c.b); math.Abs(got-c.bearing) > 0.5 {
			t.Errorf("%s: bearing %.2f, want %.0f", c.name, got, c.bearing)
		}
	}
}

func TestSee(t *testing.T) {
	north90 := View{DirectionDeg: deg(0), AngleDeg: deg(90), RangeM: deg(50), WidthPx: 1920}
	view := func(change func(*View)) View { v := north90; change(&v); return v }
	exact := Position{Point: duomo, AccuracyM: 1}
	rough := Position{Point: duomo, AccuracyM: 20}

	for _, c := range []struct {
		name        string
		pos         Position
		view        View
		east, north float64
		want        Answer
		ppm         float64 // 0: none
		class       Class
	}{
		{"ahead", exact, north90, 0, 20, Yes, 1920 / (2 * 21.0), ClassDetect},
		{"ahead, near", exact, north90, 0, 10, Yes, 1920 / 22.0, ClassObserve},
		{"ahead, nearer", exact, north90, 0, 6, Yes, 1920 / 14.0, ClassRecognise},
		{"ahead, far", exact, north90, 0, 45, Yes, 1920 / 92.0, ClassNone},
		{"the density is that of the depth, not of the distance", exact, north90, 15, 20, Yes, 1920 / 42.0, ClassDetect},
		{"beyond its range", exact, north90, 0, 52, No, 0, ClassNone},
		{"at its range, within the position's error", exact, north90, 0, 50.5, Unknown, 1920 / 103.0, ClassNone},
		{"just outside the angle", exact, north90, 21, 20, Unknown, 1920 / 42.0, ClassDetect},
		{"outside the angle", exact, north90, 25, 20, No, 0, ClassNone},
		{"behind", exact, north90, 0, -10, No, 0, ClassNone},
		{"behind, within the position's error", rough, north90, 0, -10, Unknown, 96, ClassObserve},
		{"ahead, but the position is rough", rough, north90, 0, 20, Unknown, 24, ClassNone},
		{"ahead, deep inside in spite of that", Position{Point: duomo, AccuracyM: 10}, north90, 0, 25, Yes, 1920 / 70.0, ClassDetect},
		{"accuracy not given: 5 m", Position{Point: duomo}, north90, 0, 53, Unknown, 1920 / 116.0, ClassNone},
		{"accuracy not given: beyond them", Position{Point: duomo}, north90, 0, 56, No, 0, ClassNone},
		{"north is at 350 too", exact, view(func(v *View) { v.DirectionDeg = deg(350) }), 5, 20, Yes, 48.53, ClassDetect},

		{"turns", exact, view(func(v *View) { v.Turns = true }), 0, -20, Unknown, 1920 / 42.0, ClassDetect},
		{"turns, beyond its range", exact, view(func(v *View) { v.Turns = true }), 0, -60, No, 0, ClassNone},
		{"direction unknown", exact, view(func(v *View) { v.DirectionDeg = nil }), 20, 0, Unknown, 1920 / 42.0, ClassDetect},
		{"direction unknown, beyond its range", exact, view(func(v *View) { v.DirectionDeg = nil }), 60, 0, No, 0, ClassNone},
		{"angle unknown", exact, view(func(v *View) { v.AngleDeg = nil }), 0, 20, Unknown, 0, ClassNone},
		{"range unknown", exact, view(func(v *View) { v.RangeM = nil }), 0, 20, Unknown, 1920 / 42.0, ClassDetect},
		{"range unknown, beyond the bound", exact, view(func(v *View) { v.RangeM = nil }), 0, 102, No, 0, ClassNone},
		{"range unknown, behind", exact, view(func(v *View) { v.RangeM = nil }), 0, -20, No, 0, ClassNone},
		{"nothing known", exact, View{}, 30, 30, Unknown, 0, ClassNone},
		{"numbers out of their limits are not known", exact, View{DirectionDeg: deg(-1), AngleDeg: deg(0), RangeM: deg(-5)}, 0, 20, Unknown, 0, ClassNone},
		{"width unknown", exact, view(func(v *View) { v.WidthPx = 0 }), 0, 20, Yes, 0, ClassNone},

		{"all round, direction of no matter", exact, view(func(v *View) { v.AngleDeg = deg(360); v.DirectionDeg = nil }), 0, -20, Yes, 1920 / (21 * 2 * math.Pi), ClassNone},
		{"120 degrees by the tangent", exact, view(func(v *View) { v.AngleDeg = deg(120) }), 0, 20, Yes, 1920 / (42 * math.Tan(math.Pi/3)), ClassDetect},
		{"121 by the angle", exact, view(func(v *View) { v.AngleDeg = deg(121) }), 0, 20, Yes, 1920 / (21 * 121 * math.Pi / 180), ClassDetect},
		{"270: aside and behind, by the distance", exact, view(func(v *View) { v.AngleDeg = deg(270) }), 20, -5, Yes, 1920 / (21.6155 * 270 * math.Pi / 180), ClassNone},
		{"270: behind", exact, view(func(v *View) { v.AngleDeg = deg(270) }), 0, -20, No, 0, ClassNone},
		{"at the foot of the pole: the mounting height", exact, view(func(v *View) { v.HeightCm = deg(600) }), 0, 3, Yes, 160, ClassRecognise},
		{"height unknown: 3 m", exact, north90, 0, 2, Yes, 320, ClassIdentify},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := See(c.pos, c.view, from(c.east, c.north))
			if got.Sees != c.want {
				t.Errorf("sees: %q, want %q", got.Sees, c.want)
			}
			if math.Abs(got.PixelsPerMetre-c.ppm) > c.ppm*0.02 {
				t.Errorf("%.2f px/m, want %.2f", got.PixelsPerMetre, c.ppm)
			}
			if got.Class != c.class {
				t.Errorf("class %q, want %q", got.Class, c.class)
			}
			if want := math.Hypot(c.east, c.north); math.Abs(got.DistanceM-want) > 0.15 {
				t.Errorf("distance %.2f, want %.2f", got.DistanceM, want)
			}
			back := BearingDeg(from(c.east, c.north), duomo)
			if got.BearingDeg != back {
				t.Errorf("bearing %.2f, want %.2f", got.BearingDeg, back)
			}
		})
	}
}

func TestClassOf(t *testing.T) {
	for ppm, want := range map[float64]Class{
		0: ClassNone, 24.99: ClassNone, 25: ClassDetect, 61.9: ClassDetect, 62: ClassObserve, 124.9: ClassObserve,
		125: ClassRecognise, 249.9: ClassRecognise, 250: ClassIdentify, 9999: ClassIdentify,
	} {
		if got := classOf(ppm); got != want {
			t.Errorf("ClassOf(%v) = %q, want %q", ppm, got, want)
		}
	}
}

func TestSeeAtNight(t *testing.T) {
	for _, c := range []struct {
		name     string
		infrared bool
		rangeM   *int
		distance float64
		want     bool
	}{
		{"no infrared", false, deg(50), 10, true},
		{"within infrared", true, deg(50), 10, false},
		{"beyond it", true, deg(50), 51, true},
		{"infrared of unknown range", true, nil, 10, true},
	} {
		v := View{DirectionDeg: deg(0), AngleDeg: deg(90), RangeM: c.rangeM, Infrared: c.infrared}
		if got := See(Position{Point: duomo, AccuracyM: 1}, v, from(0, c.distance)).NightUnknown; got != c.want {
			t.Errorf("%s: NightUnknown = %v", c.name, got)
		}
	}
}

// FuzzSee moves the camera about within its position's error: Yes must hold
// from everywhere, No from nowhere.
func FuzzSee(f *testing.F) {
	f.Add(int16(0), int16(20), uint16(0), uint16(90), uint16(50), uint8(1), uint16(1920))
	f.Add(int16(-3), int16(-4), uint16(180), uint16(300), uint16(30), uint8(6), uint16(4000))
	f.Add(int16(30), int16(40), uint16(37), uint16(1), uint16(50), uint8(0), uint16(0))
	f.Add(int16(0), int16(0), uint16(359), uint16(359), uint16(1), uint8(200), uint16(9))
	f.Fuzz(func(t *testing.T, east, north int16, direction, angle, reach uint16, accuracy uint8, width uint16) {
		direction, angle, reach = direction%360, angle%360+1, reach%2000+1
		pos := Position{Point: duomo, AccuracyM: int(accuracy)}
		view := View{DirectionDeg: deg(int(direction)), AngleDeg: deg(int(angle)), RangeM: deg(int(reach)), WidthPx: int(width)}
		p := from(float64(east)/8, float64(north)/8)
		got := See(pos, view, p)
		if math.IsNaN(got.PixelsPerMetre) || math.IsInf(got.PixelsPerMetre, 0) || got.PixelsPerMetre < 0 || got.BearingDeg < 0 || got.BearingDeg >= 360 {
			t.Fatalf("not a number of any use: %+v", got)
		}
		if got.Sees == No && (got.PixelsPerMetre != 0 || got.Class != ClassNone) {
			t.Errorf("does not see, but how: %+v", got)
		}
		x, y, _ := offsetM(duomo, p)
		margin := float64(accuracy)
		if accuracy == 0 {
			margin = DefaultAccuracyM
		}
		random := rand.New(rand.NewPCG(uint64(east), uint64(north)))
		if got.Sees == Unknown != (got.Doubts != 0) {
			t.Errorf("%s, and the doubts are %q", got.Sees, got.Doubts.Names())
		}
		for range 40 {
			r, a := margin*math.Sqrt(random.Float64())*0.999, random.Float64()*2*math.Pi
			dx, dy := x-r*math.Cos(a), y-r*math.Sin(a)
			distance := math.Hypot(dx, dy)
			// The angle by scalar product, not by bearings.
			ux, uy := math.Sin(float64(direction)*math.Pi/180), math.Cos(float64(direction)*math.Pi/180)
			off := math.Acos(math.Max(-1, math.Min(1, (dx*ux+dy*uy)/math.Max(distance, 1e-9)))) * 180 / math.Pi
			slack := 0.002 // of a metre, and of a degree
			if in := distance <= float64(reach)-slack && off <= float64(angle)/2-slack; in && got.Sees == No {
				t.Fatalf("No, but seen from %.2f m off: distance %.3f, %.3f degrees off axis", r, distance, off)
			}
			if out := distance > float64(reach)+slack || off > float64(angle)/2+slack; out && got.Sees == Yes {
				t.Fatalf("Yes, but not from %.2f m off: distance %.3f, %.3f degrees off axis", r, distance, off)
			}
			// No place within the error gives fewer pixels than are told.
			var there float64
			if angle <= 120 {
				there = float64(width) / (2 * math.Max(distance*math.Cos(off*math.Pi/180), defaultHeightM) * math.Tan(float64(angle)*math.Pi/360))
			} else {
				there = float64(width) / (math.Max(distance, defaultHeightM) * float64(angle) * math.Pi / 180)
			}
			if got.Sees != No && there < got.PixelsPerMetre*0.9999 {
				t.Fatalf("%.2f px/m, but %.2f from %.2f m off", got.PixelsPerMetre, there, r)
			}
		}
	})
}

func TestSightDoubts(t *testing.T) {
	known := View{DirectionDeg: deg(0), AngleDeg: deg(90), RangeM: deg(50)}
	view := func(change func(*View)) View { v := known; change(&v); return v }
	for _, c := range []struct {
		name        string
		view        View
		east, north float64
		want        []string
	}{
		{"surely", known, 0, 20, nil},
		{"surely not", known, 0, -20, nil},
		{"the position's error", known, 0, 49.5, []string{"accuracy"}},
		{"no direction", view(func(v *View) { v.DirectionDeg = nil }), 0, 20, []string{"direction"}},
		{"no direction is needed all round", view(func(v *View) { v.DirectionDeg, v.AngleDeg = nil, deg(360) }), 0, 20, nil},
		{"turns, wherever it was left", view(func(v *View) { v.Turns, v.DirectionDeg = true, nil }), 0, 20, []string{"turns"}},
		{"turns, and the error decides", view(func(v *View) { v.Turns = true }), 0, -50.5, []string{"turns", "accuracy"}},
		{"no range", view(func(v *View) { v.RangeM = nil }), 0, 20, []string{"range"}},
		{"nothing at all", View{}, 0, 20, []string{"direction", "angle", "range"}},
	} {
		if got := See(Position{Point: duomo, AccuracyM: 1}, c.view, from(c.east, c.north)).Doubts.Names(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if n := len(Doubts(math.MaxUint16).Names()); n != len(doubtNames) || DoubtNotYet != 1<<(len(doubtNames)-1) {
		t.Errorf("%d names of %d doubts", len(doubtNames), n)
	}
}

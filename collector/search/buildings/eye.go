package buildings

import (
	"cmp"
	"math"
	"slices"

	"anagrafe/protocol"
)

const (
	// drawnM is how far an outline may be drawn from the wall.
	drawnM = 3
	// offWallM is how far in front of its wall an eye is put.
	offWallM = 0.3
	// frontM is how far within a building the point asked for may lie and still
	// stand for the front before it.
	frontM = 6
	// maxAccuracyM is the position's error beyond which nothing is said.
	maxAccuracyM = 100
	// onWall is how far a camera turns off the wall that it hangs on: its
	// direction lies within 100 degrees of the wall's own.
	onWall = -0.17 // cos 100 degrees
)

// accuracyM is the position's error, metres.
func accuracyM(at protocol.Position) float64 {
	if at.AccuracyM <= 0 {
		return protocol.DefaultAccuracyM
	}
	return float64(at.AccuracyM)
}

// direction is where a camera looks, as a vector; zero if that is not known, or
// everywhere.
func direction(v protocol.View) point {
	if v.DirectionDeg == nil || v.Turns || v.AngleDeg != nil && *v.AngleDeg >= 360 {
		return point{}
	}
	sin, cos := math.Sincos(float64(*v.DirectionDeg) * math.Pi / 180)
	return point{sin, cos}
}

// eye is the place from which a camera declared at the ground's origin looks.
// ok: there is one.
func (g ground) eye(accuracy float64, towards point) (p point, ok bool, err error) {
	in, err := g.covered(point{})
	if err != nil || !in {
		return point{}, err == nil, err
	}
	return g.front(point{}, accuracy+drawnM, towards)
}

// eyes are the places from which that camera may look: the one above and open
// ground within the position's error.
func (g ground) eyes(accuracy float64, towards point) ([]point, error) {
	var all []point
	p, ok, err := g.eye(accuracy, towards)
	if err != nil {
		return nil, err
	}
	if ok {
		all = append(all, p)
	}
	rings := []float64{accuracy}
	if accuracy > 6 {
		rings = append(rings, accuracy/2)
	}
	for _, r := range rings {
		for i := range 8 {
			sin, cos := math.Sincos(float64(i) * math.Pi / 4)
			p := point{r * sin, r * cos}
			in, err := g.covered(p)
			if err != nil {
				return nil, err
			}
			if !in {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// front is the place in front of the nearest wall that faces open ground and,
// unless that is zero, a direction, at most so many metres from p.
func (g ground) front(p point, within float64, towards point) (front point, ok bool, err error) {
	walls, err := g.walls(p, p, within)
	if err != nil {
		return point{}, false, err
	}
	type foot struct {
		at, normal point
		far        float64
	}
	var feet []foot
	for _, w := range walls {
		d := point{w.b.x - w.a.x, w.b.y - w.a.y}
		length := math.Hypot(d.x, d.y)
		if far := w.distance(p); length > 0 && far <= within {
			feet = append(feet, foot{w.nearest(p), point{d.y / length, -d.x / length}, far})
		}
	}
	slices.SortFunc(feet, func(a, b foot) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.at.x, b.at.x), cmp.Compare(a.at.y, b.at.y),
			cmp.Compare(a.normal.x, b.normal.x), cmp.Compare(a.normal.y, b.normal.y))
	})
	for _, f := range feet {
		out, ok, err := g.outside(f.at, f.normal)
		if err != nil {
			return point{}, false, err
		}
		if faces := out.x*towards.x + out.y*towards.y; ok && (towards == point{} || faces >= onWall) {
			return point{f.at.x + offWallM*out.x, f.at.y + offWallM*out.y}, true, nil
		}
	}
	return point{}, false, nil
}

// outside tells to which side of a wall the open ground lies: the side alone of
// the two that no building covers. A wall between two buildings has none.
func (g ground) outside(at, normal point) (out point, ok bool, err error) {
	left, err := g.covered(point{at.x + offWallM*normal.x, at.y + offWallM*normal.y})
	if err != nil {
		return point{}, false, err
	}
	right, err := g.covered(point{at.x - offWallM*normal.x, at.y - offWallM*normal.y})
	if err != nil || left == right {
		return point{}, false, err
	}
	if left {
		return point{-normal.x, -normal.y}, true, nil
	}
	return normal, true, nil
}

package buildings

import (
	"anagrafe/protocol"
)

// Hides reports whether buildings stand between a camera and a point: Yes if they
// do wherever the camera may hang, No if nowhere, else Unknown. What could not
// be read of the basemap is Unknown too.
func (o *Outlines) Hides(at protocol.Position, view protocol.View, p protocol.Point) protocol.Answer {
	g := o.around(at.Point)
	accuracy := accuracyM(at)
	target := g.place(p)
	if accuracy > maxAccuracyM {
		return protocol.Unknown
	}
	walls, err := g.walls(point{}, target, accuracy+drawnM+frontM)
	if err != nil {
		return protocol.Unknown
	}
	if len(walls) == 0 {
		return protocol.No
	}
	in, err := g.covered(target)
	if in && err == nil {
		var ok bool
		if target, ok, err = g.front(target, frontM, point{}); !ok {
			return protocol.Unknown
		}
	}
	if err != nil {
		return protocol.Unknown
	}
	eyes, err := g.eyes(accuracy, direction(view))
	if err != nil || len(eyes) == 0 {
		return protocol.Unknown
	}
	blind := 0
	for _, eye := range eyes {
		if blocked(wall{eye, target}, walls) {
			blind++
		}
	}
	switch blind {
	case 0:
		return protocol.No
	case len(eyes):
		return protocol.Yes
	}
	return protocol.Unknown
}

// blocked reports whether a wall crosses the line of sight.
func blocked(sight wall, walls []wall) bool {
	for _, w := range walls {
		if crosses(sight, w) {
			return true
		}
	}
	return false
}

// crosses reports whether two straight pieces have a point in common, their ends
// included: each has its ends on both sides of the other, or on it.
func crosses(a, b wall) bool {
	if max(a.a.x, a.b.x) < min(b.a.x, b.b.x) || max(b.a.x, b.b.x) < min(a.a.x, a.b.x) ||
		max(a.a.y, a.b.y) < min(b.a.y, b.b.y) || max(b.a.y, b.b.y) < min(a.a.y, a.b.y) {
		return false
	}
	return side(a, b.a)*side(a, b.b) <= 0 && side(b, a.a)*side(b, a.b) <= 0
}

// side is positive where p lies left of the way from w.a to w.b.
func side(w wall, p point) float64 {
	return (w.b.x-w.a.x)*(p.y-w.a.y) - (w.b.y-w.a.y)*(p.x-w.a.x)
}

package paper

import "anagrafe/protocol"

// walk returns an order in which to visit the points on foot from start, as their
// places in points: the nearest first each time, then parts of the way turned
// round as long as that shortens it (2-opt). The way is open: nobody walks back. It
// takes straight lines, for the register has no streets to walk along; it is a good
// order, not surely the best one. Points with the same place stay in their order.
func walk(start protocol.Point, points []protocol.Point) []int {
	order := make([]int, 0, len(points))
	left := make([]int, len(points))
	for i := range left {
		left[i] = i
	}
	for at := start; len(left) > 0; {
		next := 0
		for i, p := range left {
			if protocol.DistanceM(at, points[p]) < protocol.DistanceM(at, points[left[next]]) {
				next = i
			}
		}
		at = points[left[next]]
		order = append(order, left[next])
		left = append(left[:next], left[next+1:]...)
	}
	const enough = 1e-6 // metres: rounding is no shortening
	for shorter := true; shorter; {
		shorter = false
		for i := range order {
			for j := i + 1; j < len(order); j++ {
				if turned(start, points, order, i, j) < -enough {
					for a, b := i, j; a < b; a, b = a+1, b-1 {
						order[a], order[b] = order[b], order[a]
					}
					shorter = true
				}
			}
		}
	}
	return order
}

// turned is by how much the way becomes longer when order[i:j+1] is walked the
// other way round.
func turned(start protocol.Point, points []protocol.Point, order []int, i, j int) float64 {
	before := start
	if i > 0 {
		before = points[order[i-1]]
	}
	first, last := points[order[i]], points[order[j]]
	d := protocol.DistanceM(before, last) - protocol.DistanceM(before, first)
	if j+1 < len(order) {
		after := points[order[j+1]]
		d += protocol.DistanceM(first, after) - protocol.DistanceM(last, after)
	}
	return d
}

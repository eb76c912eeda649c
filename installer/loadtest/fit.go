package main

import "slices"

// fit finds what each of some costs is: coefficients, none below 0, by which the rows
// come nearest to the values. Each error counts as a part of its value, so that a small
// point weighs as much as a large one; but of nothing less than a twentieth of the
// largest, below which a clock of 10 ms says little. Least squares under that bound by
// projected coordinate descent: each coefficient in turn is put where it is best while
// the others stay, which for a quadratic comes to the one answer.
func fit(rows [][]float64, values []float64) []float64 {
	best := make([]float64, len(rows[0]))
	least := slices.Max(values) / 20
	for range 20_000 {
		for j := range best {
			var on, at float64
			for i, row := range rows {
				x, rest := row[j], values[i]
				for k, c := range best {
					if k != j {
						rest -= c * row[k]
					}
				}
				weight := max(values[i], least)
				on += x * rest / (weight * weight)
				at += x * x / (weight * weight)
			}
			if at > 0 {
				best[j] = max(0, on/at)
			}
		}
	}
	return best
}

package choropleth

import "slices"

// classes is how many there are beside that of nothing: more are not told apart.
const classes = 4

// classOf puts values into classes: 0 has what is 0, and the others as many values
// each, as nearly as equal values stay together. So a city where one district has most
// still shows how the others differ.
func classOf(values []float64) map[float64]int {
	var above []float64
	of := make(map[float64]int)
	for _, v := range values {
		if of[v] = 0; v > 0 {
			above = append(above, v)
		}
	}
	slices.Sort(above)
	class, last := 0, -1
	for i, v := range above {
		if i > 0 && v == above[i-1] {
			continue
		}
		if part := i * classes / len(above); part > last { // a class that none is in is none
			class, last = class+1, part
		}
		of[v] = class
	}
	return of
}

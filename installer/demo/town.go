package main

// place is where the demo's site stands, square the middle of what it films.
const (
	place  = "Piazza del Duomo, Milano (dimostrazione)"
	square = "9.18990,45.46415"
)

// view is how the demo's owner places a camera: degrees WGS84, degrees
// clockwise from north, metres. Invented; no such cameras are known to hang there.
type view struct{ lon, lat, direction, angle, reach string }

var views = []view{
	{"9.18935", "45.46455", "135", "80", "70"},
	{"9.19060", "45.46440", "235", "70", "80"},
	{"9.19085", "45.46385", "300", "90", "60"},
	{"9.18960", "45.46360", "25", "75", "75"},
	{"9.18890", "45.46400", "80", "60", "90"},
	{"9.19010", "45.46475", "190", "95", "60"},
	{"9.19125", "45.46425", "265", "50", "110"},
	{"9.18870", "45.46345", "50", "65", "60"},
	{"9.18820", "45.46425", "95", "70", "50"},
	{"9.19030", "45.46320", "340", "80", "65"},
	{"9.18915", "45.46500", "170", "60", "80"},
	{"9.19160", "45.46370", "285", "75", "60"},
	{"9.18790", "45.46380", "70", "85", "55"},
	{"9.19100", "45.46500", "215", "70", "90"},
	{"9.18985", "45.46300", "5", "60", "95"},
	{"9.18850", "45.46475", "125", "90", "50"},
}

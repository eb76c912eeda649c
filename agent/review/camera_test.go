package review

import (
	"math"
	"strings"
	"testing"
)

func TestCoordinates(t *testing.T) {
	for text, want := range map[string][2]float64{
		"45.464100, 9.190000": {45.4641, 9.19},
		"45.464100,9.190000":  {45.4641, 9.19},
		"45,4641 9,19":        {45.4641, 9.19},
		"45,4641; 9,19":       {45.4641, 9.19},
		"45,4641, 9,19":       {45.4641, 9.19},
		"45.4641° N, 9.19° E": {45.4641, 9.19},
		" 45.4641\t9.19 ":     {45.4641, 9.19},
		"33.9 S, 18.4 E":      {-33.9, 18.4},
		"45.4641 N 9.19 O":    {45.4641, -9.19},
		"-33.9 18.4":          {-33.9, 18.4},
	} {
		if lat, lon, ok := coordinates(text); !ok || math.Abs(lat-want[0]) > 1e-9 || math.Abs(lon-want[1]) > 1e-9 {
			t.Errorf("%q: %v, %v, %t", text, lat, lon, ok)
		}
	}
	for _, text := range []string{"", "45.4641", "via Torino 1", "45.4641, 9.19, 3", "91, 9", "45, 181", "S 45, 9", "NaN, 9", "Inf Inf", "45.4.6, 9", "1e9, 1", "N E"} {
		if lat, lon, ok := coordinates(text); ok {
			t.Errorf("%q was read as %v, %v", text, lat, lon)
		}
	}
}

func FuzzCoordinates(f *testing.F) {
	f.Add("45.464100, 9.190000")
	f.Add("45,4641° N 9,19° O")
	f.Fuzz(func(t *testing.T, text string) {
		lat, lon, ok := coordinates(text)
		if ok && !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
			t.Errorf("%q: %v, %v", text, lat, lon)
		}
		if again, _, same := coordinates(strings.ToLower(text)); ok && (!same || again != lat) {
			t.Errorf("%q reads otherwise in lower case", text)
		}
	})
}

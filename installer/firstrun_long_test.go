//go:build long

package installer

import "testing"

// TestLongFirstRun goes the other ways: each language by mouse and by keyboard in
// either window, without scripts until the map, and with all four cameras outdoors.
func TestLongFirstRun(t *testing.T) {
	for _, way := range []shopWay{
		{name: "first-it-1280-mouse-four", lang: "it", width: 1280, outdoors: 4},
		{name: "first-en-390-mouse-four", lang: "en", width: 390, outdoors: 4},
		{name: "first-it-390-mouse-plain", lang: "it", width: 390, outdoors: 1, plain: true},
		{name: "first-en-1280-keys-plain", lang: "en", width: 1280, outdoors: 1, keys: true, plain: true},
		{name: "first-it-390-keys-four", lang: "it", width: 390, outdoors: 4, keys: true},
	} {
		t.Run(way.name, func(t *testing.T) { firstRun(t, way) })
	}
}

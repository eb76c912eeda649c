//go:build long

package installer

import "testing"

// TestLongJourneys are the other ways to go: on a phone, without a mouse, in English.
func TestLongJourneys(t *testing.T) {
	s := newScene(t)
	for _, v := range []variant{
		{name: "phone", width: 390},
		{name: "phone-keys", width: 390, keys: true},
		{name: "keys-english", width: 1440, keys: true, english: true},
	} {
		t.Run(v.name, func(t *testing.T) { s.journey(t, v) })
	}
}

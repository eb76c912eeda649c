package protocol

import "testing"

func TestMakerModel(t *testing.T) {
	for _, c := range []struct{ vendor, model, want string }{
		{"Aster", "NVR-16", "Aster NVR-16"}, {"Frigate", "Frigate", "Frigate"}, {"AXIS", "Axis P3818", "Axis P3818"}, {"Aster", "", "Aster"}, {"", "NVR-16", "NVR-16"}, {"", "", ""},
	} {
		if got := MakerModel(c.vendor, c.model); got != c.want {
			t.Errorf("%q %q: %q", c.vendor, c.model, got)
		}
	}
}

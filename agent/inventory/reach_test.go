package inventory

import (
	"errors"
	"testing"

	"anagrafe/agent/interrogate"
)

// A device is asked by its own address and by the token of the very camera; a camera
// of another device is none of its.
func TestReach(t *testing.T) {
	v := open(t, t.TempDir())
	one, other := cameraDevice(1), cameraDevice(2)
	if err := v.Record(t.Context(), []interrogate.Device{one, other}, noon); err != nil {
		t.Fatal(err)
	}
	cameras := view(t, v).Cameras
	for _, c := range cameras {
		r, err := v.Reach(t.Context(), c.Device.ID, c.ID)
		if err != nil || r.Sighting.Address.String() != c.Device.Address || r.Channel == "" || r.Needs != c.Device.Needs {
			t.Errorf("%s: %+v %v", c.ID, r, err)
		}
		if any, err := v.Reach(t.Context(), c.Device.ID, ""); err != nil || any.Channel == "" || any.Sighting.Address != r.Sighting.Address {
			t.Errorf("any of %s: %+v %v", c.Device.ID, any, err)
		}
		for _, o := range cameras {
			if o.Device.ID == c.Device.ID {
				continue
			}
			if r, err := v.Reach(t.Context(), o.Device.ID, c.ID); !errors.Is(err, ErrUnknown) || r.Channel != "" {
				t.Errorf("a camera of another device: %+v %v", r, err)
			}
		}
	}
	if _, err := v.Reach(t.Context(), "no-such", ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("no device: %v", err)
	}
}

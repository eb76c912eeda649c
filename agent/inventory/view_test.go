package inventory

import (
	"slices"
	"testing"
)

// TestViewIsOneMoment: what a view tells of devices and of their cameras agrees, also
// while both are written.
func TestViewIsOneMoment(t *testing.T) {
	v := open(t, t.TempDir())
	written := make(chan error, 1)
	go func() {
		defer close(written)
		for range 40 {
			if _, err := v.ListByHand(t.Context(), ByHand{Name: "Retro", Cameras: []string{"Ingresso", "Cassa"}}); err != nil {
				written <- err
				return
			}
		}
	}()
	for going := true; going; {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			going = false
		default:
		}
		w := view(t, v)
		if len(w.Cameras) != 2*len(w.Devices) {
			t.Fatalf("%d devices of two cameras, %d cameras", len(w.Devices), len(w.Cameras))
		}
		for _, c := range w.Cameras {
			if !slices.ContainsFunc(w.Devices, func(d Device) bool { return d.ID == c.Device.ID }) {
				t.Fatalf("camera %s is of no device of the view", c.ID)
			}
		}
	}
}

package inventory

import "testing"

// A machine whose clock ran ahead and was put right goes on observing: it does
// not wait until the right time has caught up.
func TestObservesAfterTheClockWasPutBack(t *testing.T) {
	v, _ := declared(t, 1)
	deliver(t, v)
	silent := cameraDevice(0)
	silent.Answered = false
	record(t, v, noon.AddDate(0, 0, -3), silent)
	all := outbox(t, v)
	if last := all[len(all)-1]; last.Kind != "observation" || last.State != Waiting {
		t.Errorf("the recorder's silence is not told: last is %s, %s", last.Kind, last.State)
	}
}

package main

import "testing"

// Memory is given back once after each time of work, and not while there is any.
func TestWorkEnds(t *testing.T) {
	const little, much = littleWork, littleWork + 1
	w, total := work{busy: true}, uint64(0)
	for i, step := range []struct {
		did  uint64
		ends bool
	}{{much, false}, {little, true}, {0, false}, {little, false}, {much, false}, {much, false}, {little, true}, {0, false}} {
		total += step.did
		if w.ended(total) != step.ends {
			t.Errorf("look %d, after %d bytes: %v", i, step.did, !step.ends)
		}
	}
}

package interrogate

import "testing"

// TestStanding: all news from every standing. What was stopped stays so, and what
// was accepted stays known.
func TestStanding(t *testing.T) {
	for from, want := range map[standing][5]standing{ // after postponed, due, accepted, unwanted, leftAlone
		untried: {waiting, untried, letIn, barred, paused},
		waiting: {waiting, untried, letIn, barred, paused},
		letIn:   {letIn, letIn, letIn, spent, spent},
		paused:  {paused, paused, spent, paused, paused},
		barred:  {barred, barred, spent, barred, paused},
		spent:   {spent, spent, spent, spent, spent},
	} {
		for e := postponed; e <= leftAlone; e++ {
			got := from
			got.after(e)
			if got != want[e] {
				t.Errorf("%d after %d is %d, want %d", from, e, got, want[e])
			}
			if from.stopped() && !got.stopped() || from.works() && !got.works() {
				t.Errorf("%d after %d is %d: something is signed again, or an acceptance is forgotten", from, e, got)
			}
			if ends := e == unwanted || e == leftAlone; ends && !got.stopped() || e == accepted && !got.works() {
				t.Errorf("%d after %d is %d", from, e, got)
			}
		}
	}
}

package inventory

import (
	"errors"
	"testing"
	"time"

	"anagrafe/protocol"
)

func recorded(t *testing.T, v *Inventory) string {
	t.Helper()
	newest, err := v.Recorded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return newest[siteA]
}

// What a restored collector has forgotten waits again, the oldest first, with
// the same bytes.
func TestRecall(t *testing.T) {
	v, all := declared(t, 2)
	if err := v.Set(t.Context(), all[0].ID, Edit{Name: new("Cortile")}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, all[0].ID)
	deliver(t, v)
	sent := outbox(t, v)
	for i := len(sent) - 1; i >= 0; i-- {
		if got := recorded(t, v); got != sent[i].ID {
			t.Fatalf("the newest recorded is %s, want %s", got, sent[i].ID)
		}
		for range 2 { // twice is once
			if err := v.Recall(t.Context(), sent[i].ID); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-v.Waiting():
		default:
			t.Error("nobody is told that a message waits")
		}
	}
	if got := recorded(t, v); got != "" {
		t.Errorf("%s is recorded", got)
	}
	if id, _, raw, _, err := v.Next(t.Context(), ""); err != nil || id != sent[0].ID || string(raw) != string(sent[0].Raw) {
		t.Errorf("next is %s: %v", id, err)
	}
	if err := v.Recall(t.Context(), "no-such"); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// What came before a withdrawal is never a reason to send it again.
func TestNothingBeforeAWithdrawalIsRecalled(t *testing.T) {
	v, _ := declared(t, 1)
	if recorded(t, v) == "" {
		t.Fatal("nothing is recorded")
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if got := recorded(t, v); got != "" {
		t.Errorf("%s came before the withdrawal", got)
	}
	deliver(t, v)
	sent := outbox(t, v)
	if got := recorded(t, v); got != sent[len(sent)-1].ID {
		t.Errorf("%s is recorded, want the withdrawal", got)
	}
}

// A change of schedule or retention that the collector refused is told again.
func TestARefusedChangeIsToldAgain(t *testing.T) {
	v, _ := declared(t, 1)
	off := cameraDevice(0)
	off.Channels[0].Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Zone: "Europe/Rome", Fact: off.Channels[0].Schedule.Fact}
	record(t, v, noon.Add(2*time.Hour), off)
	id, _, _, ok, err := v.Next(t.Context(), "")
	if err != nil || !ok {
		t.Fatalf("nothing waits: %v", err)
	}
	if err := v.Reject(t.Context(), id, "not-granted: no grant"); err != nil {
		t.Fatal(err)
	}
	record(t, v, noon.Add(4*time.Hour), off)
	o := last[protocol.Observation](t, v)
	if len(o.Cameras) != 1 || o.Cameras[0].Schedule == nil || o.Cameras[0].Schedule.Kind != protocol.ScheduleOff {
		t.Errorf("%+v", o)
	}
	if counts, err := v.Counts(t.Context()); err != nil || counts[Waiting] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
}

package registry

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Who depends on an authority: agents whose newest certificate it signed, while
// that can still be renewed, and codes in links made while it signed.
func TestDependents(t *testing.T) {
	r := openNew(t)
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	certified := func(made time.Time) *sender {
		s := enrol(t, r, made)
		if err := r.Certified(t.Context(), s.agent, "1", made.AddDate(0, 0, 30)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	moved, last := certified(day(-10)), certified(day(0))
	certified(day(-200)) // cannot be renewed any more
	certified(day(1))    // by the next authority
	gone := certified(day(-10))
	if err := r.Revoke(t.Context(), gone.agent, day(0)); err != nil {
		t.Fatal(err)
	}
	for _, made := range []int{-20, -2, 1} { // expired, waiting, of the next authority
		if _, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar", Category: "shop"}, CodeHash: [32]byte([]byte(uuid.NewString())[:32]),
			ExpiresAt: day(made + 14), At: day(made)}); err != nil {
			t.Fatal(err)
		}
	}
	signedUntil := day(0).Add(time.Hour)
	check := func(what string, now time.Time, want Dependents) {
		t.Helper()
		got, err := r.Dependents(t.Context(), signedUntil, now)
		if err != nil || got.Agents != want.Agents || got.Codes != want.Codes || !got.AgentsUntil.Equal(want.AgentsUntil) || !got.CodesUntil.Equal(want.CodesUntil) {
			t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
		}
	}
	check("at the switch", day(2), Dependents{2, day(120), 1, day(12)})
	if err := r.Certified(t.Context(), moved.agent, "2", day(33)); err != nil {
		t.Fatal(err)
	}
	check("one is renewed", day(3), Dependents{1, day(120), 1, day(12)})
	check("the last may still be renewed", day(120), Dependents{Agents: 1, AgentsUntil: day(120)})
	check("nobody is left", day(120).Add(time.Second), Dependents{})
	if err := r.Certified(t.Context(), last.agent, "3", day(160)); err != nil {
		t.Fatal(err)
	}
	check("all are renewed", day(100), Dependents{})
}

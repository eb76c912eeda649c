package inventory

import (
	"errors"
	"testing"
	"time"

	"anagrafe/protocol"
)

var anna = protocol.Approval{By: "Anna Bianchi"}

// oneGrant is the state of the only site.
func oneGrant(t *testing.T, v *Inventory) Site {
	t.Helper()
	g := view(t, v).Sites
	if len(g) != 1 {
		t.Fatalf("%+v", g)
	}
	return g[0]
}

// newest is the last message, which must be a suspension.
func newest(t *testing.T, v *Inventory) (Sent, protocol.SiteSuspension) {
	t.Helper()
	all := outbox(t, v)
	s, is := all[len(all)-1].Message.Body.(protocol.SiteSuspension)
	if !is {
		t.Fatalf("the last message is a %s", all[len(all)-1].Kind)
	}
	return all[len(all)-1], s
}

func TestSuspendAndResume(t *testing.T) {
	v, _ := declared(t, 1)
	until := v.now().Add(48 * time.Hour).UTC().Truncate(time.Microsecond)
	if err := v.Suspend(t.Context(), siteA, until, anna); err != nil {
		t.Fatal(err)
	}
	sent, body := newest(t, v)
	if sent.State != Waiting || body.Resumed || !body.Until.Equal(until) || body.Approval.By != anna.By || body.Approval.Role != protocol.RoleOwner {
		t.Errorf("%+v", body)
	}
	if g := oneGrant(t, v); g.State != protocol.SiteSuspended || !g.SuspendedUntil.Equal(until) {
		t.Errorf("%+v", g)
	}
	if last, err := v.LastSuspensions(t.Context()); err != nil || last[siteA].ID != sent.ID {
		t.Errorf("%+v, %v", last, err)
	}
	if cameras(t, v)[0].State != StateDeclared {
		t.Error("the camera is called shared no more")
	}
	if err := v.Resume(t.Context(), siteA, anna); err != nil {
		t.Fatal(err)
	}
	_, resumed := newest(t, v)
	if g := oneGrant(t, v); !resumed.Resumed || g.State != "" || !g.SuspendedUntil.IsZero() || !resumed.Approval.At.After(body.Approval.At) {
		t.Errorf("%+v, %+v", resumed, g)
	}
}

// A decision made here is later than what this computer was told, whatever its clock
// shows; and what comes after its receipt is later than it.
func TestSuspensionOrder(t *testing.T) {
	v, _ := declared(t, 1)
	ahead := v.now().Add(time.Hour)
	keep(t, v, change(protocol.SiteResumed, ahead)) // by a collector whose clock is right: this one is an hour behind
	if err := v.Suspend(t.Context(), siteA, time.Time{}, anna); err != nil {
		t.Fatal(err)
	}
	sent, body := newest(t, v)
	if !body.Approval.At.After(ahead) {
		t.Errorf("decided at %v, before %v", body.Approval.At, ahead)
	}
	// The register's clock stands before: what is decided elsewhere after the receipt counts.
	recorded := v.now().Add(-time.Hour)
	if err := v.Acknowledge(t.Context(), protocol.Receipt{MessageID: sent.ID, SHA256: sum(sent.Raw), RecordedAt: recorded}, "h3"); err != nil {
		t.Fatal(err)
	}
	keep(t, v, change(protocol.SiteResumed, recorded.Add(time.Second)))
	if g := oneGrant(t, v); g.State != "" {
		t.Errorf("resumed elsewhere, and here still %q", g.State)
	}
}

// What the collector refuses has not happened, unless more was decided since.
func TestRefusedSuspension(t *testing.T) {
	v, _ := declared(t, 1)
	suspend := func() Sent {
		t.Helper()
		if err := v.Suspend(t.Context(), siteA, v.now().Add(time.Hour), anna); err != nil {
			t.Fatal(err)
		}
		sent, _ := newest(t, v)
		return sent
	}
	first := suspend()
	if err := v.Reject(t.Context(), first.ID, "invalid: body"); err != nil {
		t.Fatal(err)
	}
	if g := oneGrant(t, v); g.State != "" || !g.SuspendedUntil.IsZero() {
		t.Errorf("%+v", g)
	}
	second := suspend()
	suspend()
	if err := v.Reject(t.Context(), second.ID, "stale"); err != nil {
		t.Fatal(err)
	}
	if g := oneGrant(t, v); g.State != protocol.SiteSuspended {
		t.Error("an earlier refusal took back the later decision")
	}
}

func TestSuspendRefuses(t *testing.T) {
	v, _ := declared(t, 1)
	if err := v.Suspend(t.Context(), siteA, v.now().Add(-time.Hour), anna); err == nil {
		t.Error("until a day that is over")
	} else if _, is := errors.AsType[protocol.FieldErrors](err); !is {
		t.Error(err)
	}
	if err := v.Suspend(t.Context(), siteB, time.Time{}, anna); !errors.Is(err, ErrUnknown) {
		t.Errorf("another site: %v", err)
	}
	if err := v.Suspend(t.Context(), siteA, time.Time{}, anna); err != nil {
		t.Fatal(err)
	}
	if err := v.WithdrawSite(t.Context(), siteA, anna); err != nil {
		t.Fatal(err)
	}
	if err := v.Suspend(t.Context(), siteA, time.Time{}, anna); !errors.Is(err, ErrNothingShared) {
		t.Errorf("a site that was withdrawn: %v", err)
	}
	if g := oneGrant(t, v); g.State != "" {
		t.Errorf("withdrawn, and called %q", g.State)
	}
}

func TestOutboxPages(t *testing.T) {
	v, _ := declared(t, 1)
	for range 3 {
		if err := v.Suspend(t.Context(), siteA, time.Time{}, anna); err != nil {
			t.Fatal(err)
		}
	}
	all := outbox(t, v)
	var seen []string
	for skip := 0; skip < len(all); skip += 3 {
		page, n, err := v.OutboxPage(t.Context(), skip, 3)
		if err != nil || n != len(all) {
			t.Fatalf("%d of %d, %v", n, len(all), err)
		}
		for _, s := range page {
			seen = append(seen, s.ID)
		}
	}
	for i, s := range all {
		if seen[len(seen)-1-i] != s.ID {
			t.Errorf("%d: %q", i, seen)
		}
		if one, err := v.OneSent(t.Context(), s.ID); err != nil || one.SHA256 != s.SHA256 {
			t.Errorf("%v", err)
		}
	}
	if _, err := v.OneSent(t.Context(), "no such"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

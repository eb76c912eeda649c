package inventory

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// A copy of the files, taken while the first program still has them open, is
// what a power cut leaves. The decision and the message are both there, and the
// same bytes are sent.
func TestKilledAfterApprove(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, cameraDevice(0))
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	approve(t, v, id)
	want := outbox(t, v)

	again := open(t, powerCut(t, dir))
	if c, err := view(t, again).Camera(id); err != nil || c.State != StateDeclared {
		t.Fatalf("%+v: %v", c, err)
	}
	select {
	case <-again.Waiting():
	default:
		t.Error("nobody is told that a message waits")
	}
	for range 2 { // an interrupted delivery is repeated as it was
		got, site, raw, ok, err := again.Next(t.Context(), "")
		if err != nil || !ok || got != want[0].ID || site != siteA || !bytes.Equal(raw, want[0].Raw) {
			t.Fatalf("next: %s of %s, %t, %v; same bytes %t", got, site, ok, err, bytes.Equal(raw, want[0].Raw))
		}
		again = open(t, powerCut(t, filepath.Dir(path(t, again))))
	}
	if err := again.Acknowledge(t.Context(), receipt(want[0].ID, want[0].Raw), "h3"); err != nil {
		t.Fatal(err)
	}
	if _, _, _, ok, err := again.Next(t.Context(), ""); ok || err != nil {
		t.Errorf("an acknowledged message waits again: %v", err)
	}
}

// powerCut copies the files as they stand on the disk.
func powerCut(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) < 2 {
		t.Fatalf("%v: %v", names, err)
	}
	for _, name := range names {
		if filepath.Ext(name) == ".db-shm" { // memory, which a power cut empties
			continue
		}
		from, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.OpenFile(filepath.Join(to, filepath.Base(name)), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(out, from)
		if err := errors.Join(err, from.Close(), out.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func path(t *testing.T, v *Inventory) string {
	t.Helper()
	var file string
	if err := v.writer.QueryRow(`SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAcknowledgeAndReject(t *testing.T) {
	v, _ := declared(t, 1)
	sent := outbox(t, v)[0]
	if sent.State != Acknowledged || !sent.RecordedAt.Equal(noon) || sent.Transport != "h3" {
		t.Errorf("%+v", sent)
	}
	if err := v.Acknowledge(t.Context(), receipt(sent.ID, sent.Raw), "h2"); err != nil {
		t.Errorf("a repeated receipt: %v", err)
	}
	if err := v.Acknowledge(t.Context(), receipt(sent.ID, []byte("other")), "h3"); err == nil {
		t.Error("a receipt for other bytes was taken")
	}
	if err := v.Acknowledge(t.Context(), receipt("no-such", nil), "h3"); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
	if err := v.Reject(t.Context(), sent.ID, "late"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an acknowledged message was rejected: %v", err)
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	id, _, _, _, err := v.Next(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Reject(t.Context(), id, "the site is not granted"); err != nil {
		t.Fatal(err)
	}
	if all := outbox(t, v); all[1].State != Rejected || all[1].Why != "the site is not granted" {
		t.Errorf("%+v", all[1])
	}
}

// What the collector refused for good waits for the owner's yes again.
func TestARejectedDeclarationCanBeRepeated(t *testing.T) {
	v, all := declared(t, 1)
	if err := v.Set(t.Context(), all[0].ID, Edit{Name: new("Cortile")}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, all[0].ID)
	id, _, _, _, err := v.Next(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Reject(t.Context(), id, "not-granted"); err != nil {
		t.Fatal(err)
	}
	if got := cameras(t, v)[0].Changed; !slices.Contains(got, "rejected") {
		t.Errorf("waits for a yes to %q", got)
	}
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if got := cameras(t, v)[0].Changed; len(got) > 0 {
		t.Errorf("after the yes it waits for %q", got)
	}
	counts, err := v.Counts(t.Context())
	if want := map[SentState]int{Acknowledged: 1, Rejected: 1, Waiting: 1}; err != nil || !maps.Equal(counts, want) {
		t.Errorf("counted %v, %v; want %v", counts, err, want)
	}
}

func TestObservations(t *testing.T) {
	v, all := declared(t, 2)
	at := noon
	look := func(after time.Duration, change func(*protocol.Clock), mute bool) int {
		t.Helper()
		at = at.Add(after)
		a, b := cameraDevice(0), cameraDevice(1)
		a.Clock.At, b.Clock.At = at, at
		for _, ch := range []*protocol.Retention{&a.Channels[0].Retention, &b.Channels[0].Retention} {
			ch.OldestFootage, ch.ObservedAt = at.Add(-70*time.Hour), at // full: it rolls on
		}
		if change != nil {
			change(a.Clock)
		}
		if mute {
			b.Answered, b.Channels, b.Clock = false, nil, nil
		}
		record(t, v, at, a, b)
		n := 0
		for _, m := range outbox(t, v) {
			if m.Kind == "observation" {
				n++
			}
		}
		return n
	}
	ahead := func(c *protocol.Clock) { c.OffsetMs += 60_000 }
	if n := look(10*time.Minute, ahead, false); n != 0 {
		t.Fatalf("%d observations within the hour of the declaration", n)
	}
	if n := look(time.Hour, nil, false); n != 1 { // settled is news
		t.Fatalf("%d observations, want 1", n)
	}
	deliver(t, v)
	if n := look(2*time.Hour, nil, false); n != 1 {
		t.Fatalf("an observation though nothing changed")
	}
	if n := look(time.Hour, ahead, false); n != 2 {
		t.Fatalf("no observation though the clock moved")
	}
	first := outbox(t, v)[2]
	// It waits: the next one takes its place, with a new id and revision.
	if n := look(10*time.Minute, ahead, true); n != 2 {
		t.Fatalf("%d observations, want the second replaced", n)
	}
	second := outbox(t, v)[2]
	if second.ID == first.ID || second.Message.Revision <= first.Message.Revision {
		t.Errorf("replaced %s (%d) by %s (%d)", first.ID, first.Message.Revision, second.ID, second.Message.Revision)
	}
	o := second.Message.Body.(protocol.Observation)
	if len(o.Recorders) != 2 || !o.Recorders[0].Reachable || o.Recorders[1].Reachable || o.Recorders[0].Clock.OffsetMs != 61_500 {
		t.Errorf("%+v", o.Recorders)
	}
	if len(o.Cameras) != 2 || !o.Cameras[0].At.Equal(at) || !o.Cameras[1].At.Equal(at.Add(-10*time.Minute)) || o.Cameras[0].Schedule != nil {
		t.Errorf("cameras %+v", o.Cameras)
	}
	// Once handed over its bytes are fixed, and within the hour nothing is added.
	if id, _, _, _, err := v.Next(t.Context(), ""); err != nil || id != second.ID {
		t.Fatalf("next is %s: %v", id, err)
	}
	if n := look(10*time.Minute, nil, false); n != 2 || outbox(t, v)[2].ID != second.ID {
		t.Errorf("%d observations", n)
	}
	if n := look(time.Hour, nil, false); n != 3 {
		t.Errorf("%d observations, want 3", n)
	}
	deliver(t, v)
	if n := look(24*time.Hour, nil, false); n != 4 {
		t.Errorf("%d observations, want the daily sign of life", n)
	}
	_ = all
}

// The daily sign of life has time, and so has the daily word of how this agent stands;
// what changed, and a recorder that still does not answer, has none.
func TestSignOfLifeHasTime(t *testing.T) {
	v, _ := declared(t, 1)
	at := noon
	look := func(after time.Duration, what, want string, change func(*interrogate.Device)) {
		t.Helper()
		at = at.Add(after)
		d := cameraDevice(0)
		d.Clock.At = at
		d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = at.Add(-70*time.Hour), at
		if change != nil {
			change(&d)
		}
		record(t, v, at, d)
		tellHealth(t, v, at)
		got := ""
		if len(v.Unhurried()) > 0 {
			<-v.Unhurried()
			got = "unhurried"
		}
		if len(v.Waiting()) > 0 { // counts more
			<-v.Waiting()
			got = "waiting"
		}
		if got != want {
			t.Errorf("%s: signalled %q, want %q", what, got, want)
		}
		deliver(t, v)
	}
	ahead := func(d *interrogate.Device) { d.Clock.OffsetMs += 60_000 }
	mute := func(d *interrogate.Device) { d.Answered, d.Channels, d.Clock = false, nil, nil }
	look(2*time.Hour, "the first", "waiting", nil)
	look(2*time.Hour, "the same", "", nil)
	look(24*time.Hour, "the same, a day later", "unhurried", nil)
	look(24*time.Hour, "another day later", "unhurried", nil)
	look(24*time.Hour, "its clock moved", "waiting", ahead)
	look(2*time.Hour, "it does not answer", "waiting", mute)
	look(24*time.Hour, "it still does not, a day later", "waiting", mute)
}

func TestChangesOfScheduleAreNeverReplaced(t *testing.T) {
	v, all := declared(t, 1)
	at := noon
	look := func(change func(*protocol.Schedule, *protocol.Retention)) {
		t.Helper()
		at = at.Add(2 * time.Hour)
		d := cameraDevice(0)
		change(&d.Channels[0].Schedule, &d.Channels[0].Retention)
		record(t, v, at, d)
	}
	look(func(s *protocol.Schedule, _ *protocol.Retention) { s.Kind, s.Mode = protocol.ScheduleOff, "" })
	look(func(s *protocol.Schedule, r *protocol.Retention) {
		s.Kind, s.Mode = protocol.ScheduleOff, ""
		r.Age = 24 * time.Hour
	})
	look(func(s *protocol.Schedule, r *protocol.Retention) { r.Age = 24 * time.Hour })
	var got []protocol.CameraObservation
	for _, m := range outbox(t, v)[1:] {
		o := m.Message.Body.(protocol.Observation)
		got = append(got, o.Cameras...)
	}
	if len(got) != 3 {
		t.Fatalf("%d changes wait, want 3", len(got))
	}
	if got[0].Schedule == nil || got[0].Schedule.Kind != protocol.ScheduleOff || got[0].Retention != nil ||
		got[1].Schedule != nil || got[1].Retention == nil || got[1].Retention.Age != 24*time.Hour ||
		got[2].Schedule == nil || got[2].Schedule.Kind != protocol.ScheduleAlways || got[0].Schedule.Fact.Source != protocol.Measured {
		t.Errorf("%+v", got)
	}
	// What a person confirmed stands; what was measured stands beside it.
	if c, err := view(t, v).Camera(all[0].ID); err != nil || c.Declared.Retention.Age != 72*time.Hour || len(c.Changed) != 0 {
		t.Errorf("%+v: %v", c, err)
	}
}

func TestOnlyDeclaredThingsAreObserved(t *testing.T) {
	v, all := declared(t, 2)
	late := noon.Add(48 * time.Hour)
	record(t, v, late, cameraDevice(0), cameraDevice(1), cameraDevice(2)) // the third is new
	if _, err := v.Withdraw(t.Context(), []string{all[0].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	record(t, v, late.Add(time.Hour), cameraDevice(0), cameraDevice(1), cameraDevice(2))
	o := last[protocol.Observation](t, v)
	if len(o.Recorders) != 1 || o.Recorders[0].RecorderID != all[1].Device.ID || len(o.Cameras) != 1 || o.Cameras[0].CameraID != all[1].ID {
		t.Errorf("%+v", o)
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	record(t, v, late.Add(48*time.Hour), cameraDevice(0), cameraDevice(1), cameraDevice(2))
	last[protocol.Withdrawal](t, v)
}

func TestALyingDeviceSilencesNobody(t *testing.T) {
	v, all := declared(t, 2)
	liar := cameraDevice(0)
	liar.Clock.OffsetMs = 1 << 60
	liar.Channels[0].WidthPx = 1 << 30
	liar.Channels[0].Schedule.Days[0] = []protocol.Interval{{From: 5, To: 2, Mode: "x"}}
	liar.Channels[0].Retention.OldestFootage = noon.Add(1000 * time.Hour)
	liar.Channels[0].Name = "\x00\u202e" + string(bytes.Repeat([]byte("lungo "), 1000)) + "\xff"
	record(t, v, noon.Add(48*time.Hour), liar, cameraDevice(1))
	o := last[protocol.Observation](t, v)
	if len(o.Recorders) != 2 || o.Recorders[0].Clock != nil || o.Recorders[1].Clock == nil {
		t.Errorf("%+v", o)
	}
	for _, r := range approve(t, v, all[0].ID) {
		if r.Error != "" || len(r.Missing) > 0 {
			t.Errorf("%+v", r)
		}
	}
}

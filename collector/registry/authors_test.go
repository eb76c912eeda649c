package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// line is a change in one line.
func line(c Change) string {
	id := c.ID
	if id != "" {
		id = " " + id[len(id)-4:]
	}
	return fmt.Sprintf("%s%s %q: %v -> %v, %s, known %s, by %s %q: %s", c.Thing, id, c.Field, c.Before, c.After,
		c.Valid.Sub(noon), c.Recorded.Sub(noon), c.Author, c.Name, c.Reason)
}

func linesOf(changes []Change) []string {
	var all []string
	for _, c := range changes {
		all = append(all, line(c))
	}
	return all
}

// TestChanges: every change is told with who made it, why, and both its times.
func TestChanges(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon.Add(-time.Hour))
	s.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Cortile")))

	renamed := declaration(camera(1, "Portone"), camera(2, "Cortile"))
	renamed.Cameras[0].Position.Lon += 500
	renamed.Approval = protocol.Approval{By: "Bruno", Role: protocol.RoleReferent, At: noon}
	s.say(noon.Add(time.Hour), renamed)

	off := protocol.Observation{
		Recorders: []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: noon.Add(2 * time.Hour), Reachable: true}},
		Cameras: []protocol.CameraObservation{{CameraID: id(1), At: noon.Add(2 * time.Hour),
			Schedule: &protocol.Schedule{Kind: protocol.ScheduleOff, Zone: "Europe/Rome", Fact: protocol.Fact{Source: protocol.Measured, At: noon.Add(2 * time.Hour)}}}},
	}
	m := s.next(noon.Add(2*time.Hour), off)
	if _, err := s.deliver(m, noon.Add(5*time.Hour)); err != nil { // three hours late
		t.Fatal(err)
	}
	s.act(protocol.SiteSuspended, noon.Add(6*time.Hour))
	s.say(noon.Add(7*time.Hour), declaration(camera(1, "Portone")))

	h := s.history()
	changes, err := h.Changes(noon, noon.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`camera 0001 "name": Ingresso -> Portone, 1h0m0s, known 1h0m1s, by referent "Bruno": declared`,
		`camera 0001 "position.lon": 9190001 -> 9190501, 1h0m0s, known 1h0m1s, by referent "Bruno": declared`,
		`recorder 1000 "reachable": <nil> -> true, 2h0m0s, known 5h0m0s, by agent "": measured`,
		`camera 0001 "schedule.fact.source": confirmed -> measured, 2h0m0s, known 5h0m0s, by agent "": measured`,
		`camera 0001 "schedule.kind": always -> off, 2h0m0s, known 5h0m0s, by agent "": measured`,
		`camera 0001 "schedule.mode": continuous -> <nil>, 2h0m0s, known 5h0m0s, by agent "": measured`,
		`site "state": sharing -> suspended, 6h0m0s, known 6h0m0s, by owner "": suspended`,
		`camera 0001 "position.lon": 9190501 -> 9190001, 7h0m0s, known 7h0m1s, by owner "Anna": declared`,
		`camera 0002 "": <nil> -> <nil>, 7h0m0s, known 7h0m1s, by owner "Anna": declared`,
	}
	if got := linesOf(changes); !slices.Equal(got, want) {
		t.Errorf("changes:\n%s", join(got))
	}

	// Two moments: whoever changed the camera last did not change its name.
	net, err := diff(h.At(noon), h.At(noon.Add(8*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if got := linesOf(net); !slices.Contains(got, want[0]) || slices.ContainsFunc(got, func(s string) bool { return s == want[1] || s == want[7] }) {
		t.Errorf("between two moments:\n%s", join(got))
	}

	// The same moment, as known before and after the late message.
	before, err := r.historyAsOf(t.Context(), s.site, time.Time{}, noon.Add(4*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	learnt, err := diff(before.At(noon.Add(3*time.Hour)), h.At(noon.Add(3*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if got := linesOf(learnt); !slices.Equal(got, want[2:6]) {
		t.Errorf("learnt later:\n%s", join(got))
	}
	// The camera that went since is not there, and that says so.
	if _, there := before.Cameras[id(2)]; there || len(before.Erased) != 1 || before.Erased[0].CameraID != id(2) || !before.Erased[0].RecordedAt.Equal(noon.Add(7*time.Hour+time.Second)) {
		t.Errorf("erased since: %+v", before.Erased)
	}
	if b, err := json.Marshal(changes[0]); err != nil || string(b) !=
		`{"thing":"camera","id":"`+id(1)+`","field":"name","before":"Ingresso","after":"Portone","valid":"2026-11-16T13:00:00Z","recorded":"2026-11-16T13:00:01Z","author":"referent","name":"Bruno","reason":"declared"}` {
		t.Errorf("as JSON: %s, %v", b, err)
	}
}

func join(lines []string) string {
	text := ""
	for _, l := range lines {
		text += l + "\n"
	}
	return text
}

// A withdrawal leaves who-in-which-quality and when, and nobody's name.
func TestActsAfterWithdrawal(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	s.say(noon.Add(time.Hour), declaration(camera(1, "Ingresso"))) // changes nothing: no act
	m := s.next(noon.Add(2*time.Hour), withdrawal())
	if _, err := s.deliver(m, noon.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	h := s.history()
	want := []Act{{At: noon, RecordedAt: noon.Add(time.Second), Origin: Origin{Author: authorOwner, Reason: reasonDeclared}},
		{At: noon.Add(2 * time.Hour), RecordedAt: noon.Add(3 * time.Hour), Origin: Origin{Author: authorOwner, Reason: reasonWithdrawn}}}
	if !slices.Equal(h.Acts, want) || !h.Withdrawn {
		t.Errorf("acts %+v", h.Acts)
	}
	before, err := r.historyAsOf(t.Context(), s.site, time.Time{}, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if before.Withdrawn || len(before.Sites)+len(before.Cameras)+len(before.Recorders) != 0 || before.Acts[0].Name != "" ||
		!slices.Equal(before.Erased, []gone{{At: noon.Add(2 * time.Hour), RecordedAt: noon.Add(3 * time.Hour)}}) {
		t.Errorf("as of before the withdrawal: %+v", before)
	}
}

// A camera that went, came back and went again: as of each time between, what was
// known then and is not erased.
func TestAsOfCameraThatWentTwice(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	for hour, cameras := range [][]protocol.Camera{{camera(1, "Ingresso")}, nil, {camera(1, "Ingresso")}, nil} {
		s.say(noon.Add(time.Duration(hour)*time.Hour), declaration(cameras...))
	}
	for hour, want := range []struct {
		shown  int // versions
		gone   bool
		erased int
	}{{0, false, 2}, {1, true, 1}, {0, false, 1}, {1, true, 0}} {
		known := noon.Add(time.Duration(hour)*time.Hour + time.Minute)
		h, err := r.historyAsOf(t.Context(), s.site, time.Time{}, known)
		if err != nil {
			t.Fatal(err)
		}
		versions := h.Cameras[id(1)]
		if len(versions) != want.shown || len(h.At(known).Gone) > 0 != want.gone || len(h.Erased) != want.erased || len(h.At(known).Cameras) > 0 {
			t.Errorf("as of %d h: %+v, erased since %+v", hour, versions, h.Erased)
		}
	}
}

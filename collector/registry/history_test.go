package registry

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// names are those of the cameras that are declared now, in order.
func names(h History) []string {
	var all []string
	for _, versions := range h.Cameras {
		if v := versions[len(versions)-1]; !v.Withdrawn {
			all = append(all, v.Camera.Name)
		}
	}
	slices.Sort(all)
	return all
}

func equal(a, b []string) bool { return slices.Equal(a, b) }

func same(a, b History) bool { return reflect.DeepEqual(a, b) }

func TestVersions(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon.Add(-time.Hour))
	s.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Cortile")))
	s.say(noon.Add(time.Hour), declaration(camera(1, "Ingresso"), camera(2, "Cortile")))
	moved := camera(1, "Ingresso")
	moved.Position.Lon += 500
	renamed := declaration(moved, camera(2, "Cortile"))
	renamed.Site.Name = "Farmacia Nuova"
	renamed.Recorders[0].Name = "Registratore"
	s.say(noon.Add(2*time.Hour), renamed)

	h := s.history()
	first := h.Cameras[id(1)]
	if len(first) != 2 || !first[0].ValidFrom.Equal(noon) || !first[1].ValidFrom.Equal(noon.Add(2*time.Hour)) {
		t.Fatalf("camera 1: %+v", first)
	}
	if first[0].Camera.Position.Lon == first[1].Camera.Position.Lon || !first[1].RecordedAt.Equal(noon.Add(2*time.Hour+time.Second)) {
		t.Errorf("camera 1: %+v", first)
	}
	if !reflect.DeepEqual(first[1].Camera, moved) {
		t.Errorf("camera 1 reads back as\n%+v\nwas\n%+v", first[1].Camera, moved)
	}
	if len(h.Cameras[id(2)]) != 1 {
		t.Errorf("camera 2 did not change, but has %d versions", len(h.Cameras[id(2)]))
	}
	if len(h.Sites) != 2 || h.Sites[1].Value.Name != "Farmacia Nuova" || !h.Sites[1].From.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("sites: %+v", h.Sites)
	}
	if rec := h.Recorders[id(recorderNumber)]; len(rec) != 2 || rec[0].Value.Name != "NVR" || rec[1].Value.Name != "Registratore" {
		t.Errorf("recorders: %+v", rec)
	}
	if h.Trust != TrustInvitation {
		t.Errorf("%+v", h)
	}
}

// The agent's clock is not trusted to be right: a version is never valid
// before the one it follows, nor from the future.
func TestVersionsWithWrongClocks(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon.Add(-time.Hour))
	s.say(noon, declaration(camera(1, "Uno")))
	s.say(noon.Add(-10*time.Minute), declaration(camera(1, "Due")))
	ahead := s.next(noon.Add(time.Hour), declaration(camera(1, "Tre")))
	if _, err := s.deliver(ahead, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var from []time.Duration
	for _, v := range s.history().Cameras[id(1)] {
		from = append(from, v.ValidFrom.Sub(noon))
	}
	if want := []time.Duration{0, 0, time.Minute}; !slices.Equal(from, want) {
		t.Errorf("valid from %v, want %v", from, want)
	}
}

func TestCameraThatIsDroppedAndComesBack(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Cortile")))
	s.say(noon.Add(time.Minute), sees(2, noon, noon.Add(-time.Hour)))
	s.say(noon.Add(time.Hour), declaration(camera(1, "Ingresso")))
	h := s.history()
	gone := h.Cameras[id(2)]
	if len(gone) != 1 || !gone[0].Withdrawn || !gone[0].ValidFrom.Equal(noon.Add(time.Hour)) || gone[0].Camera.Name != "" {
		t.Fatalf("dropped camera: %+v", gone)
	}
	if len(h.Schedules[id(2)])+len(h.Retentions[id(2)]) != 0 {
		t.Errorf("facts of the dropped camera: %+v", h)
	}
	s.say(noon.Add(2*time.Hour), declaration(camera(1, "Ingresso"), camera(2, "Cortile nuovo")))
	back := s.history().Cameras[id(2)]
	if len(back) != 1 || back[0].Withdrawn || !back[0].ValidFrom.Equal(noon.Add(2*time.Hour)) {
		t.Fatalf("camera that came back: %+v", back)
	}
}

// A recorder that was replaced is kept as long as a camera's history needs it.
func TestReplacedRecorder(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	d := declaration(camera(1, "Ingresso"))
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: 1500, Method: "onvif", At: noon}
	s.say(noon, d)
	replaced := declaration(camera(1, "Ingresso"))
	replaced.Recorders = []protocol.Recorder{{ID: id(2000), Name: "Nuovo"}}
	replaced.Cameras[0].RecorderID = id(2000)
	s.say(noon.Add(time.Hour), replaced)
	h := s.history()
	if len(h.Recorders[id(recorderNumber)]) != 1 || len(h.Clocks[id(recorderNumber)]) != 1 {
		t.Fatalf("the recorder of the footage until then is gone: %+v", h)
	}
	// It is no longer declared: nothing new is taken about it.
	m := s.next(noon.Add(2*time.Hour), protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: noon, Reachable: true}}})
	if _, err := s.deliver(m, noon.Add(2*time.Hour)); err == nil {
		t.Error("an observation of a recorder that is no longer declared was taken")
	}
	none := replaced
	none.Cameras = nil
	s.say(noon.Add(3*time.Hour), none)
	if h := s.history(); h.Recorders[id(recorderNumber)] != nil || h.Clocks[id(recorderNumber)] != nil {
		t.Errorf("no camera refers to the old recorder, but it is there: %+v", h)
	}
}

func TestSeries(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	always := func(source protocol.Source, hours int) protocol.Schedule {
		return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Fact: protocol.Fact{Source: source, At: at(hours)}}
	}
	off := func(hours int) *protocol.Schedule {
		return &protocol.Schedule{Kind: protocol.ScheduleOff, Fact: protocol.Fact{Source: protocol.Measured, At: at(hours)}}
	}
	version := func(hours int, s protocol.Schedule) CameraVersion {
		return CameraVersion{ValidFrom: at(hours), Camera: protocol.Camera{Schedule: s}}
	}
	paused := always(protocol.Declared, 5)
	paused.Suspensions = []protocol.Suspension{{From: at(6), To: at(8)}}
	tests := []struct {
		name     string
		versions []CameraVersion
		observed []observation
		want     []string // hours and kind
	}{
		{"declared only", []CameraVersion{version(0, always(protocol.Confirmed, 0))}, nil, []string{"0 always"}},
		{"measured later differs", []CameraVersion{version(0, always(protocol.Confirmed, 0))},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off"}},
		{"measured, then typed", []CameraVersion{version(0, always(protocol.Confirmed, 0)), version(5, always(protocol.Declared, 5))},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off"}},
		{"measured, then confirmed", []CameraVersion{version(0, always(protocol.Confirmed, 0)), version(5, always(protocol.Confirmed, 5))},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off", "5 always"}},
		{"measured, then an older confirmation repeated", []CameraVersion{version(0, always(protocol.Confirmed, 0)), version(5, always(protocol.Confirmed, 0))},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off"}},
		{"measured but not read", []CameraVersion{version(0, always(protocol.Confirmed, 0))},
			[]observation{looked(protocol.CameraObservation{At: at(3), Schedule: &protocol.Schedule{}})}, []string{"0 always"}},
		{"measured, then confirmed as unknown", []CameraVersion{version(0, always(protocol.Confirmed, 0)),
			version(5, protocol.Schedule{Fact: protocol.Fact{Source: protocol.Confirmed, At: at(5)}})},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off"}},
		{"suspended by a person above a measurement", []CameraVersion{version(0, always(protocol.Confirmed, 0)), version(5, paused)},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"0 always", "3 off", "5 off paused"}},
		{"two versions of one moment", []CameraVersion{version(0, paused), version(0, always(protocol.Confirmed, 0))}, nil, []string{"0 always"}},
		{"observed before it was declared", []CameraVersion{version(5, always(protocol.Declared, 5))},
			[]observation{{at: at(3), schedule: off(3)}}, []string{"3 off"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			schedules, _ := series(test.versions, test.observed)
			var got []string
			for _, e := range schedules.list {
				s := e.From.Sub(noon).Truncate(time.Hour).String()
				s = s[:1] + " " + string(e.Value.Kind)
				if len(e.Value.Suspensions) > 0 {
					s += " paused"
				}
				got = append(got, s)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestRetentionSeries(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	week := protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour, Fact: protocol.Fact{Source: protocol.Declared, At: at(0)}}
	day := protocol.Retention{Kind: protocol.RetentionAge, Age: 24 * time.Hour, Fact: protocol.Fact{Source: protocol.Measured, At: at(2)},
		OldestFootage: at(-22), ObservedAt: at(2), Settled: true}
	_, eras := series([]CameraVersion{{ValidFrom: at(0), Camera: protocol.Camera{Retention: week}}, {ValidFrom: at(4), Camera: protocol.Camera{Name: "x", Retention: week}}},
		[]observation{{at: at(1), oldest: at(-30)}, looked(protocol.CameraObservation{At: at(2), Retention: &day}), {at: at(3), oldest: at(-21)}})

	got := eras.list
	seen := func(r protocol.Retention, oldest, observed int, settled bool) protocol.Retention {
		r.OldestFootage, r.ObservedAt, r.Settled = at(oldest), at(observed), settled
		return r
	}
	want := []protocol.Era[protocol.Retention]{
		{From: at(0), Value: week},
		{From: at(1), Value: seen(week, -30, 1, false)},
		{From: at(2), Value: day},
		{From: at(3), Value: seen(day, -21, 3, true)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n%+v, want\n%+v", got, want)
	}
}

// trimmed are the eras that had not ended before since.
func trimmed[T any](list []protocol.Era[T], since time.Time) []protocol.Era[T] {
	for len(list) > 1 && !list[1].From.After(since) {
		list = list[1:]
	}
	return list
}

// A history from a moment on says the same of that moment and later as the
// whole history.
func TestHistorySince(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	dice := rand.New(rand.NewPCG(1, 2))
	s.say(noon, declaration(camera(1, "Ingresso")))
	for i := 1; i < 120; i++ {
		made := noon.Add(time.Duration(i) * time.Hour)
		o := protocol.Observation{
			Cameras:   []protocol.CameraObservation{{CameraID: id(1), At: made}},
			Recorders: []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: made, Reachable: true}},
		}
		c := &o.Cameras[0]
		if dice.IntN(3) > 0 {
			c.OldestFootage = made.Add(-time.Duration(dice.IntN(100)) * time.Hour)
		}
		if dice.IntN(6) == 0 {
			c.Schedule = &protocol.Schedule{Kind: []protocol.ScheduleKind{protocol.ScheduleOff, protocol.ScheduleUnknown}[dice.IntN(2)],
				Fact: protocol.Fact{Source: protocol.Measured, At: made}}
		}
		if dice.IntN(3) == 0 {
			c.Retention = &protocol.Retention{Fact: protocol.Fact{Source: protocol.Measured, At: made}}
			if dice.IntN(2) == 0 {
				c.Retention.Kind, c.Retention.Age = protocol.RetentionAge, time.Duration(1+dice.IntN(9))*time.Hour
			}
			if dice.IntN(2) == 0 {
				c.Retention.OldestFootage, c.Retention.ObservedAt, c.Retention.Settled = made.Add(-time.Hour), made, dice.IntN(2) == 0
			}
		}
		if dice.IntN(3) == 0 {
			o.Recorders[0].Clock = &protocol.Clock{OffsetMs: int64(i), Method: "onvif", At: made}
		}
		s.say(made, o)
		if dice.IntN(20) == 0 {
			s.say(made.Add(time.Minute), declaration(camera(1, "Ingresso "+made.String())))
		}
	}
	whole := s.history()
	for hours := -1; hours < 122; hours += 3 {
		since := noon.Add(time.Duration(hours) * time.Hour)
		part, err := r.History(t.Context(), s.site, since)
		if err != nil {
			t.Fatal(err)
		}
		if want := trimmed(whole.Schedules[id(1)], since); !reflect.DeepEqual(part.Schedules[id(1)], want) {
			t.Fatalf("schedules since %d h:\n%+v, want\n%+v", hours, part.Schedules[id(1)], want)
		}
		if want := trimmed(whole.Retentions[id(1)], since); !reflect.DeepEqual(part.Retentions[id(1)], want) {
			t.Fatalf("retentions since %d h:\n%+v, want\n%+v", hours, part.Retentions[id(1)], want)
		}
		for later := hours; later < 122; later += 7 {
			at := noon.Add(time.Duration(later) * time.Hour)
			got, _ := protocol.ClockAt(part.Clocks[id(recorderNumber)], at)
			if want, _ := protocol.ClockAt(whole.Clocks[id(recorderNumber)], at); got != want {
				t.Fatalf("clock at %d h since %d h: %+v, want %+v", later, hours, got, want)
			}
		}
	}
}

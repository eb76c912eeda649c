package search

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"anagrafe/protocol"
)

func find(t *testing.T, x *Index, q Query) []Result {
	t.Helper()
	a, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	shown, results, err := x.Show(t.Context(), a, 0, len(a.Hits))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(shown.Hits, a.Hits) {
		t.Fatalf("shown are\n%+v\nfound were\n%+v", shown.Hits, a.Hits)
	}
	for i, r := range results {
		if !reflect.DeepEqual(r.Hit, a.Hits[i]) {
			t.Fatalf("result %d is %+v, hit %+v", i, r.Hit, a.Hits[i])
		}
	}
	return results
}

// classes names the results in their order, with their class and time left.
func classes(results []Result) (all []string) {
	for _, r := range results {
		s := fmt.Sprintf("%s %s %s", r.Class, r.CameraName, r.TimeLeft)
		if r.TimeLeftAssumed {
			s += " assumed"
		}
		all = append(all, s)
	}
	return all
}

func TestOrder(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	keeps := func(c protocol.Camera, age time.Duration) protocol.Camera { c.Retention.Age = age; return c }
	unknown := func(c protocol.Camera) protocol.Camera {
		c.Retention = protocol.Retention{Fact: c.Retention.Fact}
		return c
	}
	turns := cam(7, 60, east)
	turns.View.Turns = true
	off := cam(8, 20, west)
	off.Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: off.Schedule.Fact}
	o.declare(noon,
		keeps(cam(1, 50, west), hours(100)), // sees
		keeps(cam(2, 50, west), hours(30)),
		unknown(cam(3, 40, west)),
		keeps(cam(4, 30, east), hours(26)), // looks away
		keeps(cam(5, 45, west), hours(10)), // over
		keeps(cam(6, 55, west), hours(30)), // as 2, farther
		keeps(turns, hours(48)),            // may see
		off,
		keeps(cam(9, 400, west), hours(72)), // too far
		// as 1 in all but their ids
		keeps(cam(14, 50, west), hours(100)), keeps(cam(11, 50, west), hours(100)),
		keeps(cam(13, 50, west), hours(100)), keeps(cam(12, 50, west), hours(100)),
	)
	got := classes(find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(21))}))
	want := []string{
		"A Camera 2 10h0m0s",
		"A Camera 6 10h0m0s",
		"A Camera 3 24h0m0s assumed",
		"A Camera 7 28h0m0s",
		"A Camera 1 80h0m0s",
		"A Camera 11 80h0m0s", "A Camera 12 80h0m0s", "A Camera 13 80h0m0s", "A Camera 14 80h0m0s",
		"B Camera 4 6h0m0s",
		"C Camera 8 0s",
		"C Camera 5 0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestResult(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	d := declaration(cam(1, 50, west))
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: 60_000, UncertaintyMs: 2000, Method: "onvif", At: noon}
	o.say(noon, d)
	d.Cameras[0].Name, d.Recorders[0].Name, d.Site.Name = "Nuova", "NVR nuovo", "Bar Nuovo"
	d.Cameras[0].NameFact.At = noon.Add(hours(10))
	d.Cameras[0].Position.Point = metres(80, 0)
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: -30_000, UncertaintyMs: 5000, Method: "onvif", At: noon.Add(hours(10))}
	o.say(noon.Add(hours(10)), d)

	q := Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Until: noon.Add(hours(9)), Now: noon.Add(hours(24))}
	got := find(t, x, q)
	if len(got) != 1 {
		t.Fatalf("%d results", len(got))
	}
	a := got[0]
	if a.CameraName != "Nuova" || a.OldName != "Camera 1" || a.Recorder.Name != "NVR nuovo" || a.OldRecorderName != "NVR" || a.SiteName != "Bar Nuovo" {
		t.Errorf("names: %+v", a)
	}
	if a.Camera.Position.Point != metres(50, 0) || a.BeforeDeclared || a.Trust != "invitation" || a.SiteID != o.site {
		t.Errorf("as of then: %+v", a)
	}
	if a.Recording != protocol.Yes || a.Footage.Exists != protocol.Yes || a.TimeLeft != hours(1+72-24) {
		t.Errorf("footage: %+v, %s left", a.Footage, a.TimeLeft)
	}
	if !a.ClockFrom.Equal(q.From.Add(55*time.Second)) || !a.ClockUntil.Equal(q.Until.Add(-25*time.Second)) || a.ClockWithin != 5*time.Second {
		t.Errorf("clock: %s to %s within %s", a.ClockFrom, a.ClockUntil, a.ClockWithin)
	}
	var groups []string
	for _, f := range a.Facts {
		groups = append(groups, fmt.Sprint(f.Group, " ", f.Source, " ", f.Age))
	}
	want := []string{"name confirmed 14h0m0s", "position confirmed 24h0m0s", "view confirmed 24h0m0s", "schedule confirmed 24h0m0s",
		"retention confirmed 24h0m0s", "clock measured 24h0m0s"}
	if !slices.Equal(groups, want) || a.FactAge != hours(24) {
		t.Errorf("facts %q, oldest %s, want %q", groups, a.FactAge, want)
	}

	// After the change, only the new state counts; before the first, the first.
	late := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(11)), Now: noon.Add(hours(24))})[0]
	if late.OldName != "" || late.OldRecorderName != "" || late.Camera.Position.Point != metres(80, 0) {
		t.Errorf("%+v", late)
	}
	early := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(-hours(5)), Now: noon.Add(hours(24))})[0]
	if !early.BeforeDeclared || early.Recording != protocol.Unknown || early.Class != ClassA || early.Camera.Name != "Camera 1" {
		t.Errorf("%+v", early)
	}
}

func TestNoClock(t *testing.T) {
	r, x := openNew(t)
	enrol(t, r, noon).declare(noon, cam(1, 50, west))
	a := find(t, x, Query{In: Circle{At: duomo}, From: noon, Now: noon.Add(hours(1))})[0]
	if a.Clock != nil || !a.ClockFrom.IsZero() || !a.ClockUntil.IsZero() {
		t.Errorf("%+v", a)
	}
}

func TestWindow(t *testing.T) {
	weekly := cam(1, 50, west)
	weekly.Schedule = protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: "UTC+00:00", Fact: weekly.Schedule.Fact}
	// Monday 16 November 2026: 13:07 to 13:09 only, on motion from 20:00.
	weekly.Schedule.Days[time.Monday] = []protocol.Interval{{From: 13*60 + 7, To: 13*60 + 9, Mode: protocol.Continuous}, {From: 20 * 60, To: 21 * 60, Mode: protocol.Motion}}
	tests := []struct {
		name        string
		from, until float64
		recording   protocol.Answer
		class       Class
		left        time.Duration
	}{
		{"nothing recorded", 0, 1, protocol.No, ClassC, 0},
		{"two minutes of it", 0, 6, protocol.Yes, ClassA, hours(72-24) + hours(1) + 7*time.Minute},
		{"only on motion", 3, 8.5, protocol.OnEvent, ClassA, hours(8 + 72 - 24)},
		{"both", 0, 10, protocol.Yes, ClassA, hours(72-24) + hours(1) + 7*time.Minute},
		{"from before the first declaration", -2, 0.5, protocol.Unknown, ClassA, hours(-2 + 72 - 24)},
		{"into the future", 3, 100, protocol.OnEvent, ClassA, hours(8 + 72 - 24)},
	}
	r, x := openNew(t)
	enrol(t, r, noon).declare(noon, weekly)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(test.from)), Until: noon.Add(hours(test.until)), Now: noon.Add(hours(24))})[0]
			if a.Recording != test.recording || a.Footage.Exists != test.recording || a.Class != test.class || a.TimeLeft != test.left {
				t.Errorf("%s, class %s, %s left; want %s, %s, %s", a.Recording, a.Class, a.TimeLeft, test.recording, test.class, test.left)
			}
		})
	}
}

// Where the first part of a window is overwritten already, the next is being
// overwritten now.
func TestWindowThatIsBeingLost(t *testing.T) {
	r, x := openNew(t)
	enrol(t, r, noon).declare(noon, cam(1, 50, west))
	now := noon.Add(hours(100))
	a := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Until: noon.Add(hours(60)), Now: now})[0]
	if a.Class != ClassA || a.TimeLeft != 0 || a.TimeLeftAssumed || a.Footage.Exists != protocol.Yes || !a.Footage.Until.Equal(now) {
		t.Errorf("%+v, %s left", a.Footage, a.TimeLeft)
	}
}

// What is left of a window may be its middle only: the camera ceased to record
// before the end, and its beginning is overwritten.
func TestWindowOfWhichTheMiddleIsLeft(t *testing.T) {
	paused := cam(1, 50, west)
	paused.Schedule.Suspensions = []protocol.Suspension{{From: noon.Add(hours(8))}}
	short := cam(2, 50, west)
	short.Retention.Age = hours(1)
	r, x := openNew(t)
	enrol(t, r, noon).declare(noon, paused, short)
	changes := enrol(t, r, noon)
	always, off := cam(3, 50, west), cam(3, 50, west)
	off.Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: off.Schedule.Fact}
	changes.declare(noon, off)
	changes.declare(noon.Add(hours(3)), always)
	changes.declare(noon.Add(hours(5)), off)

	for _, test := range []struct {
		camera           int
		from, until, now float64
		want             Class
	}{
		{1, 1, 20, 76, ClassA},
		{1, 9, 20, 76, ClassC},
		{2, 1, 80, 76, ClassA},
		{2, 1, 60, 76, ClassC},
		{3, 1, 7, 76, ClassA},
		{3, 1, 2, 76, ClassC},
	} {
		for _, a := range find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(test.from)), Until: noon.Add(hours(test.until)), Now: noon.Add(hours(test.now))}) {
			if a.CameraID == id(test.camera) && a.Class != test.want {
				t.Errorf("%+v: class %s, %+v", test, a.Class, a.Footage)
			}
		}
	}
}

// A store that was said to be full stays full through looks that say nothing of
// it: what it had held longest when it was looked at last is overwritten since.
func TestFullStoreThatIsLookedAtAgain(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	camera := cam(1, 50, west)
	camera.Retention = protocol.Retention{Kind: protocol.RetentionCapacity, Fact: camera.Retention.Fact}
	o.declare(noon, camera)
	look := func(at float64, retention *protocol.Retention) {
		o.say(noon.Add(hours(at)), protocol.Observation{Cameras: []protocol.CameraObservation{{CameraID: id(1), At: noon.Add(hours(at)),
			OldestFootage: noon.Add(hours(at - 10)), Retention: retention}}})
	}
	look(20, &protocol.Retention{Fact: camera.Retention.Fact, OldestFootage: noon.Add(hours(10)), ObservedAt: noon.Add(hours(20)), Settled: true})
	look(30, nil)
	for _, c := range []struct {
		from float64
		want Class
	}{{19, ClassC}, {21, ClassC}, {26, ClassA}} { // asked at 35, it reaches back to 25
		got := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(c.from)), Now: noon.Add(hours(35))})
		if len(got) != 1 || got[0].Class != c.want {
			t.Errorf("from %v: %q, want %s", c.from, classes(got), c.want)
		}
	}
}

// What a look at the store has seen is surely there, what was recorded after it may
// be: the best of a window may lie in its middle.
func TestWindowAroundALook(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	camera := cam(1, 50, west)
	camera.Retention = protocol.Retention{Kind: protocol.RetentionCapacity, Fact: camera.Retention.Fact}
	o.declare(noon, camera)
	o.say(noon.Add(hours(20)), protocol.Observation{Cameras: []protocol.CameraObservation{{CameraID: id(1), At: noon.Add(hours(20)), OldestFootage: noon.Add(hours(19))}}})
	got := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(18)), Until: noon.Add(hours(22)), Now: noon.Add(hours(24))})
	if len(got) != 1 || got[0].Footage.Exists != protocol.Yes || !got[0].Footage.Observed {
		t.Errorf("%+v", got)
	}
}

func TestAcknowledgedIsFound(t *testing.T) {
	r, x := openNew(t)
	o := enrol(t, r, noon)
	q := Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2))}
	for n := 1; n <= 3; n++ {
		var cameras []protocol.Camera
		for i := range n {
			cameras = append(cameras, cam(i+1, 50, west))
		}
		o.declare(noon, cameras...)
		if got := len(find(t, x, q)); got != n {
			t.Fatalf("%d cameras declared, %d found", n, got)
		}
	}
	o.declare(noon, cam(2, 50, west))
	if got := find(t, x, q); len(got) != 1 || got[0].CameraID != id(2) {
		t.Fatalf("a camera that is no longer declared is found: %q", classes(got))
	}
	o.say(noon, protocol.Withdrawal{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon}})
	if got := find(t, x, q); len(got) != 0 {
		t.Fatalf("a withdrawn site is found: %q", classes(got))
	}
	if len(x.numbers) != 0 || len(x.cells) != 0 || len(x.values.schedules.numbers) != 0 || len(x.values.retentions.numbers) != 0 {
		t.Errorf("the index holds %d sites, %d cells and %d schedules", len(x.numbers), len(x.cells), len(x.values.schedules.numbers))
	}
}

// What its owner suspends is found by no search, also after it declared again;
// resumed, it is found as before.
func TestSuspendedSite(t *testing.T) {
	r, x := openNew(t)
	q := Query{In: Circle{At: duomo}, From: noon, Now: noon.Add(hours(1))}
	o, neighbour := enrol(t, r, noon), enrol(t, r, noon)
	o.declare(noon, cam(1, 50, west))
	neighbour.declare(noon, cam(2, 50, west))
	before := find(t, x, q)
	act := func(what protocol.SiteState) {
		t.Helper()
		if err := r.Act(t.Context(), o.site, what, noon); err != nil {
			t.Fatal(err)
		}
	}
	act(protocol.SiteSuspended)
	for range 2 {
		if got := find(t, x, q); len(got) != 1 || got[0].CameraID != id(2) {
			t.Fatalf("suspended, and found: %q", classes(got))
		}
		o.declare(noon, cam(1, 50, west))
	}
	act(protocol.SiteResumed)
	if got := find(t, x, q); len(before) != 2 || !reflect.DeepEqual(got, before) {
		t.Errorf("resumed: %+v\nbefore: %+v", got, before)
	}
}

func TestQueryLimits(t *testing.T) {
	_, x := openNew(t)
	good := Query{In: Circle{At: duomo}, From: noon, Now: noon.Add(hours(1))}
	for field, with := range map[string]func(*Query){
		"at":     func(q *Query) { q.In = Circle{} },
		"radius": func(q *Query) { q.In = Circle{duomo, 2001} },
		"time":   func(q *Query) { q.From = time.Time{} },
		"until":  func(q *Query) { q.Until = q.From.Add(-time.Second) },
	} {
		q := good
		with(&q)
		_, err := x.Search(t.Context(), q)
		if bad, ok := errors.AsType[QueryError](err); !ok || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for name, with := range map[string]func(*Query){
		"small radius": func(q *Query) { q.In = Circle{duomo, 49} },
		"negative":     func(q *Query) { q.In = Circle{duomo, -1} },
		"future":       func(q *Query) { q.From = q.Now.Add(hours(1)) },
		"too long":     func(q *Query) { q.From, q.Until = q.Now.Add(-MaxWindow-hours(1)), q.Now },
		"outside":      func(q *Query) { q.In = Circle{At: protocol.Point{Lon: 9e6, Lat: 91e6}} },
		"nowhere":      func(q *Query) { q.In = nil },
		"without now":  func(q *Query) { q.Now = time.Time{} },
	} {
		q := good
		with(&q)
		if _, err := x.Search(t.Context(), q); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
}

// Queries while sites change; run with -race. A site always declares two
// cameras of one name, and a query must never see one without the other.
func TestSearchWhileSitesChange(t *testing.T) {
	r, x := openNew(t)
	var owners []*owner
	for range 3 {
		owners = append(owners, enrol(t, r, noon))
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for _, o := range owners {
		writers.Go(func() {
			for n := range 10 {
				a, b := cam(1, 50, west), cam(2, 60, west)
				a.Name, b.Name = fmt.Sprint(n), fmt.Sprint(n)
				o.declare(noon.Add(time.Duration(n)*time.Second), a, b)
			}
		})
	}
	for range 3 {
		readers.Go(func() {
			for {
				var results []Result
				a, err := x.Search(t.Context(), Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2))})
				if err == nil {
					_, results, err = x.Show(t.Context(), a, 0, len(a.Hits))
				}
				if err != nil {
					t.Error(err)
					return
				}
				names := make(map[string][]string)
				for _, a := range results {
					names[a.SiteID] = append(names[a.SiteID], a.CameraName)
				}
				for _, n := range names {
					if len(n) != 2 || n[0] != n[1] {
						t.Errorf("cameras %q", n)
						return
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if got := find(t, x, Query{In: Circle{At: duomo}, From: noon.Add(hours(1)), Now: noon.Add(hours(2))}); len(got) != 6 {
		t.Errorf("%d cameras found at the end", len(got))
	}
}

package search

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// brute reads the whole record for each query, without an index and without
// cleverness. Everything in the histories of this test happens at a multiple
// of step, so that looking at each multiple and right before it misses nothing.
func brute(t *testing.T, r *registry.Registry, q Query) []string {
	t.Helper()
	type hit struct {
		class    Class
		left     time.Duration
		distance float64
		camera   string
		site     string
		says     string
	}
	in := q.In.(Circle)
	var hits []hit
	sites, _, err := r.ChangedSites(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, site := range sites {
		h, err := r.History(t.Context(), site, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for id, versions := range h.Cameras {
			if versions[0].Withdrawn {
				continue
			}
			then := versions[0]
			for _, v := range versions {
				if !v.ValidFrom.After(q.From) {
					then = v
				}
			}
			sight := protocol.See(then.Camera.Position, then.Camera.View, in.At)
			if sight.DistanceM > float64(in.RadiusM) {
				continue
			}
			recording, exists, left, assumed := protocol.No, protocol.No, time.Duration(-1), false
			gone := false
			for _, at := range instants(q) {
				schedule := protocol.Schedule{}
				for _, e := range h.Schedules[id] {
					if !e.From.After(at) {
						schedule = e.Value
					}
				}
				recording = best(recording, schedule.Recording(at))
				f := protocol.FootageOf(at, q.Now, h.Schedules[id], h.Retentions[id])
				if f.Exists == protocol.No {
					gone = gone || schedule.Recording(at) != protocol.No
					continue
				}
				exists = best(exists, f.Exists)
				if gone {
					left = 0
				} else if !f.Until.IsZero() && (left < 0 || f.Until.Sub(q.Now) < left) {
					left = f.Until.Sub(q.Now)
				}
			}
			class := ClassA
			switch {
			case exists == protocol.No:
				class, left = ClassC, 0
			case left < 0:
				left, assumed = 24*time.Hour, true
			}
			if class == ClassA && sight.Sees == protocol.No {
				class = ClassB
			}
			newest := versions[len(versions)-1].Camera.Name
			hits = append(hits, hit{class, left, sight.DistanceM, id, site,
				fmt.Sprint(class, " ", site[:4], " ", id[24:], " ", newest, " ", recording, " ", exists, " ", left, " ", assumed)})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.left, b.left), cmp.Compare(a.distance, b.distance),
			cmp.Compare(a.camera, b.camera), cmp.Compare(a.site, b.site))
	})
	var all []string
	for _, h := range hits {
		all = append(all, h.says)
	}
	return all
}

const step = 10 * time.Minute

func instants(q Query) (all []time.Time) {
	until := q.Until
	if until.Before(q.From) {
		until = q.From
	}
	if until.After(q.Now) {
		until = q.Now
	}
	for at := q.From; !at.After(until); at = at.Add(step) {
		if at.After(q.From) {
			all = append(all, at.Add(-time.Microsecond))
		}
		all = append(all, at)
	}
	return all
}

func best(a, b protocol.Answer) protocol.Answer {
	for _, x := range []protocol.Answer{protocol.Yes, protocol.OnEvent, protocol.Unknown} {
		if a == x || b == x {
			return x
		}
	}
	return protocol.No
}

func said(results []Result) (all []string) {
	for _, r := range results {
		all = append(all, fmt.Sprint(r.Class, " ", r.SiteID[:4], " ", r.CameraID[24:], " ", r.CameraName, " ", r.Recording, " ",
			r.Footage.Exists, " ", r.TimeLeft, " ", r.TimeLeftAssumed))
	}
	return all
}

// world tells random histories.
type world struct {
	dice   *rand.Rand
	owners []*owner
	gone   map[*owner]bool
}

func (w *world) steps(most int) time.Duration { return time.Duration(w.dice.IntN(most)) * step }

func (w *world) schedule(at time.Time) protocol.Schedule {
	s := protocol.Schedule{Fact: protocol.Fact{Source: []protocol.Source{protocol.Declared, protocol.Measured, protocol.Confirmed}[w.dice.IntN(3)], At: at}}
	switch w.dice.IntN(5) {
	case 0:
		s.Kind = protocol.ScheduleOff
	case 1:
		s.Kind, s.Mode = protocol.ScheduleAlways, protocol.Motion
	case 2, 3:
		s.Kind, s.Zone = protocol.ScheduleWeekly, "Europe/Rome"
		for day := range 7 {
			from := w.dice.IntN(100) * 10
			s.Days[day] = []protocol.Interval{{From: from, To: from + 10 + w.dice.IntN(40)*10, Mode: []protocol.Mode{protocol.Continuous, protocol.Motion}[w.dice.IntN(2)]}}
		}
	default:
		s.Kind, s.Mode = protocol.ScheduleAlways, protocol.Continuous
	}
	if w.dice.IntN(6) == 0 {
		s.Suspensions = []protocol.Suspension{{From: at.Add(-w.steps(100)), To: at.Add(step + w.steps(100))}}
	}
	return s
}

func (w *world) retention(at time.Time) protocol.Retention {
	r := protocol.Retention{Fact: protocol.Fact{Source: protocol.Measured, At: at}}
	switch w.dice.IntN(4) {
	case 0:
		r.Kind = protocol.RetentionCapacity
	case 1:
	default:
		r.Kind, r.Age = protocol.RetentionAge, step+w.steps(600)
	}
	if w.dice.IntN(2) == 0 {
		r.OldestFootage, r.ObservedAt, r.Settled = at.Add(-w.steps(400)), at, w.dice.IntN(2) == 0
	}
	return r
}

func (w *world) camera(n int, at time.Time) protocol.Camera {
	c := cam(n, 0, w.dice.IntN(360))
	c.Name = fmt.Sprint("name ", w.dice.IntN(3))
	c.Position.Point = metres(float64(w.dice.IntN(1600)-800), float64(w.dice.IntN(1600)-800))
	reach := 100 + w.dice.IntN(700)
	c.View.RangeM = &reach
	c.View.Turns = w.dice.IntN(8) == 0
	c.Schedule, c.Retention = w.schedule(at), w.retention(at)
	return c
}

// happen lets one thing happen at a site.
func (w *world) happen(at time.Time) {
	o := w.owners[w.dice.IntN(len(w.owners))]
	if w.gone[o] {
		return
	}
	switch n := w.dice.IntN(20); {
	case n == 0 && o.revision > 0:
		o.say(at, protocol.Withdrawal{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon}})
		w.gone[o] = true
	case n < 6 || o.revision == 0:
		d := declaration()
		for i := range 6 {
			if i == 0 || w.dice.IntN(4) > 0 {
				d.Cameras = append(d.Cameras, w.camera(i, at))
			}
		}
		o.say(at, d)
	default:
		c := protocol.CameraObservation{CameraID: id(0), At: at}
		if w.dice.IntN(2) == 0 {
			c.OldestFootage = at.Add(-w.steps(400))
		}
		if w.dice.IntN(3) == 0 {
			s := w.schedule(at)
			c.Schedule = &s
		}
		if w.dice.IntN(3) == 0 {
			r := w.retention(at)
			c.Retention = &r
		}
		o.say(at, protocol.Observation{Cameras: []protocol.CameraObservation{c}})
	}
}

func (w *world) query(now time.Time) Query {
	q := Query{In: Circle{metres(float64(w.dice.IntN(1000)-500), float64(w.dice.IntN(1000)-500)), MinRadiusM + w.dice.IntN(800)},
		From: now.Add(-w.steps(700)), Now: now}
	if w.dice.IntN(3) == 0 {
		q.Until = q.From.Add(w.steps(18))
	}
	return q
}

// One index follows the register all along; another is always too young to
// hold what is asked, and reads history; a third is made anew at the end. All
// answer as the brute reading does.
func TestIndexEqualsBruteForce(t *testing.T) {
	r, follows := openNew(t)
	young := New(r, follows.log)
	young.now = func() time.Time { return noon.AddDate(1, 0, 0) }
	w := &world{dice: rand.New(rand.NewPCG(20, 26)), gone: make(map[*owner]bool)}
	for range 8 {
		w.owners = append(w.owners, enrol(t, r, noon.Add(-step)))
	}
	found, classes := 0, make(map[Class]int)
	check := func(q Query, indexes ...*Index) {
		t.Helper()
		want := brute(t, r, q)
		for i, x := range indexes {
			results := find(t, x, q)
			if got := said(results); !slices.Equal(got, want) {
				t.Fatalf("index %d, query %+v:\ngot  %q\nwant %q", i, q, got, want)
			}
			for _, a := range results {
				classes[a.Class]++
			}
			found += len(results)
		}
	}
	at := noon
	for range 40 {
		for range 3 {
			at = at.Add(step + w.steps(20))
			w.happen(at)
		}
		check(w.query(at.Add(w.steps(50))), follows, young)
	}
	anew := New(r, slog.New(slog.DiscardHandler))
	for range 40 {
		check(w.query(at.Add(w.steps(300))), follows, young, anew)
	}
	if found < 500 || classes[ClassA] < 50 || classes[ClassB] < 50 || classes[ClassC] < 50 {
		t.Errorf("the queries found little: %d, %v", found, classes)
	}
}

// Every point within the radius lies in a cell that is looked into, at the
// date line and near the poles too.
func FuzzCells(f *testing.F) {
	f.Add(int32(9_190_000), int32(45_464_000), uint16(300), int32(2000), int32(-2000))
	f.Add(int32(-180_000_000), int32(10), uint16(2000), int32(359_990_000), int32(10))
	f.Add(int32(179_999_999), int32(-45_000_000), uint16(2000), int32(-359_980_000), int32(0))
	f.Add(int32(5), int32(89_990_000), uint16(2000), int32(170_000_000), int32(1000))
	f.Add(int32(5), int32(-89_999_999), uint16(50), int32(-170_000_000), int32(0))
	f.Fuzz(func(t *testing.T, lon, lat int32, radius uint16, dLon, dLat int32) {
		a := protocol.Point{Lon: lon, Lat: lat}
		b := protocol.Point{Lon: lon + dLon, Lat: lat + dLat}
		if !a.Placed() || !b.Placed() || radius < MinRadiusM || radius > MaxRadiusM || protocol.DistanceM(a, b) > float64(radius) {
			return
		}
		seen := make(map[cell]int)
		Circle{a, int(radius)}.box().cells(func(c cell) { seen[c]++ })
		if seen[cellOf(b)] != 1 {
			t.Errorf("%v is %.1f m from %v, its cell %v was visited %d times", b, protocol.DistanceM(a, b), a, cellOf(b), seen[cellOf(b)])
		}
	})
}

// BenchmarkSearch: 35,000 cameras, a city with its declared fields of view;
// and the floor beside it, the same grid asked for the radius alone.
func BenchmarkSearch(b *testing.B) {
	_, x := openNew(b)
	dice := rand.New(rand.NewPCG(1, 1))
	for n := range 3500 {
		h := registry.History{SiteID: fmt.Sprint(n), Cameras: make(map[string][]registry.CameraVersion),
			Schedules: make(map[string][]protocol.Era[protocol.Schedule]), Retentions: make(map[string][]protocol.Era[protocol.Retention]),
			Recorders: map[string][]protocol.Era[protocol.Recorder]{id(1000): {{From: noon}}},
			Clocks:    map[string][]protocol.Clock{id(1000): {{At: noon}}}}
		for i := range 10 {
			c := cam(i, 0, dice.IntN(360))
			c.Position.Point = metres(float64(dice.IntN(14_000)-7000), float64(dice.IntN(14_000)-7000))
			h.Cameras[c.ID] = []registry.CameraVersion{{ValidFrom: noon, Camera: c}}
			h.Schedules[c.ID] = []protocol.Era[protocol.Schedule]{{From: noon, Value: c.Schedule}}
			h.Retentions[c.ID] = []protocol.Era[protocol.Retention]{{From: noon, Value: c.Retention}}
		}
		x.put(newSite(h, time.Time{}))
	}
	query := func() Query {
		return Query{In: Circle{metres(float64(dice.IntN(12_000)-6000), float64(dice.IntN(12_000)-6000)), 300}, From: noon.Add(hours(1)), Until: noon.Add(hours(1)), Now: noon.Add(hours(20))}
	}
	b.Run("whole", func(b *testing.B) {
		hits := 0
		for b.Loop() {
			a, err := x.Search(context.Background(), query())
			if err != nil {
				b.Fatal(err)
			}
			hits += len(a.Hits)
		}
		b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	})
	b.Run("radius", func(b *testing.B) {
		for b.Loop() {
			x.near(query())
		}
	})
}

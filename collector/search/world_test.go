package search

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// told is a register that a world is told to, with what follows it.
type told struct {
	r       *registry.Registry
	owners  []*owner
	names   map[string]string // by site id
	indexes []*Index
}

// world tells the same random history to registers on both engines.
type world struct {
	t      *testing.T
	dice   *rand.Rand
	at     time.Time
	told   []*told
	gone   map[int]bool              // owners that have withdrawn
	paused map[int]bool              // owners that have suspended
	now    map[int][]protocol.Camera // what each owner declares
}

const (
	worldSites = 8
	// The last site is a large one: a station.
	stationCameras = 30
)

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, dice: rand.New(rand.NewPCG(20, seed)), at: noon, gone: make(map[int]bool), paused: make(map[int]bool), now: make(map[int][]protocol.Camera)}
	for _, store := range []string{"sqlite:" + filepath.Join(t.TempDir(), "registry.db"), pgtest.Database(t, fmt.Sprint(t.Name(), seed))} {
		r := openAt(t, store)
		to := &told{r: r, names: make(map[string]string)}
		for _, since := range remembered {
			to.indexes = append(to.indexes, newSince(r, since))
		}
		for i := range worldSites {
			o := enrol(t, r, noon.Add(-step))
			to.owners = append(to.owners, o)
			to.names[o.site] = fmt.Sprint("site ", i)
		}
		w.told = append(w.told, to)
	}
	return w
}

// remembered is since when the indexes that follow all along remember: all that
// happens, part of it, or nothing, so that they read history.
var remembered = []time.Time{noon.AddDate(0, -1, 0), noon.Add(hours(50)), noon.AddDate(1, 0, 0)}

func newSince(r *registry.Registry, since time.Time) *Index {
	x := New(r, slog.New(slog.DiscardHandler))
	x.now = func() time.Time { return since.Add(memory) }
	return x
}

func (w *world) steps(most int) time.Duration { return time.Duration(w.dice.IntN(most)) * step }

// fact is new, or old enough for doubts.
func (w *world) fact(at time.Time) protocol.Fact {
	source := []protocol.Source{protocol.Declared, protocol.Measured, protocol.Confirmed}[w.dice.IntN(3)]
	if w.dice.IntN(6) == 0 {
		at = at.AddDate(0, -w.dice.IntN(40), 0)
	}
	return protocol.Fact{Source: source, At: at}
}

func (w *world) schedule(at time.Time) protocol.Schedule {
	s := protocol.Schedule{Fact: w.fact(at)}
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
		if w.dice.IntN(3) == 0 {
			s.Days[protocol.Holiday] = []protocol.Interval{}
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
	r := protocol.Retention{Fact: w.fact(at)}
	switch w.dice.IntN(4) {
	case 0:
		r.Kind = protocol.RetentionCapacity
	case 1:
	default:
		r.Kind, r.Age = protocol.RetentionAge, step+w.steps(600)
		if w.dice.IntN(3) == 0 {
			r.EventAge = step + w.steps(900)
		}
	}
	if w.dice.IntN(2) == 0 {
		r.OldestFootage, r.ObservedAt, r.Settled = at.Add(-w.steps(400)), at.Add(-w.steps(3)), w.dice.IntN(2) == 0
		if r.OldestFootage.After(r.ObservedAt) {
			r.OldestFootage = r.ObservedAt
		}
	}
	return r
}

func (w *world) camera(n int) protocol.Camera {
	c := cam(n, 0, w.dice.IntN(360))
	c.Name = fmt.Sprint("name ", w.dice.IntN(3))
	c.Position.Point = metres(float64(w.dice.IntN(1600)-800), float64(w.dice.IntN(1600)-800))
	c.Position.AccuracyM, c.Position.Fact, c.View.Fact = w.dice.IntN(30), w.fact(w.at), w.fact(w.at)
	reach := 100 + w.dice.IntN(700)
	c.View.RangeM, c.View.Infrared = &reach, w.dice.IntN(2) == 0
	c.View.Turns = w.dice.IntN(8) == 0
	switch w.dice.IntN(12) {
	case 0:
		c.View.DirectionDeg = nil
	case 1:
		c.View.RangeM = nil
	}
	c.Schedule, c.Retention = w.schedule(w.at), w.retention(w.at)
	return c
}

// declare has an owner declare anew: some cameras stay as they were, some are
// changed, are withdrawn or come back.
func (w *world) declare(n int) {
	most := 5
	if n == worldSites-1 {
		most = stationCameras
	}
	before := w.now[n]
	var cameras []protocol.Camera
	for i := range most {
		was := slices.IndexFunc(before, func(c protocol.Camera) bool { return c.ID == id(1000*n+i) })
		switch roll := w.dice.IntN(8); {
		case i > 0 && roll < 2:
		case was >= 0 && roll < 5:
			cameras = append(cameras, before[was])
		case was >= 0 && roll == 5: // moved alone
			c := before[was]
			c.Position.Point = w.place()
			cameras = append(cameras, c)
		default:
			cameras = append(cameras, w.camera(1000*n+i))
		}
	}
	w.now[n] = cameras
	d := declaration(cameras...)
	d.Site.Category = protocol.Categories[w.dice.IntN(len(protocol.Categories))]
	if w.dice.IntN(3) == 0 {
		d.Recorders[0].Clock = &protocol.Clock{Method: "onvif", At: w.at.Add(-w.steps(10))}
	}
	w.say(n, d)
}

func (w *world) say(n int, b protocol.Body) {
	for _, to := range w.told {
		to.owners[n].say(w.at, b)
	}
}

// happen lets time pass, and one thing happen at a site.
func (w *world) happen() {
	w.at = w.at.Add(step + w.steps(20))
	n := w.dice.IntN(worldSites)
	if w.gone[n] {
		return
	}
	switch roll := w.dice.IntN(24); {
	case w.now[n] == nil || roll < 6:
		w.declare(n)
	case roll == 6 && w.dice.IntN(2) == 0:
		w.say(n, protocol.Withdrawal{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon}})
		w.gone[n] = true
	case roll < 9:
		w.suspend(n)
	default:
		o := protocol.Observation{}
		for _, c := range w.now[n] {
			if w.dice.IntN(3) > 0 {
				o.Cameras = append(o.Cameras, w.look(c.ID))
			}
		}
		if w.dice.IntN(4) == 0 {
			o.Recorders = []protocol.RecorderObservation{{RecorderID: id(1000), At: w.at, Reachable: true, Clock: &protocol.Clock{Method: "onvif", At: w.at}}}
		}
		w.say(n, o)
	}
}

// look is what an agent saw, sometimes told late.
func (w *world) look(id string) protocol.CameraObservation {
	c := protocol.CameraObservation{CameraID: id, At: w.at}
	if w.dice.IntN(5) == 0 {
		c.At = w.at.Add(-w.steps(60))
	}
	if w.dice.IntN(3) > 0 {
		c.OldestFootage = c.At.Add(-w.steps(400))
	}
	if w.dice.IntN(4) == 0 {
		s := w.schedule(c.At)
		c.Schedule = &s
	}
	if w.dice.IntN(4) == 0 {
		r := w.retention(c.At)
		c.Retention = &r
	}
	return c
}

func (w *world) suspend(n int) {
	act := protocol.SiteSuspended
	if w.paused[n] {
		act = protocol.SiteResumed
	}
	w.paused[n] = !w.paused[n]
	for _, to := range w.told {
		if err := to.r.Act(w.t.Context(), to.owners[n].site, act, w.at); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) place() protocol.Point {
	return metres(float64(w.dice.IntN(1000)-500), float64(w.dice.IntN(1000)-500))
}

// query asks for something at most so many steps after the last thing happened.
func (w *world) query(most int) Query {
	now := w.at.Add(w.steps(most))
	if w.dice.IntN(8) == 0 { // as of before what was told last
		now = w.at.Add(-w.steps(100))
	}
	q := Query{From: now.Add(-w.steps(700)), Now: now}
	switch w.dice.IntN(5) {
	case 0:
		corner := w.place()
		q.In = Polygon{Rings: [][]protocol.Point{{corner, {Lon: corner.Lon + 4000, Lat: corner.Lat}, {Lon: corner.Lon + 2000, Lat: corner.Lat + 3000}}}}
	case 1:
		q.In = Route{Line: []protocol.Point{w.place(), w.place(), w.place()}}
	default:
		q.In = Circle{w.place(), MinRadiusM + w.dice.IntN(800)}
	}
	if w.dice.IntN(3) == 0 {
		q.Until = q.From.Add(w.steps(18))
	}
	switch w.dice.IntN(10) {
	case 0:
		q.Only.Certain = true
	case 1:
		q.Only.Continuous = true
	case 2:
		q.Only.Categories = protocol.Categories[:4]
	}
	return q
}

// tally is what the queries found, so that none of it is shown by nothing.
type tally struct {
	queries, found int
	classes        map[Class]int
}

// ask has all indexes on both engines, and the brute readings, answer a query.
func (w *world) ask(q Query, read []record, sum *tally) {
	w.t.Helper()
	var want []string
	for i, to := range w.told {
		hits := read[i].brute(w.t, q)
		brute := said(hits, to.names)
		if i == 0 {
			want = brute
		}
		if !slices.Equal(brute, want) {
			w.t.Fatalf("the registers differ, query %+v:\n%q\n%q", q, brute, want)
		}
		for k, x := range to.indexes {
			a, err := x.Search(w.t.Context(), q)
			if err != nil {
				w.t.Fatal(err)
			}
			if got := said(a.Hits, to.names); !slices.Equal(got, want) {
				w.t.Fatalf("register %d, index %d, query %+v:\ngot  %q\nwant %q", i, k, q, got, want)
			}
		}
		if i == 0 {
			for _, h := range hits {
				sum.classes[h.Class]++
			}
			sum.found += len(hits)
		}
	}
	sum.queries++
}

// live tells a history and asks about it all along; at the end an index made
// anew is asked too.
func (w *world) live(things, queries, more int, sum *tally) {
	w.t.Helper()
	for range things {
		for range 3 {
			w.happen()
		}
		read := w.read()
		for range queries {
			w.ask(w.query(50), read, sum)
		}
	}
	for _, to := range w.told {
		to.indexes = append(to.indexes, newSince(to.r, remembered[0]), newSince(to.r, remembered[1]))
	}
	read := w.read()
	for range more {
		w.ask(w.query(300), read, sum)
	}
}

func (w *world) read() (all []record) {
	for _, to := range w.told {
		all = append(all, readAll(w.t, to.r))
	}
	return all
}

// The indexes answer as the brute reading of the record does, on both engines.
func TestIndexEqualsBruteForce(t *testing.T) {
	sum := tally{classes: make(map[Class]int)}
	newWorld(t, 26).live(30, 5, 150, &sum)
	if sum.queries < 300 || sum.found < 1000 || min(sum.classes[ClassA], sum.classes[ClassB], sum.classes[ClassC]) < 100 {
		t.Errorf("the queries found little: %+v", sum)
	}
}

package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

var (
	asOfSeed  = flag.Uint64("asof.seed", 0, "seed of the random histories (0: one of this day's)")
	asOfWalks = flag.Int("asof.walks", 60, "random histories")
)

// What the register answers as of any two times equals a replay of what it had
// taken by then, but for what was erased since; and what it showed while the
// history was made.
func TestAsOfModel(t *testing.T) { asOfModel(t, *asOfWalks) }

func asOfModel(t *testing.T, histories int) {
	seed := cmp.Or(*asOfSeed, uint64(time.Now().Unix()/86400))
	t.Logf("-asof.seed=%d", seed)
	r := openNew(t)
	var all sync.WaitGroup
	beside := make(chan bool, 32) // side by side they share commits
	for n := range histories {
		beside <- true
		if t.Failed() {
			break
		}
		all.Go(func() {
			defer func() { <-beside }()
			w := asOfWalk{t: t, r: r, rng: rand.New(rand.NewPCG(seed, uint64(n))), at: noon}
			if err := w.walk(); err != nil {
				t.Errorf("history %d: %v", n, err)
			}
		})
	}
	all.Wait()
}

// asOfWalk makes one random history.
type asOfWalk struct {
	t       *testing.T
	r       *Registry
	rng     *rand.Rand
	at      time.Time
	agents  []*sender
	pending []sent
	events  []event
	shown   []shownThen
}

// shownThen is what the register showed of now at some moment.
type shownThen struct {
	known time.Time
	now   Snapshot
}

func (w *asOfWalk) walk() error {
	first := enrol(w.t, w.r, w.at)
	w.granted(first, false)
	for range 2 {
		w.at = w.at.Add(time.Minute)
		w.granted(beside(w.t, first, w.at, nil), false)
	}
	for range 30 {
		w.at = w.at.Add(time.Duration(1+w.rng.IntN(90)) * time.Minute)
		if err := w.step(); err != nil {
			return err
		}
		if w.rng.IntN(6) == 0 {
			h, err := w.r.History(context.Background(), w.site(), time.Time{})
			if err != nil {
				return err
			}
			w.shown = append(w.shown, shownThen{w.at, h.At(w.at)})
		}
	}
	for range 8 {
		known := noon.Add(time.Duration(w.rng.Int64N(int64(w.at.Sub(noon)))))
		valid := noon.Add(-6 * time.Hour).Add(time.Duration(w.rng.Int64N(int64(w.at.Sub(noon) + 8*time.Hour))))
		if err := w.compare(known, valid); err != nil {
			return fmt.Errorf("as of %s, about %s: %w", known, valid, err)
		}
	}
	for _, s := range w.shown {
		if err := w.compareShown(s); err != nil {
			return fmt.Errorf("as of %s: %w", s.known, err)
		}
	}
	return nil
}

func (w *asOfWalk) site() string { return w.agents[0].site }

func (w *asOfWalk) granted(s *sender, replace bool) {
	if !slices.Contains(w.agents, s) {
		w.agents = append(w.agents, s)
	}
	w.events = append(w.events, event{at: w.at, agent: s.agent, grant: &modelGrant{agent: s.agent, epoch: s.epoch, from: w.at}, replace: replace})
}

func (w *asOfWalk) step() error {
	a := w.agents[w.rng.IntN(len(w.agents))]
	made := w.at.Add(-time.Duration(w.rng.IntN(180)) * time.Minute)
	switch n := w.rng.IntN(40); {
	case n < 10:
		w.pending = append(w.pending, sent{a, a.next(made, w.declaration(made))})
	case n < 20:
		w.pending = append(w.pending, sent{a, a.next(made, w.observation(made))})
	case n < 22:
		made = w.at.Add(-time.Duration(w.rng.IntN(12)) * time.Hour)
		b := withdrawal()
		b.Approval.By, b.Approval.Role = fmt.Sprint("By ", w.rng.IntN(3)), protocol.RoleReferent
		w.pending = append(w.pending, sent{a, a.next(made, b)})
	case n < 24:
		a.again(w.at, nil)
		w.granted(a, false)
	case n == 24:
		a.again(w.at, replacing)
		w.granted(a, true)
	case n < 27:
		return w.act(protocol.SiteSuspended)
	case n == 27:
		return w.act(protocol.SiteResumed)
	case n == 28 && w.rng.IntN(3) == 0:
		if err := w.act(protocol.SiteWithdrawn); err != nil {
			return err
		}
		a.again(w.at, nil)
		w.granted(a, false)
	default:
		return w.deliver()
	}
	return nil
}

// act is the owner's; one that changes nothing is none.
func (w *asOfWalk) act(what protocol.SiteState) error {
	before := replayModel(w.events, w.at)
	err := w.r.Act(context.Background(), w.site(), what, w.at)
	if len(before.site.said) == 0 {
		if !errors.Is(err, ErrUnknownSite) {
			return fmt.Errorf("%s of an empty site: %v", what, err)
		}
		return nil
	}
	if what == protocol.SiteWithdrawn || before.suspended != (what == protocol.SiteSuspended) {
		w.events = append(w.events, event{at: w.at, act: what})
	}
	return err
}

// deliver hands over any message that waits: late, and in another order.
func (w *asOfWalk) deliver() error {
	if len(w.pending) == 0 {
		return nil
	}
	i := w.rng.IntN(len(w.pending))
	p := w.pending[i]
	w.pending = slices.Delete(w.pending, i, i+1)
	_, err := p.by.deliver(p.msg, w.at)
	var fields protocol.FieldErrors
	switch {
	case err == nil:
		w.events = append(w.events, event{at: w.at, agent: p.by.agent, message: &p.msg})
	case errors.Is(err, ingest.ErrStale), errors.Is(err, ingest.ErrNotGranted), errors.As(err, &fields):
		err = nil
	}
	return err
}

func (w *asOfWalk) declaration(made time.Time) protocol.Declaration {
	d := declaration()
	d.Site.Name = fmt.Sprint("Site ", w.rng.IntN(3))
	d.Approval = protocol.Approval{By: fmt.Sprint("By ", w.rng.IntN(4)), Role: []protocol.Role{protocol.RoleOwner, protocol.RoleReferent}[w.rng.IntN(2)], At: made}
	d.Recorders = nil
	for n := range 3 {
		if w.rng.IntN(3) == 0 {
			continue
		}
		r := protocol.Recorder{ID: id(1001 + n), Name: fmt.Sprint("NVR ", w.rng.IntN(2))}
		if w.rng.IntN(3) == 0 {
			r.Clock = w.clock(w.grid(made))
		}
		d.Recorders = append(d.Recorders, r)
	}
	for n := range 4 {
		if len(d.Recorders) == 0 || w.rng.IntN(4) == 0 {
			continue
		}
		on := d.Recorders[min(n, len(d.Recorders)-1)]
		d.Cameras = append(d.Cameras, w.camera(n+1, on.ID, made))
	}
	return d
}

func (w *asOfWalk) camera(n int, recorder string, made time.Time) protocol.Camera {
	c := camera(n, fmt.Sprint("Camera ", w.rng.IntN(2)))
	c.RecorderID = recorder
	c.Position.Lon += int32(w.rng.IntN(2))
	if w.rng.IntN(3) == 0 {
		c.Schedule = *w.schedule(w.grid(made))
		c.Schedule.Fact.Source = []protocol.Source{protocol.Declared, protocol.Confirmed}[w.rng.IntN(2)]
	}
	if w.rng.IntN(4) == 0 {
		c.Schedule.Suspensions = []protocol.Suspension{{From: noon, To: noon.Add(time.Hour)}}
	}
	if w.rng.IntN(3) == 0 {
		c.Retention = *w.retention(w.grid(made))
		c.Retention.Fact.Source = []protocol.Source{protocol.Declared, protocol.Confirmed}[w.rng.IntN(2)]
	}
	return c
}

// grid is some time before, so coarse that several looks are of one moment.
func (w *asOfWalk) grid(t time.Time) time.Time {
	return t.Add(-time.Duration(w.rng.IntN(240)) * time.Minute).Truncate(30 * time.Minute)
}

func (w *asOfWalk) clock(at time.Time) *protocol.Clock {
	return &protocol.Clock{OffsetMs: w.rng.Int64N(9), Method: "onvif", At: at}
}

func (w *asOfWalk) schedule(at time.Time) *protocol.Schedule {
	s := protocol.Schedule{Kind: []protocol.ScheduleKind{protocol.ScheduleOff, protocol.ScheduleAlways, protocol.ScheduleUnknown}[w.rng.IntN(3)],
		Fact: protocol.Fact{Source: protocol.Measured, At: at}}
	if s.Kind == protocol.ScheduleAlways {
		s.Mode = protocol.Motion
	}
	return &s
}

func (w *asOfWalk) retention(at time.Time) *protocol.Retention {
	r := protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(1+w.rng.IntN(3)) * 24 * time.Hour, Fact: protocol.Fact{Source: protocol.Measured, At: at}}
	if w.rng.IntN(2) == 0 {
		r.OldestFootage, r.ObservedAt, r.Settled = at.Add(-time.Duration(1+w.rng.IntN(50))*time.Hour), at, w.rng.IntN(2) == 0
	}
	return &r
}

func (w *asOfWalk) observation(made time.Time) protocol.Observation {
	var o protocol.Observation
	for n := range 3 {
		if at := w.grid(made); w.rng.IntN(2) == 0 {
			r := protocol.RecorderObservation{RecorderID: id(1001 + n), At: at, Reachable: w.rng.IntN(2) == 0}
			if w.rng.IntN(2) == 0 {
				r.Clock, r.Reachable = w.clock(at), true
			}
			o.Recorders = append(o.Recorders, r)
		}
	}
	for n := range 4 {
		if at := w.grid(made); w.rng.IntN(2) == 0 {
			c := protocol.CameraObservation{CameraID: id(n + 1), At: at}
			if w.rng.IntN(2) == 0 {
				c.OldestFootage = at.Add(-time.Duration(1+w.rng.IntN(50)) * time.Hour)
			}
			if w.rng.IntN(3) == 0 {
				c.Schedule = w.schedule(at)
			}
			if w.rng.IntN(3) == 0 {
				c.Retention = w.retention(at)
			}
			o.Cameras = append(o.Cameras, c)
		}
	}
	return o
}

func (w *asOfWalk) compare(known, valid time.Time) error {
	h, err := w.r.historyAsOf(context.Background(), w.site(), time.Time{}, known)
	if err != nil {
		return err
	}
	all := replayModel(w.events, w.at)
	m := replayModel(w.events, known)
	if h.Withdrawn != m.withdrawn || h.Suspended != m.suspended {
		return fmt.Errorf("withdrawn %t, suspended %t, want %t, %t", h.Withdrawn, h.Suspended, m.withdrawn, m.suspended)
	}
	m.without(all, known)
	if len(h.Acts)+len(m.acts) > 0 && !reflect.DeepEqual(h.Acts, m.acts) {
		return fmt.Errorf("acts\n%+v, want\n%+v", h.Acts, m.acts)
	}
	if got, want := erased(h.Erased), erased(all.erasedAfter(known)); !slices.Equal(got, want) {
		return fmt.Errorf("erased since\n%q, want\n%q", got, want)
	}
	if err := sameSnapshot(h.At(valid), m.at(valid)); err != nil {
		return err
	}
	part, err := w.r.historyAsOf(context.Background(), w.site(), valid, known)
	if err != nil {
		return err
	}
	if err := sameSnapshot(part.At(valid), m.at(valid)); err != nil {
		return fmt.Errorf("read from then on: %w", err)
	}
	return nil
}

// erasedAfter is what is told of what went after a moment: of a camera that had
// gone before the whole site did, nothing any more.
func (m *modelRecord) erasedAfter(known time.Time) []gone {
	var whole time.Time
	for _, e := range m.erasures {
		if e.CameraID == "" {
			whole = e.RecordedAt
		}
	}
	return slices.DeleteFunc(slices.Clone(m.erasures), func(e gone) bool {
		return !e.RecordedAt.After(known) || e.CameraID != "" && e.RecordedAt.Before(whole)
	})
}

func erased(all []gone) []string {
	var texts []string
	for _, e := range all {
		texts = append(texts, fmt.Sprint(e.CameraID, " ", e.At.UTC(), " ", e.RecordedAt.UTC()))
	}
	slices.Sort(texts)
	return texts
}

// sameSnapshot compares what two snapshots say.
func sameSnapshot(got, want Snapshot) error {
	got.history, got.marks, want.history, want.marks = nil, nil, nil, nil
	for id := range want.Gone {
		want.Gone[id] = want.Gone[id].UTC()
	}
	if reflect.DeepEqual(got, want) {
		return nil
	}
	text := fmt.Sprintf("gone %v, want %v", got.Gone, want.Gone)
	for _, id := range bothKeys(got.Recorders, want.Recorders) {
		text += differs(at(got.Recorders, id), at(want.Recorders, id))
	}
	for _, id := range bothKeys(got.Cameras, want.Cameras) {
		text += differs(at(got.Cameras, id), at(want.Cameras, id))
	}
	return fmt.Errorf("state %q, want %q; site %+v, want %+v; %s", got.State, want.State, got.Site, want.Site, text)
}

func differs(got, want any) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	return fmt.Sprintf("\n%s, want\n%s", a, b)
}

// compareShown: what is still there as of then is what was shown then.
func (w *asOfWalk) compareShown(then shownThen) error {
	h, err := w.r.historyAsOf(context.Background(), w.site(), time.Time{}, then.known)
	if err != nil {
		return err
	}
	got := h.At(then.known)
	for _, e := range h.Erased {
		if e.CameraID == "" {
			then.now.Site = nil
			clear(then.now.Recorders)
			clear(then.now.Cameras)
			clear(then.now.Gone)
		}
		delete(then.now.Cameras, e.CameraID)
	}
	for _, e := range replayModel(w.events, w.at).recorders {
		if e.RecordedAt.After(then.known) {
			delete(then.now.Recorders, e.CameraID)
		}
	}
	return sameSnapshot(got, then.now)
}

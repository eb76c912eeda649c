package registry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

const day = 24 * time.Hour

// oldSite is a site with two and a half years of looks, every four hours: a
// store that fills, rolls, is replaced and fills again; a clock that drifts and
// is set; schedules and retentions that change and are read again and again;
// weeks whose messages came late; and declarations in between.
func oldSite(t *testing.T, r *Registry, rng *rand.Rand) *sender {
	t.Helper()
	start := noon.Add(-900 * day)
	s := enrol(t, r, start.Add(-time.Hour))
	for _, days := range []int{0, 200, 410, 640, 880} {
		d := declaration(camera(1, fmt.Sprint("Camera ", days)))
		at := start.Add(time.Duration(days) * day)
		d.Cameras[0].Schedule.Fact.At, d.Cameras[0].Retention.Fact.At = at, at
		if days == 410 {
			d.Cameras[0].Retention.OldestFootage, d.Cameras[0].Retention.ObservedAt, d.Cameras[0].Retention.Settled = at.Add(-5*day), at, true
		}
		s.say(at, d)
	}
	err := r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		w := write{r: r, tx: tx, m: protocol.Message{SiteID: s.site}}
		began := start // of the store
		var offset int64
		up, full, kind := true, false, protocol.ScheduleAlways
		for i := 1; start.Add(time.Duration(i) * 4 * time.Hour).Before(noon); i++ {
			at := start.Add(time.Duration(i) * 4 * time.Hour).Add(time.Duration(rng.IntN(600)) * time.Second)
			w.at = at.Add(2 * time.Second)
			if age := int(at.Sub(start) / day); age%97 < 3 { // of these days, all comes on the fourth, in any order
				w.at = start.Add(time.Duration(age-age%97+3) * day).Add(time.Duration(rng.IntN(86400)) * time.Second)
			}
			if rng.IntN(200) == 0 {
				began = at.Add(-time.Hour)
			}
			if offset += rng.Int64N(40); rng.IntN(300) == 0 {
				offset = rng.Int64N(60000) - 30000
			}
			if rng.IntN(100) == 0 {
				up = !up
			}
			if rng.IntN(200) == 0 {
				kind = []protocol.ScheduleKind{protocol.ScheduleAlways, protocol.ScheduleAlways, protocol.ScheduleOff}[rng.IntN(3)]
			}
			oldest, settled := began, false
			if rolling := at.Add(-20*day - time.Duration(rng.IntN(40))*time.Minute); rolling.After(began) {
				oldest, settled = rolling, true
			}
			o := protocol.RecorderObservation{RecorderID: id(recorderNumber), At: at, Reachable: up}
			if up {
				o.Clock = &protocol.Clock{OffsetMs: offset, UncertaintyMs: 1000, Method: "onvif", At: at}
			}
			c := protocol.CameraObservation{CameraID: id(1), At: at, OldestFootage: oldest}
			if rng.IntN(8) == 0 {
				c.Schedule = &protocol.Schedule{Kind: kind, Zone: "Europe/Rome", Fact: protocol.Fact{Source: protocol.Measured, At: at}}
				if kind == protocol.ScheduleAlways {
					c.Schedule.Mode = protocol.Continuous
				}
			}
			if rng.IntN(8) == 0 || full != settled {
				full = settled
				c.Retention = &protocol.Retention{Kind: protocol.RetentionCapacity, OldestFootage: oldest, ObservedAt: at, Settled: settled,
					Fact: protocol.Fact{Source: protocol.Measured, At: at}}
			}
			if err := w.observeRecorder(ctx, o); err != nil {
				return err
			}
			if err := w.observeCamera(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows counts the rows of a table.
func rows(t *testing.T, r *Registry, table string) (n int) {
	t.Helper()
	if err := r.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// asked is one reading, to be compared before and after.
type asked struct {
	known, valid time.Time
	is           Snapshot
	h            History
}

func ask(t *testing.T, s *sender, known, valid time.Time) asked {
	t.Helper()
	h, err := s.r.historyAsOf(t.Context(), s.site, valid.Add(-60*day), known)
	if err != nil {
		t.Fatal(err)
	}
	return asked{known, valid, h.At(valid), h}
}

// TestThin: what goes was said before and after, as of any two times.
func TestThin(t *testing.T) {
	seed := uint64(time.Now().Unix() / 86400)
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	r := openNew(t)
	s := oldSite(t, r, rng)
	var before []asked
	for i := range 120 {
		valid := noon.Add(-time.Duration(rng.Int64N(int64(905 * day))))
		known := valid.Add(time.Duration(rng.Int64N(int64(8*day))) - day)
		switch i % 4 {
		case 0:
			known = noon
		case 2: // while messages come late
			late := noon.Add(-900 * day).Add(time.Duration(97*rng.IntN(9)) * day)
			valid = late.Add(time.Duration(rng.Int64N(int64(4 * day))))
			known = late.Add(3 * day).Add(time.Duration(rng.Int64N(int64(day))))
		case 1: // what officers ask
			valid, known = noon.Add(-time.Duration(rng.Int64N(int64(20*day)))), noon
		}
		before = append(before, ask(t, s, known, valid))
	}
	_, changes, err := r.ChangedSites(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	had := rows(t, r, "camera_observations") + rows(t, r, "clocks") + rows(t, r, "reachability")
	gone, err := r.Thin(t.Context(), noon)
	if err != nil {
		t.Fatal(err)
	}
	have := []int{rows(t, r, "camera_observations"), rows(t, r, "clocks"), rows(t, r, "reachability")}
	t.Logf("%d rows, %d went, %v stay", had, gone, have)
	if had-gone != have[0]+have[1]+have[2] || gone < had/2 {
		t.Errorf("of %d rows, %d went, %v are there", had, gone, have)
	}
	if sites, _, err := r.ChangedSites(t.Context(), changes, 100); err != nil || !slices.Equal(sites, []string{s.site}) {
		t.Errorf("search does not follow: %v, %v", sites, err)
	}
	for _, b := range before {
		sameEnough(t, b, ask(t, s, b.known, b.valid))
	}
	// All of the last 30 days stays.
	if n := r.rowsFrom(t, noon.Add(-30*day)); n < 2*170 {
		t.Errorf("%d looks of the last 30 days", n)
	}
	// It is not its turn; and when it is, nothing more goes.
	for _, due := range []bool{false, true} {
		if due {
			if _, err := r.write.ExecContext(t.Context(), "UPDATE sites SET thinned_at = 0"); err != nil {
				t.Fatal(err)
			}
		}
		if gone, err := r.Thin(t.Context(), noon); err != nil || gone != 0 {
			t.Errorf("again, due %t: %d, %v", due, gone, err)
		}
	}
}

func (r *Registry) rowsFrom(t *testing.T, at time.Time) (n int) {
	t.Helper()
	err := r.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM camera_observations WHERE at >= ?1)
		+ (SELECT count(*) FROM clocks WHERE at >= ?1) + (SELECT count(*) FROM reachability WHERE at >= ?1)`, micros(at)).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sameEnough compares what was asked before thinning and after.
func sameEnough(t *testing.T, a, b asked) {
	t.Helper()
	fail := func(what string, was, is any) {
		t.Errorf("as of %s, about %s: %s was %+v, is %+v", a.known, a.valid, what, was, is)
	}
	for id, was := range a.is.Recorders {
		is := b.is.Recorders[id]
		if !reflect.DeepEqual(was.Reachable, is.Reachable) {
			fail("reachable", was.Reachable != nil && *was.Reachable, is.Reachable != nil && *is.Reachable)
		}
		if (was.Clock == nil) != (is.Clock == nil) {
			fail("clock", was.Clock, is.Clock)
		} else if was.Clock != nil && !within(was.Clock.OffsetMs, is.Clock.OffsetMs, was.Clock.UncertaintyMs) {
			fail("clock", *was.Clock, *is.Clock)
		}
	}
	if len(a.is.Cameras) != len(b.is.Cameras) || len(a.is.Recorders) != len(b.is.Recorders) || a.is.State != b.is.State {
		fail("the site", a.is, b.is)
	}
	for id, was := range a.is.Cameras {
		is := b.is.Cameras[id]
		if !sameSchedule(was.Schedule, is.Schedule) {
			fail("schedule", was.Schedule, is.Schedule)
		}
		if !sameLimits(was.Retention, is.Retention) || was.Retention.Settled != is.Retention.Settled {
			fail("retention", was.Retention, is.Retention)
		}
		for back := time.Hour; back < 50*day; back += 5 * time.Hour {
			if back > 9*day && a.valid.Before(noon.Add(-keepAll)) {
				break
			}
			sameFootage(t, a, b, id, a.valid.Add(-back))
		}
	}
}

// sameFootage: whether there was footage is answered as before, or as for a
// moment within the slack; or less surely, of a moment before the last 30 days.
func sameFootage(t *testing.T, a, b asked, id string, of time.Time) {
	t.Helper()
	is := protocol.FootageOf(of, b.valid, b.h.Schedules[id], b.h.Retentions[id])
	if a.valid.After(noon.Add(-keepAll)) {
		if was := protocol.FootageOf(of, a.valid, a.h.Schedules[id], a.h.Retentions[id]); was != is {
			t.Errorf("at %s, footage of %s: was %+v, is %+v", a.valid, of, was, is)
		}
		return
	}
	if is.Exists == protocol.Unknown {
		r := a.is.Cameras[id].Retention
		if r.Settled || r.Kind == protocol.RetentionAge || a.valid.Sub(of) < 2*day || !of.After(r.OldestFootage.Add(depthSlack)) {
			return
		}
	}
	if r := b.is.Cameras[id].Retention; r.Kind == protocol.RetentionAge && of.Add(r.Age).After(r.ObservedAt.Add(-2*depthSlack)) {
		return // no look that stays contradicts the configuration yet
	}
	var might []protocol.Answer
	for slack := -2 * depthSlack; slack <= 2*depthSlack; slack += 5 * time.Minute {
		was := protocol.FootageOf(of.Add(slack), a.valid, a.h.Schedules[id], a.h.Retentions[id])
		if was.Exists == is.Exists {
			return
		}
		might = append(might, was.Exists)
	}
	t.Errorf("as of %s, at %s, footage of %s: was %q, is %q", a.known, a.valid, of, slices.Compact(might), is.Exists)
}

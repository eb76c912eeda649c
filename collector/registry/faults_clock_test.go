package registry

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// A machine's clock that steps under load, an hour to and fro: nothing is refused
// for it, every message has its effect, and the history stays in order.
func TestClockSteps(t *testing.T) {
	var step atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(step.Load())) }
	b := underLoad(t, storeAt(t, filepath.Join(t.TempDir(), "registry.db")), now)
	b.r.now = now
	for _, to := range []time.Duration{time.Hour, 0, -time.Hour, time.Hour, -time.Hour, 0} {
		b.goesOn(t, 60)
		step.Store(int64(to))
	}
	b.goesOn(t, 60)
	if failed, newest := b.failures(); failed > 0 {
		t.Errorf("%d acts failed: %v", failed, newest)
	}
	b.audits(t, true)
	var gaps int
	err := b.r.read.QueryRowContext(t.Context(), `SELECT count(*) FROM versions v LEFT JOIN versions n
		ON n.site_id = v.site_id AND n.kind = v.kind AND n.id = v.id AND n.version = v.version + 1
		WHERE v.valid_until IS NOT NULL AND (v.valid_until < v.valid_from OR v.valid_until <> n.valid_from OR v.closed_at <> n.recorded_at)`).Scan(&gaps)
	if err != nil || gaps > 0 {
		t.Errorf("%d versions do not end where the next begins (%v)", gaps, err)
	}
}

// What ended a grant is not undone when a clock that was ahead is set right.
func TestEndedGrantStaysEndedWhenTheClockStepsBack(t *testing.T) {
	ahead := noon.Add(time.Hour)
	for name, end := range map[string]func(t *testing.T, s *sender){
		"withdrawn": func(t *testing.T, s *sender) {
			if _, err := s.deliver(s.next(noon, withdrawal()), ahead); err != nil {
				t.Fatal(err)
			}
		},
		"withdrawn by the owner": func(t *testing.T, s *sender) {
			if err := s.r.Act(t.Context(), s.site, protocol.SiteWithdrawn, ahead); err != nil {
				t.Fatal(err)
			}
		},
		"replaced": func(t *testing.T, s *sender) {
			beside(t, s, ahead, func(d *ingest.Redemption) { d.Replace = true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := openNew(t)
			r.now = func() time.Time { return noon.Add(2 * time.Minute) }
			s := enrol(t, r, noon)
			s.say(noon, declaration(camera(1, "Ingresso")))
			end(t, s)
			if _, err := s.deliver(s.next(noon.Add(time.Minute), declaration(camera(1, "Ingresso"))), noon.Add(2*time.Minute)); !errors.Is(err, ingest.ErrNotGranted) {
				t.Errorf("its agent declares: %v", err)
			}
			if _, _, _, err := r.Site(t.Context(), s.agent, s.site); !errors.Is(err, ingest.ErrNotGranted) {
				t.Errorf("its agent reads: %v", err)
			}
		})
	}
}

// A code is as good before and after a step: one that was given out ahead of time
// can be used, and one that was used is used.
func TestCodeWhenTheClockSteps(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon.Add(time.Hour)) // by a clock that is ahead
	if g, err := s.r.Redeem(t.Context(), redemptionAt(s, noon)); err != nil || g.Epoch != s.epoch {
		t.Errorf("the answer got lost, and the clock was set right: %+v, %v", g, err)
	}
	other := &sender{t: t, r: r, agent: id(9)}
	other.key = other.code("key")
	d := redemptionAt(s, noon)
	d.KeyHash, d.AgentID = other.key, other.agent
	if _, err := r.Redeem(t.Context(), d); !errors.Is(err, ingest.ErrUsedCode) {
		t.Errorf("used twice: %v", err)
	}
	s.say(noon.Add(time.Minute), declaration(camera(1, "Ingresso")))
}

func redemptionAt(s *sender, at time.Time) ingest.Redemption {
	d := redemption(s, "first")
	d.At = at
	return d
}

package registry

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// hidden is a suspension that was decided at a moment; until may be zero.
func hidden(at, until time.Time) protocol.SiteSuspension {
	return protocol.SiteSuspension{Until: until, Approval: protocol.Approval{By: "Anna Bianchi", Role: protocol.RoleOwner, At: at}}
}

func shownAgain(at time.Time) protocol.SiteSuspension {
	s := hidden(at, time.Time{})
	s.Resumed = true
	return s
}

// An agent's word hides the site as its owner's code does, stands in the history with
// its author, and is told to nobody who said it.
func TestAgentSuspendsAndResumes(t *testing.T) {
	r, s, code := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	change, err := r.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until := noon.AddDate(0, 0, 14)
	m := s.next(noon.Add(time.Hour), hidden(noon.Add(time.Hour), until))
	for range 2 { // the second is a duplicate
		if receipt, err := s.deliver(m, noon.Add(2*time.Hour)); err != nil || receipt.OwnerCode != code {
			t.Errorf("%+v, %v", receipt, err)
		}
	}
	if now, err := r.LastChange(t.Context()); err != nil || now != change+1 {
		t.Errorf("the change feed went from %d to %d, %v", change, now, err)
	}
	h := s.history()
	if last := h.Acts[len(h.Acts)-1]; !h.Suspended || last.Reason != reasonSuspended || last.Author != authorOwner || last.Name != "Anna Bianchi" || !last.At.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("%+v", h.Acts)
	}
	own, err := r.Own(t.Context(), s.site)
	if err != nil || own.State != Suspended || !own.SuspendedAt.Equal(noon.Add(2*time.Hour)) || !own.SuspendedUntil.Equal(until) {
		t.Errorf("%+v, %v", own.SiteSummary, err)
	}
	// Another day is no new act.
	s.say(noon.Add(3*time.Hour), hidden(noon.Add(3*time.Hour), time.Time{}))
	if own, err = r.Own(t.Context(), s.site); err != nil || !own.SuspendedUntil.IsZero() || len(own.Acts) != 1 {
		t.Errorf("%+v, %v", own, err)
	}
	s.say(noon.Add(4*time.Hour), shownAgain(noon.Add(4*time.Hour)))
	if own, err = r.Own(t.Context(), s.site); err != nil || own.State != Sharing || len(own.Acts) != 2 || s.history().Suspended {
		t.Errorf("%+v, %v", own, err)
	}
	if told := s.told(); len(told) > 0 {
		t.Errorf("who said it was told %q", told)
	}
}

// Of two decisions the later one holds, in whatever order they come and by whichever
// of the two ways.
func TestLaterDecisionHolds(t *testing.T) {
	for name, c := range map[string]struct {
		agent protocol.SiteSuspension // arrives at the fourth hour
		act   protocol.SiteState      // by the owner's code, at the second
		stale bool
		want  State
	}{
		"suspended before it was resumed": {hidden(noon.Add(time.Hour), time.Time{}), protocol.SiteResumed, true, Sharing},
		"resumed before it was suspended": {shownAgain(noon.Add(time.Hour)), protocol.SiteSuspended, true, Suspended},
		"suspended after":                 {hidden(noon.Add(3*time.Hour), time.Time{}), protocol.SiteResumed, false, Suspended},
		"resumed after":                   {shownAgain(noon.Add(3 * time.Hour)), protocol.SiteSuspended, false, Sharing},
		"by a clock that is ahead":        {shownAgain(noon.Add(20 * time.Hour)), protocol.SiteSuspended, false, Sharing},
		"over before it came":             {hidden(noon.Add(time.Hour+time.Minute), noon.Add(3*time.Hour)), "", false, Sharing},
	} {
		t.Run(name, func(t *testing.T) {
			r, s, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
			if c.act == protocol.SiteResumed {
				s.act(protocol.SiteSuspended, noon.Add(time.Minute))
			}
			if c.act != "" {
				s.act(c.act, noon.Add(2*time.Hour))
			}
			m := s.next(noon.Add(time.Hour), c.agent)
			if _, err := s.deliver(m, noon.Add(4*time.Hour)); errors.Is(err, ingest.ErrStale) != c.stale || !c.stale && err != nil {
				t.Errorf("%v", err)
			}
			if own, err := r.Own(t.Context(), s.site); err != nil || own.State != c.want {
				t.Errorf("%s, %v", own.State, err)
			}
			// Whatever an agent's clock showed, the owner's next act counts.
			s.act(protocol.SiteSuspended, noon.Add(5*time.Hour))
			s.act(protocol.SiteResumed, noon.Add(6*time.Hour))
			s.say(noon.Add(7*time.Hour), hidden(noon.Add(7*time.Hour), time.Time{}))
			if own, err := r.Own(t.Context(), s.site); err != nil || own.State != Suspended {
				t.Errorf("later: %s, %v", own.State, err)
			}
		})
	}
}

// A clock that is ahead does not make later decisions early ones.
func TestClockAheadDecidesOnce(t *testing.T) {
	r, s, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	s.say(noon.Add(time.Hour), hidden(noon.Add(20*time.Hour), time.Time{}))
	s.say(noon.Add(2*time.Hour), shownAgain(noon.Add(2*time.Hour)))
	if own, err := r.Own(t.Context(), s.site); err != nil || own.State != Sharing {
		t.Errorf("%s, %v", own.State, err)
	}
}

// A suspension ends by itself on its day, is recorded before, and the agents hear.
func TestSuspensionEnds(t *testing.T) {
	r, s, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	other := enrol(t, r, noon)
	other.say(noon, declaration(camera(2, "Altro")))
	until := noon.AddDate(0, 0, 14)
	s.say(noon, hidden(noon, until))
	other.say(noon, hidden(noon, time.Time{}))
	var recorded [][]string
	end := func(now time.Time, fail error) int {
		t.Helper()
		n, err := r.EndSuspensions(t.Context(), now, func(_ context.Context, sites []string) error {
			recorded = append(recorded, sites)
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
		return n
	}
	if n := end(until.Add(-time.Second), nil); n != 0 || len(recorded) > 0 {
		t.Errorf("before its day %d, %q", n, recorded)
	}
	full := errors.New("the trail is full")
	if n := end(until, full); n != 0 || !s.history().Suspended {
		t.Error("shown again without an entry on the trail")
	}
	if n := end(until, nil); n != 1 || !slices.Equal(recorded[1], []string{s.site}) || s.history().Suspended {
		t.Errorf("on its day %d, %q", n, recorded)
	}
	if told := s.told(); !slices.Equal(told, []protocol.SiteState{protocol.SiteResumed}) {
		t.Errorf("told %q", told)
	}
	if n := end(until.Add(time.Hour), nil); n != 0 || len(recorded) != 2 || !other.history().Suspended {
		t.Errorf("a second time %d, %q", n, recorded)
	}
}

// What cannot be suspended is refused by name, and a restored register hides again
// what the ledger says was hidden.
func TestSuspensionOfNothing(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	_, err := s.deliver(s.next(noon, hidden(noon, time.Time{})), noon)
	if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
		t.Errorf("of a site that declares nothing: %v", err)
	}
	s.say(noon, declaration(camera(1, "Ingresso")))
	s.say(noon, withdrawal())
	if _, err := s.deliver(s.next(noon, shownAgain(noon)), noon); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("of a site that was withdrawn: %v", err)
	}
}

// An act keeps the version of the notice that was read.
func TestActKeepsNotice(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	d := declaration(camera(1, "Ingresso"))
	d.Approval.NoticeVersion = "2 (22/11/2026)"
	s.say(noon, d)
	if h := s.history(); len(h.Acts) != 1 || h.Acts[0].Notice != d.Approval.NoticeVersion {
		t.Errorf("%+v", h.Acts)
	}
}

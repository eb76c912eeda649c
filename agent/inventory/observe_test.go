package inventory

import (
	"slices"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// A machine whose clock ran ahead and was put right goes on observing: it does
// not wait until the right time has caught up.
func TestObservesAfterTheClockWasPutBack(t *testing.T) {
	v, _ := declared(t, 1)
	deliver(t, v)
	silent := cameraDevice(0)
	silent.Answered = false
	record(t, v, noon.AddDate(0, 0, -3), silent)
	all := outbox(t, v)
	if last := all[len(all)-1]; last.Kind != "observation" || last.State != Waiting {
		t.Errorf("the recorder's silence is not told: last is %s, %s", last.Kind, last.State)
	}
}

// What the owner is told of, and what he is asked: a schedule or retention that
// the recorder has changed leaves by itself, once, and both are shown; a name
// waits for a yes.
func TestWhatDiffersIsToldOrAsked(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*interrogate.Channel)
		differs []string
		changed []string
		leaves  bool
	}{
		"nothing":  {func(*interrogate.Channel) {}, nil, nil, false},
		"schedule": {func(ch *interrogate.Channel) { ch.Schedule.Mode = protocol.Motion }, []string{"schedule"}, nil, true},
		"switched off": {func(ch *interrogate.Channel) {
			ch.Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: ch.Schedule.Fact}
		}, []string{"schedule"}, nil, true},
		"retention": {func(ch *interrogate.Channel) { ch.Retention.Age = 24 * time.Hour }, []string{"retention"}, nil, true},
		"no word":   {func(ch *interrogate.Channel) { ch.Schedule, ch.Retention = protocol.Schedule{}, protocol.Retention{} }, nil, nil, false},
		"name":      {func(ch *interrogate.Channel) { ch.Name = "Cortile" }, nil, []string{"name"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, all := declared(t, 1)
			sent := len(outbox(t, v))
			d := cameraDevice(0)
			tc.change(&d.Channels[0])
			for i := range 3 {
				record(t, v, noon.Add(time.Duration(i+2)*time.Hour), d)
			}
			c := cameras(t, v)[0]
			if !slices.Equal(c.Differs, tc.differs) || !slices.Equal(c.Changed, tc.changed) || c.State != StateDeclared || c.AskAgain {
				t.Errorf("differs %v, waits for a yes to %v, %s", c.Differs, c.Changed, c.State)
			}
			if c.Declared.Schedule.Mode != protocol.Continuous || c.Declared.Retention.Age != 72*time.Hour || c.Declared.Name != all[0].Declared.Name {
				t.Errorf("what was declared has changed: %+v", c.Declared)
			}
			var lasting int
			for _, m := range outbox(t, v)[sent:] {
				o, ok := m.Message.Body.(protocol.Observation)
				if !ok {
					t.Fatalf("a %s was queued", m.Kind)
				}
				for _, seen := range o.Cameras {
					if seen.Schedule != nil || seen.Retention != nil {
						lasting++
					}
				}
			}
			if lasting != map[bool]int{true: 1, false: 0}[tc.leaves] {
				t.Errorf("%d observations of it were queued, want it to leave: %t", lasting, tc.leaves)
			}
			// The yes to what differs makes it the declared one.
			approve(t, v, c.ID)
			if c = cameras(t, v)[0]; len(c.Differs) > 0 || len(c.Changed) > 0 {
				t.Errorf("after a yes %v %v", c.Differs, c.Changed)
			}
		})
	}
}

// A camera that was switched off and on again within the hour did not record
// meanwhile, and that is told: observations of other things wait for the hour,
// a change of schedule or retention does not. One device cannot fill the outbox.
func TestAScheduleChangeWithinTheHourIsNotLost(t *testing.T) {
	v, _ := declared(t, 1)
	at := noon
	look := func(kind protocol.ScheduleKind, age time.Duration) {
		t.Helper()
		at = at.Add(5 * time.Minute)
		v.now = func() time.Time { return at }
		d := cameraDevice(0)
		d.Clock.OffsetMs += int64(at.Sub(noon) / time.Millisecond) // moves all the time
		d.Channels[0].Schedule.Kind = kind
		if kind == protocol.ScheduleOff {
			d.Channels[0].Schedule.Mode = ""
		}
		d.Channels[0].Retention.Age = age
		record(t, v, at, d)
	}
	look(protocol.ScheduleAlways, 72*time.Hour)
	if n := len(outbox(t, v)); n != 1 {
		t.Fatalf("%d messages: the clock waits for the hour", n)
	}
	look(protocol.ScheduleOff, 72*time.Hour)
	look(protocol.ScheduleAlways, 72*time.Hour)
	look(protocol.ScheduleAlways, 24*time.Hour)
	look(protocol.ScheduleAlways, 24*time.Hour)
	var got []string
	for _, m := range outbox(t, v)[1:] {
		for _, c := range m.Message.Body.(protocol.Observation).Cameras {
			if c.Schedule != nil {
				got = append(got, string(c.Schedule.Kind))
			}
			if c.Retention != nil {
				got = append(got, c.Retention.Age.String())
			}
		}
	}
	if want := []string{"off", "always", "24h0m0s"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	for i := range 8 {
		look([]protocol.ScheduleKind{protocol.ScheduleOff, protocol.ScheduleAlways}[i%2], 24*time.Hour)
	}
	if n := len(outbox(t, v)); n != 1+mostHurried {
		t.Errorf("%d messages within the hour, want %d", n, 1+mostHurried)
	}
	at = at.Add(2 * time.Hour)
	look(protocol.ScheduleAlways, 24*time.Hour)
	if o := last[protocol.Observation](t, v); len(o.Cameras) != 1 || o.Cameras[0].Schedule == nil {
		t.Errorf("after the hour: %+v", o)
	}
}

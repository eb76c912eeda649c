package inventory

import (
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// What the device tells counts, but for the very value that the owner corrected:
// the one rule, as officers and the owner come to see it.
func TestTheOwnersWordAndTheDevices(t *testing.T) {
	const day = 24 * time.Hour
	measured := protocol.Fact{Source: protocol.Measured, At: noon}
	always := protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: measured}
	motion := always
	motion.Mode = protocol.Motion
	kept := func(d time.Duration) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: d, Fact: measured}
	}
	type told struct {
		schedule  protocol.Schedule
		retention protocol.Retention
	}
	nothing := told{}
	for name, tc := range map[string]struct {
		before told // when the owner speaks
		says   Edit
		after  told // at the next look
		mode   protocol.Mode
		from   protocol.Source // of the schedule
		age    time.Duration
		ageBy  protocol.Source
		other  string // what is shown beside: "schedule", "retention"
	}{
		"nobody says anything": {nothing, Edit{}, nothing, "", "", 0, "", ""},
		"the device alone":     {nothing, Edit{}, told{motion, kept(7 * day)}, protocol.Motion, protocol.Measured, 7 * day, protocol.Measured, ""},
		"the owner alone":      {nothing, Edit{Schedule: new("always"), Days: new(3)}, nothing, protocol.Continuous, protocol.Declared, 3 * day, protocol.Declared, ""},
		"he does not know":     {nothing, Edit{Schedule: new("unknown"), Days: new(0)}, nothing, "", "", 0, "", ""},
		"he does not know, the device does": {told{motion, kept(day)}, Edit{Schedule: new("unknown"), Days: new(0)}, told{motion, kept(day)},
			protocol.Motion, protocol.Measured, day, protocol.Measured, ""},
		"declared, then read for the first time": {nothing, Edit{Schedule: new("always"), Days: new(3)}, told{motion, kept(7 * day)}, protocol.Motion, protocol.Measured, 7 * day, protocol.Measured, ""},
		"corrected": {told{motion, kept(7 * day)}, Edit{Schedule: new("always"), Days: new(3)},
			told{motion, kept(7 * day)}, protocol.Continuous, protocol.Declared, 3 * day, protocol.Declared, "schedule retention"},
		"corrected, then the device was set": {told{motion, kept(7 * day)}, Edit{Schedule: new("20:00-08:00"), Days: new(3)},
			told{always, kept(2 * day)}, protocol.Continuous, protocol.Measured, 2 * day, protocol.Measured, ""},
		"one of two corrected": {told{motion, kept(7 * day)}, Edit{Days: new(3)}, told{motion, kept(7 * day)}, protocol.Motion, protocol.Measured, 3 * day, protocol.Declared, "retention"},
		"what the device says, too": {told{motion, kept(7 * day)}, Edit{Schedule: new("motion"), Days: new(7)},
			told{always, kept(2 * day)}, protocol.Continuous, protocol.Measured, 2 * day, protocol.Measured, ""},
		"confirmed": {told{motion, kept(7 * day)}, Edit{HoursRight: true}, told{motion, kept(7 * day)}, protocol.Motion, protocol.Measured, 7 * day, protocol.Measured, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, t.TempDir())
			d := cameraDevice(1)
			tell := func(x told, at time.Time) {
				d.Channels[0].Schedule, d.Channels[0].Retention = x.schedule, x.retention
				record(t, v, at, d)
			}
			tell(tc.before, noon)
			id := cameras(t, v)[0].ID
			if err := v.Set(t.Context(), id, tc.says); err != nil {
				t.Fatal(err)
			}
			tell(tc.after, noon.Add(2*time.Hour))
			c := cameras(t, v)[0]
			if s := c.Values.Schedule; s.Mode != tc.mode || s.Fact.Source != tc.from {
				t.Errorf("records %q by %q, want %q by %q", s.Mode, s.Fact.Source, tc.mode, tc.from)
			}
			if r := c.Values.Retention; r.Age != tc.age || r.Fact.Source != tc.ageBy {
				t.Errorf("keeps %s by %q, want %s by %q", r.Age, r.Fact.Source, tc.age, tc.ageBy)
			}
			var other []string
			if c.Overruled.Schedule != nil {
				other = append(other, "schedule")
			}
			if c.Overruled.Retention != nil {
				other = append(other, "retention")
			}
			if got := strings.Join(other, " "); got != tc.other {
				t.Errorf("beside it is shown %q, want %q", got, tc.other)
			}
			if spoke := tc.says.Schedule != nil || tc.says.Days != nil || tc.says.HoursRight; c.HoursAt.IsZero() == spoke {
				t.Errorf("he said so at %s", c.HoursAt)
			}
		})
	}
}

// A word on hours waits for a yes, what the recorder tells otherwise leaves by itself,
// and against a correction it leaves nothing until it tells something new.
func TestAWordOnHoursWaitsForAYes(t *testing.T) {
	v, all := declared(t, 1)
	id, d := all[0].ID, cameraDevice(0)
	look := func(hours int) {
		t.Helper()
		v.now = func() time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		record(t, v, v.now(), d)
	}
	leaves := func() (o protocol.CameraObservation) {
		t.Helper()
		for _, m := range outbox(t, v) {
			if b, ok := m.Message.Body.(protocol.Observation); ok && m.State == Waiting {
				for _, c := range b.Cameras {
					o = c
				}
			} else if m.State == Waiting {
				t.Errorf("a %s left by itself", m.Kind)
			}
		}
		deliver(t, v)
		return o
	}
	if err := v.Set(t.Context(), id, Edit{Schedule: new("motion"), Days: new(2)}); err != nil {
		t.Fatal(err)
	}
	look(2)
	if o := leaves(); o.Schedule != nil || o.Retention != nil {
		t.Errorf("before the yes leave %+v and %+v", o.Schedule, o.Retention)
	}
	if c := cameras(t, v)[0]; !slices.Equal(c.Changed, []string{"schedule", "retention"}) || len(c.Differs) > 0 || c.Declared.Retention.Age != 72*time.Hour {
		t.Errorf("waits for %v, differs in %v", c.Changed, c.Differs)
	}
	if picked, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil || len(picked) != 1 {
		t.Fatalf("%v, %v", picked, err)
	}
	got := lastDeclaration(t, v).Cameras[0]
	if got.Schedule.Mode != protocol.Motion || got.Schedule.Fact.Source != protocol.Declared || got.Retention.Age != 48*time.Hour ||
		got.Retention.Fact.Source != protocol.Declared || got.Retention.OldestFootage.IsZero() {
		t.Errorf("declared %+v and %+v", got.Schedule, got.Retention)
	}
	deliver(t, v)
	look(5)
	if o := leaves(); o.Schedule != nil || o.Retention != nil {
		t.Errorf("the recorder says what was corrected, and leave %+v and %+v", o.Schedule, o.Retention)
	}
	if c := cameras(t, v)[0]; len(c.Changed)+len(c.Differs) > 0 || c.Overruled.Schedule == nil || c.Overruled.Retention == nil {
		t.Errorf("%v, %v, %+v", c.Changed, c.Differs, c.Overruled)
	}
	d.Channels[0].Retention.Age = 24 * time.Hour
	look(8)
	if o := leaves(); o.Schedule != nil || o.Retention == nil || o.Retention.Age != 24*time.Hour || o.Retention.Fact.Source != protocol.Measured {
		t.Errorf("the recorder says something new, and leave %+v and %+v", o.Schedule, o.Retention)
	}
	if c := cameras(t, v)[0]; len(c.Changed) > 0 || !slices.Equal(c.Differs, []string{"retention"}) {
		t.Errorf("%v, %v", c.Changed, c.Differs)
	}
	if err := v.Set(t.Context(), id, Edit{Clear: []string{"schedule", "days"}}); err != nil {
		t.Fatal(err)
	}
	look(11)
	if o := leaves(); o.Schedule == nil || o.Schedule.Mode != protocol.Continuous {
		t.Errorf("he took his word back, and leaves %+v", o.Schedule)
	}
}

// A full store is told with the owner's limits, once he has said yes to them.
func TestAFullStoreUnderTheOwnersLimits(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	d := cameraDevice(0)
	d.Channels[0].Retention = protocol.Retention{OldestFootage: noon.Add(-70 * time.Hour), ObservedAt: noon, Fact: protocol.Fact{Source: protocol.Measured, At: noon}}
	record(t, v, noon, d)
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	if err := v.Set(t.Context(), id, Edit{Days: new(3)}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, id)
	deliver(t, v)
	at := noon.Add(3 * time.Hour)
	d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = at.Add(-70*time.Hour), at
	v.now = func() time.Time { return at }
	record(t, v, at, d)
	o := last[protocol.Observation](t, v)
	if len(o.Cameras) != 1 || o.Cameras[0].Retention == nil || !o.Cameras[0].Retention.Settled || o.Cameras[0].Retention.Age != 72*time.Hour {
		t.Errorf("%+v", o.Cameras)
	}
}

func TestWrongHours(t *testing.T) {
	v := open(t, t.TempDir())
	record(t, v, noon, cameraDevice(1))
	id := cameras(t, v)[0].ID
	for field, e := range map[string]Edit{
		"schedule": {Schedule: new("sometimes")}, "days": {Days: new(-1)}, "clear": {Clear: []string{"hours"}},
	} {
		if err := v.Set(t.Context(), id, e); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := v.Set(t.Context(), id, Edit{Days: new(MaxDays + 1)}); err == nil {
		t.Error("images of more than ten years")
	}
}

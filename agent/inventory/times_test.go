package inventory

import (
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// laterOn is what a camera tells so long after noon, when nothing has changed: all has
// been read again, its clock is a little further off, and a full store has moved on.
func laterOn(after time.Duration) interrogate.Device {
	d := cameraDevice(0)
	at := noon.Add(after)
	d.Clock = &protocol.Clock{OffsetMs: 1500 + after.Milliseconds()/60_000, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: at}
	ch := &d.Channels[0]
	ch.Schedule.Fact.At, ch.Retention.Fact.At, ch.Retention.ObservedAt = at, at, at
	ch.Retention.OldestFootage = at.Add(-72 * time.Hour)
	ch.Facts = map[string]interrogate.Fact{"oldest": {Fact: protocol.Fact{Source: protocol.Measured, At: at}, From: "onvif", Raw: at.String()}}
	return d
}

// written counts the rows that f writes.
func written(t *testing.T, v *Inventory, f func()) int {
	t.Helper()
	count := func() (n int) {
		if err := v.writer.QueryRowContext(t.Context(), `SELECT total_changes()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	f()
	return count() - before
}

// shows checks what is told of the one camera and its device.
func shows(t *testing.T, v *Inventory, what string, at time.Time) {
	t.Helper()
	c := cameras(t, v)[0]
	switch d := c.Device; {
	case !d.SeenAt.Equal(at) || !d.AnsweredAt.Equal(at) || !d.Clock.At.Equal(at):
		t.Errorf("%s: the device was seen at %v, answered at %v, its clock read at %v; want %v", what, d.SeenAt, d.AnsweredAt, d.Clock.At, at)
	case !c.Values.Schedule.Fact.At.Equal(at) || !c.Values.Retention.ObservedAt.Equal(at) || !c.Values.Retention.OldestFootage.Equal(at.Add(-72*time.Hour)):
		t.Errorf("%s: %+v and %+v, want them read at %v", what, c.Values.Schedule.Fact, c.Values.Retention, at)
	}
}

func TestWhatIsAsBeforeIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	for _, before := range []time.Duration{-10 * time.Hour, -9 * time.Hour, 0} { // its store turns out to be full
		record(t, v, noon.Add(before), laterOn(before))
	}
	for after := time.Hour; after < unwrittenMost; after += time.Hour {
		if n := written(t, v, func() { record(t, v, noon.Add(after), laterOn(after)) }); n != 0 {
			t.Errorf("%d rows were written %v later, of a camera that is as before", n, after)
		}
		shows(t, v, "in memory", noon.Add(after))
	}
	shows(t, open(t, dir), "after a power cut", noon)

	if n := written(t, v, func() { record(t, v, noon.Add(unwrittenMost), laterOn(unwrittenMost)) }); n == 0 {
		t.Error("nothing is ever written")
	}
	shows(t, open(t, dir), "in time", noon.Add(unwrittenMost))

	// A decision is written with what is known by then, and holds.
	at := unwrittenMost + time.Hour
	record(t, v, noon.Add(at), laterOn(at))
	if err := v.Set(t.Context(), cameras(t, v)[0].ID, Edit{Name: new("Cortile")}); err != nil {
		t.Fatal(err)
	}
	shows(t, v, "decided", noon.Add(at))
	at += time.Hour
	record(t, v, noon.Add(at), laterOn(at))
	shows(t, v, "after the decision", noon.Add(at))
	for _, w := range []*Inventory{v, open(t, dir)} {
		if c := cameras(t, w)[0]; c.Values.Name != "Cortile" {
			t.Errorf("the decision became %q", c.Values.Name)
		}
	}
}

func TestWhatIsNewIsWritten(t *testing.T) {
	for name, changes := range map[string]func(d *interrogate.Device){
		"firmware":     func(d *interrogate.Device) { d.Firmware = "1.3" },
		"address":      func(d *interrogate.Device) { *d = at(*d, "192.168.7.99:80") },
		"silent":       func(d *interrogate.Device) { d.Answered, d.Channels, d.Clock = false, nil, nil },
		"locked":       func(d *interrogate.Device) { d.Needs = interrogate.NeedsCredentials },
		"clock":        func(d *interrogate.Device) { d.Clock.OffsetMs += 5_000 },
		"channel name": func(d *interrogate.Device) { d.Channels[0].Name = "Magazzino" },
		"resolution":   func(d *interrogate.Device) { d.Channels[0].WidthPx, d.Channels[0].HeightPx = 640, 480 },
		"schedule": func(d *interrogate.Device) {
			d.Channels[0].Schedule.Kind, d.Channels[0].Schedule.Mode = protocol.ScheduleOff, ""
		},
		"retention": func(d *interrogate.Device) { d.Channels[0].Retention.Age += time.Hour },
		"oldest": func(d *interrogate.Device) {
			r := &d.Channels[0].Retention
			r.OldestFootage = r.OldestFootage.Add(2 * time.Hour)
		},
		"told by other": func(d *interrogate.Device) { d.Channels[0].Facts["oldest"] = interrogate.Fact{From: "isapi"} },
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, t.TempDir())
			record(t, v, noon.Add(-time.Hour), laterOn(-time.Hour))
			record(t, v, noon, laterOn(0))
			record(t, v, noon.Add(time.Minute), laterOn(time.Minute))
			d := laterOn(2 * time.Minute)
			changes(&d)
			if written(t, v, func() { record(t, v, noon.Add(2*time.Minute), d) }) == 0 {
				t.Error("it was not written")
			}
		})
	}
}

// What was stored in the future of a clock that was put right is written anew.
func TestClockPutBackIsWritten(t *testing.T) {
	v := open(t, t.TempDir())
	record(t, v, noon, laterOn(0))
	if written(t, v, func() { record(t, v, noon.Add(-time.Hour), laterOn(-time.Hour)) }) == 0 {
		t.Error("it was not written")
	}
}

// A row that was written since knows better than what is in memory.
func TestTimesOfAnOlderRow(t *testing.T) {
	d, c := &device{id: "a", stored: noon, seen: noon}, &camera{id: "b", stored: noon, seen: noon}
	before, at := noon.Add(-time.Hour), noon.Add(-time.Minute)
	memory := times{devices: map[string]deviceTimes{d.id: {stored: before, seen: at}}, cameras: map[string]cameraTimes{c.id: {stored: before, seen: at}}}
	memory.over(&book{devices: []*device{d}, cameras: []*camera{c}})
	if !d.seen.Equal(noon) || !c.seen.Equal(noon) {
		t.Errorf("%v and %v, want what was written", d.seen, c.seen)
	}
}

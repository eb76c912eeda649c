package protocol

import (
	"testing"
	"time"
)

var alertNow = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func TestHoursOff(t *testing.T) {
	for gap, want := range map[time.Duration]time.Duration{
		58 * time.Minute: 58 * time.Minute, time.Hour: time.Hour, -2*time.Hour - 2*time.Minute: -122 * time.Minute,
		0: 0, 2 * time.Minute: 0, 30 * time.Minute: 0, 56 * time.Minute: 0, 15 * time.Hour: 0,
	} {
		if got, ok := HoursOff(gap); ok != (want != 0) || ok && got != want {
			t.Errorf("%v: %v %v, want %v", gap, got, ok, want)
		}
	}
}

// look is one look at a store, so many hours before alertNow, whose footage then
// reached back by depth.
func look(before, depth int, settled bool) Era[Retention] {
	at := alertNow.Add(-time.Duration(before) * time.Hour)
	return Era[Retention]{From: at, Value: Retention{Kind: RetentionAge, Age: 168 * time.Hour, Settled: settled,
		OldestFootage: at.Add(-time.Duration(depth) * time.Hour), ObservedAt: at, Fact: Fact{Source: Measured, At: alertNow.AddDate(0, 0, -60)}}}
}

// daily are looks a day apart, the last one now, at these depths in hours.
func daily(settled bool, depths ...int) (all []Era[Retention]) {
	for i, d := range depths {
		all = append(all, look(24*(len(depths)-1-i), d, settled))
	}
	return all
}

func TestStoppedSince(t *testing.T) {
	always := Schedule{Kind: ScheduleAlways, Mode: Continuous}
	motion := Schedule{Kind: ScheduleAlways, Mode: Motion}
	off := func(source Source) Schedule {
		return Schedule{Kind: ScheduleOff, Fact: Fact{Source: source, At: alertNow}}
	}
	away := always
	away.Suspensions = []Suspension{{From: alertNow.AddDate(0, 0, -3), To: alertNow.AddDate(0, 0, 1)}}
	day := func(n int) time.Time { return alertNow.AddDate(0, 0, -n) }
	for name, c := range map[string]struct {
		s     Schedule
		looks []Era[Retention]
		want  time.Time // zero: it records
	}{
		"a full store that rolls on":               {always, daily(true, 168, 168, 168, 168), time.Time{}},
		"a full store that stands still":           {always, daily(true, 168, 168, 192, 216), day(2)},
		"for a day only":                           {always, daily(true, 168, 168, 192), time.Time{}},
		"a new store that fills":                   {always, daily(false, 24, 48, 72, 96, 120), time.Time{}},
		"full, then said to fill again":            {always, append(daily(true, 168, 168)[:1], daily(false, 192, 216, 240)...), day(2)},
		"of events, a quiet weekend":               {motion, daily(true, 168, 168, 192, 216, 240), time.Time{}},
		"of events, a week":                        {motion, daily(true, 168, 192, 216, 240, 264, 288, 312, 336), day(7)},
		"the recorder says that it is off":         {off(Measured), nil, day(9)},
		"its owner says so":                        {off(Confirmed), daily(true, 168, 192, 216, 240), time.Time{}},
		"its owner has suspended it in these days": {away, daily(true, 168, 168, 192, 216), time.Time{}},
		"nothing known":                            {Schedule{}, nil, time.Time{}},
	} {
		since, ok := StoppedSince(Era[Schedule]{From: day(9), Value: c.s}, c.looks, alertNow)
		if ok != !c.want.IsZero() || ok && !since.Equal(c.want) {
			t.Errorf("%s: %v %v, want %v", name, since, ok, c.want)
		}
	}
}

func TestShrunk(t *testing.T) {
	declared := Retention{Kind: RetentionAge, Age: 168 * time.Hour, Fact: Fact{Source: Confirmed, At: alertNow.AddDate(0, 0, -60)}}
	disk := Retention{Kind: RetentionCapacity, Fact: declared.Fact}
	configured := daily(true, 168, 168, 100)
	configured[2].Value.Age, configured[2].Value.Fact.At = 72*time.Hour, alertNow
	for name, c := range map[string]struct {
		declared Retention
		looks    []Era[Retention]
		was, is  int // hours; 0: not told
	}{
		"as declared":                            {declared, daily(true, 168, 168, 167), 0, 0},
		"configured to be shorter":               {declared, configured, 168, 72},
		"a full disk that holds less":            {declared, daily(true, 120, 120, 120), 168, 120},
		"a disk that still fills":                {declared, daily(false, 24, 48, 72), 0, 0},
		"a third less within the week":           {disk, daily(true, 300, 290, 200, 190), 300, 200},
		"one wrong reading":                      {disk, daily(true, 300, 300, 300, 10), 0, 0},
		"a quarter less":                         {disk, daily(true, 300, 225, 225), 0, 0},
		"more than a week ago":                   {disk, daily(true, 300, 200, 200, 200, 200, 200, 200, 200, 200, 200), 0, 0},
		"of hours: it depends on when one looks": {disk, daily(true, 20, 10, 10), 0, 0},
		"nothing was seen":                       {declared, []Era[Retention]{{Value: declared}}, 0, 0},
	} {
		was, is, ok := Shrunk(c.declared, c.looks)
		if ok != (c.was != 0) || ok && (was != time.Duration(c.was)*time.Hour || is != time.Duration(c.is)*time.Hour) {
			t.Errorf("%s: %v to %v, %v; want %d to %d hours", name, was, is, ok, c.was, c.is)
		}
	}
}

func TestRegained(t *testing.T) {
	disk := Retention{Kind: RetentionCapacity, Fact: Fact{Source: Confirmed, At: alertNow.AddDate(0, 0, -60)}}
	again := disk
	again.Fact.At = alertNow
	for name, c := range map[string]struct {
		declared Retention
		depth    int
		want     bool
	}{"still short, but for long": {disk, 200, false}, "nearly as before": {disk, 280, true}, "declared anew": {again, 200, true}} {
		looks := daily(true, c.depth, c.depth, c.depth)
		if got := Regained(300*time.Hour, alertNow.AddDate(0, 0, -10), c.declared, looks); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

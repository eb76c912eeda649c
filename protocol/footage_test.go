package protocol

import (
	"testing"
	"time"
)

// day is a moment of a made-up month: day(3.5) is noon of its fourth day.
func day(n float64) time.Time {
	return utc("2026-05-01T00:00:00Z").Add(time.Duration(n * 24 * float64(time.Hour)))
}

func days(n float64) time.Duration { return time.Duration(n * 24 * float64(time.Hour)) }

func era[T any](from float64, v T) Era[T] { return Era[T]{From: day(from), Value: v} }

func kept7() Retention { return Retention{Kind: RetentionAge, Age: days(7)} }

func observed(r Retention, oldest, at float64, settled bool) Retention {
	r.OldestFootage, r.ObservedAt, r.Settled = day(oldest), day(at), settled
	return r
}

// It is long because it is one table.
func TestFootageOf(t *testing.T) {
	always := []Era[Schedule]{era(-100, Schedule{Kind: ScheduleAlways, Mode: Continuous})}
	motion := []Era[Schedule]{era(-100, Schedule{Kind: ScheduleAlways, Mode: Motion})}
	unknownS := []Era[Schedule]{era(-100, Schedule{})}
	off := Schedule{Kind: ScheduleOff}
	capacity := Retention{Kind: RetentionCapacity}
	kept30 := Retention{Kind: RetentionAge, Age: days(30)}
	events := Retention{Kind: RetentionAge, Age: days(7), EventAge: days(30)}
	type R = []Era[Retention]

	for _, c := range []struct {
		name       string
		t, now     float64
		schedules  []Era[Schedule]
		retentions R
		exists     Answer
		until      float64 // 0: not known
		observed   bool
	}{
		{"within its age", 10, 12, always, R{era(-100, kept7())}, Yes, 17, false},
		{"past its age", 10, 18, always, R{era(-100, kept7())}, No, 0, false},
		{"at the instant of its age", 10, 17, always, R{era(-100, kept7())}, No, 0, false},
		{"on motion", 10, 12, motion, R{era(-100, kept7())}, OnEvent, 17, false},
		{"not recording then", 10, 12, []Era[Schedule]{era(-100, off)}, R{era(-100, kept7())}, No, 0, false},
		{"the schedule in force then, not now", 10, 12, []Era[Schedule]{always[0], era(11, off)}, R{era(-100, kept7())}, Yes, 17, false},
		{"recording now, not then", 10, 12, []Era[Schedule]{era(-100, off), era(11, always[0].Value)}, R{era(-100, kept7())}, No, 0, false},
		{"the future", 13, 12, always, R{era(-100, kept7())}, No, 0, false},
		{"this instant", 12, 12, always, R{era(-100, kept7())}, Yes, 19, false},
		{"nothing known", 10, 12, nil, nil, Unknown, 0, false},
		{"schedule unknown, retention known", 10, 12, unknownS, R{era(-100, kept7())}, Unknown, 17, false},
		{"schedule unknown, but surely deleted", 10, 18, unknownS, R{era(-100, kept7())}, No, 0, false},
		{"schedule known only later", 10, 12, []Era[Schedule]{era(11, always[0].Value)}, R{era(-100, kept7())}, Unknown, 17, false},
		{"retention unknown", 10, 12, always, R{era(-100, Retention{})}, Unknown, 0, false},
		{"retention known only later", 10, 12, always, R{era(11, kept7())}, Unknown, 17, false},
		{"retention known only later, but measured to reach", 10, 12, always, R{era(11, observed(kept7(), 9, 11, false))}, Yes, 17, true},
		{"unknown retention, measured to reach", 10, 12, always, R{era(-100, observed(Retention{}, 5, 11.5, false))}, Yes, 0, true},
		{"the same on motion", 10, 12, motion, R{era(-100, observed(Retention{}, 5, 11.5, false))}, OnEvent, 0, true},
		{"measured to reach, schedule unknown", 10, 12, unknownS, R{era(-100, observed(Retention{}, 5, 11.5, false))}, Unknown, 0, false},
		{"measured long ago, retention unknown", 10, 40, always, R{era(-100, observed(Retention{}, 5, 12, false))}, Unknown, 0, false},

		{"new recorder, before it was there", 10, 12, always, R{era(-100, observed(capacity, 11, 12, false))}, No, 0, true},
		{"new recorder, still filling", 11.5, 12, always, R{era(-100, observed(capacity, 11, 12, false))}, Yes, 0, true},
		{"new recorder, since it was read, held as long before", 11.9, 12.2, always, R{era(-100, observed(capacity, 11, 11.8, false))}, Yes, 0, false},
		{"new recorder, since it was read, longer than it ever held", 11.85, 14, always, R{era(-100, observed(capacity, 11, 11.8, false))}, Unknown, 0, false},
		{"new recorder with a set age", 11.5, 12, always, R{era(11, observed(kept7(), 11, 12, false))}, Yes, 18.5, true},

		{"disk changed: what was on the old one", 10, 21, always,
			R{era(-100, observed(capacity, 1, 15, true)), era(20, observed(capacity, 19, 20, false))}, No, 0, true},
		{"disk changed: what is on the new one", 19.5, 21, always,
			R{era(-100, observed(capacity, 1, 15, true)), era(20, observed(capacity, 19, 20, false))}, Yes, 0, true},
		{"disk changed, asked as of before that", 10, 16, always,
			R{era(-100, observed(capacity, 1, 15, true)), era(20, observed(capacity, 19, 20, false))}, Yes, 24, true},

		{"shortened: gone at once", 10, 16, always, R{era(-100, kept30), era(15, Retention{Kind: RetentionAge, Age: days(3)})}, No, 0, false},
		{"shortened: within the new one", 14, 16, always, R{era(-100, kept30), era(15, Retention{Kind: RetentionAge, Age: days(3)})}, Yes, 17, false},
		{"shortened and lengthened again: gone between", 10, 25, always,
			R{era(-100, kept30), era(15, Retention{Kind: RetentionAge, Age: days(3)}), era(16, kept30)}, No, 0, false},
		{"an era that was superseded at once was never in force", 10, 16, always,
			R{era(-100, kept30), era(15, Retention{Kind: RetentionAge, Age: days(3)}), era(15, kept30)}, Yes, 40, false},

		{"lengthened: what was deleted before does not return", 10, 20, always, R{era(-100, kept7()), era(18, kept30)}, No, 0, false},
		{"lengthened: within the shortest", 15, 20, always, R{era(-100, kept7()), era(18, kept30)}, Yes, 45, false},
		{"lengthened in time, past the shortest", 15, 25, always, R{era(-100, kept7()), era(18, kept30)}, Unknown, 45, false},
		{"lengthened at the instant of its age", 10, 18, always, R{era(-100, kept7()), era(17, kept30)}, Unknown, 40, false},
		{"lengthened, and filmed since", 19, 29, always, R{era(-100, kept7()), era(18, kept30)}, Yes, 49, false},

		{"event retention is longer: footage of events", 10, 25, motion, R{era(-100, events)}, OnEvent, 40, false},
		{"event retention is longer: continuous footage", 10, 25, always, R{era(-100, events)}, No, 0, false},
		{"event retention is longer: not known which", 10, 25, unknownS, R{era(-100, events)}, Unknown, 0, false},
		{"event retention is longer: not known which, ends at the earlier", 10, 12, unknownS, R{era(-100, events)}, Unknown, 17, false},
		{"past event retention as well", 10, 41, motion, R{era(-100, events)}, No, 0, false},

		{"full store: until its span", 10, 12, always, R{era(-100, observed(capacity, 1, 11, true))}, Yes, 20, true},
		{"full store, filmed since it was read", 11.5, 12, always, R{era(-100, observed(capacity, 1, 11, true))}, Yes, 21.5, false},
		{"full store, past its span", 2, 12.5, always, R{era(-100, observed(capacity, 1, 11, true))}, No, 0, false},
		{"full store of events, past its span: who knows", 2, 12.5, motion, R{era(-100, observed(capacity, 1, 11, true))}, Unknown, 0, false},
		{"full store that turned out to reach farther", 10.5, 18.1, always,
			R{era(-100, observed(capacity, 10, 15, true)), era(18, observed(capacity, 10.2, 18, true))}, Yes, 18.3, true},
		{"the disk is smaller than the set age", 10, 12, always, R{era(-100, observed(kept30, 1, 11, true))}, Yes, 20, true},
		{"kept longer than set: a contradiction", 10, 20, always, R{era(-100, observed(kept7(), 1, 19, false))}, Unknown, 0, false},
		{"a measurement of later is not known yet", 10, 12, always, R{era(-100, observed(kept7(), 11, 13, false))}, Yes, 17, false},
		{"the newest measurement counts, older ones do not", 10, 13, always,
			R{era(-100, observed(kept30, 11, 11.5, false)), era(12, observed(kept30, 9, 12, false))}, Yes, 40, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := Footage{Exists: c.exists, Observed: c.observed}
			if c.until != 0 {
				want.Until = day(c.until)
			}
			if got := FootageOf(day(c.t), day(c.now), c.schedules, c.retentions); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// FuzzFootageOf plays a recorder hour by hour: whatever its history, Yes is
// never said of footage that the plain rule calls gone, nor No of footage that
// was kept through every hour and that no measurement denies.
func FuzzFootageOf(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 0, 0}, uint16(10), uint16(40), uint8(0))
	f.Add([]byte{0, 1, 7, 0, 0, 0, 20, 1, 30, 0, 0, 0}, uint16(15), uint16(30), uint8(1))
	f.Add([]byte{0, 2, 0, 0, 40, 1, 60, 2, 0, 0, 5, 0}, uint16(100), uint16(140), uint8(0))
	f.Add([]byte{0, 1, 9, 40, 0, 0, 60, 1, 50, 3, 5, 1}, uint16(100), uint16(140), uint8(2))
	f.Fuzz(func(t *testing.T, history []byte, filmed, wait uint16, mode uint8) {
		hour := func(h int) time.Time { return day(0).Add(time.Duration(h) * time.Hour) }
		schedule := []Era[Schedule]{
			era(0, Schedule{Kind: ScheduleAlways, Mode: Continuous}),
			era(0, Schedule{Kind: ScheduleAlways, Mode: Alarm}),
			era(0, Schedule{}),
		}[mode%3]
		var eras []Era[Retention]
		from := 0
		for ; len(history) >= 6 && len(eras) < 20; history = history[6:] {
			from += int(history[0])
			e := Era[Retention]{From: hour(from)}
			switch history[1] % 3 {
			case 1:
				e.Value = Retention{Kind: RetentionAge, Age: time.Duration(1+int(history[2])) * time.Hour, EventAge: time.Duration(history[3]) * time.Hour}
			case 2:
				e.Value.Kind = RetentionCapacity
			}
			if back := int(history[4]); back > 0 {
				e.Value.ObservedAt, e.Value.OldestFootage = hour(from), hour(from-back)
				e.Value.Settled = history[5]%2 == 1
			}
			eras = append(eras, e)
		}
		at, now := int(filmed%2000), int(filmed%2000)+int(wait%2000)
		got := FootageOf(hour(at), hour(now), []Era[Schedule]{schedule}, eras)

		rule := plainRule(hour, at, now, schedule.Value.Mode, eras)
		if (got.Exists == Yes || got.Exists == OnEvent) && rule.gone {
			t.Errorf("exists: %q, the plain rule says gone\n%+v", got.Exists, eras)
		}
		if got.Exists == No && rule.sure {
			t.Errorf("exists: no, but it was kept through every hour\n%+v", eras)
		}
		if !got.Until.IsZero() && (!got.Until.After(hour(now)) || got.Exists == No) {
			t.Errorf("until %v at %v, exists %q", got.Until, hour(now), got.Exists)
		}
		if got.Observed && got.Exists == Unknown {
			t.Error("unknown and yet observed")
		}
		if want := schedule.Value.Recording(hour(at)); got.Exists != want && got.Exists != No && got.Exists != Unknown {
			t.Errorf("exists: %q of a schedule that says %q", got.Exists, want)
		}
	})
}

type verdict struct{ gone, sure bool }

// plainRule is the rule of FootageOf in plain words: gone when past the shortest retention in
// force at any hour from then to now, or before the newest measured oldest
// footage. It is surely there when at no hour it was older than the retention
// of that hour, set or measured, and no measurement denies it.
func plainRule(hour func(int) time.Time, at, now int, mode Mode, eras []Era[Retention]) verdict {
	v := verdict{sure: true}
	var oldest, measuredAt time.Time
	for _, e := range eras {
		if !e.From.After(hour(now)) && !e.Value.OldestFootage.IsZero() && !e.Value.ObservedAt.Before(measuredAt) {
			oldest, measuredAt = e.Value.OldestFootage, e.Value.ObservedAt
		}
	}
	if hour(at).Before(oldest) {
		v.gone, v.sure = true, false
	}
	for h := at; h <= now; h++ {
		var inForce *Retention
		for i := range eras {
			if !eras[i].From.After(hour(h)) {
				inForce = &eras[i].Value
			}
		}
		if inForce == nil {
			continue
		}
		if inForce.Settled && hour(h).Sub(hour(at)) >= inForce.ObservedAt.Sub(inForce.OldestFootage) {
			v.sure = false
		}
		if inForce.Kind != RetentionAge {
			continue
		}
		limit := inForce.Age
		if inForce.EventAge > 0 {
			switch mode {
			case Motion, Alarm, Analytics:
				limit = inForce.EventAge
			case "":
				limit = max(limit, inForce.EventAge)
			}
		}
		if hour(now).Sub(hour(at)) >= limit {
			v.gone = true
		}
		if hour(h).Sub(hour(at)) >= limit {
			v.sure = false
		}
	}
	return v
}

func TestClock(t *testing.T) {
	samples := []Clock{{OffsetMs: 1, At: day(1)}, {OffsetMs: 3, At: day(3)}, {OffsetMs: 2, At: day(2)}}
	for _, c := range []struct{ at, want float64 }{{0, 1}, {1.4, 1}, {1.5, 2}, {1.6, 2}, {2.5, 3}, {9, 3}} {
		if got, ok := ClockAt(samples, day(c.at)); !ok || got.OffsetMs != int64(c.want) {
			t.Errorf("ClockAt(day %v) = %+v, %v; want offset %v", c.at, got, ok, c.want)
		}
	}
	if _, ok := ClockAt(nil, day(1)); ok {
		t.Error("a clock that was never read was found")
	}
	slow := Clock{OffsetMs: -3_480_000, UncertaintyMs: 700}
	if shown, within := slow.Shows(day(1)); !shown.Equal(day(1).Add(-58*time.Minute)) || within != 700*time.Millisecond {
		t.Errorf("58 minutes slow shows %v +- %v", shown, within)
	}
	wild := Clock{OffsetMs: -1 << 63, UncertaintyMs: 1 << 62}
	if shown, within := wild.Shows(day(1)); shown.After(day(1)) || within <= 0 {
		t.Errorf("an offset beyond all measure wraps: %v +- %v", shown, within)
	}
}

package interrogate

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// encodedSpan is part of some days, as a person would say it: from one hour until
// another, which may be the next day's.
type encodedSpan struct {
	days        []int // 0 = Sunday ... 6, 7 the holidays
	from, until int   // hours; until 24 is the day's end, from > until crosses midnight
	event       bool  // something must happen; else continuous
}

// encodedWeek is a week in words, and what every family's form of it must become.
type encodedWeek struct {
	name  string
	spans []encodedSpan
	want  func(event protocol.Mode) protocol.Schedule
	needs encodable // of the family's form
}

// encodable is what a form of a week can say.
type encodable int

const (
	canOwnDays  encodable = 1 << iota // other hours for one day than for another
	canHolidays                       // a row for holidays
	canEvents                         // hours in which something must happen
	canHours                          // hours at all: others record all week or never
)

// encoding is one way in which a family writes a week.
type encoding struct {
	name  string
	can   encodable
	event protocol.Mode // what its form calls "something must happen"
	read  func(t *testing.T, spans []encodedSpan) protocol.Schedule
}

var encodedAll = []int{0, 1, 2, 3, 4, 5, 6}

func encodedDays(row ...protocol.Interval) (s protocol.Schedule) {
	s.Kind = protocol.ScheduleWeekly
	for day := range 7 {
		s.Days[day] = row
	}
	return s
}

func encodedWeeks() []encodedWeek {
	return []encodedWeek{
		{"whole days", []encodedSpan{{encodedAll, 0, 24, false}}, func(protocol.Mode) protocol.Schedule { return always(protocol.Continuous) }, 0},
		{"never", nil, func(protocol.Mode) protocol.Schedule { return off() }, 0},
		{"whole days on events", []encodedSpan{{encodedAll, 0, 24, true}}, func(e protocol.Mode) protocol.Schedule { return always(e) }, canEvents},
		{"across each midnight", []encodedSpan{{encodedAll, 22, 6, false}}, func(protocol.Mode) protocol.Schedule {
			return encodedDays(protocol.Interval{From: 0, To: 360, Mode: protocol.Continuous}, protocol.Interval{From: 1320, To: 1440, Mode: protocol.Continuous})
		}, canHours},
		{"on events by night", []encodedSpan{{encodedAll, 7, 20, false}, {encodedAll, 20, 7, true}}, func(e protocol.Mode) protocol.Schedule {
			return encodedDays(protocol.Interval{From: 0, To: 420, Mode: e}, protocol.Interval{From: 420, To: 1200, Mode: protocol.Continuous}, protocol.Interval{From: 1200, To: 1440, Mode: e})
		}, canHours | canEvents},
		{"all but the hour from two to three", []encodedSpan{{encodedAll, 0, 2, false}, {encodedAll, 3, 24, false}}, func(protocol.Mode) protocol.Schedule {
			return encodedDays(protocol.Interval{From: 0, To: 120, Mode: protocol.Continuous}, protocol.Interval{From: 180, To: 1440, Mode: protocol.Continuous})
		}, canHours},
		{"Saturday night into Sunday", []encodedSpan{{[]int{6}, 22, 6, false}}, func(protocol.Mode) (s protocol.Schedule) {
			s.Kind = protocol.ScheduleWeekly
			s.Days[6] = []protocol.Interval{{From: 1320, To: 1440, Mode: protocol.Continuous}}
			s.Days[0] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Continuous}}
			return s
		}, canHours | canOwnDays},
		{"shop hours, and holidays on events", []encodedSpan{{[]int{1, 2, 3, 4, 5, 6}, 8, 20, false}, {[]int{7}, 0, 24, true}}, func(e protocol.Mode) (s protocol.Schedule) {
			s = encodedDays(protocol.Interval{From: 480, To: 1200, Mode: protocol.Continuous})
			s.Days[0] = nil
			s.Days[protocol.Holiday] = []protocol.Interval{{From: 0, To: 1440, Mode: e}}
			return s
		}, canHours | canOwnDays | canHolidays | canEvents},
		{"always, and never on holidays", []encodedSpan{{encodedAll, 0, 24, false}, {[]int{7}, 0, 0, false}}, func(protocol.Mode) (s protocol.Schedule) {
			s = encodedDays(protocol.Interval{From: 0, To: 1440, Mode: protocol.Continuous})
			s.Days[protocol.Holiday] = []protocol.Interval{}
			return s
		}, canOwnDays | canHolidays},
	}
}

// TestEncodings: whatever the family, and in whichever of its forms, the same week
// becomes the same Schedule; and that answers alike, also in the nights in which
// the clocks change.
func TestEncodings(t *testing.T) {
	const all = canOwnDays | canHolidays | canEvents | canHours
	names := [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	forms := []encoding{
		{"hikvision recorder: until the next day's 00:00:00", all, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return hikvisionEncoded(t, s, names, true) }},
		{"hikvision camera: until 24:00:00", all, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return hikvisionEncoded(t, s, names, false) }},
		{"dahua: until 23:59:59", all, protocol.Motion, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return dahuaEncoded(s, "23:59:59", false) }},
		{"dahua: until 24:00:00", all, protocol.Motion, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return dahuaEncoded(s, "24:00:00", false) }},
		{"dahua: one section across midnight", all, protocol.Motion, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return dahuaEncoded(s, "23:59:59", true) }},
		{"uniview: until 24:00:00", all, protocol.Analytics, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return univiewEncoded(s, "24:00:00") }},
		{"uniview: until 23:59:59", all, protocol.Analytics, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return univiewEncoded(s, "23:59:59") }},
		{"uniview: until 23:59", all, protocol.Analytics, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return univiewEncoded(s, "23:59") }},
		{"hanwha recorder", canOwnDays | canEvents | canHours, protocol.Analytics, func(_ *testing.T, s []encodedSpan) protocol.Schedule { return hanwhaEncoded(s) }},
		{"reolink: a table of each kind", canEvents | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return reolinkEncoded(t, s) }},
		{"synology: half hours", canEvents | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return synologyEncoded(t, s) }},
		{"nx: until 86400", canOwnDays | canEvents | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return nxEncoded(t, s, 86400) }},
		{"nx: until 86399", canOwnDays | canEvents | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return nxEncoded(t, s, 86399) }},
		{"unifi", canEvents, protocol.Motion, func(_ *testing.T, s []encodedSpan) protocol.Schedule {
			return unifiAlways(encodedWord(s, "never", "always", "detections"), false)
		}},
		{"frigate up to 0.16", canEvents, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule {
			return frigateEncoded(t, encodedWord(s, `{"enabled":false}`, `{"enabled":true,"retain":{"days":3,"mode":"all"}}`, `{"enabled":true,"retain":{"days":3,"mode":"motion"}}`))
		}},
		{"frigate from 0.17", canEvents, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule {
			return frigateEncoded(t, encodedWord(s, `{"enabled":false}`, `{"enabled":true,"continuous":{"days":3},"motion":{"days":5}}`, `{"enabled":true,"continuous":{"days":0},"motion":{"days":5}}`))
		}},
		{"onvif: iCalendar", canOwnDays | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return onvifEncoded(t, s, "T235959") }},
		{"onvif: iCalendar, until midnight", canOwnDays | canHours, protocol.Motion, func(t *testing.T, s []encodedSpan) protocol.Schedule { return onvifEncoded(t, s, "") }},
	}
	for _, w := range encodedWeeks() {
		read := 0
		for _, f := range forms {
			if w.needs&^f.can != 0 {
				continue
			}
			got, want := f.read(t, w.spans), w.want(f.event)
			if got.Kind == protocol.ScheduleUnknown && want.Kind == protocol.ScheduleOff && strings.HasPrefix(f.name, "onvif") {
				continue // an empty calendar says nothing
			}
			read++
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s: %+v, want %+v", w.name, f.name, got, want)
			}
			askNights(t, w.name+": "+f.name, got, w)
			// On a national holiday a row that differs leaves it open.
			got.Zone = "Europe/Rome"
			feast := time.Date(2026, time.November, 1, 22, 30, 0, 0, time.UTC)
			if answer := got.Recording(feast); (answer == protocol.Unknown) != (w.needs&canHolidays != 0) {
				t.Errorf("%s: %s: on All Saints' Day it records: %v", w.name, f.name, answer)
			}
		}
		if read < 3 {
			t.Errorf("%s: %d forms of it", w.name, read)
		}
	}
}

// askNights asks a schedule, minute by minute, about the nights in which the clocks of
// Rome change and of one like others, and holds the answers against the week in
// words.
func askNights(t *testing.T, name string, s protocol.Schedule, w encodedWeek) {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	s.Zone = "Europe/Rome"
	for _, night := range []struct {
		noon    time.Time // of the Saturday before
		minutes int       // until Sunday's noon
	}{
		{time.Date(2026, time.March, 28, 12, 0, 0, 0, rome), 23 * 60},   // 02:00 becomes 03:00
		{time.Date(2026, time.October, 24, 12, 0, 0, 0, rome), 25 * 60}, // 03:00 becomes 02:00
		{time.Date(2026, time.November, 7, 12, 0, 0, 0, rome), 24 * 60},
	} {
		end := night.noon
		for end = end.Add(20 * time.Hour); end.Hour() != 12 || end.Weekday() != time.Sunday; end = end.Add(time.Hour) {
		}
		if n := int(end.Sub(night.noon) / time.Minute); n != night.minutes {
			t.Fatalf("%s: the night has %d minutes, want %d", night.noon, n, night.minutes)
		}
		for at := night.noon; at.Before(end); at = at.Add(time.Minute) {
			want := w.says(at)
			if got := s.Recording(at); got != want {
				t.Errorf("%s: at %s it records: %v, want %v", name, at, got, want)
				return
			}
		}
	}
}

// says reads the week in words, by the digits of the wall clock. None of the nights
// is a holiday.
func (w encodedWeek) says(at time.Time) protocol.Answer {
	answer := protocol.No
	for _, s := range w.spans {
		for _, day := range s.days {
			if day == protocol.Holiday {
				continue
			}
			today := int(at.Weekday()) == day
			in := today && at.Hour() >= s.from && at.Hour() < s.until
			if s.from > s.until {
				in = today && at.Hour() >= s.from || int(at.Weekday()) == (day+1)%7 && at.Hour() < s.until
			}
			switch {
			case in && !s.event:
				return protocol.Yes
			case in:
				answer = protocol.OnEvent
			}
		}
	}
	return answer
}

// TestClockChangesInNumbers: the same nights, with the answers written down. What
// pauses from two to three does not pause in March, and pauses twice in October.
func TestClockChangesInNumbers(t *testing.T) {
	pause := encodedDays(protocol.Interval{From: 0, To: 120, Mode: protocol.Continuous}, protocol.Interval{From: 180, To: 1440, Mode: protocol.Continuous})
	pause.Zone = "Europe/Rome"
	for day, want := range map[string]int{"2026-03-28": 60, "2026-03-29": 0, "2026-10-24": 60, "2026-10-25": 120, "2026-10-26": 60} {
		at, err := time.ParseInLocation(time.DateOnly, day, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		silent := 0
		for m := range 24 * 60 {
			if pause.Recording(at.Add(time.Duration(m)*time.Minute)) == protocol.No {
				silent++
			}
		}
		if silent != want {
			t.Errorf("%s: %d minutes without recording, want %d", day, silent, want)
		}
	}
}

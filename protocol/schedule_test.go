package protocol

import (
	"testing"
	"time"
)

func utc(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a typing error in a table
	}
	return t
}

// allDays is a week whose every weekday has the same row.
func allDays(zone string, row ...Interval) Schedule {
	s := Schedule{Kind: ScheduleWeekly, Zone: zone}
	for d := range Holiday {
		s.Days[d] = row
	}
	return s
}

func TestRecording(t *testing.T) {
	nightly := allDays("Europe/Rome", Interval{150, 151, Continuous}) // the minute 02:30
	mixed := allDays("Europe/Rome", Interval{0, 480, Motion}, Interval{480, 1200, Continuous}, Interval{1200, 1440, Analytics})
	withHoliday := mixed
	withHoliday.Days[Holiday] = []Interval{}
	sameHoliday := mixed
	sameHoliday.Days[Holiday] = mixed.Days[0]
	suspended := mixed
	suspended.Suspensions = []Suspension{{From: utc("2026-08-10T00:00:00Z"), To: utc("2026-08-20T00:00:00Z")}, {From: utc("2026-11-01T00:00:00Z")}}
	unknownSuspended := Schedule{Suspensions: suspended.Suspensions}
	monday := Schedule{Kind: ScheduleWeekly, Zone: "Europe/Rome"}
	monday.Days[time.Monday] = []Interval{{0, 1440, Continuous}}
	fixed := allDays("UTC-03:30", Interval{0, 60, Continuous})
	overlapping := allDays("UTC", Interval{0, 120, Motion}, Interval{60, 120, Continuous})

	for _, c := range []struct {
		name     string
		schedule Schedule
		at       string
		want     Answer
	}{
		{"unknown", Schedule{}, "2026-05-05T10:00:00Z", Unknown},
		{"off", Schedule{Kind: ScheduleOff}, "2026-05-05T10:00:00Z", No},
		{"always", Schedule{Kind: ScheduleAlways, Mode: Continuous}, "2026-05-05T10:00:00Z", Yes},
		{"always on motion", Schedule{Kind: ScheduleAlways, Mode: Motion}, "2026-05-05T10:00:00Z", OnEvent},
		{"always on alarm", Schedule{Kind: ScheduleAlways, Mode: Alarm}, "2026-05-05T10:00:00Z", OnEvent},
		{"always, how is not known", Schedule{Kind: ScheduleAlways}, "2026-05-05T10:00:00Z", Unknown},
		{"a kind of a newer version", Schedule{Kind: "lunar"}, "2026-05-05T10:00:00Z", Unknown},

		{"by night on motion", mixed, "2026-05-05T02:00:00Z", OnEvent}, // 04:00 in Rome
		{"last minute of an interval", mixed, "2026-05-05T05:59:59Z", OnEvent},
		{"first minute of the next", mixed, "2026-05-05T06:00:00Z", Yes},
		{"evening by analytics", mixed, "2026-05-05T18:00:00Z", OnEvent},
		{"the day is the recorder's, before its midnight", monday, "2026-05-03T21:59:00Z", No},
		{"the day is the recorder's, from its midnight", monday, "2026-05-03T22:00:00Z", Yes},
		{"until its next midnight", monday, "2026-05-04T22:00:00Z", No},
		{"fixed offset", fixed, "2026-05-05T03:30:00Z", Yes},
		{"fixed offset, an hour later", fixed, "2026-05-05T04:30:00Z", No},
		{"overlap: the stronger records", overlapping, "2026-05-05T01:30:00Z", Yes},

		{"October night, 02:30 summer time", nightly, "2026-10-25T00:30:00Z", Yes},
		{"October night, 02:30 again in winter time", nightly, "2026-10-25T01:30:00Z", Yes},
		{"October night, 03:30", nightly, "2026-10-25T02:30:00Z", No},
		{"March night, 01:30", nightly, "2026-03-29T00:30:00Z", No},
		{"March night, an hour later it is 03:30", nightly, "2026-03-29T01:30:00Z", No},
		{"the night after", nightly, "2026-03-30T00:30:00Z", Yes},

		{"no zone", allDays("", Interval{0, 1440, Continuous}), "2026-05-05T10:00:00Z", Unknown},
		{"zone not known here", allDays("Europe/Atlantis", Interval{0, 1440, Continuous}), "2026-05-05T10:00:00Z", Unknown},
		{"this host's zone is nobody's", allDays("Local", Interval{0, 1440, Continuous}), "2026-05-05T10:00:00Z", Unknown},
		{"nor its file", allDays("localtime", Interval{0, 1440, Continuous}), "2026-05-05T10:00:00Z", Unknown},
		{"no way out of the database", allDays("../../etc/passwd", Interval{0, 1440, Continuous}), "2026-05-05T10:00:00Z", Unknown},

		{"holiday row differs on a national holiday", withHoliday, "2026-06-02T10:00:00Z", Unknown},
		{"holiday row agrees", sameHoliday, "2026-06-02T10:00:00Z", Yes},
		{"no holiday row", mixed, "2026-06-02T10:00:00Z", Yes},
		{"holiday row on an ordinary day", withHoliday, "2026-06-03T10:00:00Z", Yes},
		{"Easter Monday", withHoliday, "2026-04-06T10:00:00Z", Unknown},
		{"San Francesco before the law", withHoliday, "2025-10-04T10:00:00Z", Yes},
		{"San Francesco since", withHoliday, "2026-10-04T10:00:00Z", Unknown},
		{"the holiday is the recorder's, from its midnight", withHoliday, "2026-06-01T22:00:00Z", Unknown},

		{"before a suspension", suspended, "2026-08-09T23:59:59Z", OnEvent},
		{"within it", suspended, "2026-08-10T00:00:00Z", No},
		{"from the instant it ends", suspended, "2026-08-20T00:00:00Z", OnEvent},
		{"after it", suspended, "2026-08-20T08:00:00Z", Yes},
		{"within one that has no end", suspended, "2030-01-01T10:00:00Z", No},
		{"a suspension is known though the schedule is not", unknownSuspended, "2026-08-12T10:00:00Z", No},
		{"and outside it nothing is", unknownSuspended, "2026-08-22T10:00:00Z", Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.schedule.Recording(utc(c.at)); got != c.want {
				t.Errorf("Recording(%s) = %q, want %q", c.at, got, c.want)
			}
		})
	}
}

func TestEaster(t *testing.T) {
	for year, want := range map[int]string{
		2015: "04-05", 2016: "03-27", 2018: "04-01", 2019: "04-21", 2024: "03-31", 2025: "04-20", 2026: "04-05",
		2027: "03-28", 2030: "04-21", 2038: "04-25", 2049: "04-18", 2076: "04-19", 2100: "03-28",
	} {
		m, d := easter(year)
		if got := time.Date(year, m, d, 0, 0, 0, 0, time.UTC).Format("01-02"); got != want {
			t.Errorf("easter(%d) = %s, want %s", year, got, want)
		}
	}
}

// FuzzRecording holds Recording against an oracle that knows no time zones: it
// counts minutes and applies the European rule for summer time by hand.
func FuzzRecording(f *testing.F) {
	f.Add([]byte{0, 2, 30, 60, 1, 150, 10, 0}, int64(3_443_550), true)  // by the October night
	f.Add([]byte{0, 0, 0, 240, 2, 6, 1, 3}, int64(3_135_900), true)     // by the March night
	f.Add([]byte{7, 0, 0, 0, 3, 10, 200, 0}, int64(2_000_000), false)   // with an empty holiday row
	f.Add([]byte{6, 23, 59, 255, 5, 12, 0, 1}, int64(-1_000_000), true) // before 2020
	f.Fuzz(func(t *testing.T, rows []byte, minute int64, summer bool) {
		minute %= 60 * 24 * 366 * 80 // minutes since 2020-01-01 UTC, to 2100
		s := Schedule{Kind: ScheduleWeekly, Zone: "UTC+01:00"}
		if summer {
			s.Zone = "Europe/Rome"
		}
		for ; len(rows) >= 4; rows = rows[4:] { // day, start hour, start minute, length
			from := int(rows[1])%24*60 + int(rows[2])%60
			to := min(from+1+int(rows[3])*4, 1440)
			day := rows[0] % 7
			s.Days[day] = append(s.Days[day], Interval{from, to, Continuous})
		}
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minute) * time.Minute)
		want := No
		weekday, ofDay := wallMinute(minute, summer)
		for _, i := range s.Days[weekday] {
			for m := i.From; m < i.To; m++ {
				if m == ofDay {
					want = Yes
				}
			}
		}
		if got := s.Recording(at); got != want {
			t.Errorf("Recording(%s) = %q, want %q: weekday %d, minute %d of %v", at, got, want, weekday, ofDay, s.Days)
		}
	})
}

// wallMinute gives weekday and minute of the day in central Europe, by
// counting from Wednesday 1 January 2020.
func wallMinute(minute int64, summer bool) (weekday, ofDay int) {
	const day = 24 * 60
	minute += 60
	if summer && inSummer(minute-60) {
		minute += 60
	}
	days := minute / day
	if minute%day < 0 {
		days--
	}
	weekday = int((days%7 + 7 + 3) % 7)
	return weekday, int(minute - days*day)
}

// inSummer: from the last Sunday of March, 01:00 UTC, to that of October.
func inSummer(minute int64) bool {
	const day = 24 * 60
	year, start := int64(2020), int64(0)
	for minute < start {
		year--
		start -= yearDays(year) * day
	}
	for minute >= start+yearDays(year)*day {
		start += yearDays(year) * day
		year++
	}
	leap := yearDays(year) - 365
	lastSunday := func(dayOfYear int64) int64 { // on or before
		d := start/day + dayOfYear
		return d - (d%7+7+3)%7
	}
	from := lastSunday(89+leap)*day + 60 // 31 March is day 89 counted from 0
	to := lastSunday(303+leap)*day + 60  // 31 October is day 303
	return minute >= from && minute < to
}

func yearDays(year int64) int64 {
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 366
	}
	return 365
}

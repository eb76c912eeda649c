package interrogate

import (
	"time"

	"anagrafe/protocol"
)

// plan gathers a recorder's week in whatever encoding it comes. A whole day is
// written in many ways (00:00-24:00, 00:00:00-23:59:59, until the next day's
// 00:00:00, 24 or 48 flags); all become the same minutes.
type plan struct {
	rows    [8][dayMinutes]protocol.Mode // time.Sunday ... time.Saturday, protocol.Holiday
	holiday bool                         // it has a holiday row
}

// add says that mode records on a day from one second after its midnight until
// another. until may be of the next day (86400 and more) or lie before from: then
// midnight is crossed. One that ends within the last minute ends the day. Where
// two overlap the one that records more counts.
func (p *plan) add(day, from, until int, mode protocol.Mode) {
	const daySeconds = 24 * 60 * 60
	if day < 0 || day > protocol.Holiday || from < 0 || from >= daySeconds || until < 0 || until > 2*daySeconds || mode == "" {
		return
	}
	if day == protocol.Holiday {
		p.holiday = true
	}
	if until <= from {
		if until == from {
			return // an unused row: 00:00-00:00
		}
		until += daySeconds
	}
	first, last := from/60, (until+59)/60
	if last == dayMinutes-1 { // 23:59: no form of a recorder lets a person type 24:00
		last = dayMinutes
	}
	for m := first; m < last; m++ {
		row, minute := day, m
		if m >= dayMinutes {
			if minute = m - dayMinutes; minute >= dayMinutes {
				return
			}
			if day == protocol.Holiday {
				return // which day follows a holiday is not told
			}
			row = (day + 1) % 7
		}
		if stronger(mode, p.rows[row][minute]) {
			p.rows[row][minute] = mode
		}
	}
}

// addHoliday says that there is a holiday row, though it may be empty.
func (p *plan) addHoliday() { p.holiday = true }

// stronger tells whether a records when b does, and more.
func stronger(a, b protocol.Mode) bool {
	rank := map[protocol.Mode]int{"": 0, protocol.Alarm: 1, protocol.Analytics: 2, protocol.Motion: 3, protocol.Continuous: 4}
	return rank[a] > rank[b]
}

// schedule is the week, without its zone: always where it is full in one mode,
// off where nothing is in it.
func (p *plan) schedule() protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	full, empty := true, true
	for day := range 7 {
		s.Days[day] = intervals(p.rows[day][:])
		empty = empty && len(s.Days[day]) == 0
		full = full && len(s.Days[day]) == 1 && s.Days[day][0] == protocol.Interval{From: 0, To: dayMinutes, Mode: p.rows[0][0]}
	}
	if p.holiday {
		s.Days[protocol.Holiday] = append([]protocol.Interval{}, intervals(p.rows[protocol.Holiday][:])...) // never nil: there is a row
		same := len(s.Days[protocol.Holiday]) == 1 && full && s.Days[protocol.Holiday][0] == s.Days[0][0]
		none := empty && len(s.Days[protocol.Holiday]) == 0
		if !same && !none {
			return s
		}
	}
	switch {
	case full:
		return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: p.rows[0][0]}
	case empty:
		return protocol.Schedule{Kind: protocol.ScheduleOff}
	}
	return s
}

// always is a schedule that records all week in one mode.
func always(mode protocol.Mode) protocol.Schedule {
	return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: mode}
}

// off is one that never records.
func off() protocol.Schedule { return protocol.Schedule{Kind: protocol.ScheduleOff} }

// clockSeconds reads "hh:mm" or "hh:mm:ss" as seconds after midnight; 24:00:00 is
// the end of the day.
func clockSeconds(text string) (int, bool) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Hour()*3600 + t.Minute()*60 + t.Second(), true
		}
	}
	if text == "24:00:00" || text == "24:00" {
		return 24 * 60 * 60, true
	}
	return 0, false
}

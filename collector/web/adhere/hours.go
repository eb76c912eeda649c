package adhere

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// zone is that of the schedules that are typed: nobody is asked for it.
const zone = "Europe/Rome"

// hours are those in which a camera records, as a person says them: from one time of
// day to another, on the days on which that begins. To before From is past midnight.
type hours struct {
	From, To int     // minutes after midnight; To 1440 is midnight, as 0 is
	Days     [7]bool // time.Sunday ... time.Saturday
	Mode     protocol.Mode
}

// schedule is what a declaration says of them.
func (h hours) schedule() protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: zone}
	add := func(day, from, to int) {
		if from < to {
			s.Days[day%7] = append(s.Days[day%7], protocol.Interval{From: from, To: to, Mode: h.Mode})
		}
	}
	for day, on := range h.Days {
		switch {
		case !on:
		case h.From < h.To:
			add(day, h.From, h.To)
		default:
			add(day, h.From, 1440)
			add(day+1, 0, h.To)
		}
	}
	for i := range s.Days {
		slices.SortFunc(s.Days[i], func(a, b protocol.Interval) int { return a.From - b.From })
	}
	return s
}

// hoursOf are those of a schedule that one such line can say; false: none can.
func hoursOf(s protocol.Schedule) (hours, bool) {
	if s.Kind != protocol.ScheduleWeekly {
		return hours{}, false
	}
	for day := range 7 {
		for _, i := range s.Days[day] {
			next := s.Days[(day+1)%7]
			h := hours{From: i.From, To: i.To, Mode: i.Mode}
			if i.To == 1440 && len(next) > 0 && next[0].From == 0 && i.From > 0 {
				h.To = next[0].To
			}
			for d := range 7 {
				h.Days[d] = slices.ContainsFunc(s.Days[d], func(o protocol.Interval) bool { return o.From == h.From })
			}
			same := h.schedule()
			same.Zone, same.ZoneAssumed, same.Suspensions, same.Fact = s.Zone, s.ZoneAssumed, s.Suspensions, s.Fact
			if reflect.DeepEqual(same, s) {
				return h, true
			}
		}
	}
	return hours{}, false
}

// readClock reads a time of day as people type it: 20:00, 8.30, 8.
func readClock(typed string) (minutes int, ok bool) {
	hour, rest, found := strings.Cut(strings.ReplaceAll(typed, ".", ":"), ":")
	if !found {
		rest = "00"
	}
	if len(hour) < 1 || len(hour) > 2 || len(rest) != 2 || strings.Trim(hour+rest, "0123456789") != "" {
		return 0, false
	}
	h, _ := strconv.Atoi(hour) // two digits at most
	m, _ := strconv.Atoi(rest)
	return h*60 + m, m < 60 && h*60+m <= 1440
}

func clockText(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60) }

// weekdays in the order in which people say them.
var weekdays = []int{1, 2, 3, 4, 5, 6, 0}

// scheduleWords say when a camera records; "" where nobody knows.
func scheduleWords(w *pages.Words, s protocol.Schedule) string {
	switch s.Kind {
	case protocol.ScheduleAlways:
		if s.Mode == protocol.Continuous {
			return w.T("records.always")
		}
		return w.T("records.motion")
	case protocol.ScheduleOff:
		return w.T("records.off")
	case protocol.ScheduleWeekly:
	default:
		return ""
	}
	h, ok := hoursOf(s)
	if !ok {
		return w.T("records.weekly")
	}
	var days []string
	for _, d := range weekdays {
		if h.Days[d] {
			days = append(days, w.T(fmt.Sprintf("time.weekday.%d", d)))
		}
	}
	on := strings.Join(days, ", ")
	if len(days) == 7 {
		on = w.T("records.everyday")
	}
	key := "records.hours"
	if h.Mode != protocol.Continuous {
		key = "records.hours.motion"
	}
	return w.T(key, "from", clockText(h.From), "to", clockText(h.To), "days", on)
}

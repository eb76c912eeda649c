package inventory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

// weekdays are the names in ParseHours, as time.Weekday counts.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// MaxDays is the most days of images that an owner may say: more than any disk
// holds of one camera.
const MaxDays = 3650

// ParseHours reads when a camera records, as an owner says it: "always"; "motion",
// only when something moves; "unknown"; or "[DAYS ]FROM-TO[ motion]", as
// "20:00-08:00" or "mon-fri,sun 8-19:30". An interval belongs to the day on which it
// begins and may pass midnight. The schedule has neither zone nor fact.
func ParseHours(text string) (s protocol.Schedule, err error) {
	wrong := func(why string) (protocol.Schedule, error) {
		return protocol.Schedule{}, fmt.Errorf(`%s: say always, motion, unknown or hours, e.g. "20:00-08:00", "mon-fri 8-19:30" or "sat,sun 0-24 motion"`, why)
	}
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 || len(text) > 100 {
		return wrong("no hours")
	}
	if len(words) == 1 {
		switch words[0] {
		case "always":
			return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous}, nil
		case "motion":
			return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion}, nil
		case "unknown":
			return protocol.Schedule{}, nil
		}
	}
	mode := protocol.Continuous
	if last := len(words) - 1; words[last] == "motion" {
		mode, words = protocol.Motion, words[:last]
	}
	days, ok := everyDay, true
	if len(words) == 2 {
		if days, ok = daysOf(words[0]); !ok {
			return wrong(fmt.Sprintf("%q are no days", words[0]))
		}
		words = words[1:]
	}
	if len(words) != 1 {
		return wrong("no hours")
	}
	from, to, ok := interval(words[0])
	if !ok {
		return wrong(fmt.Sprintf("%q are no hours", words[0]))
	}
	return week(days, from, to, mode), nil
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

// daysOf reads "mon-fri,sun"; a range may pass the end of the week.
func daysOf(text string) (days [7]bool, ok bool) {
	for _, part := range strings.Split(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return days, false
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, true
}

// interval reads "20:00-8" in minutes after midnight; 0 as an end is the day's.
func interval(text string) (from, to int, ok bool) {
	first, last, ranged := strings.Cut(text, "-")
	from, okFrom := minuteOf(first)
	to, okTo := minuteOf(last)
	if to == 0 {
		to = 24 * 60
	}
	return from, to, ranged && okFrom && okTo && from < 24*60 && from != to
}

func minuteOf(text string) (minute int, ok bool) {
	h, m, colon := strings.Cut(text, ":")
	hours, ok := figures(h, 24)
	minutes := 0
	if colon {
		var okMinutes bool
		minutes, okMinutes = figures(m, 59)
		ok = ok && okMinutes && len(m) == 2
	}
	minute = hours*60 + minutes
	return minute, ok && minute <= 24*60
}

// figures reads one or two figures.
func figures(s string, most int) (n int, ok bool) {
	if len(s) < 1 || len(s) > 2 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= most
}

// week is what records on these days from a minute to another, on the next day if
// that is not later.
func week(days [7]bool, from, to int, mode protocol.Mode) protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	for d, on := range days {
		if !on {
			continue
		}
		if from < to {
			s.Days[d] = append(s.Days[d], protocol.Interval{From: from, To: to, Mode: mode})
			continue
		}
		next := (d + 1) % 7
		s.Days[d] = append(s.Days[d], protocol.Interval{From: from, To: 24 * 60, Mode: mode})
		s.Days[next] = append(s.Days[next], protocol.Interval{From: 0, To: to, Mode: mode})
	}
	for d := range s.Days {
		slices.SortFunc(s.Days[d], func(a, b protocol.Interval) int { return a.From - b.From })
	}
	return s
}

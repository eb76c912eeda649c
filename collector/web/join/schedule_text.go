package join

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

// When a camera records, as a person types it into one field:
//
//	sempre | movimento | allarme | analisi | spenta | (nothing: unknown)
//	lun-ven 08:00-20:00 + sab 09:00-13:00 movimento + fest 00:00-24:00
//
// in Italian or English. One that ends before it begins goes on past midnight.

// fileZone is the zone of a schedule that a file gives: it names none.
const fileZone = "Europe/Rome"

var modeWords = map[string]protocol.Mode{
	"": protocol.Continuous, "continuo": protocol.Continuous, "continuous": protocol.Continuous,
	"movimento": protocol.Motion, "motion": protocol.Motion,
	"allarme": protocol.Alarm, "alarm": protocol.Alarm,
	"analisi": protocol.Analytics, "analytics": protocol.Analytics,
}

var modeNames = map[protocol.Mode]string{protocol.Continuous: "", protocol.Motion: "movimento", protocol.Alarm: "allarme", protocol.Analytics: "analisi"}

// dayNames by index of protocol.Schedule.Days.
var dayNames = [8]string{"dom", "lun", "mar", "mer", "gio", "ven", "sab", "fest"}

var dayWords = map[string]int{
	"dom": 0, "lun": 1, "mar": 2, "mer": 3, "gio": 4, "ven": 5, "sab": 6, "fest": protocol.Holiday, "festivi": protocol.Holiday,
	"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "holiday": protocol.Holiday,
}

var partOfWeek = regexp.MustCompile(`^([a-z]+)(?:-([a-z]+))? ([0-9]{1,2})[:.]([0-9]{2})-([0-9]{1,2})[:.]([0-9]{2})(?: ([a-z]+))?$`)

// readRecording reads what was typed; false: it is none of the above. That
// intervals overlap is for protocol to say.
func readRecording(typed string) (protocol.Schedule, bool) {
	typed = strings.Join(strings.Fields(strings.ToLower(typed)), " ")
	s := protocol.Schedule{Zone: fileZone}
	switch typed {
	case "", "sconosciuta", "sconosciuto", "unknown":
		return protocol.Schedule{}, true
	case "spenta", "spento", "off":
		s.Kind = protocol.ScheduleOff
		return s, true
	case "sempre", "always", "24h", "h24":
		typed = ""
	}
	if mode, ok := modeWords[typed]; ok {
		s.Kind, s.Mode = protocol.ScheduleAlways, mode
		return s, true
	}
	s.Kind = protocol.ScheduleWeekly
	for part := range strings.SplitSeq(typed, "+") {
		if !addPart(&s, strings.TrimSpace(part)) {
			return protocol.Schedule{}, false
		}
	}
	for i := range s.Days {
		slices.SortStableFunc(s.Days[i], func(a, b protocol.Interval) int { return a.From - b.From })
	}
	return s, true
}

func addPart(s *protocol.Schedule, part string) bool {
	m := partOfWeek.FindStringSubmatch(part)
	if m == nil {
		return false
	}
	first, ok := dayWords[m[1]]
	last, ok2 := first, true
	if m[2] != "" {
		last, ok2 = dayWords[m[2]]
	}
	mode, ok3 := modeWords[m[7]]
	from, ok4 := minutes(m[3], m[4])
	to, ok5 := minutes(m[5], m[6])
	if !ok || !ok2 || !ok3 || !ok4 || !ok5 || from == to || from == 1440 || first != last && (first == protocol.Holiday || last == protocol.Holiday) {
		return false
	}
	for day := first; ; day = (day + 1) % 7 {
		add := func(day, from, to int) {
			s.Days[day] = append(s.Days[day], protocol.Interval{From: from, To: to, Mode: mode})
		}
		switch {
		case from < to:
			add(day, from, to)
		case day == protocol.Holiday: // what follows a holiday is not known
			return false
		default:
			add(day, from, 1440)
			if to > 0 {
				add((day+1)%7, 0, to)
			}
		}
		if day == last {
			return true
		}
	}
}

func minutes(hours, rest string) (int, bool) {
	h, err1 := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(rest)
	return h*60 + m, err1 == nil && err2 == nil && m < 60 && h*60+m <= 1440
}

// writeRecording is what readRecording reads. What a field cannot say
// (suspensions, another zone) is left out: JSON holds it.
func writeRecording(s protocol.Schedule) string {
	switch s.Kind {
	case protocol.ScheduleOff:
		return "spenta"
	case protocol.ScheduleAlways:
		if s.Mode == protocol.Continuous {
			return "sempre"
		}
		return modeNames[s.Mode]
	case protocol.ScheduleWeekly:
		return writeWeek(s)
	}
	return ""
}

// writeWeek names Monday first, and days that follow each other and say the
// same together.
func writeWeek(s protocol.Schedule) string {
	days := []int{1, 2, 3, 4, 5, 6, 0, protocol.Holiday}
	var parts []string
	for i := 0; i < len(days); {
		j := i + 1
		for j < len(days) && days[j] != protocol.Holiday && slices.Equal(s.Days[days[i]], s.Days[days[j]]) {
			j++
		}
		name := dayNames[days[i]]
		if j > i+1 {
			name += "-" + dayNames[days[j-1]]
		}
		for _, v := range s.Days[days[i]] {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %02d:%02d-%02d:%02d %s", name, v.From/60, v.From%60, v.To/60, v.To%60, modeNames[v.Mode])))
		}
		i = j
	}
	return strings.Join(parts, " + ")
}

package interrogate

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// week is when a schedule of the Schedule service is active: minutes after
// midnight, [from, to), for each weekday from Sunday on. special is that of its
// special days, nil if it has none.
type week struct {
	days    [7][]span
	special []span
}

type span struct{ from, to int }

const (
	dayMinutes    = 24 * 60
	maxCalendar   = 64 << 10
	maxEvents     = 256
	maxLine       = 1 << 10
	maxSpecial    = 64
	calendarStamp = "20060102T150405"
)

var errRules = errors.New("its recording schedule has rules that are not weekly ones: it is not read")

// readWeek reads a schedule. The specification allows devices without extended
// recurrence weekly rules only; whatever goes beyond, and whatever is not
// understood, is an error for the whole schedule: half of it would say "off"
// where there is a recording.
func readWeek(s scheduleItem) (week, error) {
	events, err := readEvents(s.Standard)
	if err != nil {
		return week{}, err
	}
	var w week
	for _, e := range events {
		if err := w.add(e); err != nil {
			return week{}, err
		}
	}
	if len(s.Special) > 1 {
		return week{}, errRules // several kinds of special days; a Schedule has one row for them
	}
	for _, d := range s.Special {
		w.special = []span{}
		for _, r := range d.Ranges[:min(len(d.Ranges), maxSpecial)] {
			from, err1 := readMinute(r.From)
			to, err2 := readMinute(cmp.Or(strings.TrimSpace(r.Until), "24:00:00"))
			if err1 != nil || err2 != nil || from >= to {
				return week{}, errRules
			}
			w.special = append(w.special, span{from, to})
		}
	}
	return w, nil
}

// event is one VEVENT, of the properties that count.
type event struct{ start, end, rule string }

// readEvents reads the iCalendar text (RFC 5545) as far as schedules use it.
func readEvents(text string) ([]event, error) {
	if len(text) > maxCalendar {
		return nil, errRules
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text) // folded lines
	var events []event
	var now *event
	depth := 0
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || len(line) > maxLine {
			return nil, errRules
		}
		name, params, _ := strings.Cut(strings.ToUpper(name), ";")
		value = strings.ToUpper(strings.TrimSpace(value))
		switch {
		case name == "BEGIN" && value == "VEVENT" && now == nil:
			if len(events) == maxEvents {
				return nil, errRules
			}
			now = &event{}
		case name == "END" && value == "VEVENT" && now != nil && depth == 0:
			events, now = append(events, *now), nil
		case name == "BEGIN" && now != nil:
			depth++ // an alarm
		case name == "END" && now != nil && depth > 0:
			depth--
		case now == nil || depth > 0:
		case name == "DTSTART" && now.start == "" && (params == "" || params == "VALUE=DATE-TIME"):
			now.start = value
		case name == "DTEND" && now.end == "" && (params == "" || params == "VALUE=DATE-TIME"):
			now.end = value
		case name == "RRULE" && now.rule == "":
			now.rule = value
		case slices.Contains([]string{"DTSTART", "DTEND", "RRULE", "EXDATE", "RDATE", "EXRULE", "DURATION", "RECURRENCE-ID"}, name):
			return nil, errRules // in another form, twice, or an exception
		}
	}
	if now != nil || len(events) == 0 {
		return nil, errRules
	}
	return events, nil
}

var weekdays = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

// add adds an event. Times are the device's own; one with a Z is not, and what
// it is at other seasons depends on the zone.
func (w *week) add(e event) error {
	start, err1 := time.Parse(calendarStamp, e.start)
	end, err2 := time.Parse(calendarStamp, e.end)
	length := int((end.Sub(start) + time.Minute - time.Second) / time.Minute) // some end a day at 23:59:59
	if err1 != nil || err2 != nil || length <= 0 || length > dayMinutes {
		return errRules
	}
	days := []time.Weekday{start.Weekday()}
	weekly := false
	for part := range strings.SplitSeq(e.rule, ";") {
		key, value, _ := strings.Cut(part, "=")
		switch {
		case key == "FREQ" && value == "WEEKLY":
			weekly = true
		case key == "FREQ" && value == "DAILY" && !strings.Contains(e.rule, "BYDAY"):
			weekly, days = true, []time.Weekday{0, 1, 2, 3, 4, 5, 6}
		case key == "INTERVAL" && value == "1", key == "WKST", part == "":
		case key == "BYDAY":
			days = nil
			for name := range strings.SplitSeq(value, ",") {
				d, ok := weekdays[strings.TrimSpace(name)]
				if !ok || len(days) >= 7 {
					return errRules
				}
				days = append(days, d)
			}
		default:
			return errRules // until when, how often, in which month
		}
	}
	if !weekly {
		return errRules
	}
	from := start.Hour()*60 + start.Minute()
	for _, d := range days {
		w.days[d] = append(w.days[d], span{from, min(from+length, dayMinutes)})
		if over := from + length - dayMinutes; over > 0 {
			next := (d + 1) % 7
			w.days[next] = append(w.days[next], span{0, over})
		}
	}
	return nil
}

// readMinute reads an xs:time to the minute; 24:00:00 is the day's end.
func readMinute(s string) (int, error) {
	part := strings.Split(strings.TrimSpace(s), ":")
	if len(part) != 3 {
		return 0, errRules
	}
	h, err1 := strconv.Atoi(part[0])
	m, err2 := strconv.Atoi(part[1])
	if err1 != nil || err2 != nil || h < 0 || m < 0 || m > 59 || h*60+m > dayMinutes {
		return 0, errRules
	}
	return h*60 + m, nil
}

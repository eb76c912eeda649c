package protocol

import "time"

// ScheduleKind tells what is known of when a camera records.
type ScheduleKind string

const (
	ScheduleUnknown ScheduleKind = ""
	ScheduleAlways  ScheduleKind = "always"
	ScheduleOff     ScheduleKind = "off"
	ScheduleWeekly  ScheduleKind = "weekly"
)

// Mode is what makes a camera record within an interval.
type Mode string

const (
	Continuous Mode = "continuous"
	Motion     Mode = "motion"
	Alarm      Mode = "alarm"
	Analytics  Mode = "analytics"
)

// Holiday is the index in Schedule.Days of the holiday row.
const Holiday = 7

// Schedule is when a camera records, in the recorder's own zone.
type Schedule struct {
	Kind        ScheduleKind  `json:"kind"`
	Mode        Mode          `json:"mode,omitempty"`         // of ScheduleAlways
	Zone        string        `json:"zone,omitempty"`         // IANA name, or a fixed offset as "UTC+01:00"
	ZoneAssumed bool          `json:"zone_assumed,omitempty"` // the recorder did not name its zone
	Days        [8][]Interval `json:"days,omitzero"`          // time.Sunday ... time.Saturday, Holiday; Days[Holiday] nil: it has no such row
	Suspensions []Suspension  `json:"suspensions,omitempty"`
	Fact        Fact          `json:"fact"`
}

// Interval is part of a day on the recorder's wall clock, in minutes after
// midnight: From inclusive, To exclusive, 0 <= From < To <= 1440.
type Interval struct {
	From int  `json:"from"`
	To   int  `json:"to"`
	Mode Mode `json:"mode"`
}

// Suspension is a dated pause: nothing recorded from From until To (zero: still off).
type Suspension struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// Recording answers "was it recording at t?" by this schedule.
//
// A weekly schedule is read on the wall clock of its zone. In the October
// night both instants that show 02:30 get that minute's answer; in the March
// night no instant shows it, so nothing is answered by it. A zone that is
// empty or not known here gives Unknown, not No.
//
// Whether a day is a holiday only the recorder knows. On the Italian national
// holidays, when it has a holiday row that differs at that minute from the
// weekday's, the answer is Unknown; on other days the weekday's row holds,
// though the recorder's own list may name more (a town's patron saint).
func (s Schedule) Recording(t time.Time) Answer {
	for _, p := range s.Suspensions {
		if !t.Before(p.From) && (p.To.IsZero() || t.Before(p.To)) {
			return No
		}
	}
	switch s.Kind {
	case ScheduleOff:
		return No
	case ScheduleAlways:
		return s.Mode.answer()
	case ScheduleWeekly:
	default:
		return Unknown
	}
	zone, ok := zoneOf(s.Zone)
	if !ok {
		return Unknown
	}
	wall := t.In(zone)
	minute := wall.Hour()*60 + wall.Minute()
	answer := rowAnswer(s.Days[wall.Weekday()], minute)
	if s.Days[Holiday] != nil && nationalHoliday(wall.Date()) && rowAnswer(s.Days[Holiday], minute) != answer {
		return Unknown
	}
	return answer
}

// rowAnswer reads one row of a week. Should intervals overlap, which Validate
// refuses, the strongest wins: some of them records.
func rowAnswer(row []Interval, minute int) Answer {
	answer := No
	for _, i := range row {
		if minute < i.From || minute >= i.To {
			continue
		}
		switch a := i.Mode.answer(); {
		case a == Yes:
			return Yes
		case a == OnEvent, answer == No:
			answer = a
		}
	}
	return answer
}

func (m Mode) answer() Answer {
	switch m {
	case Continuous:
		return Yes
	case Motion, Alarm, Analytics:
		return OnEvent
	}
	return Unknown
}

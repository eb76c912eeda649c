package inventory

import (
	"slices"
	"time"

	"anagrafe/protocol"
)

// hoursSaid is what the owner says of when a camera records and how long its images
// stay. It lies beside what the device tells and never takes its place in the
// file; which of the two counts is one rule, for both values alike:
//
//   - What the device tells counts, where it tells anything.
//   - But the owner's word stands against the very value that he corrected, for as
//     long as the device goes on telling that one. Once it tells another, that
//     counts again, and the two are shown side by side.
//   - "I do not know" is an answer, and stands against nothing.
//
// So a declared value gives way when the recorder is read for the first time, and
// a correction holds until there is news. Officers see what counts, with its
// source; the owner sees the other, too (Camera.Overruled).
type hoursSaid struct {
	Schedule  *protocol.Schedule  `json:"schedule,omitempty"`  // nil: nothing said; of unknown kind: "I do not know"
	Retention *protocol.Retention `json:"retention,omitempty"` // likewise; limits, and the oldest images that he saw
	Hours     string              `json:"hours,omitempty"`     // Schedule in the words of ParseHours
	// What the device told when he said so.
	ToldSchedule  protocol.Schedule  `json:"told_schedule,omitzero"`
	ToldRetention protocol.Retention `json:"told_retention,omitzero"`
	At            time.Time          `json:"at,omitzero"`        // he last said or confirmed any of it
	StandsIn      bool               `json:"numbered,omitempty"` // the camera's name counts, or was typed on a form, until the recorder tells its own
}

// scheduleNow is the schedule that counts, and whether it is the owner's word.
func (c *camera) scheduleNow() (s protocol.Schedule, his bool) {
	word := c.said.Schedule
	if word == nil || word.Kind == protocol.ScheduleUnknown ||
		c.schedule.Kind != protocol.ScheduleUnknown && !sameSchedule(c.schedule, c.said.ToldSchedule) {
		return c.schedule, false
	}
	return *word, true
}

// retentionNow is the retention that counts, and whether any of it is the owner's
// word. The oldest images are the device's wherever it tells them, with the time
// at which it did.
func (c *camera) retentionNow() (r protocol.Retention, his bool) {
	r = c.retention
	word := c.said.Retention
	if word == nil {
		return r, false
	}
	if word.Kind != protocol.RetentionUnknown && (r.Kind == protocol.RetentionUnknown || sameLimits(r, c.said.ToldRetention)) {
		r.Kind, r.Age, r.EventAge, r.Fact, his = word.Kind, word.Age, word.EventAge, word.Fact, true
	}
	if r.OldestFootage.IsZero() && !word.OldestFootage.IsZero() {
		r.OldestFootage, r.ObservedAt = word.OldestFootage, word.ObservedAt
		if r.Kind == protocol.RetentionUnknown {
			r.Fact, his = word.Fact, true
		}
	}
	return r, his
}

// overruled is what a device tells where the owner's word counts instead; nil
// where it does not, or both say the same. It never leaves.
type overruled struct {
	Schedule  *protocol.Schedule  `json:"schedule,omitempty"`
	Retention *protocol.Retention `json:"retention,omitempty"`
}

func (c *camera) overruled() (o overruled) {
	if now, his := c.scheduleNow(); his && c.schedule.Kind != protocol.ScheduleUnknown && !sameTimes(now, c.schedule) {
		told := c.schedule
		o.Schedule = &told
	}
	if now, his := c.retentionNow(); his && c.retention.Kind != protocol.RetentionUnknown && !sameLimits(now, c.retention) {
		told := c.retention
		o.Retention = &told
	}
	return o
}

// sameTimes reports whether two schedules record alike on all days but holidays,
// which the owner does not speak of, whatever zone each names.
func sameTimes(a, b protocol.Schedule) bool {
	if a.Kind != b.Kind || a.Mode != b.Mode {
		return false
	}
	for day := range protocol.Holiday {
		if !slices.Equal(a.Days[day], b.Days[day]) {
			return false
		}
	}
	return true
}

// homeZone is taken where a recorder does not name its zone.
const homeZone = "Europe/Rome"

// hours keeps what the owner says at the time at, of values that were checked. That
// which the device tells, too, confirms it and is no correction.
func (c *camera) hours(e Edit, at time.Time) {
	declared := protocol.Fact{Source: protocol.Declared, At: at}
	if e.Schedule != nil {
		s, _ := ParseHours(*e.Schedule)
		if s.Kind == protocol.ScheduleWeekly {
			s.Zone, s.ZoneAssumed = c.device.zone, c.device.zoneAssumed
			if s.Zone == "" {
				s.Zone, s.ZoneAssumed = homeZone, true
			}
		}
		if s.Kind != protocol.ScheduleUnknown {
			s.Fact = declared
		}
		c.said.Schedule, c.said.ToldSchedule, c.said.Hours = &s, c.schedule, *e.Schedule
		if s.Kind != protocol.ScheduleUnknown && sameTimes(s, c.schedule) {
			c.said.Schedule, c.said.ToldSchedule, c.said.Hours = nil, protocol.Schedule{}, ""
		}
	}
	if e.Days != nil {
		word := protocol.Retention{Fact: declared}
		if *e.Days > 0 {
			word.Kind, word.Age = protocol.RetentionAge, time.Duration(*e.Days)*24*time.Hour
		}
		if before := c.said.Retention; before != nil {
			word.OldestFootage, word.ObservedAt = before.OldestFootage, before.ObservedAt
		}
		c.said.Retention, c.said.ToldRetention = &word, c.retention
		if *e.Days > 0 && sameLimits(word, c.retention) {
			c.said.Retention, c.said.ToldRetention = nil, protocol.Retention{}
		}
	}
	if e.Schedule != nil || e.Days != nil || e.HoursRight {
		c.said.At = at
	}
}

// sawSince keeps the day since which the owner sees images on the recorder's screen.
func (c *camera) sawSince(since, at time.Time) {
	word := protocol.Retention{}
	if c.said.Retention != nil {
		word = *c.said.Retention
	} else {
		c.said.ToldRetention = c.retention
	}
	word.OldestFootage, word.ObservedAt = since, at
	word.Fact = protocol.Fact{Source: protocol.Declared, At: at}
	c.said.Retention, c.said.At = &word, at
}

// sameSaid compares two words of the owner, whenever each was said.
func sameSaid(a, b hoursSaid) bool {
	schedules := a.Schedule == nil && b.Schedule == nil || a.Schedule != nil && b.Schedule != nil && sameSchedule(*a.Schedule, *b.Schedule)
	retentions := a.Retention == nil && b.Retention == nil || a.Retention != nil && b.Retention != nil && sameLimits(*a.Retention, *b.Retention) &&
		a.Retention.OldestFootage.Equal(b.Retention.OldestFootage)
	return schedules && retentions && a.At.IsZero() == b.At.IsZero()
}

// changedHours names the groups of the owner's words on hours that differ from what
// is declared, which wait for a yes. What the device tells leaves by itself.
func changedHours(was, is protocol.Camera) (groups []string) {
	his := func(was, is protocol.Fact, unknown bool) bool {
		return is.Source == protocol.Declared || unknown && was.Source == protocol.Declared
	}
	if his(was.Schedule.Fact, is.Schedule.Fact, is.Schedule.Kind == protocol.ScheduleUnknown) && !sameSchedule(was.Schedule, is.Schedule) {
		groups = append(groups, "schedule")
	}
	unknown := is.Retention.Kind == protocol.RetentionUnknown
	if his(was.Retention.Fact, is.Retention.Fact, unknown) && (!sameLimits(was.Retention, is.Retention) ||
		unknown && is.Retention.Fact.Source == protocol.Declared && !was.Retention.OldestFootage.Equal(is.Retention.OldestFootage)) {
		groups = append(groups, "retention")
	}
	return groups
}

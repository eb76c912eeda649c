package protocol

import (
	"slices"
	"time"
)

// Alert is something wrong with an owner's own recorders that they would want to
// know before they need the footage. The agent's pages show it; the collector tells
// it to the contacts who wish so. Both go by what is below: a page shows at once
// what it sees, a message waits for the times given here, so that a restart, a
// short night or a holiday is no alarm.
type Alert string

const (
	AlertSilent  Alert = "silent"  // a recorder that the agent finds no more
	AlertStopped Alert = "stopped" // a camera of which nothing is recorded
	AlertClock   Alert = "clock"   // a recorder whose clock is wrong
	AlertShorter Alert = "shorter" // a camera whose images stay for less time
	AlertUnheard Alert = "unheard" // the agent itself: nothing is known of the rest
)

// Alerts lists all, in the order in which they are told.
var Alerts = []Alert{AlertSilent, AlertStopped, AlertClock, AlertShorter, AlertUnheard}

const (
	// WrongClock is how far a clock may be off before its owner is told: who asks
	// for a minute of footage would be handed another. RightClock is how near it
	// must come to be right again, so that one near the limit is not told each day.
	WrongClock = time.Minute
	RightClock = 30 * time.Second
	// nearHour is how near to whole hours a difference is that comes of a zone or
	// of summer time, which an NVR with summer time switched off showed as 58 minutes.
	nearHour = 3 * time.Minute
	// SilentAfter is how long a recorder does not answer before its owner is told.
	SilentAfter = 24 * time.Hour
	// UnheardAfter is how long an agent says nothing before its owner is told: a
	// shop's computer is off at night and over a long weekend.
	UnheardAfter = 7 * 24 * time.Hour

	// A full store whose oldest footage is the same after stillFull records no
	// more; where it records events alone, after stillQuiet.
	stillFull  = 48 * time.Hour
	stillQuiet = 7 * 24 * time.Hour
	// stillSlack is by how much readings of the same oldest footage differ.
	stillSlack = time.Hour
	// shrunkWithin is the time within which losing a third of the depth is told.
	shrunkWithin = 7 * 24 * time.Hour
	// shorterSlack is how much less than was declared a full store may hold:
	// recorders delete whole files, and round days.
	shorterSlack = 24 * time.Hour
)

// HoursOff reports whether a clock is off by whole hours, as by a wrong zone or missing
// summer time, and returns the difference to the minute.
func HoursOff(gap time.Duration) (shown time.Duration, ok bool) {
	hours := gap.Round(time.Hour)
	return gap.Round(time.Minute), hours != 0 && hours.Abs() <= 14*time.Hour && (gap-hours).Abs() <= nearHour
}

// Shorter reports whether the configured retention is shorter than it was.
func (r Retention) Shorter(was Retention) bool {
	return was.Kind == RetentionAge && r.Kind == RetentionAge && max(r.Age, r.EventAge) < max(was.Age, was.EventAge)
}

// depth is how far back the footage reached when it was looked at; 0: not known.
func (r Retention) depth() time.Duration {
	if r.OldestFootage.IsZero() {
		return 0
	}
	return max(0, r.ObservedAt.Sub(r.OldestFootage))
}

// StoppedSince reports since when nothing new is recorded, by looks at a store in
// the order of time: a full one whose oldest footage stays the same deletes
// nothing, so nothing comes in. One that still fills says nothing. s is the
// schedule in force: a store of events alone may be quiet for days, and one that
// says itself that it is off has stopped, unless its owner said so for these days.
func StoppedSince(s Era[Schedule], looks []Era[Retention], now time.Time) (since time.Time, ok bool) {
	if slices.ContainsFunc(s.Value.Suspensions, func(p Suspension) bool { return !now.Before(p.From) && (p.To.IsZero() || now.Before(p.To)) }) {
		return time.Time{}, false
	}
	if s.Value.Kind == ScheduleOff {
		return s.From, s.Value.Fact.Source == Measured
	}
	first, last, full := still(looks)
	wait := stillQuiet
	if s.Value.continuous() {
		wait = stillFull
	}
	return first, full && last.Sub(first) >= wait
}

// still returns the first and the last look that found the newest oldest footage,
// and whether the store was full at one of them, or just before.
func still(looks []Era[Retention]) (first, last time.Time, full bool) {
	var oldest time.Time
	for _, l := range slices.Backward(looks) {
		r := l.Value
		switch {
		case r.OldestFootage.IsZero():
			continue
		case last.IsZero():
			last, oldest = r.ObservedAt, r.OldestFootage
		case oldest.Sub(r.OldestFootage).Abs() > stillSlack:
			return first, last, full || r.Settled
		}
		first, full = r.ObservedAt, full || r.Settled
	}
	return first, last, full
}

// continuous reports that footage comes in at every hour of every day.
func (s Schedule) continuous() bool { return s.Kind == ScheduleAlways && s.Mode == Continuous }

// Shrunk reports that images stay for less time than was declared, or for a third
// less than within the last days, by looks in the order of time. It gives how long
// it was and is.
func Shrunk(declared Retention, looks []Era[Retention]) (was, is time.Duration, ok bool) {
	if len(looks) == 0 {
		return 0, 0, false
	}
	newest := looks[len(looks)-1].Value
	if newest.Shorter(declared) && newest.Fact.At.After(declared.Fact.At) {
		return max(declared.Age, declared.EventAge), max(newest.Age, newest.EventAge), true
	}
	is = newest.depth()
	if is == 0 {
		return 0, 0, false
	}
	if len(looks) > 1 { // one reading alone may be wrong
		is = max(is, looks[len(looks)-2].Value.depth())
	}
	if newest.Settled && declared.Kind == RetentionAge && is < declared.Age-max(shorterSlack, declared.Age/10) {
		return declared.Age, is, true
	}
	first := slices.IndexFunc(looks, func(l Era[Retention]) bool { return newest.ObservedAt.Sub(l.Value.ObservedAt) <= shrunkWithin })
	was = looks[first].Value.depth()
	return was, is, was > shorterSlack && is <= was-was/3
}

// Regained reports that images stay again about as long as before they stayed for
// less: was is what [Shrunk] gave, and told when. What a person has declared
// since is as they want it.
func Regained(was time.Duration, told time.Time, declared Retention, looks []Era[Retention]) bool {
	if _, _, still := Shrunk(declared, looks); still || len(looks) == 0 {
		return false
	}
	newest := looks[len(looks)-1].Value
	return newest.depth() >= was-was/10 || declared.Fact.At.After(told)
}

package search

import (
	"slices"
	"time"

	"anagrafe/protocol"
)

// moments are the times of the window at which the answer can change: its
// ends, and both sides of each moment at which the camera began or ceased to
// record. In between, only age changes the answer, and that one way: whatever
// deletes footage deletes what is older as well.
func (f found) moments(q Query) []time.Time {
	from, until := q.From, q.Until
	if until.After(q.Now) {
		until = q.Now
	}
	if from.After(until) {
		from = until
	}
	all := []time.Time{from}
	if from.Equal(until) {
		return all
	}
	all = append(all, until)
	within := func(t time.Time) {
		if t.After(from) && t.Before(until) {
			all = append(all, t.Add(-time.Microsecond), t)
		}
	}
	weekly := false
	for _, e := range f.schedules {
		within(e.From)
		weekly = weekly || e.Value.Kind == protocol.ScheduleWeekly
		for _, p := range e.Value.Suspensions {
			within(p.From)
			within(p.To)
		}
	}
	if weekly {
		f.eachChange(from, until, within)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// eachChange calls g where a weekly schedule begins or ends to record. The
// intervals of a week begin and end at whole minutes.
func (f found) eachChange(from, until time.Time, g func(time.Time)) {
	schedule, _ := inForce(f.schedules, from)
	last := schedule.Recording(from)
	for t := from.Truncate(time.Minute).Add(time.Minute); t.Before(until); t = t.Add(time.Minute) {
		schedule, _ := inForce(f.schedules, t)
		if now := schedule.Recording(t); now != last {
			g(t)
			last = now
		}
	}
}

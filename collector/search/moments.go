package search

import (
	"slices"
	"time"

	"anagrafe/protocol"
)

// moments are the times of the window at which the answer can change: its
// ends, and both sides of each moment at which the camera began or ceased to
// record, and of each up to which the newest look at its store tells of what was
// recorded (see looks). In between, only age changes the answer, and that one way:
// whatever deletes footage deletes what is older as well.
func (k *asking) moments(q Query, in series) []time.Time {
	from, until := q.From, q.Until
	if until.After(q.Now) {
		until = q.Now
	}
	if from.After(until) {
		from = until
	}
	k.times = append(k.times[:0], from)
	if from.Equal(until) {
		return k.times
	}
	k.times = append(k.times, until)
	within := func(t time.Time) {
		if t.After(from) && t.Before(until) {
			k.times = append(k.times, t.Add(-time.Microsecond), t)
		}
	}
	looks(in.retentions, q.Now, within)
	for i, e := range in.schedules {
		within(e.from)
		for _, p := range e.schedule.Suspensions {
			within(p.From)
			within(p.To)
		}
		if e.schedule.Kind != protocol.ScheduleWeekly {
			continue
		}
		for _, t := range k.turns(window{e.schedule, from, until}) {
			if t.After(e.from) && (i+1 == len(in.schedules) || t.Before(in.schedules[i+1].from)) {
				within(t)
			}
		}
	}
	slices.SortFunc(k.times, time.Time.Compare)
	k.times = slices.CompactFunc(k.times, time.Time.Equal)
	return k.times
}

// looks calls f right after each moment up to which the newest look at a store may
// contradict what is supposed: that of the look itself, and for each limit the
// moment of what had just reached it then.
func looks(retentions []protocol.Era[protocol.Retention], now time.Time, f func(time.Time)) {
	_, observed := newestLook(retentions, now)
	if observed.IsZero() {
		return
	}
	after := observed.Add(time.Microsecond)
	f(after)
	for i := range retentions {
		r := &retentions[i].Value
		f(after.Add(-r.Age))
		f(after.Add(-r.EventAge))
		f(after.Add(r.OldestFootage.Sub(r.ObservedAt)))
	}
}

// window is a schedule and a time through which it is read.
type window struct {
	schedule    *protocol.Schedule
	from, until time.Time
}

// turns are the moments at which a weekly schedule begins or ceases to record.
// The intervals of a week begin and end at whole minutes.
func (k *asking) turns(w window) (all []time.Time) {
	all, ok := k.changes[w]
	if ok {
		return all
	}
	last := w.schedule.Recording(w.from)
	for t := w.from.Truncate(time.Minute).Add(time.Minute); t.Before(w.until); t = t.Add(time.Minute) {
		if now := w.schedule.Recording(t); now != last {
			all = append(all, t)
			last = now
		}
	}
	k.changes[w] = all
	return all
}

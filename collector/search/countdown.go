package search

import (
	"slices"
	"time"

	"anagrafe/protocol"
)

// How long the footage of what is asked for still exists: the moments of the time
// asked for are held against the schedule and the retention in force
// then. It decides what is in class C, and the order within A and B.

// assumedTimeLeft ranks a camera of which nobody knows how long it keeps its
// footage.
const assumedTimeLeft = 24 * time.Hour

// findFootage finds the best that the window holds, and what of it goes first.
func (ev *evaluation) findFootage(q *Query, in series, h *Hit) {
	h.Recording, h.Footage.Exists = protocol.No, protocol.No
	gone := false            // an earlier moment was recorded and is overwritten
	var open protocol.Answer // how the moment before was recorded, if there may be footage without a known end
	for _, t := range ev.moments(q, in) {
		recording := ev.recording(in.schedules, t)
		if better(recording, h.Recording) {
			h.Recording = recording
		}
		one := protocol.FootageRecorded(t, q.Now, recording, in.retentions)
		if one.Exists == protocol.No {
			gone = gone || recording != protocol.No
			if h.Footage.Exists == protocol.No {
				h.Footage.Observed = h.Footage.Observed || one.Observed
			}
			open = ""
			continue
		}
		until := h.Footage.Until
		switch {
		case gone, open == recording && !one.Until.IsZero():
			until = q.Now // the edge between gone, or overdue, and there lies within the window
		case until.IsZero() || !one.Until.IsZero() && one.Until.Before(until):
			until = one.Until
		}
		if better(one.Exists, h.Footage.Exists) {
			h.Footage = one
		}
		h.Footage.Until = until
		if open = ""; one.Until.IsZero() {
			open = recording
		}
	}
}

// recording reports whether the camera recorded at t.
func (ev *evaluation) recording(eras []scheduleEra, t time.Time) protocol.Answer {
	e := inForce(eras, t)
	if e == nil {
		return protocol.Unknown
	}
	m := moment{e.schedule, t.UnixMicro()}
	a, ok := ev.recorded[m]
	if !ok {
		a = e.schedule.Recording(t)
		ev.recorded[m] = a
	}
	return a
}

// better orders answers by how much there is to hope for.
func better(a, b protocol.Answer) bool { return score(a) > score(b) }

func score(a protocol.Answer) int {
	switch a {
	case protocol.Yes:
		return 3
	case protocol.OnEvent:
		return 2
	case protocol.Unknown:
		return 1
	}
	return 0
}

// rank gives the class and the time left.
func (h *Hit) rank(q *Query) {
	switch {
	case h.Footage.Exists == protocol.No:
		h.Class = ClassC
		return
	case h.Sight.Sees == protocol.No:
		h.Class = ClassB
	default:
		h.Class = ClassA
	}
	if h.Footage.Until.IsZero() {
		h.TimeLeft, h.TimeLeftAssumed = assumedTimeLeft, true
		return
	}
	h.TimeLeft = max(h.Footage.Until.Sub(q.Now), 0)
}

// moments are the times of the window at which the answer can change: its
// ends, and both sides of each moment at which the camera began or ceased to
// record, and of each up to which the newest look at its store tells of what was
// recorded (see looks). In between, only age changes the answer, and that one way:
// whatever deletes footage deletes what is older as well.
func (ev *evaluation) moments(q *Query, in series) []time.Time {
	from, until := q.From, q.Until
	if until.After(q.Now) {
		until = q.Now
	}
	if from.After(until) {
		from = until
	}
	ev.times = append(ev.times[:0], from)
	if from.Equal(until) {
		return ev.times
	}
	ev.times = append(ev.times, until)
	within := func(t time.Time) {
		if t.After(from) && t.Before(until) {
			ev.times = append(ev.times, t.Add(-time.Microsecond), t)
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
		for _, t := range ev.turns(window{e.schedule, from, until}) {
			if t.After(e.from) && (i+1 == len(in.schedules) || t.Before(in.schedules[i+1].from)) {
				within(t)
			}
		}
	}
	slices.SortFunc(ev.times, time.Time.Compare)
	ev.times = slices.CompactFunc(ev.times, time.Time.Equal)
	return ev.times
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
func (ev *evaluation) turns(w window) (all []time.Time) {
	all, ok := ev.changes[w]
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
	ev.changes[w] = all
	return all
}

package search

import (
	"time"

	"anagrafe/protocol"
)

// How long the footage of what is asked for still exists: the moments of the time
// asked for (moments.go) are held against the schedule and the retention in force
// then. It decides what is in class C, and the order within A and B.

// assumedTimeLeft ranks a camera of which nobody knows how long it keeps its
// footage.
const assumedTimeLeft = 24 * time.Hour

// askFootage finds the best that the window holds, and what of it goes first.
func (k *asking) askFootage(q Query, in series, h *Hit) {
	h.Recording, h.Footage.Exists = protocol.No, protocol.No
	gone := false            // an earlier moment was recorded and is overwritten
	var open protocol.Answer // how the moment before was recorded, if there may be footage without a known end
	for _, t := range k.moments(q, in) {
		recording := k.recording(in.schedules, t)
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

// recording tells whether the camera recorded at t.
func (k *asking) recording(eras []scheduleEra, t time.Time) protocol.Answer {
	e := inForce(eras, t)
	if e == nil {
		return protocol.Unknown
	}
	m := moment{e.schedule, t.UnixMicro()}
	a, ok := k.recorded[m]
	if !ok {
		a = e.schedule.Recording(t)
		k.recorded[m] = a
	}
	return a
}

// better orders answers by how much there is to hope for.
func better(a, b protocol.Answer) bool { return hope(a) > hope(b) }

func hope(a protocol.Answer) int {
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
func (h *Hit) rank(q Query) {
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

package registry

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// Changes tells every change after from and up to to, in the order of the times
// since when they are true. Looks that only measured the clock, or how far
// footage reaches back, are left out: they are series, not changes. Of a withdrawn
// camera only the withdrawal is listed.
func (h History) Changes(from, to time.Time) ([]Change, error) {
	var all []Change
	before := h.At(from)
	for _, m := range h.moments(from, to) {
		after := h.At(m)
		changes, err := diff(before, after)
		if err != nil {
			return nil, err
		}
		all = append(all, slices.DeleteFunc(changes, func(c Change) bool { return isLook(c.Field) })...)
		before = after
	}
	return all, nil
}

func isLook(field string) bool {
	return strings.HasPrefix(field, "clock") || field == "retention.oldest_footage" || field == "retention.settled"
}

// moments are those after from and up to to at which something changed.
func (h History) moments(from, to time.Time) []time.Time {
	var all []time.Time
	add := func(t time.Time) {
		if t.After(from) && !t.After(to) {
			all = append(all, t)
		}
	}
	for _, a := range h.Acts {
		add(a.At)
	}
	for k, marks := range h.marks {
		for i, m := range marks {
			add(m.ended)
			if i == 0 || h.differs(k, i) {
				add(m.from)
			}
		}
	}
	for _, versions := range h.Cameras {
		for _, v := range versions {
			add(v.ValidFrom)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// differs reports whether value i of a series says something else than the one
// before, which a look alone does not.
func (h History) differs(k thing, i int) bool {
	switch k.kind {
	case kindClock:
		return false
	case kindReachable:
		return h.Reachable[k.id][i].Value != h.Reachable[k.id][i-1].Value
	case kindSchedule:
		return !sameSchedule(h.Schedules[k.id][i].Value, h.Schedules[k.id][i-1].Value)
	case kindRetention:
		return !sameLimits(h.Retentions[k.id][i].Value, h.Retentions[k.id][i-1].Value)
	}
	return true
}

// sameSchedule leaves out when it was read.
func sameSchedule(a, b protocol.Schedule) bool {
	a.Fact.At, b.Fact.At = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// sameLimits reports whether two retentions are configured the same, whenever and
// whatever was measured.
func sameLimits(a, b protocol.Retention) bool {
	return a.Kind == b.Kind && a.Age == b.Age && a.EventAge == b.EventAge && a.Fact.Source == b.Fact.Source
}

package registry

import (
	"slices"
	"time"

	"anagrafe/protocol"
)

// at answers what was true at a moment, by looking at everything.
func (m *modelRecord) at(valid time.Time) Snapshot {
	s := Snapshot{Valid: valid, State: m.state(valid), Recorders: map[string]recorderThen{}, Cameras: map[string]protocol.Camera{}, Gone: map[string]time.Time{}}
	for k, versions := range m.things {
		var v *modelVersion
		for i := range versions {
			if !versions[i].from.After(valid) {
				v = &versions[i]
			}
		}
		if v == nil {
			continue
		}
		switch of := v.value.(type) {
		case protocol.Site:
			s.Site = &of
		case protocol.Recorder:
			if !v.ended.IsZero() && !v.ended.After(valid) {
				continue
			}
			then := recorderThen{Recorder: of}
			if c, ok := protocol.ClockAt(m.clocks[k.id], valid); ok {
				then.Clock = &c
			}
			if l := newest(m.reached[k.id], valid); l != nil {
				then.Reachable = &l.value
			}
			s.Recorders[k.id] = then
		case protocol.Camera:
			of.Schedule, of.Retention = m.schedule(k, valid), m.retention(k, valid)
			s.Cameras[k.id] = of
		}
	}
	for id, v := range m.gone {
		if !v.from.After(valid) {
			s.Gone[id] = v.from
		}
	}
	return s
}

// state is after all acts decided by then.
func (m *modelRecord) state(valid time.Time) State {
	acts := slices.DeleteFunc(slices.Clone(m.acts), func(a Act) bool { return a.At.After(valid) })
	if len(acts) == 0 {
		return ""
	}
	is := func(reasons ...reason) func(Act) bool {
		return func(a Act) bool { return slices.Contains(reasons, a.Reason) }
	}
	lastOf := func(f func(Act) bool) int {
		for i := len(acts) - 1; i >= 0; i-- {
			if f(acts[i]) {
				return i
			}
		}
		return -1
	}
	withdrawn := lastOf(is(reasonWithdrawn, reasonEmptied))
	declared := lastOf(is(reasonDeclared, reasonReplaced, reasonLeft, reasonSuspended, reasonResumed))
	switch hidden := lastOf(is(reasonSuspended)); {
	case withdrawn > declared:
		return Withdrawn
	case hidden > lastOf(is(reasonWithdrawn, reasonResumed)):
		return Suspended
	}
	return Sharing
}

// newest is the last look of the newest moment up to valid; of one moment, that
// which was recorded last.
func newest[T any](looks []modelLook[T], valid time.Time) *modelLook[T] {
	var best *modelLook[T]
	for i := range looks {
		if l := &looks[i]; !l.at.After(valid) && (best == nil || !l.at.Before(best.at)) {
			best = l
		}
	}
	return best
}

// said is a value that somebody said of a camera, or measured.
type said[T any] struct {
	at       time.Time
	value    T
	known    bool
	fact     protocol.Fact
	measured bool
}

// standing is the value that counts among all that was said, which is in order:
// the last that was measured or that outweighs what was measured before it.
func standsOf[T any](all []said[T]) (value T) {
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		if s.measured {
			return s.value
		}
		var before *said[T]
		for j := range all[:i] {
			if all[j].measured {
				before = &all[j]
			}
		}
		if before == nil || s.known && s.fact.Source != protocol.Declared && !s.fact.At.Before(before.at) {
			return s.value
		}
	}
	return value
}

// saidOf gathers in order what versions and looks said up to valid.
func saidOf[T any](m *modelRecord, k thing, valid time.Time, version func(protocol.Camera) said[T], look func(protocol.CameraObservation) (said[T], bool)) []said[T] {
	var all []said[T]
	for _, v := range m.things[k] {
		if !v.from.After(valid) {
			s := version(v.value.(protocol.Camera))
			s.at = v.from
			all = append(all, s)
		}
	}
	for _, l := range m.looks[k.id] {
		if s, ok := look(l.value); ok && !l.at.After(valid) {
			s.at, s.measured = l.at, true
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b said[T]) int { return a.at.Compare(b.at) }) // versions stay first
	return all
}

func (m *modelRecord) schedule(k thing, valid time.Time) protocol.Schedule {
	all := saidOf(m, k, valid, func(c protocol.Camera) said[protocol.Schedule] {
		return said[protocol.Schedule]{value: c.Schedule, known: c.Schedule.Kind != protocol.ScheduleUnknown, fact: c.Schedule.Fact}
	}, func(o protocol.CameraObservation) (said[protocol.Schedule], bool) {
		if o.Schedule == nil || o.Schedule.Kind == protocol.ScheduleUnknown {
			return said[protocol.Schedule]{}, false
		}
		return said[protocol.Schedule]{value: *o.Schedule}, true
	})
	s := standsOf(all)
	s.Suspensions = nil
	for _, t := range all { // a person's suspensions hold whatever is measured
		if !t.measured {
			s.Suspensions = t.value.Suspensions
		}
	}
	return s
}

func (m *modelRecord) retention(k thing, valid time.Time) protocol.Retention {
	configured := func(r protocol.Retention) said[protocol.Retention] {
		known := r.Kind != protocol.RetentionUnknown
		r.OldestFootage, r.ObservedAt, r.Settled = time.Time{}, time.Time{}, false
		return said[protocol.Retention]{value: r, known: known, fact: r.Fact}
	}
	r := standsOf(saidOf(m, k, valid, func(c protocol.Camera) said[protocol.Retention] { return configured(c.Retention) },
		func(o protocol.CameraObservation) (said[protocol.Retention], bool) {
			if o.Retention == nil || o.Retention.Kind == protocol.RetentionUnknown {
				return said[protocol.Retention]{}, false
			}
			return configured(*o.Retention), true
		}))
	seen := saidOf(m, k, valid, func(c protocol.Camera) said[protocol.Retention] { return said[protocol.Retention]{value: c.Retention} },
		func(o protocol.CameraObservation) (said[protocol.Retention], bool) {
			v := protocol.Retention{OldestFootage: o.OldestFootage, ObservedAt: o.At}
			s := said[protocol.Retention]{value: v}
			if o.Retention != nil && !o.Retention.OldestFootage.IsZero() {
				if v.OldestFootage.IsZero() {
					s.value.OldestFootage = o.Retention.OldestFootage
				}
				s.value.Settled, s.known = o.Retention.Settled, true
			}
			return s, !s.value.OldestFootage.IsZero()
		})
	var word protocol.Retention // the newest that says whether the store is full
	for _, s := range seen {
		if s.value.OldestFootage.IsZero() {
			continue
		}
		says := s.known || !s.measured
		if says && !s.value.ObservedAt.Before(word.ObservedAt) {
			word = s.value
		}
		if s.value.ObservedAt.Before(r.ObservedAt) {
			continue
		}
		r.OldestFootage, r.ObservedAt, r.Settled = s.value.OldestFootage, s.value.ObservedAt, word.Settled
		if says {
			r.Settled = s.value.Settled
		}
	}
	return r
}

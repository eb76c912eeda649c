package registry

import (
	"reflect"
	"time"

	"anagrafe/protocol"
)

// series merges what was declared of a camera with what was measured, into
// what was in force when. A measured value stands from its measurement on
// until a newer one, or until somebody confirms a newer one: what a person
// only typed, or confirmed before, does not hide it. A person's dated
// suspensions always hold, for no recorder tells of them. Both arguments are
// ordered by time.
func series(versions []CameraVersion, observed []observation) (eras[protocol.Schedule], eras[protocol.Retention]) {
	var m merge
	for len(versions) > 0 || len(observed) > 0 {
		if len(observed) == 0 || len(versions) > 0 && !versions[0].ValidFrom.After(observed[0].at) {
			v := versions[0]
			versions = versions[1:]
			m.declare(v.Camera)
			m.era(mark{from: v.ValidFrom, recorded: v.RecordedAt, by: v.Origin})
			continue
		}
		o := observed[0]
		observed = observed[1:]
		m.observe(o)
		m.era(mark{from: o.at, recorded: o.recorded, by: measured})
	}
	return m.schedules, m.retentions
}

// merge is the state of a camera while its series are read in order.
type merge struct {
	schedule  protocol.Schedule
	retention protocol.Retention
	paused    []protocol.Suspension // as last declared

	scheduleMeasured, retentionMeasured time.Time // newest measurement; zero: none

	settled   bool      // whether the store is full, as last said
	settledAt time.Time // when that was seen

	schedules  eras[protocol.Schedule]
	retentions eras[protocol.Retention]
}

// eras are a series with where each value comes from.
type eras[T any] struct {
	list  []protocol.Era[T]
	marks []mark
}

// overrides reports whether a declared fact stands above a measurement.
func overrides(known bool, f protocol.Fact, measured time.Time) bool {
	if measured.IsZero() {
		return true
	}
	return known && (f.Source == protocol.Confirmed || f.Source == protocol.Measured) && !f.At.Before(measured)
}

func (m *merge) declare(c protocol.Camera) {
	m.declareSchedule(c.Schedule)
	m.declareRetention(c.Retention)
}

func (m *merge) declareSchedule(s protocol.Schedule) {
	m.paused = s.Suspensions
	if overrides(s.Kind != protocol.ScheduleUnknown, s.Fact, m.scheduleMeasured) {
		m.schedule = s
	}
	m.schedule.Suspensions = m.paused
}

func (m *merge) declareRetention(r protocol.Retention) {
	if overrides(r.Kind != protocol.RetentionUnknown, r.Fact, m.retentionMeasured) {
		m.configure(r)
	}
	if !r.OldestFootage.IsZero() {
		m.settle(r.Settled, r.ObservedAt)
	}
	m.look(r.OldestFootage, r.ObservedAt, r.Settled)
}

// settle takes over whether the store was said to be full, if that is the newest
// word: looks that say nothing of it are carried by it.
func (m *merge) settle(settled bool, at time.Time) {
	if !at.Before(m.settledAt) {
		m.settled, m.settledAt = settled, at
	}
}

func (m *merge) observe(o observation) {
	if o.schedule != nil {
		m.schedule, m.scheduleMeasured = *o.schedule, o.at
		if len(m.schedule.Suspensions) == 0 {
			m.schedule.Suspensions = m.paused
		}
	}
	if o.retention != nil {
		m.configure(*o.retention)
		m.retentionMeasured = o.at
	}
	settled := m.settled
	if o.settled != nil {
		settled = *o.settled
		m.settle(settled, o.at)
	}
	m.look(o.oldest, o.at, settled)
}

// configure takes over what a retention says of the configuration.
func (m *merge) configure(r protocol.Retention) {
	r.OldestFootage, r.ObservedAt, r.Settled = m.retention.OldestFootage, m.retention.ObservedAt, m.retention.Settled
	m.retention = r
}

// look takes over a measured oldest footage, if it is the newest.
func (m *merge) look(oldest, at time.Time, settled bool) {
	if oldest.IsZero() || at.Before(m.retention.ObservedAt) {
		return
	}
	m.retention.OldestFootage, m.retention.ObservedAt, m.retention.Settled = oldest, at, settled
	if m.retention.Kind == protocol.RetentionUnknown {
		m.retention.Fact = protocol.Fact{Source: protocol.Measured, At: at}
	}
}

// era notes what is in force from a moment on.
func (m *merge) era(of mark) {
	m.schedules.add(m.schedule, of)
	m.retentions.add(m.retention, of)
}

func (e *eras[T]) add(v T, of mark) {
	if n := len(e.list); n > 0 {
		if reflect.DeepEqual(e.list[n-1].Value, v) {
			return
		}
		// An era without length was never in force.
		if !of.from.After(e.list[n-1].From) {
			e.list[n-1].Value, e.marks[n-1] = v, of
			return
		}
	}
	e.list, e.marks = append(e.list, protocol.Era[T]{From: of.from, Value: v}), append(e.marks, of)
}

// trim leaves out the eras that ended before since.
func (e *eras[T]) trim(since time.Time) {
	n := 0
	for n+1 < len(e.list) && !e.list[n+1].From.After(since) {
		n++
	}
	e.list, e.marks = e.list[n:], e.marks[n:]
}

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
func series(versions []CameraVersion, observed []observation) ([]protocol.Era[protocol.Schedule], []protocol.Era[protocol.Retention]) {
	var m merge
	for len(versions) > 0 || len(observed) > 0 {
		if len(observed) == 0 || len(versions) > 0 && !versions[0].ValidFrom.After(observed[0].at) {
			v := versions[0]
			versions = versions[1:]
			m.declareSchedule(v.Camera.Schedule)
			m.declareRetention(v.Camera.Retention)
			m.era(v.ValidFrom)
			continue
		}
		o := observed[0]
		observed = observed[1:]
		m.observe(o)
		m.era(o.at)
	}
	return m.schedules, m.retentions
}

// merge is the state of a camera while its series are read in order.
type merge struct {
	schedule  protocol.Schedule
	retention protocol.Retention
	paused    []protocol.Suspension // as last declared

	scheduleMeasured, retentionMeasured time.Time // newest measurement; zero: none

	schedules  []protocol.Era[protocol.Schedule]
	retentions []protocol.Era[protocol.Retention]
}

// overrides tells whether a declared fact stands above a measurement.
func overrides(known bool, f protocol.Fact, measured time.Time) bool {
	if measured.IsZero() {
		return true
	}
	return known && (f.Source == protocol.Confirmed || f.Source == protocol.Measured) && !f.At.Before(measured)
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
	m.look(r.OldestFootage, r.ObservedAt, r.Settled)
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
	settled := m.retention.Settled
	if o.settled != nil {
		settled = *o.settled
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
func (m *merge) era(from time.Time) {
	m.schedules = appendEra(m.schedules, from, m.schedule)
	m.retentions = appendEra(m.retentions, from, m.retention)
}

func appendEra[T any](eras []protocol.Era[T], from time.Time, v T) []protocol.Era[T] {
	if n := len(eras); n > 0 {
		if reflect.DeepEqual(eras[n-1].Value, v) {
			return eras
		}
		// An era without length was never in force.
		if !from.After(eras[n-1].From) {
			eras[n-1].Value = v
			return eras
		}
	}
	return append(eras, protocol.Era[T]{From: from, Value: v})
}

// trim leaves out the eras that ended before since.
func trim[T any](eras []protocol.Era[T], since time.Time) []protocol.Era[T] {
	for len(eras) > 1 && !eras[1].From.After(since) {
		eras = eras[1:]
	}
	return eras
}

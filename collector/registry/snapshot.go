package registry

import (
	"time"

	"anagrafe/protocol"
)

// Snapshot is the state of a site at Valid, as known when its history was read. It has no
// contacts.
type Snapshot struct {
	Valid     time.Time
	State     State          // Sharing, Suspended, Withdrawn; "": nothing was declared by then
	Site      *protocol.Site // nil: nothing declared
	Recorders map[string]recorderThen
	Cameras   map[string]protocol.Camera // with the schedule and retention in force, measured or declared
	Gone      map[string]time.Time       // cameras that had been withdrawn by then, and when

	history *History
	marks   map[thing]mark // of what was in force, or ended it
}

// recorderThen is a recorder with the clock sample nearest to the moment, and
// whether it was reached at the last look.
type recorderThen struct {
	protocol.Recorder
	Reachable *bool `json:"reachable,omitempty"` // nil: not looked at by then
}

// At returns what was true at a moment. The history must have been read from no
// later than that on.
func (h History) At(valid time.Time) Snapshot {
	s := Snapshot{Valid: valid, Recorders: make(map[string]recorderThen), Cameras: make(map[string]protocol.Camera),
		Gone: make(map[string]time.Time), history: &h, marks: make(map[thing]mark)}
	s.state()
	k := thing{kindSite, ""}
	if i := last(h.Sites, valid); i >= 0 {
		s.Site, s.marks[k] = &h.Sites[i].Value, h.marks[k][i]
	}
	for id := range h.Recorders {
		s.recorder(id)
	}
	for id := range h.Cameras {
		s.camera(id)
	}
	return s
}

// kindState is the kind of the mark of a site's state.
const kindState = "state"

// state goes through what was decided by then, in the order of recording.
func (s *Snapshot) state() {
	var withdrawn, suspended bool
	for _, a := range s.history.Acts {
		if a.At.After(s.Valid) {
			continue
		}
		withdrawn, suspended = stateAfter(withdrawn, suspended, a.Reason)
		was := s.State
		switch s.State = Sharing; {
		case withdrawn:
			s.State = Withdrawn
		case suspended:
			s.State = Suspended
		}
		if s.State != was {
			s.marks[thing{kindState, ""}] = mark{from: a.At, recorded: a.RecordedAt, by: a.Origin}
		}
	}
}

func (s *Snapshot) recorder(id string) {
	h, k := s.history, thing{kindRecorder, id}
	i := last(h.Recorders[id], s.Valid)
	if i < 0 {
		return
	}
	m := h.marks[k][i]
	if !m.ended.IsZero() && !m.ended.After(s.Valid) {
		s.marks[k] = mark{from: m.ended, recorded: m.endKnown, by: m.endedBy}
		return
	}
	then := recorderThen{Recorder: h.Recorders[id][i].Value}
	s.marks[k] = m
	if c, ok := protocol.ClockAt(h.Clocks[id], s.Valid); ok {
		then.Clock = &c
	}
	if i := last(h.Reachable[id], s.Valid); i >= 0 {
		then.Reachable = &h.Reachable[id][i].Value
	}
	s.Recorders[id] = then
}

func (s *Snapshot) camera(id string) {
	h, k := s.history, thing{kindCamera, id}
	versions := h.Cameras[id]
	i := len(versions) - 1
	for i >= 0 && versions[i].ValidFrom.After(s.Valid) {
		i--
	}
	if i < 0 {
		return
	}
	v := versions[i]
	s.marks[k] = mark{from: v.ValidFrom, recorded: v.RecordedAt, by: v.Origin}
	if v.Withdrawn {
		s.Gone[id] = v.ValidFrom
		return
	}
	c := v.Camera
	if i := last(h.Schedules[id], s.Valid); i >= 0 {
		c.Schedule = h.Schedules[id][i].Value
	}
	if i := last(h.Retentions[id], s.Valid); i >= 0 {
		c.Retention = h.Retentions[id][i].Value
	}
	s.Cameras[id] = c
}

// last is the place of the last era that began at or before t; -1: none.
func last[T any](eras []protocol.Era[T], t time.Time) int {
	i := len(eras) - 1
	for i >= 0 && eras[i].From.After(t) {
		i--
	}
	return i
}

package registry

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// declaration is what the site declares with the file: the cameras that it
// names, and, unless they are to be removed, those that were imported before.
// What says the same as before keeps its ids and its facts' times, so that
// nothing but what changed gets a new version.
func (i *importing) declaration(ctx context.Context, e *entry, s ImportedSite) (d protocol.Declaration, keys []importKey, missing []string, err error) {
	known, err := cameraKeys(ctx, i.r, i.tx, e.siteID)
	if err != nil {
		return d, nil, nil, err
	}
	ids := make(map[string]string) // by key
	for id, key := range known {
		ids[key] = id
	}
	m := collation{before: e.declared, at: i.At, by: i.By, taken: make(map[string]bool)}
	named := make(map[string]bool)
	for _, c := range s.Cameras {
		id, ok := ids[c.Key]
		if !ok {
			id = uuid.NewString()
		}
		named[id] = true
		keys = append(keys, importKey{id, c.Key})
		m.add(id, c)
	}
	for _, c := range e.declared.Cameras {
		if named[c.ID] {
			continue
		}
		missing = append(missing, known[c.ID])
		if !i.RemoveMissing {
			m.keep(c)
		}
	}
	d = protocol.Declaration{Site: s.Site, Contacts: s.Contacts, Recorders: m.recorders, Cameras: m.inOrder(), Approval: i.approval()}
	if len(d.Contacts) == 0 {
		d.Contacts = i.organisation.Contacts
	}
	return d, keys, missing, nil
}

// collation puts a site's new declaration together.
type collation struct {
	before    protocol.Declaration
	at        time.Time
	by        string
	recorders []protocol.Recorder
	cameras   []protocol.Camera
	taken     map[string]bool // ids of recorders
}

func (m *collation) add(id string, c ImportedCamera) {
	fact := protocol.Fact{Source: protocol.Declared, At: m.at}
	camera := c.Camera
	camera.ID, camera.NameFact, camera.Position.Fact = id, fact, fact
	camera.OutdoorPublic = protocol.Outdoor{Yes: camera.OutdoorPublic.Yes, By: m.by, At: m.at}
	camera.View.Fact, camera.Schedule.Fact, camera.Retention.Fact = fact, protocol.Fact{}, protocol.Fact{}
	if camera.Schedule.Kind != protocol.ScheduleUnknown {
		camera.Schedule.Fact = fact
	}
	if camera.Retention.Kind != protocol.RetentionUnknown {
		camera.Retention.Fact = fact
	}
	before := ""
	if at := slices.IndexFunc(m.before.Cameras, func(old protocol.Camera) bool { return old.ID == id }); at >= 0 {
		before = m.before.Cameras[at].RecorderID
		camera = sinceBefore(camera, m.before.Cameras[at])
	}
	camera.RecorderID = m.recorder(c.Recorder, before)
	m.cameras = append(m.cameras, camera)
}

// keep takes over a camera as it was, with its recorder.
func (m *collation) keep(c protocol.Camera) {
	if at := slices.IndexFunc(m.before.Recorders, func(r protocol.Recorder) bool { return r.ID == c.RecorderID }); at >= 0 && !m.taken[c.RecorderID] {
		m.taken[c.RecorderID] = true
		m.recorders = append(m.recorders, m.before.Recorders[at])
	}
	m.cameras = append(m.cameras, c)
}

// recorder returns the id of a recorder: that of the one that says the same, else
// of the one that the camera hung on before, which then is called otherwise now.
func (m *collation) recorder(r protocol.Recorder, before string) string {
	for _, have := range m.recorders {
		if r.ID = have.ID; have == r {
			return have.ID
		}
	}
	r.ID = ""
	for _, old := range m.before.Recorders {
		same := r
		if same.ID = old.ID; old == same && !m.taken[old.ID] {
			r.ID = old.ID
		}
	}
	if r.ID == "" && before != "" && !m.taken[before] {
		r.ID = before
	}
	if r.ID == "" {
		r.ID = uuid.NewString()
	}
	m.taken[r.ID] = true
	m.recorders = append(m.recorders, r)
	return r.ID
}

// inOrder returns the cameras, those first that were there before, as they were.
func (m *collation) inOrder() []protocol.Camera {
	place := func(c protocol.Camera) int {
		if at := slices.IndexFunc(m.before.Cameras, func(old protocol.Camera) bool { return old.ID == c.ID }); at >= 0 {
			return at
		}
		return len(m.before.Cameras)
	}
	slices.SortStableFunc(m.cameras, func(a, b protocol.Camera) int { return place(a) - place(b) })
	recorderPlace := func(r protocol.Recorder) int {
		if at := slices.IndexFunc(m.before.Recorders, func(old protocol.Recorder) bool { return old.ID == r.ID }); at >= 0 {
			return at
		}
		return len(m.before.Recorders)
	}
	slices.SortStableFunc(m.recorders, func(a, b protocol.Recorder) int { return recorderPlace(a) - recorderPlace(b) })
	return m.cameras
}

// sinceBefore returns each group of values that has not changed the fact that it
// had.
func sinceBefore(c, old protocol.Camera) protocol.Camera {
	if c.Name == old.Name {
		c.NameFact = old.NameFact
	}
	position, view := c.Position, c.View
	if position.Fact = old.Position.Fact; position == old.Position {
		c.Position = position
	}
	if view.Fact = old.View.Fact; reflect.DeepEqual(view, old.View) {
		c.View = view
	}
	schedule, retention := c.Schedule, c.Retention
	if schedule.Fact = old.Schedule.Fact; reflect.DeepEqual(normalSchedule(schedule), normalSchedule(old.Schedule)) {
		c.Schedule = schedule
	}
	if retention.Fact = old.Retention.Fact; retention == old.Retention {
		c.Retention = retention
	}
	if old.OutdoorPublic.Yes && c.OutdoorPublic.Yes {
		c.OutdoorPublic = old.OutdoorPublic
	}
	return c
}

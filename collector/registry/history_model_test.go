package registry

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"anagrafe/protocol"
)

// The brute-force model of the history: what was recorded of one site is kept as
// it came, and each question replays it from the start.

// event is one thing that happened to the site.
type event struct {
	at      time.Time
	agent   string
	message *protocol.Message  // that was taken
	grant   *modelGrant        // or an enrolment
	replace bool               // of the others
	act     protocol.SiteState // or an act with the owner's code
}

// modelRecord is what the register knows.
type modelRecord struct {
	site      modelSite
	said      map[string]protocol.Declaration // by agent
	things    map[thing][]modelVersion
	gone      map[string]modelVersion // cameras, when they went
	clocks    map[string][]protocol.Clock
	reached   map[string][]modelLook[bool]
	looks     map[string][]modelLook[protocol.CameraObservation]
	acts      []Act
	erasures  []gone
	recorders []gone // the same, of recorders
	withdrawn bool
	suspended bool
}

type modelVersion struct {
	from, recorded time.Time
	ended          time.Time // zero: not
	value          any
}

type modelLook[T any] struct {
	at    time.Time
	value T
}

// replayModel is what was known at a moment.
func replayModel(events []event, known time.Time) *modelRecord {
	m := &modelRecord{site: modelSite{said: map[string]modelPart{}}, said: map[string]protocol.Declaration{}}
	m.clear()
	for _, e := range events {
		if e.at.After(known) {
			break
		}
		m.take(e)
	}
	return m
}

func (m *modelRecord) clear() {
	m.things, m.gone, m.clocks = map[thing][]modelVersion{}, map[string]modelVersion{}, map[string][]protocol.Clock{}
	m.reached, m.looks = map[string][]modelLook[bool]{}, map[string][]modelLook[protocol.CameraObservation]{}
}

func (m *modelRecord) take(e event) {
	switch {
	case e.grant != nil:
		m.site.grants = append(m.site.grants, *e.grant)
		if e.replace {
			m.site.replaces(e.agent, e.grant.epoch, e.at, "")
		}
	case e.act == protocol.SiteWithdrawn:
		for i := range m.site.grants {
			if g := &m.site.grants[i]; g.isOpen(e.at) {
				g.until = e.at
			}
		}
		m.site.said = map[string]modelPart{}
		m.empty(e.at, e.at, Origin{Author: authorOwner, Reason: reasonWithdrawn})
		m.suspended = false
	case e.act != "":
		m.suspended = e.act == protocol.SiteSuspended
		m.acts = append(m.acts, Act{At: e.at, RecordedAt: e.at, Origin: Origin{Author: authorOwner, Reason: reason(e.act)}})
	default:
		m.deliver(e)
	}
}

func (m *modelRecord) deliver(e event) {
	made := e.message.MadeAt
	if made.After(e.at) {
		made = e.at
	}
	if o, ok := e.message.Body.(protocol.Observation); ok {
		m.look(o)
		return
	}
	stays, err := m.site.deliver(e.agent, *e.message, e.at)
	if err != nil {
		panic(err) // it was taken
	}
	switch body := e.message.Body.(type) {
	case protocol.Declaration:
		m.said[e.agent] = body
		m.declare(made, e.at, Origin{Author: author(body.Approval.Role), Name: body.Approval.By, Reason: reasonDeclared})
	case protocol.Withdrawal:
		by := Origin{Author: author(body.Approval.Role), Name: body.Approval.By, Reason: reasonLeft}
		switch {
		case !stays:
			by.Reason = reasonWithdrawn
			m.empty(made, e.at, by)
			m.suspended = false
		case len(m.site.said) == 0:
			by.Reason = reasonEmptied
			m.empty(made, e.at, by)
		default:
			m.declare(made, e.at, by)
		}
	}
}

// empty erases the site.
func (m *modelRecord) empty(made, at time.Time, by Origin) {
	m.clear()
	by.Name = ""
	for i := range m.acts {
		m.acts[i].Name = ""
	}
	m.acts = append(m.acts, Act{At: made, RecordedAt: at, Origin: by})
	m.erasures = append(m.erasures, gone{At: made, RecordedAt: at})
	m.withdrawn = true
}

// together is what all parts say.
func (m *modelRecord) together() (all protocol.Declaration) {
	agents := slices.SortedFunc(maps.Keys(m.site.said), func(a, b string) int { return m.site.said[b].number - m.site.said[a].number })
	owner := map[string]string{}
	named := map[string]bool{}
	for i, a := range agents {
		d := m.said[a]
		if i == 0 {
			all.Site = d.Site
		}
		for _, r := range d.Recorders {
			if owner[r.ID] == "" {
				owner[r.ID] = a
				all.Recorders = append(all.Recorders, r)
			}
		}
		for _, c := range d.Cameras {
			if owner[c.RecorderID] == a && !named[c.ID] {
				named[c.ID] = true
				all.Cameras = append(all.Cameras, c)
			}
		}
	}
	return all
}

// declare makes the record say what all parts say.
func (m *modelRecord) declare(made, at time.Time, by Origin) {
	d := m.together()
	changed := false
	now := map[thing]bool{{kindSite, ""}: true}
	put := func(k thing, v any) {
		now[k] = true
		changed = m.put(k, v, made, at) || changed
	}
	put(thing{kindSite, ""}, d.Site)
	for _, r := range d.Recorders {
		if r.Clock != nil {
			m.sample(r.ID, *r.Clock)
			r.Clock = nil
		}
		put(thing{kindRecorder, r.ID}, r)
	}
	for _, c := range d.Cameras {
		put(thing{kindCamera, c.ID}, c)
	}
	for k, versions := range m.things {
		newest := &versions[len(versions)-1]
		switch {
		case now[k]:
		case k.kind == kindCamera:
			changed = true
			delete(m.things, k)
			delete(m.looks, k.id)
			m.gone[k.id] = modelVersion{from: made, recorded: at}
			m.erasures = append(m.erasures, gone{CameraID: k.id, At: made, RecordedAt: at})
		case newest.ended.IsZero():
			changed = true
			newest.ended = newer(made, newest.from)
		}
	}
	m.dropRecorders(now, at)
	if changed {
		m.acts = append(m.acts, Act{At: made, RecordedAt: at, Origin: by})
	}
	m.withdrawn = false
}

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// put adds a version, unless the newest says the same.
func (m *modelRecord) put(k thing, v any, made, at time.Time) bool {
	versions := m.things[k]
	from := made
	if n := len(versions); n > 0 {
		newest := &versions[n-1]
		if newest.ended.IsZero() && reflect.DeepEqual(newest.value, v) {
			return false
		}
		from = newer(newer(made, newest.from), newest.ended)
		if newest.ended.IsZero() {
			newest.ended = from
		}
	} else if gone, ok := m.gone[k.id]; ok && k.kind == kindCamera {
		from = newer(made, gone.from)
		delete(m.gone, k.id)
	}
	m.things[k] = append(versions, modelVersion{from: from, recorded: at, value: v})
	return true
}

// dropRecorders erases those that no camera ever hung on.
func (m *modelRecord) dropRecorders(now map[thing]bool, at time.Time) {
	used := map[string]bool{}
	for k, versions := range m.things {
		for _, v := range versions {
			if k.kind == kindCamera {
				used[v.value.(protocol.Camera).RecorderID] = true
			}
		}
	}
	for k := range m.things {
		if k.kind == kindRecorder && !now[k] && !used[k.id] {
			delete(m.things, k)
			delete(m.clocks, k.id)
			delete(m.reached, k.id)
			m.recorders = append(m.recorders, gone{CameraID: k.id, RecordedAt: at})
		}
	}
}

func (m *modelRecord) sample(recorder string, c protocol.Clock) {
	if !slices.ContainsFunc(m.clocks[recorder], func(o protocol.Clock) bool { return o.At.Equal(c.At) }) {
		m.clocks[recorder] = append(m.clocks[recorder], c)
	}
}

// look takes the facts about what is declared.
func (m *modelRecord) look(o protocol.Observation) {
	stands := func(k thing) bool {
		n := len(m.things[k])
		return n > 0 && m.things[k][n-1].ended.IsZero()
	}
	for _, r := range o.Recorders {
		if stands(thing{kindRecorder, r.RecorderID}) {
			m.reached[r.RecorderID] = append(m.reached[r.RecorderID], modelLook[bool]{r.At, r.Reachable})
			if r.Clock != nil {
				m.sample(r.RecorderID, *r.Clock)
			}
		}
	}
	for _, c := range o.Cameras {
		if stands(thing{kindCamera, c.CameraID}) {
			m.looks[c.CameraID] = append(m.looks[c.CameraID], modelLook[protocol.CameraObservation]{c.At, c})
		}
	}
}

// without takes out what is erased later: nothing brings it back.
func (m *modelRecord) without(all *modelRecord, known time.Time) {
	for _, e := range all.erasures {
		switch {
		case !e.RecordedAt.After(known):
		case e.CameraID == "":
			m.clear()
			for i := range m.acts {
				m.acts[i].Name = ""
			}
		default:
			delete(m.things, thing{kindCamera, e.CameraID})
			delete(m.looks, e.CameraID)
		}
	}
	for _, e := range all.recorders {
		if e.RecordedAt.After(known) {
			delete(m.things, thing{kindRecorder, e.CameraID})
			delete(m.clocks, e.CameraID)
			delete(m.reached, e.CameraID)
		}
	}
}

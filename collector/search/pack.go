package search

import (
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// site is what a query needs of one site. It is never changed once it is in
// the index: a change of the site replaces it whole.
type site struct {
	id       string
	category protocol.Category
	since    int64 // microseconds: what was measured before is not here
	newest   int64 // microseconds: an answer as of an earlier moment knows less
	cells    []cell
	versions []version
}

// version is what there is no room for in the placement of an unpacked camera.
type version struct {
	until int64 // microseconds: when its next version began
	*unpacked
}

// unpacked is a camera that has not stayed as it was declared, or whose id is no UUID:
// what all its placements share.
type unpacked struct {
	id string // "": that of the placement
	series
	numbers []uint32 // of the schedules, in values
}

// series are what was in force of a camera, and when it was declared first.
type series struct {
	declared   time.Time
	schedules  []scheduleEra
	retentions []protocol.Era[protocol.Retention]
}

// scheduleEra is an era of a schedule, of which many share the value.
type scheduleEra struct {
	from     time.Time
	schedule *protocol.Schedule // without its fact
	fact     protocol.Fact
}

// packed is a site with the placements of its cameras. Their number of the site is
// still missing.
type packed struct {
	site
	placements []placement
}

// pack packs a site, with its schedules and retentions taken from v.
func pack(v *values, f registry.Facts, since time.Time) packed {
	to := packed{site: site{id: f.SiteID, category: f.Category, since: micros(since)}}
	if i := slices.Index(protocol.Categories, f.Category); i >= 0 {
		to.category = protocol.Categories[i] // the same text for all
	}
	if len(f.Cameras) > 0 {
		to.placements = make([]placement, 0, len(f.Cameras))
	}
	for _, c := range f.Cameras {
		to.newest = max(to.newest, micros(newest(c.Schedules, c.Retentions)))
		to.camera(v, f, c)
	}
	for _, at := range f.Clocks {
		to.newest = max(to.newest, micros(at))
	}
	seen := make(map[cell]bool, 1)
	for i := range to.placements {
		if at := cellOf(to.placements[i].at); !seen[at] {
			seen[at] = true
			to.cells = append(to.cells, at)
		}
	}
	return to
}

func (to *packed) camera(v *values, f registry.Facts, c registry.CameraFacts) {
	var one placement
	plain := one.setID(c.ID)
	if plain && len(c.Versions) == 1 && one.setSeries(v, c.Versions[0].ValidFrom, c.Schedules, c.Retentions) {
		one.setPlace(f, c.Versions[0])
		one.flags |= flagFirst
		to.placements = append(to.placements, one)
		to.newest = max(to.newest, one.from)
		return
	}
	k := &unpacked{series: series{declared: c.Versions[0].ValidFrom, retentions: c.Retentions}}
	if !plain {
		k.id = c.ID
	}
	for _, e := range c.Schedules {
		number, value := v.schedule(e.Value)
		k.numbers = append(k.numbers, number)
		k.schedules = append(k.schedules, scheduleEra{e.From, value, e.Value.Fact})
	}
	for i, declared := range c.Versions {
		h, m := one, version{until: math.MaxInt64, unpacked: k}
		h.setPlace(f, declared)
		if i == 0 {
			h.flags |= flagFirst
		}
		if i+1 < len(c.Versions) {
			m.until = micros(c.Versions[i+1].ValidFrom)
		}
		to.newest = max(to.newest, h.from)
		to.versions = append(to.versions, m)
		h.version = uint32(len(to.versions))
		to.placements = append(to.placements, h)
	}
}

// setID takes over an id that is a UUID as it is written.
func (h *placement) setID(id string) bool {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.String() != id {
		return false
	}
	h.id = parsed
	return true
}

// setSeries takes over the series of a camera that has stayed as it was declared at
// from, if there is room for them.
func (h *placement) setSeries(v *values, from time.Time, schedules []protocol.Era[protocol.Schedule], retentions []protocol.Era[protocol.Retention]) bool {
	if len(schedules) != 1 || !schedules[0].From.Equal(from) || len(retentions) == 0 || len(retentions) > 2 {
		return false
	}
	last := retentions[len(retentions)-1].Value
	config := configured(last)
	try := *h
	try.from = micros(from)
	try.setFact(ofSchedule, schedules[0].Value.Fact)
	try.setFact(ofRetention, last.Fact)
	try.oldest, try.observed = micros(last.OldestFootage), micros(last.ObservedAt)
	if last.Settled {
		try.flags |= flagSettled
	}
	if len(retentions) == 1 {
		try.flags |= flagAlready
	}
	// What comes out must be what went in.
	var room [2]protocol.Era[protocol.Retention]
	out := try.retentions(&config, &room)
	for i, e := range retentions {
		if len(out) != len(retentions) || !out[i].From.Equal(e.From) || out[i].Value != e.Value {
			return false
		}
	}
	if try.fact(ofSchedule) != schedules[0].Value.Fact {
		return false
	}
	*h = try
	h.schedule, _ = v.schedule(schedules[0].Value)
	h.retention = v.retention(config)
	return true
}

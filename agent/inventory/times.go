package inventory

import (
	"maps"
	"reflect"
	"sync"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// unwrittenMost is how long a look that finds nothing new is kept in memory alone. An
// agent lives on cards that bear so many writes and no more, and to say of each camera
// once an hour that it is as before was most of what it wrote. A power cut then costs
// no more than that somebody reads "4 hours ago" until the first look after it.
const unwrittenMost = 4 * time.Hour

// times is what the last looks found of devices and cameras whose rows they left as they
// are: when, and what moves with the clock.
type times struct {
	mu      sync.Mutex
	devices map[string]deviceTimes // by id
	cameras map[string]cameraTimes
}

// deviceTimes is put over the row in which seen is stored.
type deviceTimes struct {
	stored, seen, answered time.Time
	clock                  *protocol.Clock
	facts                  facts
}

// cameraTimes likewise.
type cameraTimes struct {
	stored, seen, foundAt, viewAt time.Time
	schedule                      protocol.Fact
	retention                     protocol.Retention
	facts                         facts
}

// over puts what is in memory over what was read from the file. A row that was
// written since knows better.
func (t *times) over(b *book) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range b.devices {
		if n, ok := t.devices[d.id]; ok && n.stored.Equal(d.stored) {
			d.seen, d.answered, d.clock, d.facts = n.seen, n.answered, n.clock, maps.Clone(n.facts)
		}
	}
	for _, c := range b.cameras {
		if n, ok := t.cameras[c.id]; ok && n.stored.Equal(c.stored) {
			c.seen, c.foundAt, c.viewAt, c.schedule.Fact, c.retention, c.facts = n.seen, n.foundAt, n.viewAt, n.schedule, n.retention, maps.Clone(n.facts)
		}
	}
}

// keep takes over what was put down in b and not written, once that is committed.
func (t *times) keep(b *book) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.devices, t.cameras = map[string]deviceTimes{}, map[string]cameraTimes{}
	for _, d := range b.devices {
		if micros(d.seen) != micros(d.stored) {
			t.devices[d.id] = deviceTimes{d.stored, d.seen, d.answered, d.clock, d.facts}
		}
	}
	for _, c := range b.cameras {
		if micros(c.seen) != micros(c.stored) {
			t.cameras[c.id] = cameraTimes{c.stored, c.seen, c.foundAt, c.viewAt, c.schedule.Fact, c.retention, c.facts}
		}
	}
}

// mayWait reports whether what was seen at a time may be kept in memory beside a row of
// the time stored.
func mayWait(stored, seen time.Time) bool {
	since := seen.Sub(stored)
	return !stored.IsZero() && since >= 0 && since < unwrittenMost
}

// asBefore reports whether d says no more than before, but for what moves with the clock.
func (d *device) asBefore(before device) bool {
	now := *d
	if recorderChanged(&protocol.RecorderObservation{Reachable: before.reachable, Clock: before.clock},
		protocol.RecorderObservation{Reachable: now.reachable, Clock: now.clock}) || !sameFacts(before.facts, now.facts) {
		return false
	}
	before.seen, before.answered, before.clock, before.facts, before.stepped = now.seen, now.answered, now.clock, now.facts, now.stepped
	return now.reachable && reflect.DeepEqual(before, now)
}

// asBefore likewise.
func (c *camera) asBefore(before camera) bool {
	now := *c
	a, b := before.retention, now.retention
	deeper := b.ObservedAt.Sub(b.OldestFootage) - a.ObservedAt.Sub(a.OldestFootage)
	if !sameSchedule(before.schedule, now.schedule) || before.schedule.Fact.Source != now.schedule.Fact.Source ||
		!sameRetention(a, b) || a.Fact.Source != b.Fact.Source || a.OldestFootage.IsZero() != b.OldestFootage.IsZero() ||
		deeper.Abs() >= depthNews || !sameFacts(before.facts, now.facts) {
		return false
	}
	before.seen, before.foundAt, before.viewAt, before.schedule, before.retention, before.facts = now.seen, now.foundAt, now.viewAt, now.schedule, now.retention, now.facts
	return reflect.DeepEqual(before, now)
}

// sameFacts leaves out when a value was read, and the words in which it was told: where
// they say another thing, the value is another one.
func sameFacts(a, b facts) bool {
	return maps.EqualFunc(a, b, func(x, y interrogate.Fact) bool {
		x.At, y.At, x.Raw, y.Raw = time.Time{}, time.Time{}, "", ""
		return x == y
	})
}

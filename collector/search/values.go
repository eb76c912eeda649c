package search

import (
	"encoding/binary"
	"math"
	"sync"

	"anagrafe/protocol"
)

// values holds each schedule and each configured retention once, for the cameras
// of a country have few different ones, under a number. Neither has its fact, and
// a retention nothing that was observed.
type values struct {
	mu         sync.RWMutex
	schedules  pool[string, protocol.Schedule]
	retentions pool[protocol.Retention, protocol.Retention]
}

// schedule returns the number of a schedule and itself without its fact. A number
// is held until it is dropped as often as it was given.
func (v *values) schedule(s protocol.Schedule) (uint32, *protocol.Schedule) {
	s.Fact = protocol.Fact{}
	key := scheduleKey(s)
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.schedules.take(key, s)
	return n, v.schedules.at(n)
}

// retention returns the number of a configured retention.
func (v *values) retention(configured protocol.Retention) uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.retentions.take(configured, configured)
}

// drop gives back what a placement holds.
func (v *values) drop(h *placement) {
	if h.version > 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.schedules.drop(h.schedule)
	v.retentions.drop(h.retention)
}

// dropVersions gives back what a site's unpacked cameras hold.
func (v *values) dropVersions(s *site) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range s.versions {
		if m.until != math.MaxInt64 {
			continue // once a camera
		}
		for _, n := range m.numbers {
			v.schedules.drop(n)
		}
	}
}

// pool gives equal values the same number.
type pool[K comparable, V any] struct {
	numbers map[K]uint32
	all     []pooled[K, V] // by number
	free    []uint32       // numbers that are nobody's
}

type pooled[K comparable, V any] struct {
	key   K
	value *V // never changed, so that who has it needs no lock
	uses  int
}

func (p *pool[K, V]) take(k K, v V) uint32 {
	n, ok := p.numbers[k]
	if !ok {
		if last := len(p.free) - 1; last >= 0 {
			n, p.free = p.free[last], p.free[:last]
		} else {
			n, p.all = uint32(len(p.all)), append(p.all, pooled[K, V]{})
		}
		kept := v // v itself would lie on the heap at each call
		p.all[n] = pooled[K, V]{key: k, value: &kept}
		if p.numbers == nil {
			p.numbers = make(map[K]uint32)
		}
		p.numbers[k] = n
	}
	p.all[n].uses++
	return n
}

func (p *pool[K, V]) drop(n uint32) {
	one := &p.all[n]
	if one.uses--; one.uses == 0 {
		delete(p.numbers, one.key)
		*one = pooled[K, V]{}
		p.free = append(p.free, n)
	}
}

func (p *pool[K, V]) at(n uint32) *V { return p.all[n].value }

// scheduleKey is the same for schedules that say the same.
func scheduleKey(s protocol.Schedule) string {
	b := make([]byte, 0, 128)
	text := func(t string) { b = append(binary.AppendUvarint(b, uint64(len(t))), t...) }
	text(string(s.Kind))
	text(string(s.Mode))
	text(s.Zone)
	if s.ZoneAssumed {
		b = append(b, 'z')
	}
	for _, day := range s.Days {
		if day == nil { // no such row is something else than an empty one
			b = append(b, '-')
			continue
		}
		b = binary.AppendUvarint(append(b, '+'), uint64(len(day)))
		for _, i := range day {
			b = binary.AppendVarint(binary.AppendVarint(b, int64(i.From)), int64(i.To))
			text(string(i.Mode))
		}
	}
	for _, p := range s.Suspensions {
		b = binary.AppendVarint(binary.AppendVarint(b, micros(p.From)), micros(p.To))
	}
	return string(b)
}

// configured is a retention without its fact and what was observed.
func configured(r protocol.Retention) protocol.Retention {
	return protocol.Retention{Kind: r.Kind, Age: r.Age, EventAge: r.EventAge}
}

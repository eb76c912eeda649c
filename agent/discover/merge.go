package discover

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// merger makes one device of the sightings that are the same.
type merger struct {
	first     func(Sighting)
	all       []*entry
	endpoints map[string]*entry
	addresses map[netip.Addr][]*entry
	bytes     int // of the texts kept
	numbers   int // given so far
}

type entry struct {
	Sighting
	announced bool
}

// collect merges what is found until the channel is closed. Devices without an
// endpoint, whose port is a guess, or seen by IPv6 alone are announced only after
// quiet, so that one that answers in a better way as well is asked there.
func (m *merger) collect(found <-chan Sighting, quiet time.Duration) {
	m.endpoints, m.addresses = map[string]*entry{}, map[netip.Addr][]*entry{}
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	waiting := true
	for {
		select {
		case s, ok := <-found:
			if !ok {
				m.announce()
				return
			}
			if e := m.add(s); e != nil && (!waiting || e.complete()) {
				m.tell(e)
			}
		case <-timer.C:
			waiting = false
			m.announce()
		}
	}
}

func (m *merger) announce() {
	for _, e := range m.all {
		m.tell(e)
	}
}

func (m *merger) tell(e *entry) {
	if !e.announced {
		e.announced = true
		if m.first != nil {
			m.first(e.Sighting.clone())
		}
	}
}

// add merges one sighting; nil when there is no room for it.
func (m *merger) add(s Sighting) *entry {
	e := m.same(s)
	if e == nil {
		host := s.Address.Addr()
		if len(m.all) == maxSightings || len(m.addresses[host]) == maxPerHost {
			return nil
		}
		if m.bytes > maxBytes { // the device counts, what it says of itself no more
			s.XAddrs, s.Types, s.Scopes = nil, nil, nil
		}
		e = &entry{Sighting: s.clone()}
		m.all = append(m.all, e)
		m.numbers++
		e.Number = m.numbers
		m.addresses[host] = append(m.addresses[host], e)
		m.bytes += e.size()
	} else {
		before := e.size()
		if m.bytes > maxBytes {
			s.XAddrs, s.Types, s.Scopes = nil, nil, nil
		}
		e.merge(s)
		m.bytes += e.size() - before
		if on := m.addresses[s.Address.Addr()]; !slices.Contains(on, e) && len(on) < maxPerHost {
			m.addresses[s.Address.Addr()] = append(on, e) // it answers from several addresses
		}
	}
	if e.Endpoint != "" {
		m.endpoints[e.Endpoint] = e
		m.absorb(e, s.Address.Addr())
	}
	return e
}

// absorb makes e of what was seen on its host without an endpoint before the host
// answered with that of e, if no other device answers there.
func (m *merger) absorb(e *entry, host netip.Addr) {
	on := m.addresses[host]
	if slices.ContainsFunc(on, func(o *entry) bool { return o != e && o.Endpoint != "" }) {
		return
	}
	for _, o := range slices.Clone(on) {
		if o == e || o.Address.Addr() != host || !o.loose() && o.Address != e.Address {
			continue
		}
		if o.announced && !e.announced { // it is being asked already, under that number
			e.announced, e.Number = true, o.Number
		}
		m.bytes -= o.size() + e.size()
		e.merge(o.Sighting)
		m.bytes += e.size()
		m.all = slices.DeleteFunc(m.all, func(x *entry) bool { return x == o })
		m.addresses[host] = slices.DeleteFunc(m.addresses[host], func(x *entry) bool { return x == o })
	}
}

func (e *entry) size() (n int) {
	for _, list := range [][]string{e.XAddrs, e.Types, e.Scopes} {
		for _, s := range list {
			n += len(s) + 16 // and its header
		}
	}
	return n
}

// same finds the device that s is a further sighting of: the one with its
// endpoint; without one, the one at its address, or, if only the host is sure
// (most other ways tell the port of a web page, a target often none), the only
// one on its host. On a host of several it stays on its own: better one entry
// too many than a device lost in another.
func (m *merger) same(s Sighting) *entry {
	if e := m.endpoints[s.Endpoint]; s.Endpoint != "" && e != nil {
		return e
	}
	var onHost *entry
	several := false
	for _, e := range m.addresses[s.Address.Addr()] {
		if s.Endpoint != "" && e.Endpoint != "" {
			continue
		}
		if e.Address == s.Address {
			return e
		}
		if s.loose() || e.loose() {
			several = onHost != nil
			onHost = e
		}
	}
	if several {
		return nil
	}
	return onHost
}

// merge adds what o knows more. A port that the device named beats a guessed one,
// and until the device was announced an IPv4 address beats one of IPv6, by which
// nobody knows a camera. Nothing else moves a device to another host, and another
// host adds none but its own addresses: whoever repeats the endpoint of a camera
// cannot change where the camera is asked.
func (e *entry) merge(o Sighting) {
	sameHost := e.Address.Addr() == o.Address.Addr()
	better := o.Address.Addr().Is4() && !e.Address.Addr().Is4() && !e.announced
	if better && (e.loose() || !o.loose()) || sameHost && e.loose() && !o.loose() {
		e.Address, e.Interface = o.Address, cmp.Or(o.Interface, e.Interface)
	}
	if !sameHost {
		o.XAddrs = slices.DeleteFunc(slices.Clone(o.XAddrs), func(x string) bool { return !namesHost(x, o.Address.Addr()) })
	}
	e.Endpoint = cmp.Or(e.Endpoint, o.Endpoint)
	e.Interface = cmp.Or(e.Interface, o.Interface)
	e.Vendor, e.Model = cmp.Or(e.Vendor, o.Vendor), cmp.Or(e.Model, o.Model)
	e.Serial, e.MAC = cmp.Or(e.Serial, o.Serial), cmp.Or(e.MAC, o.MAC)
	e.Methods = union(e.Methods, o.Methods)
	e.XAddrs = union(e.XAddrs, o.XAddrs)
	e.Types = union(e.Types, o.Types)
	e.Scopes = union(e.Scopes, o.Scopes)
}

// union keeps the order in which things were seen, within maxTexts.
func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if len(a) < maxTexts && !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

func (m *merger) sorted() []Sighting {
	out := make([]Sighting, 0, len(m.all))
	for _, e := range m.all {
		s := e.clone()
		slices.Sort(s.Methods)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Sighting) int {
		return cmp.Or(a.Address.Compare(b.Address), strings.Compare(a.Endpoint, b.Endpoint))
	})
	return out
}

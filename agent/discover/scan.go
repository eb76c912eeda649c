package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of one scan: whoever floods the network can fill neither the memory
// nor the place of the devices on other hosts.
const (
	defaultWindow   = 3 * time.Second
	maxSightings    = 4096
	maxPerHost      = 64 // devices that one address may claim to be
	maxInterfaces   = 32
	announceAt      = 3 // an incomplete sighting waits for window/announceAt
	sightingsQueued = 64
)

// Scan searches until its window has passed, or, with ranges of targets, until
// each of their addresses has been tried. It calls first once for each new
// device as soon as it is seen, never two calls at a time; a first that takes
// long only delays the others. What it gave may later gain methods, scopes and,
// if the device was first seen without, its endpoint and port; its Number
// stays. It gives all sightings, merged and ordered by address.
//
// Bad options are an error before anything is sent. When ctx ends early, or the
// name of a target is not known now, Scan gives what it has found and the error.
func Scan(ctx context.Context, o Options, first func(Sighting)) ([]Sighting, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	window := cmp.Or(o.Window, defaultWindow)
	targets, err := parseTargets(o.Targets)
	if err != nil {
		return nil, err
	}
	targets, unresolved := resolve(ctx, targets)
	on, err := links(o.Interfaces)
	if err != nil {
		return nil, err
	}
	if len(on) == 0 && len(targets) == 0 {
		if unresolved != nil {
			return nil, unresolved
		}
		return nil, fmt.Errorf("no network interface to search: connect this computer to the network of the recorder, name an interface (%s), or give the recorder's address", interfaceNames())
	}
	if len(on) > maxInterfaces {
		o.Log.Warn("more network interfaces than are searched", "searched", maxInterfaces, "present", len(on))
		on = on[:maxInterfaces]
	}

	found := make(chan Sighting, sightingsQueued)
	probers, err := openProbers(on, found, o.Log)
	if err != nil && len(targets) == 0 {
		return nil, err
	}
	var sources sync.WaitGroup
	for _, p := range probers {
		sources.Go(func() { p.run(ctx, window) })
	}
	if len(on) > 0 {
		sources.Go(func() { browse(ctx, on, window, found, o.Log) })
	}
	if len(targets) > 0 {
		sources.Go(func() { searchTargets(ctx, targets, window, found, o.Log) })
	}
	go func() { // ends with the sources; Scan reads until then
		sources.Wait()
		close(found)
	}()
	m := &merger{first: first}
	m.collect(found, window/announceAt)
	return m.sorted(), errors.Join(ctx.Err(), unresolved)
}

// openProbers opens a socket for each network. One that cannot be opened is
// logged; an error is given when none could.
func openProbers(on []link, found chan<- Sighting, log *slog.Logger) ([]*prober, error) {
	var probers []*prober
	var errs []error
	for _, l := range on {
		for _, prefix := range l.prefixes {
			p, err := listenOn(l, prefix.Addr(), found, log)
			if err != nil {
				log.Warn("a network is not searched", "interface", l.Name, "err", err)
				errs = append(errs, err)
				continue
			}
			probers = append(probers, p)
		}
	}
	if len(probers) == 0 {
		return nil, errors.Join(errs...)
	}
	return probers, nil
}

// merger makes one device of the sightings that are the same.
type merger struct {
	first     func(Sighting)
	all       []*entry
	endpoints map[string]*entry
	addresses map[netip.Addr][]*entry
}

type entry struct {
	Sighting
	announced bool
}

// collect merges what is found until the channel is closed. Devices without an
// endpoint, or whose port is a guess, are announced only after quiet, so that one
// that mDNS or the owner named is asked under its endpoint and at its port when
// WS-Discovery finds it as well.
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
			if e := m.add(s); e != nil && (!waiting || e.Endpoint != "" && !e.loose()) {
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
		e = &entry{Sighting: s.clone()}
		m.all = append(m.all, e)
		e.Number = len(m.all)
		m.addresses[host] = append(m.addresses[host], e)
	} else {
		e.merge(s)
		if on := m.addresses[s.Address.Addr()]; !slices.Contains(on, e) && len(on) < maxPerHost {
			m.addresses[s.Address.Addr()] = append(on, e) // it answers from several addresses
		}
	}
	if e.Endpoint != "" {
		m.endpoints[e.Endpoint] = e
	}
	return e
}

// same finds the device that s is a further sighting of: the one with its
// endpoint; without one, the one at its address, or, if only the host is sure
// (mDNS gives the port of a web page, a target often none), on its host.
func (m *merger) same(s Sighting) *entry {
	if e := m.endpoints[s.Endpoint]; s.Endpoint != "" && e != nil {
		return e
	}
	var onHost *entry
	for _, e := range m.addresses[s.Address.Addr()] {
		if s.Endpoint != "" && e.Endpoint != "" {
			continue
		}
		if e.Address == s.Address {
			return e
		}
		if onHost == nil && (s.loose() || e.loose()) {
			onHost = e
		}
	}
	return onHost
}

// loose tells whether the port of a sighting is a guess: the device named no
// address that can be used, and the owner no port.
func (s Sighting) loose() bool {
	if _, _, ok := bestXAddr(s.Address.Addr(), s.XAddrs); ok {
		return false
	}
	return s.Address.Port() == defaultPort || slices.ContainsFunc(s.Methods, func(m Method) bool {
		return strings.HasPrefix(string(m), string(MethodMDNS))
	})
}

// merge adds what o knows more. A port that the device named beats a guessed one.
func (e *entry) merge(o Sighting) {
	if e.loose() && !o.loose() {
		e.Address = o.Address
	}
	if e.Endpoint == "" {
		e.Endpoint = o.Endpoint
	}
	if e.Interface == "" {
		e.Interface = o.Interface
	}
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

func (s Sighting) clone() Sighting {
	s.Methods, s.XAddrs = slices.Clone(s.Methods), slices.Clone(s.XAddrs)
	s.Types, s.Scopes = slices.Clone(s.Types), slices.Clone(s.Scopes)
	return s
}

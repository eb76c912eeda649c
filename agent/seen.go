package main

import (
	"slices"
	"sync"

	"anagrafe/agent/interrogate"
)

// seen are the devices that a running look has met so far, for who waits in front
// of the page. They are recorded all together, at its end: a device that was not
// asked yet would count as silent.
type seen struct {
	mu      sync.Mutex
	devices []interrogate.Device
}

func (s *seen) add(d interrogate.Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = append(s.devices, d)
}

func (s *seen) list() []interrogate.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.devices)
}

func (s *seen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = nil
}

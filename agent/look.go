package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

// lookOptions is what one look at the network needs.
type lookOptions struct {
	interfaces []string
	targets    []string
	window     time.Duration
	memory     interrogate.Memory
	now        func() time.Time         // nil: time.Now
	progress   *progress                // nil: nobody looks
	saw        func(interrogate.Device) // called for each device that has answered, one at a time; may be nil
	log        *slog.Logger
}

// atOnce bounds how many devices are asked at the same time.
const atOnce = 64

// findAndAsk finds the devices and asks each as soon as it is seen: a slow device
// delays nobody. When ctx ends early, or a target's name is not known now, it
// returns what it has with the error.
func findAndAsk(ctx context.Context, o lookOptions) ([]interrogate.Device, error) {
	asker, err := interrogate.New(interrogate.Options{Memory: o.memory, Now: o.now, Log: o.log})
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		found = map[int]interrogate.Device{} // by the sighting's number
		group errgroup.Group
	)
	slots := make(chan struct{}, atOnce)
	sightings, err := discover.Scan(ctx, discover.Options{
		Interfaces: o.interfaces, Targets: o.targets, Window: o.window, Log: o.log,
	}, func(s discover.Sighting) {
		o.progress.sees()
		group.Go(func() error {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done(): // then Ask asks nothing, and gives the device as it was seen
			}
			o.progress.asks()
			defer o.progress.has()
			device := asker.Ask(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			found[s.Number] = device
			if o.saw != nil && (device.Answered || !s.Vague()) {
				o.saw(device)
			}
			return nil
		})
	})
	_ = group.Wait() // the goroutines return no error: what went wrong stands in the Device
	devices := make([]interrogate.Device, 0, len(found))
	for _, s := range sightings {
		device, ok := found[s.Number]
		if !ok || !device.Answered && s.Vague() {
			continue // an address of a range, or a printer, at which there is no camera
		}
		device.Sighting = s // by now merged with the later answers
		devices = append(devices, device)
	}
	if err == nil {
		err = ctx.Err() // it may have ended after the scan, while devices were asked
	}
	return devices, err
}

// look scans the network once and records what it found.
func (s *agent) look(ctx context.Context) error {
	done, err := s.lookAlone(ctx)
	if err != nil {
		return err
	}
	defer done()
	known, err := s.inv.Known(ctx)
	if err != nil {
		return err
	}
	now := s.link.clock()
	s.seen.forget()
	defer s.seen.forget() // by then they are recorded
	devices, err := findAndAsk(ctx, lookOptions{
		saw:        s.seen.add,
		interfaces: s.config.Interfaces, targets: append(known, s.config.Targets...), memory: s.inv, now: now, log: s.log,
	})
	if ctx.Err() != nil {
		return ctx.Err() // who was not asked to the end would count as silent
	}
	err = errors.Join(err, s.inv.Record(ctx, devices, now()))
	return errors.Join(err, s.inv.TellHealth(ctx, s.told(), now()))
}

// lookAlone waits until nobody else asks the devices, and has the others wait until
// done: two looks at a time would try a wrong password twice.
func (s *agent) lookAlone(ctx context.Context) (done func(), err error) {
	select {
	case s.looking <- struct{}{}:
		return func() { <-s.looking }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// asker asks devices, and remembers in memory which passwords they refuse.
func (s *agent) asker(memory interrogate.Memory, now func() time.Time) (*interrogate.Asker, error) {
	return interrogate.New(interrogate.Options{Memory: memory, Now: now, Log: s.log})
}

// partialScan are the devices that a running look has met so far, for the person in front
// of the page. They are recorded all together, at its end: a device that was not
// asked yet would count as silent.
type partialScan struct {
	mu      sync.Mutex
	devices []interrogate.Device
}

func (s *partialScan) add(d interrogate.Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = append(s.devices, d)
}

func (s *partialScan) list() []interrogate.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.devices)
}

func (s *partialScan) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = nil
}

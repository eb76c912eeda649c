package main

import (
	"context"
	"log/slog"
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

// look finds the devices and asks each as soon as it is seen: a slow device
// delays nobody. When ctx ends early, or a target's name is not known now, it
// returns what it has with the error.
func look(ctx context.Context, o lookOptions) ([]interrogate.Device, error) {
	asker := interrogate.New(interrogate.Options{Memory: o.memory, Now: o.now, Log: o.log})
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
			slots <- struct{}{}
			defer func() { <-slots }()
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

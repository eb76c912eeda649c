package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

// listener hears devices announce themselves until ctx ends; discover.Listen,
// or what a test puts in its place.
type listener func(ctx context.Context, o discover.Options, hello func(discover.Sighting), bye func(endpoint string)) error

// hear looks at each device that says Hello, without waiting for the next look
// at all of them. Announcements are claims of whoever sends them: a Hello is
// reason to ask, and what does not answer is not recorded; a Bye changes nothing,
// since the next look finds out by itself who is silent.
func (s *agent) hear(ctx context.Context, listen listener) error {
	g := greetings{wake: make(chan struct{}, 1), waiting: map[string]discover.Sighting{}}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for ctx.Err() == nil {
			err := listen(ctx, discover.Options{Interfaces: s.config.Interfaces, Log: s.log}, g.add, func(endpoint string) {
				s.log.Debug("a device said that it goes", "endpoint", endpoint)
			})
			if ctx.Err() != nil {
				return nil
			}
			s.log.Warn("devices that announce themselves are not heard: they are found at the next look", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(s.config.Every.Duration):
			}
		}
		return nil
	})
	group.Go(func() error {
		g.run(ctx, func(ctx context.Context, said []discover.Sighting) {
			if err := s.lookAt(ctx, said); err != nil && ctx.Err() == nil {
				s.log.Warn("looking at a device that announced itself failed", "err", err)
			}
		})
		return nil
	})
	return group.Wait()
}

// lookAt asks devices that announced themselves, and records those that answer.
func (s *agent) lookAt(ctx context.Context, said []discover.Sighting) error {
	done, err := s.lookAlone(ctx)
	if err != nil {
		return err
	}
	defer done()
	now := s.link.clock()
	asker, err := s.asker(s.inv, now)
	if err != nil {
		return err
	}
	found := make([]interrogate.Device, len(said))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range said {
		group.Go(func() error {
			found[i] = asker.Ask(ctx, said[i])
			return nil
		})
	}
	_ = group.Wait()
	if ctx.Err() != nil {
		return ctx.Err() // an answer that was broken off is no answer
	}
	var answered []interrogate.Device
	for _, d := range found {
		if d.Answered {
			answered = append(answered, d)
		}
	}
	if len(answered) == 0 {
		return nil
	}
	s.log.Info("looked at devices that announced themselves", "said", len(said), "answered", len(answered))
	return s.inv.Record(ctx, answered, now())
}

// How announcements are gathered. A device says Hello as soon as it has an
// address, and more than once; its services may need a moment longer.
const (
	greetingQuiet = 3 * time.Second
	greetingsMost = 256 // devices that wait: a whole site after a power cut
)

// greetings are the devices that said Hello and were not looked at yet.
type greetings struct {
	wake chan struct{} // buffered 1

	mu      sync.Mutex
	waiting map[string]discover.Sighting // by Key
}

// add takes one up and returns at once; one too many is left to the next look.
func (g *greetings) add(s discover.Sighting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.waiting[s.Key()]; !ok && len(g.waiting) >= greetingsMost {
		return
	}
	g.waiting[s.Key()] = s
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run hands over, until ctx ends, what has gathered since the first greeting.
func (g *greetings) run(ctx context.Context, visit func(context.Context, []discover.Sighting)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		}
		quiet := time.NewTimer(greetingQuiet)
		select {
		case <-ctx.Done():
			quiet.Stop()
			return
		case <-quiet.C:
		}
		if said := g.take(); len(said) > 0 {
			visit(ctx, said)
		}
	}
}

func (g *greetings) take() (said []discover.Sighting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.waiting {
		said = append(said, s)
	}
	clear(g.waiting)
	return said
}

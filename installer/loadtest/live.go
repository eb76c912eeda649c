package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// again is the window of the pause after a message that got no answer.
const again = 4 * time.Second

// live has every agent declare now and then, again until it is acknowledged; at
// the end each has nothing unanswered left, and is connected.
func (s *stage) live(ctx context.Context) error {
	f := s.fleet
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	speaking, silence := context.WithCancel(ctx)
	defer silence()
	if s.lasts > 0 {
		defer time.AfterFunc(s.lasts, silence).Stop()
	} else {
		go func() { _, _ = io.Copy(io.Discard, os.Stdin); silence() }() // ends with the program at the latest
	}
	var done atomic.Int64
	var failed failures
	var speakers sync.WaitGroup
	start := time.Now()
	for _, a := range f.agents {
		speakers.Go(func() {
			for pause(speaking, rand.N(2*s.every)) {
				if err := a.persist(ctx, &failed); err != nil {
					stop(fmt.Errorf("agent %d: %w", a.number, err))
					return
				}
				done.Add(1)
			}
		})
	}
	speakers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.result.Live = &phase{Done: int(done.Load()), Seconds: time.Since(start).Seconds(), Failed: failed.take()}
	return f.until(ctx, func(up int) bool { return up == len(f.agents) })
}

// persist delivers one declaration, however long that takes; it gives up what is
// refused for good.
func (a *agent) persist(ctx context.Context, failed *failures) error {
	for {
		err := a.deliver(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !errors.Is(err, errNotConnected) {
			failed.add(err)
		}
		if forGood(err) || !pause(ctx, a.asked(err)+rand.N(again)) {
			return err
		}
	}
}

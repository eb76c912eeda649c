package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

// The windows of the full-jitter back-off are those of package uplink's notice
// stream.
const (
	firstWindow = 5 * time.Second
	mostWindow  = 5 * time.Minute
	mostTries   = 20 // of one step of a phase
)

// backoff gives waits by full jitter: anything up to a window that doubles.
type backoff struct{ window time.Duration }

func (b *backoff) next(err error) time.Duration {
	b.window = min(max(2*b.window, firstWindow), mostWindow)
	return retryAfter(err) + rand.N(b.window)
}

// retryAfter is what the collector asked for; 0: nothing.
func retryAfter(err error) time.Duration {
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return 0
	}
	seconds, err := strconv.Atoi(refused.Meta().Get(protocol.RetryAfterHeader))
	if err != nil {
		return 0
	}
	return min(time.Duration(max(seconds, 0))*time.Second, mostWindow)
}

// pause waits, and reports whether there is reason to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// attempts makes one step of a phase until it succeeds. A refusal that is for
// good is an error at once.
func attempts(ctx context.Context, failed *failures, do func() error) error {
	var b backoff
	for left := mostTries - 1; ; left-- {
		err := do()
		if err == nil || ctx.Err() != nil {
			return err
		}
		failed.add(err)
		if left == 0 || forGood(err) || !pause(ctx, b.next(err)) {
			return err
		}
	}
}

// forGood reports whether the collector has answered with a refusal that is not
// of the moment.
func forGood(err error) bool {
	refused, ok := errors.AsType[*connect.Error](err)
	return ok && refused.Meta().Get(protocol.ReasonHeader) != "" && refused.Meta().Get(protocol.RetryAfterHeader) == ""
}

// failures counts attempts that failed, by what they failed with.
type failures struct {
	mu sync.Mutex
	by map[string]int
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[string]int{}
	}
	f.by[err.Error()]++
}

// take returns the counts, and begins anew.
func (f *failures) take() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	by := f.by
	f.by = nil
	return by
}

package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// freeAfter is how long little must have been done before memory is given back.
	freeAfter = 20 * time.Second
	// littleWork is how much an agent allocates meanwhile that only keeps its line, in bytes.
	littleWork = 256 << 10
)

// freeMemory gives back, until ctx ends, what a look at the recorders or a visit of the
// owner needed, once it is over: on a NAS the agent is a guest, and most of its day
// it waits. What comes next finds it all again within milliseconds.
func freeMemory(ctx context.Context) {
	tick := time.NewTicker(freeAfter)
	defer tick.Stop()
	w := work{busy: true} // the start is work
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.ended(allocated()) {
			debug.FreeOSMemory()
			releaseProgram()
		}
	}
}

// work tells when there was some and is no more.
type work struct {
	busy bool
	done uint64
}

// ended is asked from time to time, with what was allocated up to now, in bytes.
func (w *work) ended(done uint64) bool {
	before := w.busy
	w.busy, w.done = done-w.done > littleWork, done
	return before && !w.busy
}

// allocated is what the program has allocated since its start, in bytes.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

package ingest

import (
	"context"
	"sync"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

// The queue in front of the register.
const (
	queueFew     = 512 // waiting writes that are never too many
	queueMost    = 4096
	queueWait    = 5 * time.Second // longer, and the agent had better come back
	minRetry     = time.Second
	maxRetry     = time.Minute
	firstTaken   = 5 * time.Millisecond // for a write, before any was measured
	newestWeight = 0.05                 // of one write in the mean of what they take
)

// writeQueue counts the writes that the register has not answered yet, and measures
// how fast it answers: a call that would wait too long is told when to come back
// instead.
type writeQueue struct {
	now func() time.Time

	mu      sync.Mutex
	waiting int
	each    time.Duration // that a write takes, when many come together
}

// enter lets a write in, or tells in how long those before it will be done.
// leave is to be called when it is answered.
func (q *writeQueue) enter() (leave func(), retry time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait := time.Duration(q.waiting) * q.each
	if q.waiting >= queueMost || q.waiting >= queueFew && wait > queueWait {
		return nil, min(max(wait, minRetry), maxRetry), false
	}
	q.waiting++
	ahead, start := q.waiting, q.now()
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.waiting--
		// As many as were there when it came were answered since (Little's law).
		took := max(0, q.now().Sub(start)) / time.Duration(ahead)
		q.each += time.Duration(newestWeight * float64(took-q.each))
	}, 0, true
}

func (q *writeQueue) length() float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return float64(q.waiting)
}

// write runs one write of the register in the line.
func (s *Server) write(ctx context.Context, op, agentID string, f func() error) *connect.Error {
	leave, retry, ok := s.writes.enter()
	if !ok {
		return s.busy(retry)
	}
	defer leave()
	if err := f(); err != nil {
		return s.answer(ctx, op, agentID, err)
	}
	return nil
}

// busy is temporary for the agent, and counted apart.
func (s *Server) busy(retry time.Duration) *connect.Error {
	e := s.refuse(reasonBusy, connect.CodeUnavailable, "the collector has too much to do now, nothing was recorded: try again later")
	e.Meta().Set(protocol.ReasonHeader, string(protocol.ReasonTemporary))
	e.Meta().Set(protocol.RetryAfterHeader, seconds(retry))
	return e
}

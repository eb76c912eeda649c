package ingest

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

const (
	// heldOfAgent bounds what one agent takes of MaxHeld: it needs one stream, may
	// have lost others that are not known to be dead yet, and its identity may
	// have been copied with its computer's disk.
	heldOfAgent = 4
	// readmission is how often an agent that is held is admitted again, and
	// sent again what it has not confirmed.
	readmission = 5 * time.Minute
	// shards of the held agents are readmitted one after the other, so that
	// not all of them ask the register at once.
	shards = 1024
	// lookAgain is how soon a notice of another collector on the same register is
	// found when its notification got lost.
	lookAgain = 5 * time.Second
	// parkWindow is how often a parked agent comes: a request to preserve
	// footage that is kept for a day must not be late.
	parkWindow = 6 * time.Hour
)

// held are the agents with an open notice stream. One goroutine wakes them all:
// none has a timer of its own.
type held struct {
	most int

	mu     sync.Mutex
	n      int
	shards [shards]map[string][]*listener // by agent, the oldest first
}

// listener is one notice stream. To be woken is to admit its agent again and to send
// what is new, on a true also what was sent and has not been answered; it is closed
// when newer streams of the agent took its place.
type listener struct{ wake chan bool }

// join adds a stream; nil when there are too many. The oldest of an agent with
// too many ends.
func (h *held) join(agentID string) *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	shard := &h.shards[place(agentID)%shards]
	if *shard == nil {
		*shard = make(map[string][]*listener)
	}
	if all := (*shard)[agentID]; len(all) >= heldOfAgent {
		h.drop(agentID, all[0])
		close(all[0].wake)
	}
	if h.n >= h.most {
		return nil
	}
	h.n++
	l := &listener{wake: make(chan bool, 1)}
	(*shard)[agentID] = append((*shard)[agentID], l)
	return l
}

func (h *held) leave(agentID string, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(agentID, l)
}

// drop forgets a stream, if it is still kept; the caller holds mu.
func (h *held) drop(agentID string, l *listener) {
	shard := h.shards[place(agentID)%shards]
	others := slices.DeleteFunc(slices.Clone(shard[agentID]), func(o *listener) bool { return o == l })
	h.n -= len(shard[agentID]) - len(others)
	if shard[agentID] = others; len(others) == 0 {
		delete(shard, agentID)
	}
}

// tell wakes the streams of an agent for which something new waits.
func (h *held) tell(agentID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.shards[place(agentID)%shards][agentID] {
		l.signal(false)
	}
}

// resend wakes all streams of a shard.
func (h *held) resend(shard int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, all := range h.shards[shard] {
		for _, l := range all {
			l.signal(true)
		}
	}
}

// signal never waits: a listener that is about to look sees this too. The caller holds
// mu, so that nobody else fills what is emptied here.
func (l *listener) signal(resend bool) {
	select {
	case before := <-l.wake:
		resend = resend || before
	default:
	}
	l.wake <- resend
}

// place spreads agents evenly, and the same on all collectors.
func place(agentID string) uint64 {
	f := fnv.New64a()
	_, _ = f.Write([]byte(agentID))
	return f.Sum64()
}

// slot is how long a parked agent stays away: until its own moment in the
// window, which the others share evenly. One that comes a little before its
// moment is not called back for it.
func slot(agentID string, now time.Time, window time.Duration) time.Duration {
	own := time.Duration(place(agentID) % uint64(window))
	after := own - time.Duration(now.UnixNano()%int64(window))
	if after < 0 {
		after += window
	}
	if after < window/8 {
		after += window
	}
	return after
}

// Notify wakes the held agents because something was queued in the register. It
// returns at once.
func (s *Server) Notify() {
	select {
	case s.queued <- struct{}{}:
	default: // told already
	}
}

// Readmit has an agent, which may have been revoked, admitted anew: its streams end if
// it is refused. It returns at once.
func (s *Server) Readmit(agentID string) { s.held.tell(agentID) }

// Watch wakes the streams until ctx ends. Run calls it; a caller that serves the
// Handler without Run has to.
func (s *Server) Watch(ctx context.Context) error {
	look, again := time.NewTicker(s.look), time.NewTicker(max(s.recheck/shards, 1))
	defer look.Stop()
	defer again.Stop()
	var last int64
	for shard := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			s.held.resend(shard)
			shard = (shard + 1) % shards
			continue
		case <-s.queued:
		case <-look.C:
		}
		agents, newest, err := s.o.Register.Noticed(ctx, last)
		if err != nil {
			if ctx.Err() == nil {
				s.log.WarnContext(ctx, "what was queued for agents cannot be read: trying again", "err", err, "in", s.look)
			}
			continue
		}
		last = newest
		for _, id := range agents {
			s.held.tell(id)
		}
	}
}

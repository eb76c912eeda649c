package uplink

import (
	"context"
	"sync"
	"time"

	"anagrafe/protocol/wire"
)

// A parked agent has no standing connection: it comes back at the slot that the
// collector gave, or as soon as there is something to send.
const (
	leastSlot = time.Minute
	mostSlot  = 24 * time.Hour
)

// parking closes the connection of a parked agent when nobody uses it.
type parking struct {
	rest func()        // closes what is open; the next call dials again
	wake chan struct{} // buffered 1: the agent is up, and may look for notices before its slot

	mu     sync.Mutex
	calls  int
	parked bool
	again  time.Time     // before it, nothing wakes
	visits chan struct{} // closed when parked ends
}

func newParking(rest func()) *parking {
	p := &parking{rest: rest, wake: make(chan struct{}, 1), visits: make(chan struct{})}
	close(p.visits)
	return p
}

// visit returns what is closed once the agent asks for notices again, which is now if it
// is not parked.
func (p *parking) visit() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.visits
}

// begin and end stand around whatever uses the line.
func (p *parking) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
}

func (p *parking) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls--
	if p.parked && p.calls == 0 {
		p.rest() // with mu held: who begins now dials anew, and loses no call
	}
}

// park is called by who still uses the line: it closes with the last end. Until
// again, deliveries go out without a look for notices: replies to those that
// came just now would otherwise ask for the next ones at once.
func (p *parking) park(again time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.parked {
		p.visits = make(chan struct{})
	}
	p.parked, p.again = true, again
	select {
	case <-p.wake: // of before
	default:
	}
}

func (p *parking) unpark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parked {
		close(p.visits)
	}
	p.parked = false
}

// up has a parked agent look for notices beside what it has to send.
func (p *parking) up(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.parked || now.Before(p.again) {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// resting reports whether the agent is parked and has nothing under way.
func (p *parking) resting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parked && p.calls == 0
}

// slotOf reads when the collector wants a parked agent back.
func (u *Uplink) slotOf(p *wire.Park) time.Duration {
	// In seconds first: as a Duration a wild number would wrap.
	seconds := min(max(p.GetAfterSeconds(), 0), int64(mostSlot/time.Second))
	return max(time.Duration(seconds)*time.Second, u.pace.slot)
}

// waitParked waits for the slot, or for what wakes. The collector spreads the
// slots; the jitter is for those that it parked in one breath.
func (u *Uplink) waitParked(ctx context.Context, l *line, slot time.Duration) {
	slot += u.o.Jitter(slot/10 + 1)
	u.parkedUntil(u.now().Add(slot))
	u.log.InfoContext(ctx, "parked by the collector", "for", slot)
	t := time.NewTimer(slot)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-l.parking.wake:
	case <-t.C:
	}
}

// parkedUntil notes in the status that the agent is parked, or held (zero).
func (u *Uplink) parkedUntil(slot time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.NextSlot = slot
	u.status.Parked = !slot.IsZero()
}

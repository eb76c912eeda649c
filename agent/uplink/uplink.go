package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/protocol"
)

// Outbox is the queue of messages to send; package inventory implements it. Its
// methods may be called concurrently.
type Outbox interface {
	// Next returns the oldest waiting message that this agent may send, or ok=false.
	// Messages of a site come in the order of writing.
	Next(ctx context.Context, agentID string) (id, siteID string, message []byte, ok bool, err error)
	// Acknowledge records that the collector has durably recorded the bytes that the
	// receipt names. transport is "h3" or "h2".
	Acknowledge(ctx context.Context, receipt protocol.Receipt, transport string) error
	// Reject records that the collector refused the message for good; why begins with
	// the Reason's word and a colon, and is for the owner.
	Reject(ctx context.Context, id string, why string) error
	// Recorded returns, by site, the newest acknowledged message since the site's last
	// withdrawal; "": none.
	Recorded(ctx context.Context) (map[string]string, error)
	// Recall queues a message again, in its old place, that the collector acknowledged
	// and no longer knows. It is no error if it waits already.
	Recall(ctx context.Context, id string) error
	// Waiting is signalled (buffered 1) whenever a message is added.
	Waiting() <-chan struct{}
	// Unhurried is signalled (buffered 1) instead for a message without news: a parked
	// agent sends it when it connects in any case.
	Unhurried() <-chan struct{}
}

// Options are what main gives to an Uplink.
type Options struct {
	Identity *Identity // nil: Run waits for Use, after an enrolment
	Outbox   Outbox
	// Keep stores a notice and returns nil once it is durable; after an error the
	// collector sends it again. The same one may come more than once. nil: notices are
	// only logged.
	Keep    func(context.Context, protocol.Notice) error
	Park    bool         // the owner wants no standing connection
	Version string       // the agent's version, reported to the collector
	Log     *slog.Logger // nil: discarded
	// WrapTransport lets a test see the requests before they are encrypted;
	// nil in production.
	WrapTransport func(http.RoundTripper) http.RoundTripper
	Now           func() time.Time // nil: time.Now
	// Jitter gives the length of a wait within a window, from 0 up to it; nil:
	// at random, so that agents that fail together do not come back together.
	Jitter func(window time.Duration) time.Duration
}

// Status is the present state of the connection.
type Status struct {
	AgentID          string    // "" before the enrolment
	Collector        string    // https://host:port
	Transport        string    // "h3", "h2"; "": not connected
	ConnectedAt      time.Time // since when Transport holds
	Parked           bool      // there is no standing connection, by the owner's or the collector's choice
	NextSlot         time.Time // when a parked agent connects again, if it has nothing to send before
	LastAcknowledged time.Time // zero: nothing since the start
	LastReason       Reason    // of LastError
	LastError        string    // "" when the last call succeeded
	CertificateUntil time.Time
	Clock            Clock
}

// Uplink delivers one agent's outbox.
type Uplink struct {
	o         Options
	log       *slog.Logger
	now       func() time.Time
	steady    func() time.Duration // by the monotonic clock
	transport transportOptions     // but its clock and tickets
	pace      pace
	changed   chan struct{} // signalled, buffered 1, when identity is another

	mu       sync.Mutex
	identity *Identity
	line     *line                  // of the session under way; nil: none
	tickets  tls.ClientSessionCache // of identity alone: a resumed session shows its certificate
	status   Status
}

// pace are the windows of the full-jitter back-off, and other patience.
type pace struct {
	deliver, deliverMost time.Duration
	listen, listenMost   time.Duration
	renew, renewMost     time.Duration
	look                 time.Duration // see lookAround
	slot                 time.Duration // the shortest that a parked agent stays away
	refused              time.Duration // when the collector refuses the agent itself
	maps                 time.Duration // how long somebody who looks at a page waits for the map
}

// New makes an Uplink; nothing is dialled before Run.
func New(o Options) *Uplink {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.N
	}
	u := &Uplink{o: o, log: o.Log, now: o.Now, changed: make(chan struct{}, 1), pace: pace{
		deliver: time.Second, deliverMost: 5 * time.Minute,
		// A collector that restarts has all its agents back within the first
		// window, not at once.
		listen: 5 * time.Second, listenMost: 5 * time.Minute,
		renew: time.Minute, renewMost: time.Hour,
		look: lookAround, slot: leastSlot, refused: 15 * time.Minute, maps: mapTimeout,
	}}
	started := time.Now()
	u.steady = func() time.Duration { return time.Since(started) }
	u.set(o.Identity)
	return u
}

// Use switches the uplink to another identity, after an enrolment; calls under way are
// cancelled and sent again.
func (u *Uplink) Use(id *Identity) {
	u.set(id)
	select {
	case u.changed <- struct{}{}:
	default: // already signalled
	}
}

func (u *Uplink) set(id *Identity) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.identity, u.tickets = id, tls.NewLRUClientSessionCache(4)
	if id != nil {
		u.status.AgentID, u.status.Collector, u.status.CertificateUntil = id.AgentID, id.Collector, id.Until()
	}
}

// Status returns the present status.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status
}

// Run delivers until ctx ends, and returns when all its goroutines have ended.
// Failures of the network or the collector are no error of Run.
func (u *Uplink) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		u.mu.Lock()
		id, tickets := u.identity, u.tickets
		u.mu.Unlock()
		if id == nil {
			select {
			case <-ctx.Done():
			case <-u.changed:
			}
			continue
		}
		if err := u.session(ctx, id, tickets); err != nil {
			return err
		}
	}
	return nil
}

// errChanged ends a session whose identity is no longer the one in use.
var errChanged = errors.New("the identity has changed")

// session works with one identity, over one transport, until either changes.
func (u *Uplink) session(ctx context.Context, id *Identity, tickets tls.ClientSessionCache) error {
	options := u.transport
	options.now, options.tickets = u.now, tickets
	l, err := newLine(id.Collector, id.trust(), lineOptions{transportOptions: options, wrap: u.watched, rested: u.off})
	if err != nil {
		return err
	}
	defer l.transport.close()
	u.open(l)
	defer u.open(nil)
	defer u.disconnected()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		select {
		case <-u.changed:
			return errChanged
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error { u.deliverAll(ctx, l, id.AgentID); return nil })
	g.Go(func() error { u.listen(ctx, l); return nil })
	g.Go(func() error { u.renewInTime(ctx, l, id); return nil })
	g.Go(func() error { return u.stayAwake(ctx, l) })
	switch err := g.Wait(); {
	case errors.Is(err, errChanged), errors.Is(err, errSlept), errors.Is(err, errMoved):
		return nil
	default:
		return err
	}
}

// open has what pages ask for go over a line; nil: there is none now.
func (u *Uplink) open(l *line) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.line = l
}

// watched has each answer tell the collector's time.
func (u *Uplink) watched(rt http.RoundTripper) http.RoundTripper {
	if u.o.WrapTransport != nil {
		rt = u.o.WrapTransport(rt)
	}
	return compared{rt, u.now, func(c Clock) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if c.Wrong() && !u.status.Clock.Wrong() {
			u.log.Warn("this machine's clock is wrong", "ahead", c.Offset)
		}
		u.status.Clock = c
	}}
}

// succeeded notes an answer, and the protocol that it came by.
func (u *Uplink) succeeded(via string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.connected(via)
	u.status.LastError, u.status.LastReason = "", ""
}

// failed notes and logs an error. One that the collector gave came over a
// line that works.
func (u *Uplink) failed(e *Error, via string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch e.Reason {
	case Unreachable, ServerUntrusted, CertificateRefused, ProxyRefused:
		u.status.Transport, u.status.ConnectedAt = "", time.Time{}
	default:
		u.connected(via)
	}
	if u.status.LastError != e.Error() { // one line each time it changes, not each attempt
		u.log.Warn("line to the collector", "reason", e.Reason, "err", e)
	}
	u.status.LastError, u.status.LastReason = e.Error(), e.Reason
}

// connected is called with mu held.
func (u *Uplink) connected(via string) {
	if via != u.status.Transport && via != "" {
		u.status.Transport, u.status.ConnectedAt = via, u.now()
	}
}

// off notes that there is no connection now.
func (u *Uplink) off() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.Transport, u.status.ConnectedAt = "", time.Time{}
}

// disconnected notes the end of a session.
func (u *Uplink) disconnected() {
	u.off()
	u.parkedUntil(time.Time{})
}

// backoff gives waits by full jitter: anything up to a window that doubles.
type backoff struct {
	first, most time.Duration
	jitter      func(time.Duration) time.Duration
	window      time.Duration
}

// next returns the wait before the next attempt. after is what the collector
// asked for, to which the jitter is added.
func (b *backoff) next(after time.Duration) time.Duration {
	b.window = min(max(2*b.window, b.first), b.most)
	return after + b.jitter(b.window) + 1
}

func (b *backoff) reset() { b.window = 0 }

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

package uplink

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// listen keeps the notice stream open until ctx ends, or opens it at the slots
// that the collector gives. It is also what keeps the connection warm and tells
// the owner that the line works.
func (u *Uplink) listen(ctx context.Context, l *line) {
	b := backoff{first: u.pace.listen, most: u.pace.listenMost, jitter: u.o.Jitter}
	for ctx.Err() == nil {
		slot, failure := u.stream(ctx, l)
		switch {
		case ctx.Err() != nil:
			return
		case slot > 0:
			b.reset()
			u.waitParked(ctx, l, slot)
		case failure == nil: // the collector restarts, or QUIC is due again
			b.reset()
			pause(ctx, b.next(0))
		default:
			pause(ctx, u.wait(l, failure, &b))
		}
	}
}

// stream opens the notice stream once and reads it to its end; nil means that
// nothing went wrong. A slot above 0 means that the collector has parked this
// agent for so long.
func (u *Uplink) stream(ctx context.Context, l *line) (slot time.Duration, _ *Error) {
	const what = "listen for notices"
	l.parking.begin()
	defer l.parking.end()
	l.parking.unpark()
	u.parkedUntil(time.Time{})
	var via taken
	sctx, cancel := context.WithCancel(recordVia(ctx, &via))
	defer cancel()
	stream, err := l.delivery.Notices(sctx, connect.NewRequest(&wire.NoticesRequest{AgentVersion: u.o.Version, Park: u.o.Park}))
	if err != nil {
		return 0, u.broken(ctx, what, err, &via)
	}
	defer stream.Close()

	var due atomic.Bool
	if stream.ResponseHeader().Get(protocol.NoticesHeader) != "" { // waits for the headers
		u.succeeded(via.name())
		if via.name() == viaH2 {
			// The stream ends when QUIC is due again, so that the next one
			// tries it.
			timer := time.AfterFunc(max(l.transport.udpAgainAt().Sub(u.now()), 0), func() { due.Store(true); cancel() })
			defer timer.Stop()
		}
		if failure := u.resume(ctx, l); failure != nil {
			if ctx.Err() == nil {
				u.failed(failure, via.name())
			}
			return 0, failure
		}
	}
	for stream.Receive() {
		if p := stream.Msg().GetPark(); p != nil {
			l.parking.park(u.now().Add(u.pace.slot))
			return u.slotOf(p), nil
		}
		if failure := u.notice(ctx, stream.Msg(), &via); failure != nil {
			return 0, failure
		}
	}
	if err := stream.Err(); err != nil && !due.Load() {
		return 0, u.broken(ctx, what, err, &via)
	}
	return 0, nil
}

// resume asks, whenever the line is new, whether the collector still knows
// what it has acknowledged: it may be another one since, restored from a
// backup, and a site that has nothing more to say would never find out. What
// it has forgotten is sent again.
func (u *Uplink) resume(ctx context.Context, l *line) *Error {
	const what = "compare the outbox with the collector"
	recorded, err := u.o.Outbox.Recorded(ctx)
	if err != nil {
		return newError(protocol.ReasonTemporary, err, what)
	}
	for _, siteID := range slices.Sorted(maps.Keys(recorded)) {
		after := recorded[siteID]
		if after == "" {
			continue
		}
		failure := u.knows(ctx, l, siteID, after)
		switch {
		case failure == nil || failure.Reason == protocol.ReasonNotGranted: // a site that was withdrawn is granted no more
		case failure.Reason == protocol.ReasonBehind:
			if err := u.o.Outbox.Recall(ctx, after); err != nil {
				return newError(protocol.ReasonTemporary, err, what)
			}
		default:
			return failure
		}
	}
	return nil
}

// knows asks whether a site's message is recorded.
func (u *Uplink) knows(ctx context.Context, l *line, siteID, after string) *Error {
	var via taken
	cctx, cancel := context.WithTimeout(recordVia(ctx, &via), callTimeout)
	defer cancel()
	_, err := l.delivery.GetSite(cctx, connect.NewRequest(&wire.GetSiteRequest{SiteId: siteID, After: after}))
	if err != nil {
		return explain("compare the outbox with the collector", err)
	}
	return nil
}

// broken notes why a call failed, unless we broke it off ourselves.
func (u *Uplink) broken(ctx context.Context, what string, err error, via *taken) *Error {
	if ctx.Err() != nil {
		return nil
	}
	e := explain(what, err)
	u.failed(e, via.name())
	return e
}

// notice hands a notice on, to be kept and shown. Nothing that a collector sends
// makes an agent scan, read or send anything. One that cannot be kept breaks the
// stream, so that it comes again.
func (u *Uplink) notice(ctx context.Context, w *wire.Notice, via *taken) *Error {
	if w.GetRevocation() != nil {
		u.failed(newError(protocol.ReasonRevoked, nil, "the municipality has revoked this agent's right to send"), via.name())
		return nil
	}
	n, err := protocol.NoticeFromWire(w)
	if err != nil {
		// Of a kind that a newer version has, or wrong: asking again mends neither.
		u.log.WarnContext(ctx, "a notice that this version does not understand was left out", "notice", w.GetId(), "err", err)
		return nil
	}
	u.log.InfoContext(ctx, "notice from the collector", "notice", n.ID, "site", n.SiteID)
	if u.o.Keep == nil {
		return nil
	}
	if err := written(ctx, func(ctx context.Context) error { return u.o.Keep(ctx, n) }); err != nil {
		e := newError(protocol.ReasonTemporary, err, "keep a notice")
		u.failed(e, via.name())
		return e
	}
	return nil
}

// wait is how long to leave a line alone after a failure. Where the collector said that
// it cannot work now, another of its hosts perhaps can.
func (u *Uplink) wait(l *line, e *Error, b *backoff) time.Duration {
	after := e.after
	if e.Reason == protocol.ReasonTemporary && after > 0 && l.transport.elsewhere() {
		after = 0
	}
	d := b.next(after)
	if e.refusesAgent() {
		// Only a person can change that: ask seldom.
		d += u.pace.refused / 2
	}
	return d
}

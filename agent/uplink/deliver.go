package uplink

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// noteTimeout is for writing down what the collector said, also while the
// agent is being stopped.
const noteTimeout = 10 * time.Second

// deliverAll sends what waits, one message at a time, so that the order of
// each site holds, until ctx ends.
func (u *Uplink) deliverAll(ctx context.Context, l *line, agentID string) {
	b := attempts{backoff: backoff{first: u.pace.deliver, most: u.pace.deliverMost, jitter: u.o.Jitter}}
	b.recalls = b.backoff
	for ctx.Err() == nil {
		if wait := u.deliverWaiting(ctx, l, agentID, &b); wait > 0 {
			pause(ctx, wait)
			continue
		}
		u.awaitWork(ctx, l)
	}
}

// awaitWork waits until there may be something to deliver.
func (u *Uplink) awaitWork(ctx context.Context, l *line) {
	var visit <-chan struct{} // nil: nothing waits for the next one
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.o.Outbox.Waiting():
			return
		case <-u.o.Outbox.Unhurried():
			visit = l.parking.visit()
		case <-visit:
			return
		}
	}
}

// deliverWaiting sends all that waits, on one connection. It gives how long to
// wait before going on; 0 when nothing is left.
func (u *Uplink) deliverWaiting(ctx context.Context, l *line, agentID string, b *attempts) time.Duration {
	l.parking.begin()
	defer l.parking.end()
	for {
		id, siteID, message, ok, err := u.o.Outbox.Next(ctx, agentID)
		if ctx.Err() != nil || err == nil && !ok {
			return 0
		}
		var recorded map[string]string
		if err == nil {
			recorded, err = u.o.Outbox.Recorded(ctx)
		}
		if err != nil {
			u.failed(newError(protocol.ReasonTemporary, err, "read the outbox"), "")
			return b.next(0)
		}
		l.parking.up(u.now())
		if wait := u.deliverOne(ctx, l, outgoing{id, siteID, recorded[siteID], message}, b); wait > 0 {
			return wait
		}
	}
}

// attempts are the pauses between them: of a line that fails, and of a
// collector that forgets what it acknowledges.
type attempts struct {
	backoff
	recalls  backoff
	recalled string // id of the last message that was sent again
}

// outgoing is a message on its way.
type outgoing struct {
	id      string
	siteID  string
	after   string // id of the newest message of its site that is acknowledged; "": none
	message []byte
}

// deliverOne makes one attempt and writes down its outcome. It gives how long
// to wait before the next one; 0 when this message is done.
func (u *Uplink) deliverOne(ctx context.Context, l *line, m outgoing, b *attempts) time.Duration {
	receipt, via, failure := u.send(ctx, l, m)
	if failure == nil {
		u.mu.Lock()
		u.status.LastAcknowledged = u.now()
		u.mu.Unlock()
		u.succeeded(via)
		err := written(ctx, func(ctx context.Context) error {
			return u.o.Outbox.Acknowledge(ctx, receipt, via)
		})
		if err != nil {
			// It will go out again, and be known there.
			u.failed(newError(protocol.ReasonTemporary, err, "note in the outbox that a message was recorded"), via)
			return b.next(0)
		}
		u.log.InfoContext(ctx, "message acknowledged", "message", m.id, "transport", via, "duplicate", receipt.Duplicate)
		b.reset()
		return 0
	}
	if ctx.Err() != nil {
		return b.next(0) // broken off by us: no fault of the line
	}
	if failure.Reason == protocol.ReasonBehind && m.after != "" {
		return u.recall(ctx, m.after, b)
	}
	u.failed(failure, via)
	if !failure.refusesMessage() {
		return u.wait(l, failure, &b.backoff)
	}
	why := string(failure.Reason) + ": " + failure.why()
	if err := written(ctx, func(ctx context.Context) error { return u.o.Outbox.Reject(ctx, m.id, why) }); err != nil {
		u.failed(newError(protocol.ReasonTemporary, err, "note in the outbox that a message was refused"), via)
		return b.next(0)
	}
	u.log.WarnContext(ctx, "message refused", "message", m.id, "reason", failure.Reason)
	b.reset()
	return 0
}

// recall has a message sent again that the collector acknowledged and has
// forgotten: it was restored from a backup. It gives how long to wait before
// going on: a collector that forgets all it is told, the same message again and
// again, gets no storm of messages.
func (u *Uplink) recall(ctx context.Context, id string, b *attempts) time.Duration {
	u.log.WarnContext(ctx, "the collector has forgotten a message, which is sent again", "message", id)
	if err := written(ctx, func(ctx context.Context) error { return u.o.Outbox.Recall(ctx, id) }); err != nil {
		u.failed(newError(protocol.ReasonTemporary, err, "note in the outbox that a message must be sent again"), "")
		return b.next(0)
	}
	if id != b.recalled {
		b.recalled = id
		b.recalls.reset()
	}
	return b.recalls.next(0)
}

// send makes the call, and believes a receipt only if it is for these bytes.
func (u *Uplink) send(ctx context.Context, l *line, m outgoing) (protocol.Receipt, string, *Error) {
	const what = "deliver a message"
	if len(m.message) > protocol.MaxMessage {
		return protocol.Receipt{}, "", newError(protocol.ReasonTooLarge, fmt.Errorf("it is %d bytes long, at most %d are allowed", len(m.message), protocol.MaxMessage), what)
	}
	var via taken
	ctx, cancel := context.WithTimeout(recordVia(ctx, &via), callTimeout)
	defer cancel()
	resp, err := l.delivery.Deliver(ctx, connect.NewRequest(&wire.DeliverRequest{Message: m.message, After: m.after}))
	if err != nil {
		return protocol.Receipt{}, via.name(), explain(what, err)
	}
	receipt, err := l.receipt(m, resp.Msg.GetReceipt())
	if err != nil {
		return protocol.Receipt{}, via.name(), newError(UnexpectedAnswer, err, what)
	}
	return receipt, via.name(), nil
}

// written calls f with a context that outlives the stop of the agent: what
// the collector said is not asked for twice without need.
func written(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	return f(ctx)
}

package ingest

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// Notices hands down what waits for an agent, then what comes. The stream stays
// open until the agent leaves, loses its right, or the collector stops; then it
// ends without error, and the agent comes back. An agent that does not want to
// be held, or for which there is no room, is parked: it gets what waits, and
// when to come again.
func (s delivery) Notices(ctx context.Context, req *connect.Request[wire.NoticesRequest], stream *connect.ServerStream[wire.Notice]) error {
	agentID, refused := s.admit(ctx, opNotices, 0)
	if refused != nil {
		return refused
	}
	line := noticeLine{s.Server, callerOf(ctx), agentID, stream, nil}
	// Before it looks at what waits: what is queued after the look knocks.
	var l *listener
	if !req.Msg.GetPark() {
		l = s.held.join(agentID)
	}
	if l != nil {
		defer s.held.leave(agentID, l)
	}
	stream.ResponseHeader().Set(protocol.NoticesHeader, "open")
	if err := stream.Send(nil); err != nil { // the headers: the agent knows that it is heard
		return err
	}
	if err := line.handDown(ctx); err != nil {
		return err
	}
	if l == nil {
		return line.park()
	}
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.stopping:
			return nil
		case resend, kept := <-l.wake:
			if !kept {
				return nil
			}
			if _, refused := s.admit(ctx, opNotices, 0); refused != nil {
				return line.end(refused)
			}
			if resend {
				line.sent = nil // what it has not said to have received by now may have got lost
			}
			if err := line.handDown(ctx); err != nil {
				return err
			}
		}
	}
}

const opNotices = "notices"

// noticeLine is one open stream.
type noticeLine struct {
	s       *Server
	c       caller
	agentID string
	stream  *connect.ServerStream[wire.Notice]
	sent    map[string]bool // notices sent on it that still wait for their "received"
}

// handDown sends what waits and was not sent yet.
func (l *noticeLine) handDown(ctx context.Context) error {
	before := l.sent
	l.sent = make(map[string]bool)
	for after := int64(0); ; {
		page, next, err := l.s.o.Register.Waiting(ctx, l.agentID, l.s.now(), after)
		if err != nil {
			return l.s.answer(ctx, opNotices, l.agentID, err)
		}
		if len(page) > 0 {
			if err := l.c.deadlines(l.s.timeout); err != nil {
				return err
			}
		}
		for _, n := range page {
			l.sent[n.ID] = true
			if before[n.ID] {
				continue
			}
			if err := l.send(ctx, n); err != nil {
				return err
			}
		}
		if next == 0 {
			return l.c.deadlines(0) // between notices there may be months
		}
		after = next
	}
}

func (l *noticeLine) send(ctx context.Context, n protocol.Notice) error {
	w, err := protocol.NoticeToWire(n)
	if err != nil { // of no use to anybody, and the others must not wait for it
		l.s.log.ErrorContext(ctx, "a notice cannot be handed down", "notice", n.ID, "err", err)
		return nil
	}
	if err := l.stream.Send(w); err != nil {
		return err
	}
	l.s.metrics.handedDown.Inc()
	return nil
}

// park ends a stream by telling the agent when to come again.
func (l *noticeLine) park() error {
	if err := l.c.deadlines(l.s.timeout); err != nil {
		return err
	}
	now := l.s.now()
	after := slot(l.agentID, now, l.s.window)
	l.s.metrics.parked.Inc()
	return l.stream.Send(&wire.Notice{At: timestamppb.New(now), Body: &wire.Notice_Park{Park: &wire.Park{AfterSeconds: int64(after / time.Second)}}})
}

// end tells an agent why its stream ends.
func (l *noticeLine) end(why *connect.Error) error {
	if err := l.c.deadlines(l.s.timeout); err != nil {
		return err
	}
	if protocol.Reason(why.Meta().Get(protocol.ReasonHeader)) == protocol.ReasonRevoked {
		notice := &wire.Notice{Id: uuid.NewString(), At: timestamppb.New(l.s.now()),
			Body: &wire.Notice_Revocation{Revocation: &wire.Revocation{Reason: why.Message()}}}
		if err := l.stream.Send(notice); err != nil {
			return err
		}
	}
	return why
}

package ingest

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

type noticeStream = connect.ServerStreamForClient[wire.Notice]

// listen opens the stream and waits until the server has heard it.
func listen(t *testing.T, c client) *noticeStream { return listenAs(t, c, false) }

func listenAs(t *testing.T, c client, park bool) *noticeStream {
	t.Helper()
	stream, err := c.delivery.Notices(t.Context(), connect.NewRequest(&wire.NoticesRequest{AgentVersion: "1", Park: park}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	if len(stream.ResponseHeader()) == 0 {
		stream.Receive()
		t.Fatalf("no headers: %v", stream.Err())
	}
	return stream
}

// hears waits for the next notice, which must be that one.
func hears(t *testing.T, stream *noticeStream, id string) {
	t.Helper()
	if !stream.Receive() {
		t.Fatalf("no notice: %v", stream.Err())
	}
	if got := stream.Msg(); got.GetId() != id || got.GetReminder() == nil {
		t.Fatalf("notice %v, want %s", got, id)
	}
}

// TestNoticesAreHandedDown: what waits first, then what comes, over both
// transports, each once on one stream; to the agent it is for alone, on each
// of its streams.
func TestNoticesAreHandedDown(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, func(s *Server) { s.look = time.Hour })
			a, cert, _ := r.agent(t, time.Now())
			b, other, _ := r.agent(t, time.Now())
			first := r.register.notice(a)
			stream, twin := listen(t, r.dial(t, transport, cert)), listen(t, r.dial(t, transport, cert))
			foreign := listen(t, r.dial(t, transport, other))
			hears(t, stream, first)
			hears(t, twin, first)
			second := r.register.notice(a)
			r.Notify()
			hears(t, stream, second)
			hears(t, twin, second)
			both := r.register.notice(a, b) // two agents of one site
			r.Notify()
			hears(t, foreign, both)
			hears(t, stream, both)
			hears(t, twin, both)
			// Each is counted when it was sent: it may be here first.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for r.count(t, "notices_handed_down_total", "") < 7 && ctx.Err() == nil {
				runtime.Gosched()
			}
			if n := r.count(t, "notices_handed_down_total", ""); n != 7 {
				t.Errorf("%v notices counted", n)
			}
			if n := r.count(t, "notice_streams_open", ""); n != 3 {
				t.Errorf("%v agents held", n)
			}
		})
	}
}

// TestManyNotices: all that waits is handed down at once, however many pages it is, to
// who stays and to who is parked, and what comes then is no repetition of it.
func TestManyNotices(t *testing.T) {
	r := start(t, func(s *Server) { s.look = time.Hour })
	id, cert, _ := r.agent(t, time.Now())
	var all []string
	for range 5 {
		all = append(all, r.register.notice(id))
	}
	c := r.dial(t, "h3", cert)
	held, parked := listen(t, c), listenAs(t, c, true)
	for _, n := range all {
		hears(t, held, n)
		hears(t, parked, n)
	}
	if !parked.Receive() || parked.Msg().GetPark() == nil {
		t.Errorf("after them: %v, %v", parked.Msg(), parked.Err())
	}
	last := r.register.notice(id)
	r.Notify()
	hears(t, held, last)
}

// TestNoticesOfAnotherCollector: what nobody told this one of is found.
func TestNoticesOfAnotherCollector(t *testing.T) {
	r := start(t, func(s *Server) { s.look = time.Millisecond })
	id, cert, _ := r.agent(t, time.Now())
	stream := listen(t, r.dial(t, "h3", cert))
	hears(t, stream, r.register.notice(id))
}

// TestNoticesUntilReceived: an agent that did not say to have received a notice
// is told again, on the same stream and on the next; then no more.
func TestNoticesUntilReceived(t *testing.T) {
	r := start(t, func(s *Server) { s.recheck, s.look = time.Millisecond, time.Hour })
	id, cert, _ := r.agent(t, time.Now())
	n := r.register.notice(id)
	c := r.dial(t, "h3", cert)
	stream := listen(t, c)
	hears(t, stream, n)
	hears(t, stream, n)
	again := listen(t, c)
	hears(t, again, n)
	r.register.receive(id)
	next := r.register.notice(id)
	r.Notify()
	for {
		if !again.Receive() {
			t.Fatal(again.Err())
		}
		if got := again.Msg().GetId(); got == next {
			break
		} else if got != n { // those on their way
			t.Fatalf("notice %s", got)
		}
	}
	hears(t, again, next)
}

func TestNoticesEndWithTheServer(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			_, cert, _ := r.agent(t, time.Now())
			stream := listen(t, r.dial(t, transport, cert))
			go r.stop()
			if stream.Receive() {
				t.Errorf("a notice: %v", stream.Msg())
			}
			if err := stream.Err(); err != nil {
				t.Errorf("the stream ended with %v", err)
			}
			r.stop()
		})
	}
}

func TestNoticesEndWithTheRight(t *testing.T) {
	r := start(t, func(s *Server) { s.recheck = time.Millisecond })
	id, cert, _ := r.agent(t, time.Now())
	stream := listen(t, r.dial(t, "h3", cert))
	r.register.revoke(id)
	endsRevoked(t, stream)
}

// TestRevokedIsToldNothing: what is queued for an agent after its revocation is
// not handed to it, though its stream is still open.
func TestRevokedIsToldNothing(t *testing.T) {
	r := start(t, func(s *Server) { s.look = time.Hour })
	id, cert, _ := r.agent(t, time.Now())
	stream := listen(t, r.dial(t, "h3", cert))
	r.register.revoke(id)
	r.register.notice(id)
	r.Notify()
	endsRevoked(t, stream)
}

func endsRevoked(t *testing.T, stream *noticeStream) {
	t.Helper()
	if !stream.Receive() || stream.Msg().GetRevocation() == nil {
		t.Fatalf("no revocation: %v, %v", stream.Msg(), stream.Err())
	}
	if stream.Receive() || reason(stream.Err()) != protocol.ReasonRevoked {
		t.Errorf("after it: %v", stream.Err())
	}
}

// TestParked: an agent whose owner chose so, or for which there is no room,
// gets what waits and when to come again; the stream then ends well.
func TestParked(t *testing.T) {
	r := start(t, func(s *Server) { s.held.most = 1 })
	id, cert, _ := r.agent(t, time.Now())
	first := r.register.notice(id)
	parks := func(stream *noticeStream) {
		t.Helper()
		hears(t, stream, first)
		if !stream.Receive() {
			t.Fatalf("no slot: %v", stream.Err())
		}
		n := stream.Msg()
		wait := time.Duration(n.GetPark().GetAfterSeconds()) * time.Second
		if n.GetId() != "" || n.GetSiteId() != "" || wait < parkWindow/8-time.Second || wait > parkWindow*9/8 {
			t.Errorf("slot %v", n)
		}
		if stream.Receive() || stream.Err() != nil {
			t.Errorf("after the slot: %v, %v", stream.Msg(), stream.Err())
		}
	}
	for _, transport := range transports {
		parks(listenAs(t, r.dial(t, transport, cert), true))
	}
	_, full, _ := r.agent(t, time.Now())
	room := listen(t, r.dial(t, "h3", full)) // takes the only place
	parks(listen(t, r.dial(t, "h3", cert)))
	if n := r.count(t, "parked_total", ""); n != 3 {
		t.Errorf("%v times parked", n)
	}
	if err := room.Close(); err != nil {
		t.Fatal(err)
	}
	for r.heldNow() > 0 { // the server hears of it on its own
		r.Notify()
	}
	stream := listen(t, r.dial(t, "h3", cert))
	hears(t, stream, first)
	second := r.register.notice(id)
	r.Notify()
	hears(t, stream, second) // it is held
}

// TestOneAgentTakesNotAllRoom: of one agent's streams the oldest ends when there
// are too many; the newer ones hear what comes.
func TestOneAgentTakesNotAllRoom(t *testing.T) {
	r := start(t, func(s *Server) { s.look = time.Hour })
	id, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	var streams []*noticeStream
	for range heldOfAgent + 2 {
		streams = append(streams, listen(t, c))
	}
	for _, old := range streams[:2] {
		if old.Receive() || old.Err() != nil {
			t.Errorf("one of the oldest: %v, %v", old.Msg(), old.Err())
		}
	}
	n := r.register.notice(id)
	r.Notify()
	for _, stream := range streams[2:] {
		hears(t, stream, n)
	}
	if got := r.heldNow(); got != 2*heldOfAgent {
		t.Errorf("%d held", got)
	}
}

// TestHeld: a stream that was displaced counts no more, and is not woken. One that is
// woken for two reasons at once sends again what was not answered.
func TestHeld(t *testing.T) {
	h := &held{most: heldOfAgent}
	var all []*listener
	for range heldOfAgent + 2 {
		all = append(all, h.join("a"))
	}
	if other := h.join("b"); other != nil || h.n != heldOfAgent {
		t.Errorf("%d held, and another: %v", h.n, other)
	}
	h.tell("a")
	h.resend(int(place("a") % shards))
	h.tell("a")
	for i, l := range all {
		if resend, kept := <-l.wake; kept != (i >= 2) || resend != kept {
			t.Errorf("stream %d: kept %v, resend %v", i, kept, resend)
		}
		h.leave("a", l)
	}
	if h.n != 0 || len(h.shards[place("a")%shards]) != 0 {
		t.Errorf("%d held when all have left", h.n)
	}
}

// heldNow counts the streams, where they are counted and where they are kept.
func (s *Server) heldNow() int {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	n := s.held.n
	for _, shard := range s.held.shards {
		for _, all := range shard {
			n += len(all)
		}
	}
	return n
}

// TestSlots: parked agents come evenly, each at its own moment of the window,
// and wait for no longer than a window and an eighth.
func TestSlots(t *testing.T) {
	const agents, parts = 100_000, 100
	now := time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)
	var came [parts]int
	for range agents {
		id := uuid.NewString()
		after := slot(id, now, parkWindow)
		if after < parkWindow/8 || after > parkWindow*9/8 {
			t.Fatalf("%v", after)
		}
		at := now.Add(after)
		came[at.UnixNano()%int64(parkWindow)*parts/int64(parkWindow)]++
		// Who comes at its moment, or a minute before it, is given the next.
		for _, early := range []time.Duration{0, time.Minute} {
			if next := at.Add(-early).Add(slot(id, at.Add(-early), parkWindow)).Sub(at); next != parkWindow {
				t.Fatalf("%v early: next after %v", early, next)
			}
		}
	}
	if least, most := slices.Min(came[:]), slices.Max(came[:]); least < agents/parts*8/10 || most > agents/parts*12/10 {
		t.Errorf("in one part of a hundred %d to %d agents come", least, most)
	}
}

package uplink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// shelf keeps notices as package inventory does.
type shelf struct {
	kept chan string

	mu    sync.Mutex
	fails int // so many calls fail
}

func (s *shelf) Keep(_ context.Context, n protocol.Notice) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails > 0 {
		s.fails--
		return errors.New("disk full")
	}
	s.kept <- n.ID
	return nil
}

func keeping(s *shelf) func(*Uplink) { return func(u *Uplink) { u.o.Keep = s.Keep } }

func notice(t *testing.T) *wire.Notice {
	t.Helper()
	at := time.Now()
	n, err := protocol.NoticeToWire(protocol.Notice{ID: uuid.NewString(), SiteID: uuid.NewString(), At: at, Body: protocol.Preserve{
		Kind: protocol.Invitation, From: "Questura di Milano", Start: at.Add(-time.Hour), End: at, CameraIDs: []string{uuid.NewString()}, CheckCode: "K7QM-2R"}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func park(after time.Duration) *wire.Notice {
	return &wire.Notice{Body: &wire.Notice_Park{Park: &wire.Park{AfterSeconds: int64(after / time.Second)}}}
}

func TestNoticesAreKept(t *testing.T) {
	for name, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.serve(on, nil, nil)
			s := &shelf{kept: make(chan string, 10)}
			run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), func(u *Uplink) {
				keeping(s)(u)
				if !on.udp {
					udpDead(u)
				}
			})
			<-c.listens
			first, second := notice(t), notice(t)
			c.notify <- first
			// What this version does not understand is left out, and the stream goes on.
			c.notify <- &wire.Notice{Id: uuid.NewString(), SiteId: uuid.NewString(), At: timestamppb.Now()}
			c.notify <- &wire.Notice{Id: "x", Body: &wire.Notice_Reminder{Reminder: &wire.Reminder{}}}
			c.notify <- second
			for _, want := range []string{first.GetId(), second.GetId()} {
				if got := <-s.kept; got != want {
					t.Errorf("kept %s, want %s", got, want)
				}
			}
			if len(c.listens) > 0 {
				t.Error("the stream was opened anew")
			}
		})
	}
}

// A notice that could not be kept is asked for again.
func TestNoticeThatCannotBeKept(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	s := &shelf{kept: make(chan string, 10), fails: 1}
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), keeping(s))
	<-c.listens
	n := notice(t)
	c.notify <- n
	r.trouble(protocol.ReasonTemporary)
	<-c.listens // the stream is open again
	c.notify <- n
	if got := <-s.kept; got != n.GetId() {
		t.Errorf("kept %s", got)
	}
}

// parked waits until the agent is, and its connection is closed.
func (r *running) parked(t *testing.T) Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if s := r.Status(); s.Parked && s.Transport == "" {
			return s
		}
		pause(ctx, time.Millisecond)
	}
	t.Fatalf("not parked: %+v", r.Status())
	return Status{}
}

// A parked agent closes its connection, comes back at its slot, or when it has
// something to say, and resumes its TLS session.
func TestParked(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox()
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) {
		u.o.Park = true
	})
	<-c.listens
	c.notify <- park(time.Hour)
	s := r.parked(t)
	if d := time.Until(s.NextSlot); d < 50*time.Minute || d > 70*time.Minute {
		t.Errorf("the next slot is in %v", d)
	}
	if r.newest().connected() {
		t.Error("the connection is still open")
	}
	o.add("a1")
	r.expect(t, outcome{"a", "h3", ""})
	<-c.listens // and looks for notices at once
	c.notify <- park(0)
	<-c.listens // the shortest slot, of a nanosecond here
	c.notify <- park(time.Hour)
	r.parked(t)
	r.stop()
	h := c.heard()
	if slices.Contains(h.parks, false) || len(h.parks) != 3 {
		t.Errorf("asked to be parked: %v", h.parks)
	}
	if h.resumed[0] || !h.resumed[len(h.resumed)-1] {
		t.Errorf("resumed: %v", h.resumed)
	}
	if slices.Contains(h.via, "h2") {
		t.Errorf("transports %v", h.via)
	}
}

// Right after it was parked an agent sends what waits without asking for
// notices: replies to those of that moment would ask for ever.
func TestParkedAgentSendsItsReplies(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox()
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) { u.pace.slot = time.Hour })
	<-c.listens
	c.notify <- park(time.Second)
	if s := r.parked(t); time.Until(s.NextSlot) < 50*time.Minute { // not less than the shortest
		t.Errorf("the next slot is at %v", s.NextSlot)
	}
	for _, id := range []string{"a", "b"} {
		o.add(id + "1")
		r.expect(t, outcome{id, "h3", ""})
		r.parked(t)
	}
	if r.newest().connected() || len(c.listens) > 0 {
		t.Errorf("connected %v, %d streams", r.newest().connected(), len(c.listens))
	}
}

// What says that all is as it was goes with the visit at the next slot, and dials for
// itself neither then nor before.
func TestUnhurriedMessageWaitsForTheSlot(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox()
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) { u.pace.slot = time.Second })
	<-c.listens
	o.put("a1", o.unhurried) // while it is held: at once
	r.expect(t, outcome{"a", "h3", ""})
	c.notify <- park(0)
	r.parked(t)
	o.put("b1", o.unhurried)
	<-c.listens
	r.expect(t, outcome{"b", "h3", ""})
	if h := c.heard(); len(slices.Compact(h.remotes)) != 2 {
		t.Errorf("connections from %v", h.remotes)
	}
}

// It waits as long as the agent is parked, unless something else is to be said.
func TestReasonToLookIntoTheOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		u := New(Options{Outbox: o})
		l := &line{parking: newParking(func() {})}
		looks := 0
		wants := func(what string, want int) {
			t.Helper()
			if synctest.Wait(); looks != want {
				t.Errorf("%s: %d looks, want %d", what, looks, want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for ; ctx.Err() == nil; looks++ {
				u.awaitWork(ctx, l)
			}
		}()
		wants("nothing", 0)
		o.put("a", o.unhurried)
		wants("held", 1)
		l.parking.park(time.Time{})
		o.put("b", o.unhurried)
		wants("parked", 1)
		o.add("c")
		wants("news, while it is parked", 2)
		o.put("d", o.unhurried)
		wants("parked again", 2)
		l.parking.unpark()
		wants("the slot", 3)
		l.parking.unpark()
		wants("the slot, and no more", 3)
	})
}

func TestSlots(t *testing.T) {
	u := New(Options{})
	for seconds, want := range map[int64]time.Duration{0: time.Minute, -5: time.Minute, 1: time.Minute, 3600: time.Hour,
		1 << 40: 24 * time.Hour, 1<<63 - 1: 24 * time.Hour, -1 << 63: time.Minute} {
		if got := u.slotOf(&wire.Park{AfterSeconds: seconds}); got != want {
			t.Errorf("%d seconds: %v, want %v", seconds, got, want)
		}
	}
}

// A renewed identity resumes no session of the one before: that would go on
// showing the old certificate.
func TestRenewedIdentityResumesNothing(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox()
	first := c.authority.identity(t, c.addr, time.Now())
	r := run(t, first, o, nil)
	<-c.listens
	c.notify <- park(time.Hour)
	r.parked(t)
	o.add("a1")
	r.expect(t, outcome{"a", "h3", ""})
	<-c.listens
	before := len(c.heard().resumed)
	if !slices.Contains(c.heard().resumed, true) {
		t.Fatal("nothing was resumed")
	}
	r.Use(c.authority.identity(t, c.addr, time.Now()))
	<-c.listens
	if h := c.heard(); h.resumed[before] {
		t.Errorf("resumed %v", h.resumed[before:])
	}
}

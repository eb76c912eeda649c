package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"connectrpc.com/connect"

	"anagrafe/agent/uplink"
	"anagrafe/protocol/wire"
)

// lived is what a day took: 24 hours played in so many seconds.
type lived struct {
	Seconds float64         `json:"seconds"`
	Parked  int             `json:"parked"`
	Shops   int             `json:"shops"`
	CPU     float64         `json:"server_cpu_s,omitempty"`
	Most    int64           `json:"rss_most_bytes,omitempty"` // of the collector, since it started
	Did     map[string]took `json:"did"`
	Rebound int             `json:"rebound"`        // connections whose source port changed under way
	Lost    map[string]int  `json:"lost,omitempty"` // connections that ended and should not have, by how
}

// day plays a day's rhythm: agents that stay, agents that are parked and come for a
// moment, shops that open in the morning and close in the evening, routers that forget;
// and, where the collector is ours, officers and operators beside them.
func (s *stage) day(ctx context.Context) error {
	f, all := s.fleet, newTally()
	if s.collector != nil {
		if _, err := s.staff(ctx); err != nil {
			return err
		}
	}
	f.leave()
	f.staying.Wait()
	at := &lived{}
	var always int
	for i, a := range f.agents {
		switch {
		case isParked(i):
			at.Parked++
		case isShop(i):
			at.Shops++
		default:
			always++
			a.comeOn(ctx)
		}
	}
	if err := f.until(ctx, func(up int) bool { return up == always }); err != nil {
		return err
	}
	f.failed.take()
	start := time.Now()
	cpu, err := cost(s.pid(), func() error { return s.play(ctx, at, all) })
	if err != nil {
		return err
	}
	at.Seconds, at.CPU, at.Lost, at.Did = time.Since(start).Seconds(), cpu, f.failed.take(), all.all()
	if s.collector != nil {
		if at.Most, err = mostMemory(s.pid()); err != nil {
			return err
		}
	}
	s.result.Day = at
	for _, a := range f.agents {
		a.goOff()
	}
	f.staying.Wait()
	_, err = s.gather(ctx, f.agents) // for what comes after
	return err
}

// play does what is due, when it is.
func (s *stage) play(ctx context.Context, at *lived, all *tally) error {
	var under sync.WaitGroup
	defer under.Wait()
	midnight := time.Now()
	for _, e := range timetable(len(s.fleet.agents), len(s.fleet.sockets)) {
		due := midnight.Add(time.Duration(float64(e.at) * float64(s.aDay) / float64(24*time.Hour)))
		if !pause(ctx, time.Until(due)) {
			return ctx.Err()
		}
		switch e.kind {
		case newPort:
			socket := s.fleet.sockets[e.who]
			if err := rebind(socket.Conn.(*net.UDPConn)); err != nil {
				return err
			}
			at.Rebound += s.fleet.behind(e.who)
		case comeBack:
			s.fleet.agents[e.who].comeOn(ctx)
		case goAway:
			a := s.fleet.agents[e.who]
			if l, since := a.now(); l != nil {
				all.took(comeBack, since.Sub(a.opened))
			}
			a.goOff()
		default:
			under.Go(func() { s.does(ctx, e, due, all) })
		}
	}
	return nil
}

// does one event that somebody waits for.
func (s *stage) does(ctx context.Context, e event, due time.Time, all *tally) {
	var bytes int64
	var err error
	switch e.kind {
	case beat:
		err = s.fleet.agents[e.who].tell(ctx, (*agent).news)
	case change:
		err = s.fleet.agents[e.who].tell(ctx, (*agent).write)
	case visit:
		err = s.fleet.agents[e.who].visit(ctx)
	case search, page:
		if s.desks == nil {
			return
		}
		if e.kind == search {
			bytes, err = s.desks.search(ctx, len(s.fleet.agents))
		} else {
			bytes, err = s.desks.page(ctx, e.who)
		}
	default:
		err = fmt.Errorf("nobody does %q", e.kind)
	}
	if !errors.Is(err, errOff) {
		all.note(e.kind, due, bytes, err)
	}
}

// comeOn has the agent stay connected until goOff.
func (a *agent) comeOn(ctx context.Context) {
	ctx, off := context.WithCancel(ctx)
	a.mu.Lock()
	a.off, a.opened, a.gone = off, time.Now(), false
	a.mu.Unlock()
	a.fleet.staying.Go(func() { a.stay(ctx, nil) })
}

func (a *agent) goOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.off != nil {
		a.off()
		a.off, a.gone = nil, true
	}
}

// errOff is no failure: the PC was switched off before its agent had said all.
var errOff = errors.New("the agent is off")

func (a *agent) isOff() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gone
}

// news is what the agent has to say by itself: an observation, once it has declared.
func (a *agent) news() error {
	if a.last == "" {
		return a.write()
	}
	return a.observe()
}

// tell has one that stays connected say something.
func (a *agent) tell(ctx context.Context, make func(*agent) error) error {
	a.says.Lock()
	defer a.says.Unlock()
	err := a.tellNow(ctx, make)
	if err != nil && a.isOff() {
		return errOff
	}
	return err
}

// tellNow makes a message and has it recorded, within a call's time: again after a second
// where that fails for the moment, as where the line is just being dialled anew.
func (a *agent) tellNow(ctx context.Context, make func(*agent) error) error {
	if err := make(a); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		err := a.deliver(ctx)
		if err == nil || forGood(err) || a.isOff() || !pause(ctx, max(time.Second, retryAfter(err))) {
			return err
		}
	}
}

// visit is that of a parked agent: it asks for notices, says its news, and goes.
func (a *agent) visit(ctx context.Context) error {
	a.says.Lock()
	defer a.says.Unlock()
	l, err := a.dial(ctx)
	if err != nil {
		return err
	}
	var watched sync.WaitGroup
	watched.Go(func() { uplink.CloseWhenSilent(l.quic) })
	defer watched.Wait()
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stream, err := l.delivery.Notices(ctx, connect.NewRequest(&wire.NoticesRequest{AgentVersion: version, Park: true}))
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() && stream.Msg().GetPark() == nil {
		a.fleet.heard.notice(stream.Msg())
	}
	if err := stream.Err(); err != nil {
		return err
	}
	a.connected(l)
	defer a.connected(nil)
	return a.tellNow(ctx, (*agent).news)
}

// behind counts the agents that are connected through a socket.
func (f *fleet) behind(socket int) (n int) {
	for i := socket; i < len(f.agents); i += len(f.sockets) {
		if l, _ := f.agents[i].now(); l != nil {
			n++
		}
	}
	return n
}

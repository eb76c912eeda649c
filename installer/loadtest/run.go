package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// stage is what a run stands on.
type stage struct {
	plan
	fleet     *fleet
	collector *collector // nil: somebody else's
	peers     []*peer
	desks     *desks // nil: nobody works there yet
	result    result
	before    int64 // the collector's memory before the first agent, in bytes
}

// run plays the phases.
func (p plan) run(ctx context.Context) (r result, err error) {
	s := &stage{plan: p, result: result{Agents: p.agents, Data: p.data}}
	defer s.close()
	if p.bin != "" {
		dir := p.data
		if dir == "" {
			temporary, err := os.MkdirTemp("", "anagrafe-loadtest-")
			if err != nil {
				return r, err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
			dir = filepath.Join(temporary, "collector")
		}
		if s.collector, err = newCollector(p.bin, dir); err != nil {
			return r, err
		}
		if err := s.collector.start(ctx); err != nil {
			return r, err
		}
	}
	if err := s.muster(ctx); err != nil {
		return r, err
	}
	steps := map[string]func(context.Context) error{"enrol": s.enrol, "peers": s.compare, "connect": s.connect,
		"hold": s.holdStill, "deliver": s.deliver, "live": s.live, "notice": s.notice, "return": s.comeBack, "day": s.day, "storm": s.storm}
	if len(p.sweep) > 0 {
		return s.result, s.sweep(ctx, p.sweep)
	}
	for _, name := range p.phases {
		say("%s ...", name)
		if err := steps[name](ctx); err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.result, nil
}

// close stops what was started.
func (s *stage) close() {
	if s.fleet != nil {
		s.fleet.close()
	}
	for _, p := range s.peers {
		p.stop()
	}
	if s.collector != nil && s.collector.cmd != nil {
		s.collector.stop()
	}
}

// muster reads the codes and makes the agents.
func (s *stage) muster(ctx context.Context) (err error) {
	var text []byte
	if s.collector != nil {
		say("inviting %d sites ...", s.agents)
		text, err = s.collector.invite(ctx, s.agents)
	} else {
		text, err = os.ReadFile(s.codes)
	}
	if err != nil {
		return err
	}
	all, err := links(text, s.agents)
	if err != nil {
		return err
	}
	s.fleet, err = newFleet(ctx, s.plan, all)
	return err
}

// cost is the processor time that a server used while f ran.
func cost(pid int, f func() error) (float64, error) {
	if pid == 0 {
		return 0, f()
	}
	before, err := processorTime(pid)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := processorTime(pid)
	return (after - before).Seconds(), err
}

// pid is the collector's process; 0: it is not ours to look at.
func (s *stage) pid() int {
	if s.collector == nil {
		return 0
	}
	return s.collector.pid()
}

// once has every agent do something, and counts what that took of a server.
func (s *stage) once(ctx context.Context, pid int, do func(context.Context, *agent) error) (p phase, err error) {
	cpu, err := cost(pid, func() (err error) {
		p, err = s.fleet.each(ctx, do)
		return err
	})
	p.CPU = cpu
	return p, err
}

func (s *stage) enrol(ctx context.Context) error {
	p, err := s.once(ctx, s.pid(), func(ctx context.Context, a *agent) error { return a.enrol(ctx) })
	if err != nil {
		return err
	}
	s.result.Enrol = &p
	if s.collector == nil {
		return nil
	}
	// A new process, so that its memory holds nothing of the enrolments.
	s.collector.stop()
	if err := s.collector.start(ctx); err != nil {
		return err
	}
	s.before, err = residentMemory(s.pid())
	return err
}

// compare connects all agents to each peer, and leaves them connected.
func (s *stage) compare(ctx context.Context) error {
	s.result.Peers = map[string]*peerResult{}
	for _, kind := range peerKinds {
		p, err := startPeer(kind, s.fleet.agents[0].authorities)
		if err != nil {
			return err
		}
		s.peers = append(s.peers, p)
		before, err := residentMemory(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		connect, err := s.once(ctx, p.cmd.Process.Pid, p.connect)
		if err != nil {
			return err
		}
		if err := p.complete(ctx, s.fleet.agents); err != nil {
			return err
		}
		s.result.Peers[kind] = &peerResult{Connect: connect, Held: held{Before: before}}
	}
	return nil
}

// connect has all agents open their notice streams; from then on they keep them
// open by themselves.
func (s *stage) connect(ctx context.Context) (err error) {
	s.result.Connect, err = s.gather(ctx, s.fleet.agents)
	return err
}

// comeBack has all agents leave, and return: as after a night, with a TLS
// session to resume, if the collector gives any.
func (s *stage) comeBack(ctx context.Context) error {
	f := s.fleet
	f.leave()
	f.staying.Wait()
	f.failed.take() // they broke off themselves
	f.resumed.Store(0)
	p, err := s.gather(ctx, s.fleet.agents)
	if err != nil {
		return err
	}
	p.Resumed = int(f.resumed.Load())
	s.result.Return = p
	return nil
}

// gather starts agents that are not connected, so many at a time, and waits until each
// is acknowledged.
func (s *stage) gather(ctx context.Context, agents []*agent) (*phase, error) {
	f := s.fleet
	staying, all := int(f.up.Load()), f.together()
	turn := make(chan struct{}, f.inflight)
	var last time.Time
	start := time.Now()
	cpu, err := cost(s.pid(), func() error {
		for _, a := range agents {
			if err := f.pace.Wait(ctx); err != nil {
				return err
			}
			f.staying.Go(func() { a.stay(all, turn) })
		}
		return f.until(ctx, func(up int) bool { return up == staying+len(agents) })
	})
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		if _, since := a.now(); since.After(last) {
			last = since
		}
	}
	return &phase{Done: len(agents), Failed: f.failed.take(), Seconds: last.Sub(start).Seconds(), CPU: cpu}, nil
}

// holdStill leaves everybody idle, and then reads the servers' memory.
func (s *stage) holdStill(ctx context.Context) error {
	reads := map[int]*held{}
	for _, p := range s.peers {
		reads[p.cmd.Process.Pid] = &s.result.Peers[p.kind].Held
	}
	if s.collector != nil && s.fleet.up.Load() > 0 {
		s.result.Held = &held{Before: s.before}
		reads[s.pid()] = s.result.Held
	}
	for pid, h := range reads {
		used, err := processorTime(pid)
		if err != nil {
			return err
		}
		h.CPU, h.Hold = used.Seconds(), s.hold.Seconds()
	}
	if !pause(ctx, s.hold) {
		return ctx.Err()
	}
	for pid, h := range reads {
		used, err := processorTime(pid)
		if err != nil {
			return err
		}
		if h.Held, err = residentMemory(pid); err != nil {
			return err
		}
		h.CPU, h.Each = used.Seconds()-h.CPU, float64(h.Held-h.Before)/float64(s.agents)
	}
	if s.result.Held != nil {
		s.result.Held.Lost = s.fleet.failed.take()
	}
	if up := int(s.fleet.up.Load()); s.result.Held != nil && up < s.agents*99/100 {
		return fmt.Errorf("only %d of %d agents stayed connected: this is no measurement: %v", up, s.agents, s.result.Held.Lost)
	}
	for _, p := range s.peers { // the rest is the collector's alone
		if err := p.complete(ctx, s.fleet.agents); err != nil {
			return err
		}
		p.stop()
	}
	s.peers = nil
	return nil
}

func (s *stage) deliver(ctx context.Context) error {
	for _, a := range s.fleet.agents { // is no cost of the collector's
		if err := a.write(); err != nil {
			return err
		}
	}
	bytes := 0
	for _, a := range s.fleet.agents {
		bytes += len(a.message)
	}
	p, err := s.once(ctx, s.pid(), func(ctx context.Context, a *agent) error { return a.deliver(ctx) })
	if err != nil {
		return err
	}
	p.Bytes = bytes / len(s.fleet.agents)
	s.result.Deliver = &p
	return nil
}

// storm kills the collector, starts it again, and waits until every agent is
// back and acknowledged.
func (s *stage) storm(ctx context.Context) error {
	f := s.fleet
	// One may just be on its way back.
	if err := f.until(ctx, func(up int) bool { return up == s.agents }); err != nil {
		return err
	}
	f.failed.take()
	f.resumed.Store(0)
	s.collector.kill()
	killed := time.Now()
	if err := s.collector.start(ctx); err != nil {
		return err
	}
	st := &storm{Serving: time.Since(killed).Seconds()}
	// One that has not noticed yet still counts as up.
	back := func() (after []time.Duration) {
		for _, a := range f.agents {
			if l, since := a.now(); l != nil && since.After(killed) {
				after = append(after, since.Sub(killed))
			}
		}
		return after
	}
	cpu, err := cost(s.pid(), func() error {
		return f.until(ctx, func(int) bool { return len(back()) == s.agents })
	})
	if err != nil {
		return err
	}
	st.CPU, st.Failed, st.Resumed = cpu, f.failed.take(), int(f.resumed.Load())
	st.returned(back())
	s.result.Storm = st
	return nil
}

package installer

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// step is one thing that happens, and how long it is until the next. How it
// happens in particular is chosen by n.
type step struct {
	do   string
	n    uint32
	wait time.Duration
}

func (s step) String() string { return fmt.Sprintf("%s(%d), then %v", s.do, s.n, s.wait) }

// act is a kind of step.
type act struct {
	name  string
	often int // relative
	do    func(w *world, s step) error
}

var acts = []act{
	{"look", 30, func(w *world, s step) error { return w.look(s.n) }},
	{"change on the network", 15, func(w *world, s step) error { w.lan.change(s.n); return w.look(s.n) }},
	{"confirm", 14, func(w *world, s step) error { return w.confirm(s.n) }},
	{"approve all", 3, func(w *world, s step) error { return w.approveAll(s.n) }},
	{"refuse", 3, func(w *world, s step) error { return w.refuse(s.n) }},
	{"withdraw", 4, func(w *world, s step) error { return w.withdraw(s.n) }},
	{"answer no", 2, func(w *world, s step) error { return w.answerNo(s.n) }},
	{"withdraw site", 2, func(w *world, s step) error { return w.withdrawSite(s.n) }},
	{"take back", 2, func(w *world, s step) error { return w.takeBack(s.n) }},
	{"new phone", 2, func(w *world, s step) error { return w.phone(s.n) }},
	{"fair weather", 5, func(w *world, _ step) error { w.net.set(fair); return nil }},
	{"bad weather", 8, func(w *world, s step) error { w.net.set(bad(s.n)); return nil }},
	{"network down", 4, func(w *world, _ step) error {
		w.net.set(weather{down: true, longestFlight: 5 * time.Second})
		return nil
	}},
	{"kill agent", 5, func(w *world, s step) error { return w.off(s, w.killAgent, w.startAgent) }},
	{"kill collector", 4, func(w *world, s step) error { return w.off(s, w.killCollector, w.startCollector) }},
	{"back up", 3, func(w *world, _ step) error { return w.backup() }},
	{"restore", 1, func(w *world, s step) error { return w.restore(s.n) }},
	{"revoke", 1, func(w *world, _ step) error { return w.revoke() }},
	{"invite", 2, func(w *world, s step) error { return w.invite(w.sites[s.n%2]) }},
	{"enrol", 4, func(w *world, s step) error { return w.enrol(w.sites[s.n%2]) }},
	{"holidays", 1, func(w *world, s step) error {
		s.wait = time.Duration(s.n%40) * 24 * time.Hour
		return w.off(s, w.killAgent, w.startAgent)
	}},
	{"come to rest", 3, func(w *world, _ step) error { return w.settle() }},
}

// bad is a weather that is bad in one of many ways.
func bad(n uint32) weather {
	w := fair
	w.longestFlight = []time.Duration{200 * time.Millisecond, 3 * time.Second, 90 * time.Second}[n%3]
	w.lostRequests, w.lostAnswers = int(n/3%3)*25, int(n/9%3)*25
	w.doubled, w.slow = int(n/27%3)*30, int(n/81%3)*20
	return w
}

// off ends a program, and starts it again after a while.
func (w *world) off(s step, kill, start func() error) error {
	if err := kill(); err != nil {
		return err
	}
	w.pass(s.wait)
	return start()
}

// do takes one step.
func (w *world) do(s step) error {
	for _, a := range acts {
		if a.name != s.do {
			continue
		}
		if err := a.do(w, s); err != nil {
			return err
		}
		w.pass(1 + s.wait)
		return w.check()
	}
	return fmt.Errorf("no such step: %s", s.do)
}

// waits are between two steps: most are such that the next one comes while
// something is under way.
var waits = []time.Duration{0, time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second, 30 * time.Second,
	5 * time.Minute, time.Hour, 3 * time.Hour, 24 * time.Hour}

// opening is how every plan begins: the shop has just joined.
var opening = []step{{"enrol", 0, time.Second}, {"enrol", 1, time.Second}, {"look", 0, time.Second}, {"confirm", 0, time.Second}, {"confirm", 8, time.Minute}}

// plan draws the steps of a seed.
func plan(seed uint64, length int) []step {
	r := rand.New(rand.NewPCG(seed, 0))
	total := 0
	for _, a := range acts {
		total += a.often
	}
	steps := append([]step(nil), opening...)
	for len(steps) < length {
		at := r.IntN(total)
		for _, a := range acts {
			if at -= a.often; at < 0 {
				wait := waits[r.IntN(len(waits))]
				steps = append(steps, step{a.name, r.Uint32(), wait + time.Duration(r.Int64N(int64(wait/2+1)))})
				break
			}
		}
	}
	return steps
}

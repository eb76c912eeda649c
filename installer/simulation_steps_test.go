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
	{"disk full", 2, func(w *world, s step) error { return w.trouble(s.wait, func(d *disk) { d.full = true }) }},
	{"slow disk", 2, func(w *world, s step) error {
		return w.trouble(s.wait, func(d *disk) { d.slow = time.Duration(s.n%40) * time.Second })
	}},
	{"back up", 3, func(w *world, _ step) error { return w.backup() }},
	{"restore", 1, func(w *world, s step) error { return w.restore(w.backups[s.n%uint32(len(w.backups))]) }},
	{"restore the first", 1, func(w *world, s step) error { return w.restore(w.first) }},
	{"revoke", 1, func(w *world, _ step) error { return w.revoke() }},
	{"invite", 2, func(w *world, s step) error { return w.invite(w.sites[s.n%2]) }},
	{"enrol", 4, func(w *world, s step) error { return w.enrol(w.sites[s.n%2]) }},
	{"enrol and be killed", 1, func(w *world, s step) error { return w.enrolKilled(w.sites[s.n%2]) }},
	{"clock wrong", 1, func(w *world, s step) error {
		return w.setClock(time.Duration(s.n%uint32(2*mostWrong/time.Minute))*time.Minute - mostWrong)
	}},
	{"leap second", 1, func(w *world, s step) error { return w.leap(s.wait) }},
	{"clock right", 2, func(w *world, _ step) error { return w.setClock(0) }},
	{"holidays", 1, func(w *world, s step) error {
		s.wait = time.Duration(s.n%40) * 24 * time.Hour
		return w.off(s, w.killAgent, w.startAgent)
	}},
	{"long absence", 1, func(w *world, s step) error { // longer than a certificate lasts, and than it can be renewed
		s.wait = []time.Duration{40, 130}[s.n%2] * 24 * time.Hour
		return w.off(s, w.killAgent, w.startAgent)
	}},
	{"preserve", 3, func(w *world, s step) error { return w.preserve(s.n) }},
	{"suspend or resume", 2, func(w *world, s step) error { return w.suspend(s.n) }},
	{"withdraw with the link", 1, func(w *world, s step) error { return w.withdrawByLink(s.n) }},
	{"read notices", 2, func(w *world, _ step) error { return w.readNotices() }},
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
		w.pass(time.Microsecond + s.wait) // no two looks have one time, in microseconds
		return w.check()
	}
	return fmt.Errorf("no such step: %s", s.do)
}

// waits are between two steps, and how often: most are such that the next step
// comes while something is under way. A long one is mostly the same attempts
// over and over.
var waits = []struct {
	long  time.Duration
	often int
}{{0, 12}, {time.Millisecond, 12}, {50 * time.Millisecond, 12}, {300 * time.Millisecond, 12}, {2 * time.Second, 12}, {30 * time.Second, 12},
	{5 * time.Minute, 12}, {time.Hour, 10}, {3 * time.Hour, 4}, {24 * time.Hour, 2}}

// opening is how every plan begins: the shop has just joined.
var opening = []step{{"enrol", 0, time.Second}, {"enrol", 1, time.Second}, {"look", 0, time.Second}, {"confirm", 0, time.Second}, {"confirm", 8, time.Minute}}

// plan draws the steps of a seed.
func plan(seed uint64, length int) []step {
	r := rand.New(rand.NewPCG(seed, 0))
	steps := append([]step(nil), opening...)
	for len(steps) < length {
		a := acts[draw(r, len(acts), func(i int) int { return acts[i].often })]
		wait := waits[draw(r, len(waits), func(i int) int { return waits[i].often })].long
		steps = append(steps, step{a.name, r.Uint32(), wait + time.Duration(r.Int64N(int64(wait/2+1)))})
	}
	return steps
}

// draw gives one of n, each as often as it says.
func draw(r *rand.Rand, n int, often func(int) int) int {
	total := 0
	for i := range n {
		total += often(i)
	}
	at := r.IntN(total)
	for i := range n {
		if at -= often(i); at < 0 {
			return i
		}
	}
	return n - 1
}

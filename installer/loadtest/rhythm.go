package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// What an agent does in a day, which the phase day plays.
const (
	beatsADay   = 5.0                 // observations of one that stays connected: its sign of life, and four changes of clock, footage or reachability
	visitsADay  = 4.0                 // of a parked one: every six hours (package ingest)
	changesADay = 1.0 / changeIsEvery // declarations: an owner changes something every three weeks
)

// The agents, and the people beside them.
const (
	parkedIsEvery = 5  // agent
	shopIsEvery   = 3  // of the others: on a PC that is off at night
	changeIsEvery = 20 // agent has an owner who changes something today
)

// atDesks is how many searches officers make in a day, and how many pages operators open,
// in a city of so many agents.
func atDesks(agents int) int { return 20 + agents/25 }

// Kinds of what is played and timed.
const (
	beat     = "heartbeat"
	change   = "change"
	visit    = "visit"
	comeBack = "return" // of a shop's PC, at opening time: from its first packet until its notice stream is acknowledged
	goAway   = "leave"
	search   = "search"
	page     = "page"
	newPort  = "rebind"
)

// event is something that is due at a time of the day.
type event struct {
	at   time.Duration // since midnight
	kind string
	who  int // an agent, or a socket; of pages and searches their number
}

func isParked(agent int) bool { return agent%parkedIsEvery == parkedIsEvery-1 }
func isShop(agent int) bool   { return !isParked(agent) && agent%shopIsEvery == 0 }

// timetable is a day of so many agents behind so many sockets, in its order. The same
// each time: two runs differ by what the collector does.
func timetable(agents, sockets int) []event {
	dice := rand.New(rand.NewPCG(uint64(agents), 24))
	var all []event
	add := func(kind string, who int, from, to float64) {
		hour := from + (to-from)*dice.Float64()
		all = append(all, event{time.Duration(hour * float64(time.Hour)), kind, who})
	}
	for i := range agents {
		from, to := 0., 24.
		if isShop(i) { // it opens from 8 to 9:30, most at a quarter to nine
			opens := 8 + 0.75*dice.Float64() + 0.75*dice.Float64()
			from, to = opens+0.25, 19
			add(comeBack, i, opens, opens)
			add(goAway, i, 19.5, 20.5)
		}
		kind, times := beat, int(beatsADay)
		if isParked(i) {
			kind, times = visit, int(visitsADay)
		}
		for n := range times {
			each := (to - from) / float64(times)
			add(kind, i, from+float64(n)*each, from+float64(n+1)*each)
		}
		if i%changeIsEvery == 1 { // none that is parked
			add(change, i, max(from, 8), min(to, 20))
		}
	}
	for i := range sockets { // lines are dialled anew at night, and one in four once more
		add(newPort, i, 3, 5)
		if i%4 == 0 {
			add(newPort, i, 11, 17)
		}
	}
	for i := range atDesks(agents) { // the night has its crimes too
		add(search, i, 0, 24)
	}
	for i := range atDesks(agents) {
		add(page, i, 8, 18)
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all
}

package main

import (
	"errors"
	"testing"
	"time"
)

// TestTimetable: a day is in its order, the same each time, and everybody does what a day has.
func TestTimetable(t *testing.T) {
	const agents, sockets = 3000, 16
	all, again := timetable(agents, sockets), timetable(agents, sockets)
	counts, open := map[string]int{}, map[int]bool{}
	for i, e := range all {
		counts[e.kind]++
		if e != again[i] {
			t.Fatalf("%+v the second time: %+v", e, again[i])
		}
		if e.at < 0 || e.at > 24*time.Hour || i > 0 && e.at < all[i-1].at {
			t.Errorf("%+v is out of order", e)
		}
		switch e.kind {
		case comeBack:
			open[e.who] = true
		case goAway:
			open[e.who] = false
		case beat, change:
			if isShop(e.who) && !open[e.who] || isParked(e.who) {
				t.Errorf("%+v of one that is not connected", e)
			}
		case visit:
			if !isParked(e.who) {
				t.Errorf("%+v of one that is not parked", e)
			}
		}
	}
	parked, shops := agents/parkedIsEvery, counts[comeBack]
	if counts[beat] != (agents-parked)*int(beatsADay) || counts[visit] != parked*int(visitsADay) || counts[goAway] != shops ||
		counts[newPort] != sockets+sockets/4 || counts[change] != agents/changeIsEvery || counts[search] != atDesks(agents) || counts[page] != atDesks(agents) {
		t.Errorf("%v", counts)
	}
	if shops < agents/5 {
		t.Errorf("%d shops", shops)
	}
}

func TestTally(t *testing.T) {
	c := newTally()
	for i := range 100 {
		c.took(visit, time.Duration(i+1)*time.Second)
	}
	c.note(search, time.Now(), 7, nil)
	c.note(search, time.Now(), 0, errors.New("no"))
	by := c.all()
	if v := by[visit]; v.Done != 100 || v.P50 != 51 || v.P99 != 100 || v.Failed != nil {
		t.Errorf("%+v", v)
	}
	if s := by[search]; s.Done != 1 || s.Bytes != 7 || s.Failed["no"] != 1 {
		t.Errorf("%+v", s)
	}
	if len(c.all()) != 0 {
		t.Error("it did not begin anew")
	}
}

func TestTargets(t *testing.T) {
	all, err := targets("500,1000:30000,2000:30000")
	if err != nil || len(all) != 3 || all[0] != (target{500, 3000}) || all[1] != (target{1000, 30_000}) {
		t.Fatalf("%v %v", all, err)
	}
	if n := needs(all); n != 2000+50 {
		t.Errorf("%d agents", n)
	}
	for _, bad := range []string{"", "0", "many", "500:few", "1000,500", "500:9000,600"} {
		if all, err := targets(bad); err == nil {
			t.Errorf("%q is %v", bad, all)
		}
	}
}

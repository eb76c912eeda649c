package registry

import (
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

func TestOrderly(t *testing.T) {
	for _, c := range []struct {
		recorded []int // minutes, of looks in the order of their times
		want     []bool
	}{
		{nil, nil},
		{[]int{1}, []bool{true}},
		{[]int{1, 2, 2, 3}, []bool{true, true, true, true}},
		{[]int{1, 9, 3, 9, 10}, []bool{true, false, false, true, true}},
		{[]int{5, 6, 1}, []bool{false, false, false}},
		{[]int{1, 8, 9, 2}, []bool{true, false, false, false}},
	} {
		var series []stamp
		for i, m := range c.recorded {
			series = append(series, stamp{noon.Add(time.Duration(i) * time.Hour), noon.Add(time.Duration(m) * time.Minute)})
		}
		if got := orderly(series); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.recorded, got, c.want)
		}
	}
}

func TestSameLooks(t *testing.T) {
	full := func(at, depth time.Duration) then {
		return then{look: observation{at: noon.Add(at), oldest: noon.Add(at - depth)}, retention: protocol.Retention{Settled: true}}
	}
	filling := func(at, oldest time.Duration) then {
		return then{look: observation{at: noon.Add(at), oldest: noon.Add(oldest)}}
	}
	for _, c := range []struct {
		name string
		a, b then
		want bool
	}{
		{"a full store rolls on", full(0, 5*day), full(9*day, 5*day+30*time.Minute), true},
		{"a full store reaches less far", full(0, 5*day), full(9*day, 5*day-31*time.Minute), false},
		{"one that fills stands still", filling(0, -5*day), filling(3*day, -5*day+20*time.Minute), true},
		{"one that fills lost its oldest", filling(0, -5*day), filling(3*day, -2*day), false},
		{"one that fills is full", filling(0, -5*day), full(0, 5*day), false},
	} {
		if sameDepth(c.a, c.b) != c.want || sameDepth(c.b, c.a) != c.want {
			t.Errorf("%s: the same: %t", c.name, !c.want)
		}
	}

	clock := func(offset, unsure int64, method string) protocol.Clock {
		return protocol.Clock{OffsetMs: offset, UncertaintyMs: unsure, Method: method}
	}
	for _, c := range []struct {
		a, b protocol.Clock
		want bool
	}{
		{clock(100, 1000, "onvif"), clock(600, 1000, "onvif"), true},
		{clock(100, 1000, "onvif"), clock(601, 1000, "onvif"), false},
		{clock(100, 1000, "onvif"), clock(500, 700, "onvif"), false},
		{clock(100, 1000, "onvif"), clock(100, 2000, "onvif"), false},
		{clock(100, 1000, "onvif"), clock(100, 1000, "http"), false},
		{clock(0, 0, "x"), clock(0, 0, "x"), true},
		{clock(-1<<63, 1000, "x"), clock(1<<63-1, 1000, "x"), false},
		{clock(0, -5, "x"), clock(0, -5, "x"), false},
	} {
		if sameClock(c.a, c.b) != c.want || sameClock(c.b, c.a) != c.want {
			t.Errorf("%+v and %+v are the same: %t", c.a, c.b, !c.want)
		}
	}
}

package interrogate

import (
	"reflect"
	"testing"

	"anagrafe/protocol"
)

// piece is one add to a plan.
type piece struct {
	day, from, until int
	mode             protocol.Mode
}

func oneRow(day int, row ...protocol.Interval) (s protocol.Schedule) {
	s.Kind = protocol.ScheduleWeekly
	s.Days[day] = row
	return s
}

func TestPlan(t *testing.T) {
	const midnight = 24 * 60 * 60
	whole := func(until int) (all []piece) {
		for day := range 7 {
			all = append(all, piece{day, 0, until, protocol.Continuous})
		}
		return all
	}
	withHoliday := oneRow(1, protocol.Interval{From: 540, To: 600, Mode: protocol.Motion})
	withHoliday.Days[protocol.Holiday] = []protocol.Interval{}
	night := oneRow(5, protocol.Interval{From: 1320, To: 1440, Mode: protocol.Continuous})
	night.Days[6] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Continuous}}
	for _, c := range []struct {
		name    string
		pieces  []piece
		holiday bool
		want    protocol.Schedule
	}{
		{"nothing", nil, false, off()},
		{"nothing, with an empty holiday row", nil, true, off()},
		{"whole days until 24:00", whole(midnight), false, always(protocol.Continuous)},
		{"whole days until 23:59:59", whole(midnight - 1), false, always(protocol.Continuous)},
		{"whole days until 23:59", whole(midnight - 60), false, always(protocol.Continuous)},
		{"whole days until the next midnight", whole(0 + midnight), false, always(protocol.Continuous)},
		{"until the next day's 0:00, as Hikvision writes it", []piece{{1, 60, 0, protocol.Continuous}}, false, oneRow(1, protocol.Interval{From: 1, To: 1440, Mode: protocol.Continuous})},
		{"unused rows", []piece{{1, 0, 0, protocol.Continuous}, {1, 600, 600, protocol.Motion}}, false, off()},
		{"across midnight", []piece{{5, 22 * 3600, 6 * 3600, protocol.Continuous}}, false, night},
		{"across midnight, counted on", []piece{{5, 22 * 3600, 30 * 3600, protocol.Continuous}}, false, night},
		{"Saturday into Sunday", []piece{{6, 23 * 3600, 25 * 3600, protocol.Alarm}}, false, func() protocol.Schedule {
			s := oneRow(6, protocol.Interval{From: 1380, To: 1440, Mode: protocol.Alarm})
			s.Days[0] = []protocol.Interval{{From: 0, To: 60, Mode: protocol.Alarm}}
			return s
		}()},
		{"continuous wins over motion", []piece{{1, 0, 7200, protocol.Motion}, {1, 3600, 7200, protocol.Continuous}, {1, 3600, 5400, protocol.Motion}}, false,
			oneRow(1, protocol.Interval{From: 0, To: 60, Mode: protocol.Motion}, protocol.Interval{From: 60, To: 120, Mode: protocol.Continuous})},
		{"an empty holiday row stays", []piece{{1, 9 * 3600, 10 * 3600, protocol.Motion}}, true, withHoliday},
		{"a holiday like all days", append(whole(midnight), piece{protocol.Holiday, 0, midnight, protocol.Continuous}), false, always(protocol.Continuous)},
		{"what is no time", []piece{{9, 0, 60, protocol.Motion}, {-1, 0, 60, protocol.Motion}, {1, -5, 60, protocol.Motion}, {1, midnight, 60, protocol.Motion}, {1, 0, 3 * midnight, protocol.Motion}, {1, 0, 60, ""}}, false, off()},
	} {
		var p plan
		for _, x := range c.pieces {
			p.add(x.day, x.from, x.until, x.mode)
		}
		if c.holiday {
			p.addHoliday()
		}
		if got := p.schedule(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestClockSeconds(t *testing.T) {
	for text, want := range map[string]int{"00:00": 0, "08:30": 30600, "08:30:05": 30605, "24:00": 86400, "24:00:00": 86400, "23:59:59": 86399, "25:00": -1, "8.30": -1, "": -1} {
		got, ok := clockSeconds(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

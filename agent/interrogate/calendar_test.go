package interrogate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWalkCalendar(t *testing.T) {
	now := at("2026-03-10T15:00:00Z")
	month := func(days ...int) []bool {
		all := make([]bool, 31)
		for _, d := range days {
			all[d-1] = true
		}
		return all
	}
	every := month()
	for i := range every {
		every[i] = true
	}
	fails := errors.New("it fails")
	for name, c := range map[string]struct {
		months map[string][]bool
		want   string // "": none found
		asked  int
		err    error
	}{
		"this month":               {map[string][]bool{"2026-03": month(4, 5, 10)}, "2026-03-04", 2, nil},
		"two months":               {map[string][]bool{"2026-03": every, "2026-02": month(27, 28)}, "2026-02-27", 3, nil},
		"over the new year":        {map[string][]bool{"2026-03": every, "2026-02": every, "2026-01": every, "2025-12": month(31)}, "2025-12-31", 5, nil},
		"before an empty month":    {map[string][]bool{"2026-03": month(1), "2026-01": every}, "2026-03-01", 2, nil},
		"some months ago":          {map[string][]bool{"2026-01": month(30)}, "2026-01-30", 4, nil},
		"none":                     {nil, "", 3, nil},
		"days that there are not":  {map[string][]bool{"2026-02": month(30)}, "", 3, nil},
		"days to come":             {map[string][]bool{"2026-03": month(11, 30)}, "", 3, nil},
		"every day there ever was": {map[string][]bool{"": every}, "2024-03-01", mostMonths, nil},
		"a month that fails":       {map[string][]bool{"2026-03": every, "2026-02": nil}, "", 2, fails},
	} {
		asked := 0
		day, err := walkCalendar(now, func(y int, m time.Month) ([]bool, error) {
			asked++
			key := fmt.Sprintf("%04d-%02d", y, m)
			days, ok := c.months[key]
			if ok && days == nil {
				return nil, fails
			}
			if all := c.months[""]; all != nil {
				return all, nil
			}
			return days, nil
		})
		got := ""
		if !day.IsZero() {
			got = day.Format(time.DateOnly)
		}
		if got != c.want || err != c.err || asked != c.asked {
			t.Errorf("%s: %q after %d months, %v, want %q after %d", name, got, asked, err, c.want, c.asked)
		}
	}
}

func TestWholeDayStamps(t *testing.T) {
	now := at("2026-03-10T15:00:00Z")
	for _, c := range []struct{ day, want string }{
		{"2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"},
		{"2026-03-09T00:00:00Z", "2026-03-10T00:00:00Z"},
	} {
		if got := wholeDayStamp(at(c.day), now); !got.at.Equal(at(c.want)) || !got.wall || !strings.HasPrefix(got.text, c.day[:10]) {
			t.Errorf("%s: %+v, want %s", c.day, got, c.want)
		}
	}
	for _, day := range []time.Time{{}, at("2026-03-10T00:00:00Z")} { // none, and today
		if got := wholeDayStamp(day, now); got.known() {
			t.Errorf("%s: %+v", day, got)
		}
	}
}

package interrogate

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reolinkTime is the answer to GetTime: the digits of its wall clock, the seconds
// of its zone with the sign turned round (UTC+1 is -3600), and its daylight saving
// rule, in the terms of POSIX: month, week (5: the last) and weekday (0: Sunday).
type reolinkTime struct {
	Time struct {
		reolinkDate
		Zone anyInt `json:"timeZone"`
	}
	Dst struct {
		Enable, Offset                                                   anyInt
		StartMon, StartWeek, StartWeekday, StartHour, StartMin, StartSec anyInt
		EndMon, EndWeek, EndWeekday, EndHour, EndMin, EndSec             anyInt
	}
}

// reolinkDate is a date and time as its messages hold them.
type reolinkDate struct {
	Year anyInt `json:"year"`
	Mon  anyInt `json:"mon"`
	Day  anyInt `json:"day"`
	Hour anyInt `json:"hour"`
	Min  anyInt `json:"min"`
	Sec  anyInt `json:"sec"`
}

// wall gives the digits as if they were UTC; ok is false for what is no date.
func (d reolinkDate) wall() (t time.Time, ok bool) {
	if !d.Year.known || !d.Mon.known || !d.Day.known || !d.Hour.known || d.Year.value < 1970 || d.Year.value > 9999 {
		return t, false
	}
	t = time.Date(int(d.Year.value), time.Month(d.Mon.value), int(d.Day.value), int(d.Hour.value), int(d.Min.value), int(d.Sec.value), 0, time.UTC)
	same := t.Month() == time.Month(d.Mon.value) && t.Day() == int(d.Day.value) && t.Hour() == int(d.Hour.value) &&
		t.Minute() == int(d.Min.value) && t.Second() == int(d.Sec.value)
	return t, same
}

// reolinkClock makes a reading of the clock of an answer; nil if it tells no time.
func reolinkClock(r reolinkTime, a answer) *ownClock {
	at, ok := r.Time.wall()
	if !ok {
		return nil
	}
	zone, raw := reolinkZone(r, a.when.received)
	return &ownClock{at: at, wall: true, timing: a.when, method: "reolink GetTime", zone: zone, zoneRaw: raw, from: a.from}
}

// reolinkZone names the zone: one of those that keep its rule, else the offset in
// force; "" if it is not told, or the rule is none. raw is what was told.
func reolinkZone(r reolinkTime, now time.Time) (zone, raw string) {
	offset := r.Time.Zone
	if !offset.known || offset.value < -14*3600 || offset.value > 14*3600 {
		return "", ""
	}
	d := r.Dst
	raw = fmt.Sprintf("timeZone=%s Dst=%s", offset, d.Enable)
	if d.Enable.is(0) {
		return fixedZone(-int(offset.value)), raw
	}
	if !d.Enable.known || !d.Offset.known || d.Offset.value < 1 || d.Offset.value > 2 {
		return "", raw
	}
	// POSIX counts zones west of Greenwich, as this device does.
	rule := fmt.Sprintf("STD%sDST%s,M%s.%s.%s/%s,M%s.%s.%s/%s",
		hms(offset.value), hms(offset.value-d.Offset.value*3600),
		d.StartMon, d.StartWeek, d.StartWeekday, hms(d.StartHour.value*3600+d.StartMin.value*60+d.StartSec.value),
		d.EndMon, d.EndWeek, d.EndWeekday, hms(d.EndHour.value*3600+d.EndMin.value*60+d.EndSec.value))
	raw += " " + rule
	var asked systemDateAndTime
	asked.Set.Zone = rule
	local, name := namedZone(asked, now)
	switch {
	case local == nil:
		return "", raw
	case name == "":
		return fixedZone(offsetAt(local, now)), raw
	}
	return name, raw
}

// hms writes seconds as POSIX does, "-1:30:00".
func hms(seconds int64) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
}

// reolinkMonths is how far back the oldest footage is looked for.
const reolinkMonths = 13

// reolinkOldest finds the first day with footage of a channel, month by month back
// from now, the wall time of the recorder. It goes on over one empty month, and
// while months begin with footage, but else no further than footage is kept (0: not
// told). A day is all that is told: the footage begins in it, so that its end is
// claimed.
func reolinkOldest(ctx context.Context, w *web, c *channelReport, channel int64, now time.Time, kept time.Duration) error {
	first, empty := time.Time{}, 0
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for asked := 1; ; asked++ {
		day, from, err := reolinkMonth(ctx, w, channel, month)
		if err != nil {
			return err // what the months before hold is not known
		}
		if day > 0 {
			first, empty = month.AddDate(0, 0, day-1), 0
			c.say("oldest", from, first.Format(time.DateOnly)+", by the day")
		} else {
			empty++
		}
		covered := kept > 0 && month.Before(now.Add(-kept-24*time.Hour))
		if empty > 1 || covered && !first.Equal(month) {
			break
		}
		if asked == reolinkMonths {
			return fmt.Errorf("it has footage of more than %d months, which is as far as is looked", reolinkMonths)
		}
		month = month.AddDate(0, -1, 0)
	}
	if first.IsZero() {
		return nil
	}
	end := first.AddDate(0, 0, 1)
	if end.After(now) {
		end = now
	}
	c.oldest = stamp{at: end, wall: true, text: first.Format(time.DateOnly)}
	return nil
}

// reolinkMonth gives the first day of a month of which there is footage, 0 if
// there is none.
func reolinkMonth(ctx context.Context, w *web, channel int64, month time.Time) (day int, from string, err error) {
	last := month.AddDate(0, 1, -1)
	r, a, err := reolinkAsk[reolinkFound](ctx, w, "Search", reolinkSearch(channel, 1, month, last.Add(24*time.Hour-time.Second)))
	if err != nil {
		return 0, a.from, err
	}
	if r.SearchResult == nil {
		return 0, a.from, errors.New("its answer holds no result of the search")
	}
	for _, s := range r.SearchResult.Status {
		if !s.Year.is(int64(month.Year())) || !s.Mon.is(int64(month.Month())) {
			continue
		}
		for i, on := range head([]byte(s.Table), min(len(s.Table), last.Day())) {
			if on != '0' && (day == 0 || i+1 < day) {
				day = i + 1
			}
		}
	}
	return day, a.from, nil
}

// reolinkFound is the answer to Search: months of days, or files.
type reolinkFound struct {
	SearchResult *struct {
		Status []struct {
			Year, Mon anyInt
			Table     anyText
		}
		File []struct{ StartTime, EndTime reolinkDate }
	}
}

// reolinkSearch is the question: with onlyStatus 1 which days of a month have
// footage, with 0 its files. Times are digits of the wall clock.
func reolinkSearch(channel int64, onlyStatus int, from, until time.Time) any {
	type date struct {
		Year int `json:"year"`
		Mon  int `json:"mon"`
		Day  int `json:"day"`
		Hour int `json:"hour"`
		Min  int `json:"min"`
		Sec  int `json:"sec"`
	}
	type search struct {
		Channel    int64  `json:"channel"`
		OnlyStatus int    `json:"onlyStatus"`
		StreamType string `json:"streamType"`
		StartTime  date
		EndTime    date
	}
	at := func(t time.Time) date {
		return date{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()}
	}
	return map[string]search{"Search": {channel, onlyStatus, "main", at(from), at(until)}}
}

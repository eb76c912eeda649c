package interrogate

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dahuaZones are the offsets that NTP.TimeZone counts, in minutes: the list of the
// maker's SDK (EM_CFG_TIME_ZONE). Read off a camera by others: 24 is UTC-04:00 and 26
// UTC-06:00, with a TimeZoneDesc that named Beijing in both: that text is not read.
var dahuaZones = [...]int{0, 60, 120, 180, 210, 240, 270, 300, 330, 345, 360, 390, 420, 480, 540, 570, 600, 660, 720, 780,
	-60, -120, -180, -210, -240, -300, -360, -420, -480, -540, -600, -660, -720}

// clock reads the wall clock, and the zone it is meant to keep.
func (d *dahuaTalk) clock(ctx context.Context) {
	if ctx.Err() != nil || d.lock != nil {
		return
	}
	lines, a, err := d.ask(ctx, dahuaGlobal, "action=getCurrentTime")
	at := wallStamp(lines["result"], time.DateTime)
	if err == nil && !at.known() {
		err = errors.New("its time cannot be read")
	}
	if err != nil {
		if d.lock == nil {
			d.told.problem("global getCurrentTime", err)
		}
		return
	}
	ntp, _ := d.config(ctx, "NTP")
	summer, _ := d.config(ctx, "Locales")
	zone, raw := dahuaZone(ntp, summer, at.at)
	d.told.clock = &ownClock{at: at.at, wall: true, timing: a.when, method: "dahua getCurrentTime", zone: zone, zoneRaw: raw, from: a.from}
}

// dahuaZone names the zone of the tables NTP and Locales, "" where they do not say,
// and gives their words. With DSTEnable false the clock stays on winter time all
// year: an NVR synchronised by NTP was 58 minutes off for that. The days of the
// change are those of one year.
func dahuaZone(ntp, summer dahuaLines, now time.Time) (zone, raw string) {
	raw = "TimeZone " + ntp["TimeZone"] + " DSTEnable " + summer["DSTEnable"]
	index, err := strconv.Atoi(ntp["TimeZone"])
	if err != nil || index < 0 || index >= len(dahuaZones) {
		return "", raw
	}
	minutes := dahuaZones[index]
	switch strings.ToLower(summer["DSTEnable"]) {
	case "false":
		return fixedZone(minutes * 60), raw
	case "true":
	default:
		return "", raw
	}
	start, ok1 := changeOf(summer, "DSTStart", now)
	end, ok2 := changeOf(summer, "DSTEnd", now)
	raw += " " + start + " " + end
	if !ok1 || !ok2 {
		return "", raw
	}
	sign := '-' // POSIX counts westwards
	if minutes < 0 {
		sign, minutes = '+', -minutes
	}
	return ruleZone(fmt.Sprintf("STD%c%d:%02dDST,%s,%s", sign, minutes/60, minutes%60, start, end), now), raw
}

// changeOf writes one change of the clock as a POSIX rule: by week of the month
// (-1 is the last) and day of the week from Sunday, 0, or, with Week 0, by the day
// of the month, which holds for the year that it names and no other.
func changeOf(l dahuaLines, which string, now time.Time) (string, bool) {
	number := func(field string) int {
		n, err := strconv.Atoi(l[which+"."+field])
		if err != nil {
			return -99
		}
		return n
	}
	month, week, day, hour, minute := number("Month"), number("Week"), number("Day"), number("Hour"), number("Minute")
	if month < 1 || month > 12 || hour < 0 || hour > 24 || minute < 0 || minute > 59 {
		return "", false
	}
	at := fmt.Sprintf("/%d:%02d", hour, minute)
	switch {
	case week == 0 && day >= 1 && day <= 31:
		date := time.Date(number("Year"), time.Month(month), day, 0, 0, 0, 0, time.UTC)
		n := date.YearDay()
		if leap := time.Date(date.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366; leap && n > 59 {
			n-- // J counts without 29 February
		}
		return fmt.Sprintf("J%d", n) + at, date.Year() == now.Year()
	case week == -1 && day >= 0 && day <= 6:
		return fmt.Sprintf("M%d.5.%d", month, day) + at, true
	case week >= 1 && week <= 5 && day >= 0 && day <= 6:
		return fmt.Sprintf("M%d.%d.%d", month, week, day) + at, true
	}
	return "", false
}

package interrogate

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// zoneNames are tried in this order for a zone that a device gives as a rule:
// the first whose clock agrees all year. Rome stands for all of Central Europe.
var zoneNames = [...]string{"Europe/Rome", "Europe/London", "Europe/Athens", "Europe/Istanbul",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "UTC"}

// readZone gives the device's zone as an IANA name; if none of those tried
// follows its rules, or if its wall clock does not, the offset in force
// ("UTC+08:00"); "" if unknown.
func readZone(answer systemDateAndTime, now time.Time) string {
	zone, name := namedZone(answer, now)
	utc, okUTC := answer.Set.UTC.time(time.UTC)
	local, okLocal := answer.Set.Local.time(time.UTC)
	if okUTC && okLocal {
		// What it shows is what it stamps: some have the sign of their rule
		// wrong, others do not apply its daylight saving.
		shown := int(local.Sub(utc).Round(time.Minute) / time.Second)
		if zone == nil || offsetAt(zone, utc) != shown {
			return fixedZone(shown)
		}
	}
	switch {
	case zone == nil:
		return ""
	case name == "":
		return fixedZone(offsetAt(zone, now))
	}
	return name
}

// namedZone reads what the device calls its zone: nil if that says nothing, and
// no name if none is known for its rules.
func namedZone(answer systemDateAndTime, now time.Time) (*time.Location, string) {
	if region := strings.TrimPrefix(strings.TrimSpace(answer.Set.Region), ":"); strings.Contains(region, "/") {
		if zone, err := time.LoadLocation(region); err == nil {
			return zone, region
		}
	}
	zone, ok := posixZone(answer.Set.Zone)
	if !ok {
		return nil, ""
	}
	for _, name := range zoneNames {
		if known, err := time.LoadLocation(name); err == nil && sameClock(zone, known, now) {
			return zone, name
		}
	}
	return zone, ""
}

// loadZone reads what readZone wrote.
func loadZone(name string) (*time.Location, bool) {
	if rest, ok := strings.CutPrefix(name, "UTC"); ok && len(rest) == 6 {
		t, err := time.Parse("-07:00", rest)
		if err != nil {
			return nil, false
		}
		_, offset := t.Zone()
		return time.FixedZone(name, offset), true
	}
	if name == "" || name == "Local" { // this machine's, which the device does not know
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

func offsetAt(zone *time.Location, t time.Time) int {
	_, offset := t.In(zone).Zone()
	return offset
}

// fixedZone names an offset in seconds; "" for one that no zone has.
func fixedZone(offset int) string {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	if offset%60 != 0 || offset > 14*3600 {
		return ""
	}
	return fmt.Sprintf("UTC%c%02d:%02d", sign, offset/3600, offset/60%60)
}

// sameClock compares two zones through the year of now: day by day, and hour by
// hour on the days on which one of them changes.
func sameClock(a, b *time.Location, now time.Time) bool {
	day := time.Date(now.UTC().Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	end := day.AddDate(1, 0, 0)
	x := offsetAt(a, day)
	if x != offsetAt(b, day) {
		return false
	}
	for ; day.Before(end); day = day.AddDate(0, 0, 1) {
		next := day.AddDate(0, 0, 1)
		before := x
		if x = offsetAt(a, next); x != offsetAt(b, next) {
			return false
		}
		for t := day; x != before && t.Before(next); t = t.Add(time.Hour) {
			if offsetAt(a, t) != offsetAt(b, t) {
				return false
			}
		}
	}
	return true
}

// shiftAsName finds the daylight saving that Hikvision (DS-2DF7276-AEL V5.1.6:
// "CST7:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00") and its relabels
// write as the hour by which clocks are moved. POSIX has the zone's offset in
// that place, and an hour's shift when there is nothing.
var shiftAsName = regexp.MustCompile(`^([A-Za-z]+[+-]?[0-9:]+DST)01:00:00`)

// posixZone reads a POSIX TZ rule ("CET-1CEST,M3.5.0,M10.5.0/3"). The standard
// library reads such rules only as the last line of a zone file, so one is
// written around it, with a base offset that no rule yields: it shows through
// when the rule was not understood.
func posixZone(rule string) (*time.Location, bool) {
	rule = shiftAsName.ReplaceAllString(strings.TrimSpace(rule), "$1")
	if rule == "" || len(rule) > 128 || strings.ContainsAny(rule, "\n\x00") {
		return nil, false
	}
	const impossible = 7*3600 + 1234 // 07:20:34
	block := func() []byte {
		b := append([]byte("TZif2"), make([]byte, 15)...)
		for _, count := range []uint32{0, 0, 0, 0, 1, 4} { // one local time type, four bytes of names
			b = binary.BigEndian.AppendUint32(b, count)
		}
		b = binary.BigEndian.AppendUint32(b, impossible)
		return append(b, 0, 0, 'L', 'M', 'T', 0) // no daylight saving, name at 0
	}
	data := append(block(), block()...)
	data = append(data, '\n')
	data = append(data, rule...)
	data = append(data, '\n')
	zone, err := time.LoadLocationFromTZData(rule, data)
	if err != nil {
		return nil, false
	}
	for _, month := range []time.Month{time.January, time.July} {
		if offsetAt(zone, time.Date(2026, month, 15, 0, 0, 0, 0, time.UTC)) == impossible {
			return nil, false
		}
	}
	return zone, true
}

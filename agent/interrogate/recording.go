package interrogate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// readRetention tells what MaximumRetentionTime means. By the specification 0
// is "no limit but the disk's size"; anything absent or unreadable is unknown.
func readRetention(text string) protocol.Retention {
	d, ok := parseDuration(text)
	switch {
	case !ok:
		return protocol.Retention{}
	case d < time.Second:
		return protocol.Retention{Kind: protocol.RetentionCapacity}
	}
	return protocol.Retention{Kind: protocol.RetentionAge, Age: d}
}

// longest gives the retention of a camera that has several recordings: how long
// the last of them keeps footage. One without a limit of age keeps longest; one
// of which nothing is known leaves the whole unknown.
func longest(all []protocol.Retention) protocol.Retention {
	var best protocol.Retention
	for i, r := range all {
		switch {
		case r.Kind == protocol.RetentionUnknown:
			return protocol.Retention{}
		case i == 0, best.Kind == protocol.RetentionAge && (r.Kind == protocol.RetentionCapacity || r.Age > best.Age):
			best = r
		}
	}
	return best
}

// Limits of belief in a time that a recorder stamped on footage.
const (
	maxCorrection = 24 * time.Hour  // of its clock: beyond, it was set meanwhile
	futureSlack   = 5 * time.Minute // between the newest footage and its clock
)

// earliest is the first year of which footage is believed; earlier stamps (1970
// was seen on an empty recording and on a full card alike) are unknown.
var earliest = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// readOldest turns the oldest footage's stamp into UTC. Stamps are by the
// recorder's clock, so its offset is taken off. The zero time with no error is
// "not known"; an error says why a stamp is not believed.
//
// until is the newest footage's stamp, "" if unknown. Some stamp local time with
// a false Z. The newest footage shows it, being of now where a recorder records:
// if it lies ahead of the recorder's own clock, or behind it, by just what zone
// is from UTC, all its stamps are local. One that lies in the future for no such
// reason is not believed. A recorder west of Greenwich that stopped recording
// just these hours ago is taken for one that dresses its stamps: its oldest
// footage then counts hours too young, which is the safe side.
func readOldest(from, until string, clock *protocol.Clock, zone string, now time.Time) (time.Time, error) {
	stamp, ok := parseTime(from)
	if !ok || stamp.Before(earliest) {
		return time.Time{}, nil
	}
	if newest, ok := parseTime(until); ok && clock != nil {
		shown := now.Add(time.Duration(clock.OffsetMs) * time.Millisecond)
		local, known := loadZone(zone)
		switch ahead := newest.Sub(shown); {
		case known && offsetAt(local, shown) != 0 && (ahead-time.Duration(offsetAt(local, shown))*time.Second).Abs() <= futureSlack:
			stamp = inZone(stamp.UTC().Truncate(time.Second), local)
		case ahead > futureSlack && (time.Duration(clock.OffsetMs)*time.Millisecond).Abs() <= maxCorrection:
			return time.Time{}, fmt.Errorf("its footage ends in the future: its dates are not in UTC as they say")
		}
	}
	return believe(stamp, clock, now)
}

// parseTime reads an xs:dateTime; one without a zone counts as UTC, as ONVIF's
// are.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// oldestOf gives the earliest of the times that are known.
func oldestOf(times []time.Time) time.Time {
	times = slices.DeleteFunc(slices.Clone(times), time.Time.IsZero)
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}

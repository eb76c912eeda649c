package interrogate

import (
	"fmt"
	"strings"
	"time"

	"anagrafe/protocol"
)

// stamp is a date that a recorder put on footage, by its own clock. The zero
// stamp is unknown.
type stamp struct {
	at   time.Time // wall: its digits, as if they were UTC
	wall bool      // it is the wall time of the recorder, in its zone
	text string    // as it was told
}

// wallStamp reads the digits of a wall clock in one of the layouts of package
// time; what follows them (a false "Z", a zone that is wrong in summer) is left.
func wallStamp(text string, layouts ...string) stamp {
	s := strings.TrimSpace(text)
	for _, layout := range layouts {
		if len(s) < len(layout) {
			continue
		}
		if t, err := time.Parse(layout, s[:len(layout)]); err == nil {
			return stamp{t, true, clean(text)}
		}
	}
	return stamp{}
}

// utcStamp is one that counts in UTC.
func utcStamp(at time.Time, text string) stamp {
	if at.IsZero() {
		return stamp{}
	}
	return stamp{at.UTC(), false, clean(text)}
}

func (s stamp) known() bool { return !s.at.IsZero() }

// trueTime takes the recorder's error off a stamp: its zone, where it is of the
// wall, and its clock's offset. now is by our clock. The zero time without error
// is not known.
func (s stamp) trueTime(clock *protocol.Clock, zone string, now time.Time) (time.Time, error) {
	if !s.known() || s.at.Before(earliest) {
		return time.Time{}, nil
	}
	at := s.at
	if s.wall {
		local, ok := loadZone(zone)
		if !ok {
			return time.Time{}, fmt.Errorf("the oldest footage is dated by the recorder's wall clock, whose zone is not known")
		}
		at = inZone(s.at, local)
	}
	return believe(at, clock, now)
}

// inZone gives the instant at which a clock in zone shows the digits of t.
func inZone(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

// believe takes the offset of a recorder's clock off a date that it gave, unless
// the clock is unknown or the date cannot be.
func believe(at time.Time, clock *protocol.Clock, now time.Time) (time.Time, error) {
	if clock == nil {
		return time.Time{}, fmt.Errorf("the oldest footage is dated by the recorder's clock, which could not be read")
	}
	offset := time.Duration(clock.OffsetMs) * time.Millisecond
	if offset.Abs() > maxCorrection {
		return time.Time{}, fmt.Errorf("the oldest footage is dated by the recorder's clock, which is more than a day wrong")
	}
	if shown := now.Add(offset); at.After(shown) {
		if at.After(shown.Add(futureSlack)) {
			return time.Time{}, fmt.Errorf("its footage is in the future: its dates are not in UTC as they say")
		}
		return now.UTC().Truncate(time.Second), nil
	}
	return at.Add(-offset).UTC().Truncate(time.Second), nil
}

// ownClock is one reading of a recorder's clock over its own interface.
type ownClock struct {
	at         time.Time     // wall: the digits, as if they were UTC
	wall       bool          // it is wall time; else an instant
	resolution time.Duration // of at; 0: a second
	timing
	method  string // "isapi System/time"; for protocol.Clock
	zone    string // IANA, or fixed as "UTC+01:00"; "" if the device does not say
	zoneRaw string // as it said it
	from    string // the question
}

// The zone that a recorder keeps when it does not say: its city's.
const assumedZone = "Europe/Rome"

// settleClock gives the device its clock and zone from what its own interface
// told, beside what ONVIF told. ONVIF's clock stays, being in UTC and read to a
// part of a second; the wall clock then shows whether the recorder keeps the zone
// that it names: one that does not apply daylight saving stamps its footage an
// hour off (an NVR synchronised by NTP was seen 58 minutes off for that).
func (d *Device) settleClock(t *ownClock, now time.Time) {
	if t == nil {
		return
	}
	zone := t.zone
	if _, ok := loadZone(zone); !ok {
		zone = d.Zone
	}
	assumed := false
	if _, ok := loadZone(zone); !ok && t.wall {
		zone, assumed = assumedZone, true
	}
	local, known := loadZone(zone)
	switch {
	case !t.wall && d.Clock == nil:
		d.Clock = t.clock(t.at)
	case t.wall && d.Clock != nil:
		device := t.sent.Add(time.Duration(d.Clock.OffsetMs) * time.Millisecond)
		shown := t.at.Sub(device.UTC())
		if rounded := shown.Round(15 * time.Minute); (shown-rounded).Abs() <= time.Minute && known && int(rounded/time.Second) != offsetAt(local, device) {
			if fixed := fixedZone(int(rounded / time.Second)); fixed != "" {
				d.Errors = append(d.Errors, Problem{"clock", "its wall clock shows " + fixed + ", though it names " + zone +
					": see whether its daylight saving time is switched on, and its time zone"})
				zone, assumed = fixed, false
			}
		}
	case t.wall:
		d.Clock = t.clock(inZone(t.at, local))
		if assumed {
			d.Clock.Method += ", zone assumed"
		}
	}
	if zone != "" {
		d.Zone, d.ZoneAssumed = zone, assumed
		d.fact("zone", t.from, t.zoneRaw, now)
	}
	if d.Clock != nil && d.Clock.At.Equal(t.middle()) {
		d.fact("clock", t.from, t.at.Format(time.DateTime), now)
		if t.wall {
			zone = "" // of a wall clock nobody says that it is in UTC
		}
		if fault := clockFault(d.Clock, zone, d.Clock.Method, systemDateAndTime{}); fault != "" {
			d.Errors = append(d.Errors, Problem{"clock", fault})
		}
	}
}

// clock compares a reading that means the instant at with ours.
func (t *ownClock) clock(at time.Time) *protocol.Clock {
	resolution := t.resolution
	if resolution == 0 {
		resolution = time.Second
	}
	low, high := at.Sub(t.received), at.Add(resolution).Sub(t.sent)
	return &protocol.Clock{
		OffsetMs:      (low + (high-low)/2).Milliseconds(),
		UncertaintyMs: ((high-low)/2 + resolution/2 + time.Millisecond - 1).Milliseconds(),
		Method:        t.method,
		At:            t.middle(),
	}
}

func (t *ownClock) middle() time.Time { return t.sent.Add(t.received.Sub(t.sent) / 2).UTC() }

// dateHeader reads a clock off the Date of an HTTP answer, for families that have
// no better; nil where there is none to believe.
func dateHeader(a answer) *ownClock {
	at, err := time.Parse(time.RFC1123, a.header.Get("Date"))
	if err != nil || at.Before(earliest) {
		return nil
	}
	return &ownClock{at: at.UTC(), timing: a.when, method: "HTTP Date", from: a.from}
}

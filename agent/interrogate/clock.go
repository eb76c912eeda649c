package interrogate

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// clockResolution: GetSystemDateAndTime gives whole seconds. Most devices cut
// the rest off, so that on average half a second has passed; with one that
// rounds, the uncertainty still covers the error.
const clockResolution = time.Second

// methods of reading the clock, as they go into protocol.Clock.
const (
	methodUTC   = "onvif GetSystemDateAndTime"
	methodLocal = "onvif GetSystemDateAndTime, local time and zone"
)

// readClock compares what a device said with the middle of the call.
// The offset is device minus UTC; its uncertainty is half the round trip and
// the resolution. A device that gives local time only is read through its zone.
func readClock(answer systemDateAndTime, sent, received time.Time) (*protocol.Clock, error) {
	method := methodUTC
	at, ok := answer.Set.UTC.time(time.UTC)
	if !ok {
		zone, known := posixZone(answer.Set.Zone)
		if at, ok = answer.Set.Local.time(zone); !ok || !known {
			return nil, errors.New("it gives no time that can be read")
		}
		method = methodLocal
	}
	at = at.Add(clockResolution / 2)
	trip := received.Sub(sent)
	middle := sent.Add(trip / 2)
	return &protocol.Clock{
		OffsetMs:      at.Sub(middle).Milliseconds(),
		UncertaintyMs: (trip/2 + clockResolution).Milliseconds(),
		Method:        method,
		At:            middle.UTC(),
	}, nil
}

// time reads the parts of a date; false for one that does not exist.
func (d *dateTime) time(zone *time.Location) (time.Time, bool) {
	if d == nil || zone == nil {
		return time.Time{}, false
	}
	var n [6]int
	limits := [6]struct{ low, high int }{{1900, 2200}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 60}}
	for i, s := range []string{d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second} {
		v, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || v < limits[i].low || v > limits[i].high {
			return time.Time{}, false
		}
		n[i] = v
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, zone)
	return t, t.Day() == n[2] || n[5] == 60
}

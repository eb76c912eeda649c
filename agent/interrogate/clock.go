package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/use-go/onvif/device"

	"anagrafe/protocol"
)

const timeOperation = "GetSystemDateAndTime"

// Of the clock's reading. The time comes in whole seconds; asking again a few
// times within one second shows where the second ends.
const (
	clockResolution = time.Second
	edgeStep        = 250 * time.Millisecond
	edgeSamples     = 3
	edgeTime        = 1200 * time.Millisecond // for all of them, from the first reading on
)

// methods of reading the clock, as they go into protocol.Clock.
const (
	methodUTC   = "onvif GetSystemDateAndTime"
	methodLocal = "onvif GetSystemDateAndTime, local time and zone"
)

// reading is one answer to the question for the time.
type reading struct {
	at     time.Time // as the device gave it, whole seconds
	method string
	plain  bool // asked without credentials
	timing
}

// clockAnswer is what a device said to the question for the time.
type clockAnswer struct {
	reading
	clock *protocol.Clock // nil: it was not read
	zone  string
	spoke bool // an ONVIF service answered
	err   error
}

// clock asks for the time, first and without credentials: the answer is needed
// to sign, and a camera that gets a wrong token refuses even this. It settles where
// and how is asked: the path, where the one named is wrong; the manner; TLS, where
// it wants that.
func (l *lane) clock(ctx context.Context) clockAnswer {
	answer, when, err := l.settle(ctx)
	t := clockAnswer{reading: reading{timing: when}}
	signed, _ := l.auth.begins()
	t.plain = !signed
	if err == nil {
		t.at, t.method, err = readTime(answer, l.now())
	}
	if err != nil {
		what := timeOperation
		if t.spoke, t.err = l.spoke(), err; l.trust.broken() {
			what, t.spoke = "certificate", false
		}
		l.note(what, err)
		return t
	}
	t.clock, t.spoke = clockOf([]reading{t.reading}), true
	said := answer
	if t.method == methodLocal {
		said.Set.UTC = nil // it tells nothing about the zone
	}
	t.zone = readZone(said, l.now())
	l.auth.setOffset(time.Duration(t.clock.OffsetMs)*time.Millisecond, true)
	if fault := clockFault(t.clock, t.zone, t.method, answer); fault != "" {
		l.note("clock", errors.New(fault))
	}
	return t
}

// settle finds the path and the manner. Where none is right, what the named path
// answered is the error.
func (l *lane) settle(ctx context.Context) (answer systemDateAndTime, when timing, err error) {
	var named error
	put := func() {
		answer, when, err = askTimed[systemDateAndTime](ctx, l.conversation, l.base, timeOperation, device.GetSystemDateAndTime{})
	}
	for i, path := range l.paths() {
		l.base.Path, l.base.RawPath, l.base.RawQuery = path.Path, path.RawPath, path.RawQuery
		put()
		if m, ok := errors.AsType[*movedError](err); ok {
			l.follow(ctx, m.to)
			put()
		}
		first, plain := err, l.manner
		for _, m := range plain.others(err) {
			l.manner = m
			put()
			if _, fault := errors.AsType[*faultError](err); settled(err) && !fault {
				break
			}
			err, l.manner = first, plain
		}
		if i == 0 {
			named = err
		}
		if locked, ok := errors.AsType[*lockedError](err); ok && i > 0 && !locked.soap {
			continue // a web page that lets nobody see any of its paths
		}
		if settled(err) {
			return answer, when, err
		}
	}
	return answer, when, named
}

// settled tells whether what answered is the device service, whatever it said.
func settled(err error) bool {
	_, other := errors.AsType[*notSOAPError](err)
	_, unsupported := errors.AsType[*unsupportedError](err)
	return !other && !unsupported
}

// follow goes over to TLS on the same host.
func (l *lane) follow(ctx context.Context, to *url.URL) {
	l.base.Scheme, l.base.Host = to.Scheme, to.Host
	if strings.Trim(to.Path, "/") != "" {
		l.base.Path, l.base.RawPath, l.base.RawQuery = to.Path, to.RawPath, to.RawQuery
	}
	l.trust.recall(ctx)
}

// paths are where the device service may be: as named, ONVIF's usual path, and
// the root, which some servers give for every service.
func (l *lane) paths() []url.URL {
	all := []url.URL{*l.base}
	for _, p := range []string{"/onvif/device_service", "/"} {
		if l.base.Path != p {
			all = append(all, url.URL{Path: p})
		}
	}
	return all
}

// edges reads the clock again within one second, so many times, to see where it
// ends, and gives it; nil: nothing was asked. It runs beside the other questions and
// is never a problem: without it the clock is known less well.
func (c *conversation) edges(ctx context.Context, first reading, samples int) *protocol.Clock {
	if first.method == "" || !first.plain || samples == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, edgeTime)
	defer cancel()
	all := []reading{first}
	for i := range samples {
		timer := time.NewTimer(first.received.Add(time.Duration(i+1) * edgeStep).Sub(c.now()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		if ctx.Err() != nil {
			break
		}
		_, _, body, when, err := c.post(ctx, c.base, timeOperation, device.GetSystemDateAndTime{}, false)
		if err != nil {
			break
		}
		answer, fault, err := readAnswer[systemDateAndTime](timeOperation, body)
		if err != nil || fault != nil {
			break
		}
		r := reading{timing: when}
		if r.at, r.method, err = readTime(answer, c.now()); err != nil || r.method != first.method {
			break
		}
		all = append(all, r)
		if !r.at.Equal(first.at) {
			break // between this and the one before lies the edge
		}
	}
	return clockOf(all)
}

// readTime finds the device's time in its answer, and how it was found. now is
// our time: a device whose "universal" time is its local time is known by local
// time and zone agreeing with it (OpenIPC/majestic-webui#292).
func readTime(answer systemDateAndTime, now time.Time) (time.Time, string, error) {
	utc, ok := answer.Set.UTC.time(time.UTC)
	zone, known := posixZone(answer.Set.Zone)
	var local time.Time
	okLocal := false
	if known {
		local, okLocal = answer.Set.Local.time(zone)
	}
	if ok && okLocal && !local.Equal(utc) {
		wall, _ := answer.Set.Local.time(time.UTC)
		if wall.Sub(utc).Abs() <= 2*time.Second && local.Sub(now).Abs() < maxDressed && utc.Sub(now).Abs() > maxDressed {
			return local, methodLocal, nil
		}
	}
	switch {
	case ok:
		return utc, methodUTC, nil
	case okLocal:
		return local, methodLocal, nil
	}
	return time.Time{}, "", errors.New("it gives no time that can be read")
}

// maxDressed is how far a clock may be off and still be told from one in another
// zone.
const maxDressed = 10 * time.Minute

// clockOf compares what a device said with our clock. Each reading bounds the
// offset (device minus UTC): the device cut its time to the second somewhere
// between the sending and the answer. All bounds hold together; the offset is in
// the middle and the uncertainty is half the width.
//
// Decision: devices cut off the fraction, as the C library does. Of a single
// reading the uncertainty covers also one that rounds; readings that contradict
// each other (the clock was set meanwhile) count as the first alone.
func clockOf(all []reading) *protocol.Clock {
	low, high := bounds(all[0])
	last := all[0]
	for _, r := range all[1:] {
		l, h := bounds(r)
		if l, h = max(low, l), min(high, h); l > h {
			low, high = bounds(all[0])
			last, all = all[0], all[:1]
			break
		} else {
			low, high, last = l, h, r
		}
	}
	half := (high - low) / 2
	uncertainty := half
	if len(all) == 1 {
		uncertainty += clockResolution / 2
	}
	return &protocol.Clock{
		OffsetMs:      (low + half).Milliseconds(),
		UncertaintyMs: (uncertainty + time.Millisecond - 1).Milliseconds(),
		Method:        last.method,
		At:            last.sent.Add(last.received.Sub(last.sent) / 2).UTC(),
	}
}

func bounds(r reading) (low, high time.Duration) {
	return r.at.Sub(r.received), r.at.Add(clockResolution).Sub(r.sent)
}

// clockFault names in words what a clock that is off by whole hours suffers
// from; "" if it is not.
func clockFault(c *protocol.Clock, zone, method string, answer systemDateAndTime) string {
	if method == methodLocal && answer.Set.UTC != nil {
		return "its clock is right, but it gives its local time as universal time (UTC): if its settings allow it, set the time zone again"
	}
	offset := time.Duration(c.OffsetMs) * time.Millisecond
	hours := int(offset.Round(time.Hour) / time.Hour)
	if hours == 0 || hours < -14 || hours > 14 || (offset-time.Duration(hours)*time.Hour).Abs() > nearHour {
		return ""
	}
	direction, n := "ahead", hours
	if n < 0 {
		direction, n = "behind", -n
	}
	unit := "hours"
	if n == 1 {
		unit = "hour"
	}
	text := fmt.Sprintf("its clock is %d %s %s: ", n, unit, direction)
	loc, ok := loadZone(zone)
	switch {
	case ok && offsetAt(loc, c.At) == hours*3600 && hours != 0:
		return text + "it seems to keep local time as universal time (UTC); set its time zone, then its time"
	case n == 1:
		return text + "daylight saving time or the time zone is set wrongly"
	}
	return text + "the time zone is set wrongly"
}

// nearHour is how near to whole hours the offset of a clock with a wrong zone
// is. A clock that drifted there is rarer than one that was set by hand.
const nearHour = time.Minute

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

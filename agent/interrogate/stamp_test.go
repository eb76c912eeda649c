package interrogate

import (
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestStamps(t *testing.T) {
	now := at("2026-07-10T12:00:00Z")
	right := &protocol.Clock{}
	for _, c := range []struct {
		name  string
		s     stamp
		clock *protocol.Clock
		zone  string
		want  string // RFC 3339, "" unknown, or part of the error
	}{
		{"in UTC", utcStamp(at("2026-07-08T10:00:00Z"), ""), right, "Europe/Rome", "2026-07-08T10:00:00Z"},
		{"of the wall, in summer", wallStamp("2026-07-08 12:00:00", time.DateTime), right, "Europe/Rome", "2026-07-08T10:00:00Z"},
		{"of the wall with a false Z", wallStamp("2026-07-08T12:00:00Z", "2006-01-02T15:04:05"), right, "Europe/Rome", "2026-07-08T10:00:00Z"},
		{"of the wall with a zone that is wrong in summer", wallStamp("2026-07-08T12:00:00+01:00", "2006-01-02T15:04:05"), right, "Europe/Rome", "2026-07-08T10:00:00Z"},
		{"of the wall, in winter", wallStamp("2026-01-08 12:00:00", time.DateTime), right, "Europe/Rome", "2026-01-08T11:00:00Z"},
		{"of a wall that keeps no summer time", wallStamp("2026-07-08 11:00:00", time.DateTime), right, "UTC+01:00", "2026-07-08T10:00:00Z"},
		{"by a clock that is 58 minutes ahead", wallStamp("2026-07-08 12:58:00", time.DateTime), &protocol.Clock{OffsetMs: 58 * 60_000}, "Europe/Rome", "2026-07-08T10:00:00Z"},
		{"of the wall of an unknown zone", wallStamp("2026-07-08 12:00:00", time.DateTime), right, "", "zone is not known"},
		{"without a clock", utcStamp(at("2026-07-08T10:00:00Z"), ""), nil, "Europe/Rome", "could not be read"},
		{"by a clock days off", utcStamp(at("2026-07-08T10:00:00Z"), ""), &protocol.Clock{OffsetMs: 3 * 86_400_000}, "", "more than a day wrong"},
		{"in the future", utcStamp(at("2026-07-11T10:00:00Z"), ""), right, "", "in the future"},
		{"a minute ahead: of now", utcStamp(at("2026-07-10T12:01:00Z"), ""), right, "", "2026-07-10T12:00:00Z"},
		{"of 1970", utcStamp(at("1970-01-01T00:00:00Z"), ""), right, "", ""},
		{"none", stamp{}, right, "Europe/Rome", ""},
		{"not a date", wallStamp("yesterday", time.DateTime), right, "Europe/Rome", ""},
	} {
		got, err := c.s.trueTime(c.clock, c.zone, now)
		text := ""
		if !got.IsZero() {
			text = got.Format(time.RFC3339)
		}
		if err != nil {
			text = err.Error()
		}
		if text != c.want && (err == nil || !strings.Contains(text, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

func TestSettleClock(t *testing.T) {
	sent := at("2026-07-10T12:00:00Z")
	asked := timing{sent, sent.Add(40 * time.Millisecond)}
	wall := func(text, zone string) *ownClock {
		d, _ := time.Parse(time.DateTime, text)
		return &ownClock{at: d, wall: true, timing: asked, method: "test", zone: zone, from: "GET /time"}
	}
	onvif := &protocol.Clock{OffsetMs: 2000, UncertaintyMs: 30, Method: methodUTC, At: sent}
	for _, c := range []struct {
		name    string
		before  *protocol.Clock
		zone    string // that ONVIF told
		own     *ownClock
		offset  time.Duration
		want    string // zone
		assumed bool
		method  string
	}{
		{"an instant", nil, "", &ownClock{at: sent.Add(5 * time.Second), timing: asked, method: "test"}, 5 * time.Second, "", false, "test"},
		{"the wall, in the zone that it names", nil, "", wall("2026-07-10 14:00:05", "Europe/Rome"), 5 * time.Second, "Europe/Rome", false, "test"},
		{"the wall, in the zone that ONVIF told", nil, "Europe/Athens", wall("2026-07-10 15:00:05", ""), 5 * time.Second, "Europe/Athens", false, "test"},
		{"the wall, of no zone", nil, "", wall("2026-07-10 14:00:05", ""), 5 * time.Second, "Europe/Rome", true, "test, zone assumed"},
		{"the wall without summer time", nil, "", wall("2026-07-10 13:00:05", ""), -time.Hour + 5*time.Second, "Europe/Rome", true, "test, zone assumed"},
		{"ONVIF's clock stays", onvif, "Europe/Rome", wall("2026-07-10 14:00:02", ""), 2 * time.Second, "Europe/Rome", false, methodUTC},
		{"ONVIF is right and the wall keeps no summer time", onvif, "Europe/Rome", wall("2026-07-10 13:00:02", "Europe/Rome"), 2 * time.Second, "UTC+01:00", false, methodUTC},
		{"ONVIF is right and the wall a few minutes off: no zone", onvif, "Europe/Rome", wall("2026-07-10 14:07:02", ""), 2 * time.Second, "Europe/Rome", false, methodUTC},
		{"nothing told", nil, "Europe/Rome", nil, 0, "Europe/Rome", false, ""},
	} {
		d := Device{Clock: c.before, Zone: c.zone}
		d.settleClock(c.own, sent)
		got, method := time.Duration(0), ""
		if d.Clock != nil {
			got, method = time.Duration(d.Clock.OffsetMs)*time.Millisecond, d.Clock.Method
		}
		if d.Zone != c.want || d.ZoneAssumed != c.assumed || method != c.method || (got-c.offset).Abs() > time.Second {
			t.Errorf("%s: offset %s in zone %q (assumed %v) by %q", c.name, got, d.Zone, d.ZoneAssumed, method)
		}
		if d.Clock != nil && d.Clock != c.before {
			if err := (got - c.offset).Abs(); err > time.Duration(d.Clock.UncertaintyMs)*time.Millisecond {
				t.Errorf("%s: %s off, with an uncertainty of %d ms", c.name, err, d.Clock.UncertaintyMs)
			}
		}
	}
}

// TestWallFault: who reads only a wall clock learns in words that it is whole hours
// off, like one that ONVIF tells.
func TestWallFault(t *testing.T) {
	sent := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC) // 14:00 in Rome
	wall := func(shown time.Duration) *ownClock {
		return &ownClock{at: sent.Add(shown), wall: true, timing: timing{sent, sent}, method: "test", zone: "Europe/Rome"}
	}
	right := &protocol.Clock{Method: methodUTC, At: sent}
	for name, c := range map[string]struct {
		before *protocol.Clock
		own    *ownClock
		want   string // "": nothing is said
	}{
		"right":                     {nil, wall(2 * time.Hour), ""},
		"minutes off":               {nil, wall(2*time.Hour - 7*time.Minute), ""},
		"no summer time":            {nil, wall(time.Hour), "1 hour behind: daylight saving"},
		"UTC on the wall":           {nil, wall(0), "2 hours behind: the time zone"},
		"two hours ahead is no UTC": {nil, wall(4 * time.Hour), "2 hours ahead: the time zone"},
		"UTC that is local time":    {nil, &ownClock{at: sent.Add(2 * time.Hour), timing: timing{sent, sent}, method: "test", zone: "Europe/Rome"}, "keep local time"},
		"ONVIF's is right":          {right, wall(time.Hour), "shows UTC+01:00, though it names Europe/Rome"},
		"and so is the wall":        {right, wall(2 * time.Hour), ""},
	} {
		d := Device{Clock: c.before}
		d.settleClock(c.own, sent)
		said := ""
		for _, p := range d.Errors {
			said += p.What + ": " + p.Why
		}
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
}

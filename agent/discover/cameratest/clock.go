package cameratest

import (
	"fmt"
	"time"
)

// romanZone is the POSIX zone of a device that tells none.
const romanZone = "CET-1CEST,M3.5.0,M10.5.0/3"

// tellTime puts the device's time into an answer to GetSystemDateAndTime. With a
// quirk of the clock the answer is made anew, with a wall clock and a zone, so
// that the lie shows on every device.
func (d *Device) tellTime(body []byte) []byte {
	q := d.o.Quirks.Clock
	if q == (ClockQuirks{}) {
		return setClock(body, d.Now(), d.c.zone)
	}
	zone, posix := d.c.zone, first(texts(body, "TZ"))
	if zone == nil || posix == "" {
		posix, zone = romanZone, rome()
	}
	now := d.Now().UTC()
	wall := asUTC(now.In(zone))
	summer := now.In(zone).IsDST()
	if q.NoDST {
		wall, summer = wall.Add(-time.Hour), false
	}
	utc := now
	if q.LocalAsUTC {
		utc = wall
	}
	answer := "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>" +
		fmt.Sprintf("<tt:DaylightSavings>%t</tt:DaylightSavings><tt:TimeZone><tt:TZ>%s</tt:TZ></tt:TimeZone>", summer, posix)
	if !q.NoUTC {
		answer += "<tt:UTCDateTime>" + dateTime(utc) + "</tt:UTCDateTime>"
	}
	answer += "<tt:LocalDateTime>" + dateTime(wall) + "</tt:LocalDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
	return envelope(d.c.envelope, []byte(answer))
}

// rome is the zone of a device that names none.
func rome() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil { // a machine without zone data
		zone = time.FixedZone("CET", 3600)
	}
	return zone
}

// wallZone is that of the device's own clock.
func (c *Conversation) wallZone() *time.Location {
	if c.zone == nil {
		return rome()
	}
	return c.zone
}

// asUTC returns the digits of a wall clock as if they were UTC.
func asUTC(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// dateTime is the content of a tt:DateTime.
func dateTime(t time.Time) string {
	return fmt.Sprintf("<tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time>"+
		"<tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date>",
		t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day())
}

package interrogate

import (
	"context"
	"encoding/xml"
	"errors"
	"strings"
	"time"

	"anagrafe/protocol"
)

// hikTracks is record/tracks: what each stream of each channel records. Addresses
// and logins of streams are in it too, and not read.
type hikTracks struct {
	XMLName xml.Name   `xml:"TrackList"`
	Tracks  []hikTrack `xml:"Track"`
}

// hikTrack is one of them. Its Enable is not read: it was seen false on tracks
// that do record.
type hikTrack struct {
	XMLName     xml.Name       `xml:"Track"`
	ID          string         `xml:"id"`                   // channel x 100 + stream
	DefaultMode string         `xml:"DefaultRecordingMode"` // CMR whatever is recorded; of actions that name no mode
	Loop        string         `xml:"LoopEnable"`           // overwrites the oldest when the disk is full
	Blocks      *hikBlocks     `xml:"TrackSchedule>ScheduleBlockList"`
	Extensions  []hikExtension `xml:"CustomExtensionList>CustomExtension"`
	Duration    string         `xml:"Duration"`        // P7DT0H, P0DT0H for none
	Expires     string         `xml:"durationEnabled"` // the switch of Duration; absent in old firmware
}

type hikBlocks struct {
	Actions []hikAction `xml:"ScheduleBlock>ScheduleAction"`
}

type hikExtension struct {
	Enabled string      `xml:"enableSchedule"` // the switch of the whole schedule
	Holiday []hikAction `xml:"HolidaySchedule>ScheduleBlock>ScheduleAction"`
}

// hikAction is one row of a week.
type hikAction struct {
	FromDay string `xml:"ScheduleActionStartTime>DayOfWeek"` // Monday
	From    string `xml:"ScheduleActionStartTime>TimeOfDay"` // 07:30:00
	ToDay   string `xml:"ScheduleActionEndTime>DayOfWeek"`
	To      string `xml:"ScheduleActionEndTime>TimeOfDay"`
	Record  string `xml:"Actions>Record"`
	Mode    string `xml:"Actions>ActionRecordingMode"`
}

// tracks reads what the channels record and how long it is kept: all in one
// answer (145 KB for 16 channels), or, where that is too long, one by one.
func (h hikvision) tracks(ctx context.Context, w *web, t *deviceReport) {
	if ctx.Err() != nil {
		return
	}
	a, err := w.get(ctx, isapiTracks, "")
	if errors.Is(err, errTooLong) {
		h.eachTrack(ctx, w, t)
		return
	}
	var list hikTracks
	if err == nil {
		list, err = xmlOf[hikTracks](a)
	}
	if absent(a, err) {
		return
	}
	t.problem("ContentMgmt/record/tracks", err)
	byID := map[string]hikTrack{}
	for _, track := range list.Tracks {
		byID[channelNumber(track.ID)] = track
	}
	for i := range t.channels {
		if track, ok := byID[mainOf(t.channels[i].id)]; ok {
			t.channels[i].take(track, a.from)
		}
	}
}

// eachTrack asks for the tracks of the channels' main streams.
func (hikvision) eachTrack(ctx context.Context, w *web, t *deviceReport) {
	for i := range t.channels {
		c := &t.channels[i]
		if channelNumber(c.id) == "" {
			continue
		}
		track, from, ok := isapi[hikTrack](ctx, w, t, isapiTracks+"/"+mainOf(c.id))
		if ok {
			c.take(track, from)
		}
	}
}

// take puts schedule and retention of a track into its channel.
func (c *channelReport) take(track hikTrack, from string) {
	week, raw := hikvisionSchedule(track)
	c.schedule = week
	c.say("schedule", from, raw...)
	kept, raw := hikvisionRetention(track)
	c.retention = kept
	c.say("retention", from, raw...)
}

// hikvisionSchedule reads the week of a track, and the words for it. The switch
// enableSchedule decides: off, the track records nothing. Where it is not told, or
// there is no list of blocks (old firmware leaves it out), or a row cannot be
// read, the schedule is unknown. A list without rows records nothing.
func hikvisionSchedule(track hikTrack) (protocol.Schedule, []string) {
	enabled, holiday := "", []hikAction(nil)
	for _, e := range track.Extensions {
		if e.Enabled != "" {
			enabled, holiday = strings.TrimSpace(e.Enabled), e.Holiday
			break
		}
	}
	raw := []string{"enableSchedule " + enabled}
	if enabled == "" {
		raw[0] = "enableSchedule is not told"
	}
	if track.Blocks == nil {
		raw = append(raw, "ScheduleBlockList is not told")
	} else {
		for _, a := range track.Blocks.Actions {
			raw = append(raw, a.words())
		}
	}
	for _, a := range holiday {
		raw = append(raw, "holiday "+a.words())
	}
	switch {
	case strings.EqualFold(enabled, "false"):
		return off(), raw
	case !strings.EqualFold(enabled, "true"), track.Blocks == nil:
		return protocol.Schedule{}, raw
	}
	p := &plan{}
	for _, a := range track.Blocks.Actions {
		if !a.paint(p, track.DefaultMode, false) {
			return protocol.Schedule{}, raw
		}
	}
	for _, a := range holiday {
		p.addHoliday()
		if !a.paint(p, track.DefaultMode, true) {
			return protocol.Schedule{}, raw
		}
	}
	return p.schedule(), raw
}

func (a hikAction) words() string {
	text := a.FromDay + " " + a.From + " - " + a.ToDay + " " + a.To + " " + a.Mode
	if strings.TrimSpace(a.Record) != "true" {
		text += " Record " + a.Record
	}
	return text
}

// paint adds a row to a week, or to its holiday row, whose days mean nothing.
// Recorders end a whole day with the next day's 00:00:00 (Sunday's with Monday's),
// cameras with the same day's 24:00:00; a row that ends before it begins crosses
// midnight, and one that ends when it begins is not used. False: it cannot be read.
func (a hikAction) paint(p *plan, defaultMode string, holiday bool) bool {
	if strings.EqualFold(strings.TrimSpace(a.Record), "false") {
		return true
	}
	fromDay, okFrom := hikDay(a.FromDay)
	toDay, okTo := hikDay(a.ToDay)
	if strings.TrimSpace(a.ToDay) == "" || holiday && !okTo {
		toDay, okTo = fromDay, true
	}
	from, ok1 := clockSeconds(strings.TrimSpace(a.From))
	to, ok2 := clockSeconds(strings.TrimSpace(a.To))
	if !ok1 || !ok2 || !holiday && (!okFrom || !okTo) || from == daySeconds {
		return false
	}
	mode := a.Mode
	if strings.TrimSpace(mode) == "" {
		mode = defaultMode
	}
	days := (toDay - fromDay + 7) % 7
	switch {
	case days == 0 && to == from:
		return true
	case days == 0 && to < from:
		days = 1
	}
	if holiday {
		// Which day follows a holiday is not told: it ends with the day.
		p.add(protocol.Holiday, from, min(days*daySeconds+to, daySeconds), hikMode(mode))
		return true
	}
	for until := days*daySeconds + to; until > from; until -= daySeconds {
		p.add(fromDay, from, min(until, daySeconds), hikMode(mode))
		fromDay, from = (fromDay+1)%7, 0
	}
	return true
}

const daySeconds = 24 * 60 * 60

func hikDay(name string) (int, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(strings.TrimSpace(name), day.String()) {
			return int(day), true
		}
	}
	return 0, false
}

// hikMode reads an ActionRecordingMode. Of "motion or alarm" motion counts, of
// "motion and alarm" the alarm, without which nothing is recorded. Of other words
// (FieldDetection, LineDetection, pir, POS ...) it is known that something has to
// happen.
func hikMode(word string) protocol.Mode {
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "CMR":
		return protocol.Continuous
	case "MOTION", "EDR", "ALARMORMOTION", "ALLEVENT":
		return protocol.Motion
	case "ALARM", "ALARMANDMOTION":
		return protocol.Alarm
	}
	return protocol.Analytics
}

// hikvisionRetention reads how long a track is kept, and the words for it. A
// Duration counts when durationEnabled says so; where that switch is not told, one
// above zero is stated and not proven: unknown. Without an expiry the disk is
// filled and overwritten, if LoopEnable is on.
func hikvisionRetention(track hikTrack) (protocol.Retention, []string) {
	expires, loop := strings.TrimSpace(track.Expires), strings.TrimSpace(track.Loop)
	raw := []string{"Duration " + track.Duration, "durationEnabled " + expires, "LoopEnable " + loop}
	if expires == "" {
		raw[1] = "durationEnabled is not told"
	}
	age, ok := parseDuration(track.Duration)
	none := strings.EqualFold(expires, "false") || ok && age == 0 || strings.TrimSpace(track.Duration) == "" && expires == ""
	switch {
	case none && strings.EqualFold(loop, "true"):
		return protocol.Retention{Kind: protocol.RetentionCapacity}, raw
	case strings.EqualFold(expires, "true") && ok && age > 0:
		return protocol.Retention{Kind: protocol.RetentionAge, Age: age}, raw
	}
	return protocol.Retention{}, raw
}

package interrogate

import (
	"cmp"
	"errors"
	"time"

	"anagrafe/protocol"
)

// unifiCamera is one camera. The addresses of its streams, which are secret, stand
// beside these fields.
type unifiCamera struct {
	ID            anyText `json:"id"`
	Name          anyText `json:"name"`
	MAC           anyText `json:"mac"`
	Type          anyText `json:"type"`
	State         anyText `json:"state"`
	Recording     anyInt  `json:"isRecording"`
	HasRecordings anyInt  `json:"hasRecordings"`
	Settings      struct {
		Mode        anyText `json:"mode"`
		In          anyText `json:"inScheduleMode"`
		Out         anyText `json:"outScheduleMode"`
		Away        anyText `json:"geofencing"` // "off", or when people are away; not where they are
		Retention   anyInt  `json:"retentionDurationMs"`
		RetentionLQ anyInt  `json:"retentionDurationLQMs"`
	} `json:"recordingSettings"`
	Streams []struct {
		Width  anyInt `json:"width"`
		Height anyInt `json:"height"`
	} `json:"channels"`
	Stats struct {
		Video struct {
			Start   anyInt `json:"recordingStart"`
			End     anyInt `json:"recordingEnd"`
			StartLQ anyInt `json:"recordingStartLQ"`
			EndLQ   anyInt `json:"recordingEndLQ"`
		} `json:"video"`
	} `json:"stats"`
}

// channel makes a channel of a camera; the error is of its schedule.
func (cam unifiCamera) channel(nvr unifiRecorder, from string) (channelReport, error) {
	c := channelReport{id: string(cmp.Or(cam.ID, cam.MAC)), name: string(cam.Name)}
	c.say("name", from)
	if macs := readMACs([]string{colons(cam.MAC)}); len(macs) > 0 {
		c.behind = &Identity{MACs: macs, Name: clean(c.name)}
	}
	for _, s := range cam.Streams { // the largest is the one that is recorded
		if across, down := s.Width.value, s.Height.value; across > 0 && across <= maxSide && down > 0 && down <= maxSide && across*down > int64(c.width)*int64(c.height) {
			c.width, c.height = int(across), int(down)
		}
	}
	c.say("resolution", from)
	err := cam.schedule(&c, nvr, from)
	cam.retention(&c, nvr, from)
	cam.footage(&c, from)
	return c, err
}

// unifiModes are the words of recordingSettings. "detections" is motion and what the
// camera makes out; older ones say "motion" and "smartDetect".
var unifiModes = map[string]protocol.Mode{
	"always": protocol.Continuous, "detections": protocol.Motion, "motion": protocol.Motion,
	"adaptive": protocol.Motion, "smartDetect": protocol.Analytics,
}

// unifiAlways is a schedule of one mode all week; an unknown word is something that
// has to happen.
func unifiAlways(mode string, motionOnly bool) protocol.Schedule {
	m, ok := unifiModes[mode]
	switch {
	case mode == "":
		return protocol.Schedule{}
	case mode == "never":
		return off()
	case !ok:
		return always(protocol.Analytics)
	case m == protocol.Continuous && motionOnly:
		return always(protocol.Motion)
	}
	return always(m)
}

// schedule reads when a camera records. What switches the whole recorder off comes
// first.
func (cam unifiCamera) schedule(c *channelReport, nvr unifiRecorder, from string) error {
	s := cam.Settings
	c.say("schedule", from, word("mode", s.Mode), word("inScheduleMode", s.In), word("outScheduleMode", s.Out), word("geofencing", s.Away),
		word("isRecordingDisabled", truth(nvr.Disabled)), word("isRecordingMotionOnly", truth(nvr.MotionOnly)),
		word("isRecording", truth(cam.Recording)), word("state", cam.State))
	mode := string(s.Mode)
	if mode == "schedule" && s.In != "" && s.In == s.Out {
		mode = string(s.In)
	}
	switch {
	case nvr.Disabled.is(1) || mode == "never":
		c.schedule = off()
	case mode == "schedule":
		return errors.New("it records by hours that it tells in a form that is not known")
	case s.Away != "" && s.Away != "off":
		return errors.New("it records only while its owner is away")
	default:
		c.schedule = unifiAlways(mode, nvr.MotionOnly.is(1))
	}
	return nil
}

// retention reads how long footage is kept: the camera's own age, else the
// recorder's, else until the disk is full. Footage of low quality may be kept
// longer; then that age counts, as footage there is.
func (cam unifiCamera) retention(c *channelReport, nvr unifiRecorder, from string) {
	own, low := cam.Settings.Retention, cam.Settings.RetentionLQ
	c.say("retention", from, wordOf("retentionDurationMs", own), wordOf("retentionDurationLQMs", low), wordOf("recordingRetentionDurationMs", nvr.Retention))
	age := own
	if !own.known {
		age = nvr.Retention
	}
	const longest = int64(100 * 366 * 24 * time.Hour / time.Millisecond)
	switch {
	case age.known && age.value > 0 && age.value <= longest:
		if low.known && low.value <= longest {
			age.value = max(age.value, low.value)
		}
		c.retention = protocol.Retention{Kind: protocol.RetentionAge, Age: (time.Duration(age.value) * time.Millisecond).Truncate(time.Second)}
	case age.null:
		c.retention = protocol.Retention{Kind: protocol.RetentionCapacity}
	}
}

// footage reads the oldest and the newest footage, of either quality.
func (cam unifiCamera) footage(c *channelReport, from string) {
	v := cam.Stats.Video
	if cam.HasRecordings.is(0) {
		return
	}
	c.oldest, c.newest = epochMillis(v.Start), epochMillis(v.End)
	if low := epochMillis(v.StartLQ); low.known() && (!c.oldest.known() || low.at.Before(c.oldest.at)) {
		c.oldest = low
	}
	if low := epochMillis(v.EndLQ); low.at.After(c.newest.at) {
		c.newest = low
	}
	c.say("oldest", from, wordOf("recordingStart", v.Start), wordOf("recordingStartLQ", v.StartLQ))
}

// epochMillis is a time in milliseconds since 1970.
func epochMillis(n anyInt) stamp {
	if !n.known || n.value <= 0 || n.value > 1<<43 {
		return stamp{}
	}
	return utcStamp(time.UnixMilli(n.value), n.String())
}

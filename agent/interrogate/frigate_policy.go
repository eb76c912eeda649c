package interrogate

import (
	"strconv"
	"time"

	"anagrafe/protocol"
)

// frigateRecord is the section "record" of a camera. Footage is written all the
// time, and dropped at once or later by what there is to see in it: so how long it
// is kept also says when the camera records.
type frigateRecord struct {
	Enabled    *bool          `json:"enabled"`
	Continuous *frigateDays   `json:"continuous"` // from 0.17
	Motion     *frigateDays   `json:"motion"`     // from 0.17
	Retain     *frigateDays   `json:"retain"`     // up to 0.16: of one mode for both
	Alerts     *frigateEvents `json:"alerts"`
	Detections *frigateEvents `json:"detections"`
}

// frigateDays is a time that footage is kept, in days, which may have a fraction; 0
// is not at all.
type frigateDays struct {
	Days float64 `json:"days"`
	Mode string  `json:"mode"` // all, motion, active_objects
}

type frigateEvents struct {
	Retain *frigateDays `json:"retain"`
}

// age is the time as a duration, whole seconds; 0 where it is none that can be.
func (d *frigateDays) age() time.Duration {
	if d == nil || !(d.Days > 0) || d.Days > 36500 {
		return 0
	}
	return (time.Duration(d.Days*24*60*60) * time.Second)
}

// days gives the time of events.
func (e *frigateEvents) days() *frigateDays {
	if e == nil {
		return nil
	}
	return e.Retain
}

// frigatePolicy reads when a camera records and how long that is kept.
//
// Kept without regard to what is seen: it records continuously, for that age. If
// nothing is, it records on motion, or on what its detector finds, for the age of
// that. Footage of events (alerts and detections, and of motion where more is kept
// besides) has an age of its own where that is longer. Where all of them are told
// and none is kept at all, it does not record; where some are not told, that is
// unknown. When the disk is nearly full the oldest two hours go, whatever their age.
func frigatePolicy(r frigateRecord) (protocol.Schedule, protocol.Retention) {
	mode, base := protocol.Continuous, r.Continuous.age()
	event := max(r.Motion.age(), r.Alerts.days().age(), r.Detections.days().age())
	if r.Continuous == nil && r.Retain != nil {
		base = r.Retain.age()
		switch r.Retain.Mode {
		case "all", "":
		case "motion":
			mode = protocol.Motion
		default: // active_objects, and words that are not known
			mode = protocol.Analytics
		}
	}
	if base == 0 {
		mode, base = protocol.Motion, r.Motion.age()
	}
	if base == 0 {
		mode, base = protocol.Analytics, event
	}
	retention := protocol.Retention{}
	if base > 0 {
		retention = protocol.Retention{Kind: protocol.RetentionAge, Age: base}
		if event > base {
			retention.EventAge = event
		}
	}
	told := (r.Continuous != nil && r.Motion != nil || r.Retain != nil) && r.Alerts.days() != nil && r.Detections.days() != nil
	switch {
	case r.Enabled != nil && !*r.Enabled:
		return off(), retention
	case r.Enabled == nil:
		return protocol.Schedule{}, retention
	case base > 0:
		return always(mode), retention
	case told:
		return off(), retention
	}
	return protocol.Schedule{}, retention
}

// words are the section's own.
func (r frigateRecord) words() []string {
	var all []string
	if r.Enabled != nil {
		all = append(all, "record.enabled "+strconv.FormatBool(*r.Enabled))
	}
	add := func(name string, d *frigateDays) {
		if d == nil {
			return
		}
		text := name + ".days " + strconv.FormatFloat(d.Days, 'f', -1, 64)
		if d.Mode != "" {
			text += " " + d.Mode
		}
		all = append(all, text)
	}
	add("continuous", r.Continuous)
	add("motion", r.Motion)
	add("retain", r.Retain)
	add("alerts.retain", r.Alerts.days())
	add("detections.retain", r.Detections.days())
	return all
}

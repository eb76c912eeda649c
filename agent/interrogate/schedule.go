package interrogate

import (
	"strings"

	"anagrafe/protocol"
)

// readSchedule tells what the recording jobs of one camera mean.
//
// Decisions:
//   - An active job that names no schedule and no event filter records always.
//     That it is active is what was set, not that data flow: if the device says
//     that the job is idle or in error, it counts for nothing.
//   - One with an event filter records only on motion, alarm or analytics; beside
//     a continuous one it adds nothing.
//   - One that names a schedule records while that is active, and only then
//     (JobConfiguration@ScheduleToken). A schedule that could not be read leaves
//     the whole unknown, unless another job records always. So does an empty
//     token: it names none, but a device was seen to drop the schedules that are
//     set, so it is not "always" either.
//   - No job, or none active, is unknown and never "off": recorders record by
//     rules of their own, which ONVIF does not show.
func readSchedule(jobs []recordingJob, states map[string]string, weeks map[string]week) protocol.Schedule {
	var layers []layer
	unknown := false
	for _, j := range jobs {
		if !j.active() {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(states[j.Token])) {
		case "idle", "error":
			continue
		}
		l := layer{mode: protocol.Continuous}
		if e := j.Configuration.Events; e != nil {
			l.mode = eventMode(e.Topics)
		}
		if token := j.Configuration.Schedule; token != nil {
			w, ok := weeks[*token]
			if !ok {
				unknown = true
				continue
			}
			l.week = &w
		} else if l.mode == protocol.Continuous {
			return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous}
		}
		layers = append(layers, l)
	}
	if unknown || len(layers) == 0 {
		return protocol.Schedule{}
	}
	return paint(layers)
}

// layer is what one job adds: its mode while its week is active, or always.
type layer struct {
	mode protocol.Mode
	week *week
}

// paint lays jobs over each other: continuous recording covers that on events,
// and of several kinds of event the first job's counts.
func paint(layers []layer) protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	full := true
	for day := range protocol.Holiday {
		var minutes [dayMinutes]protocol.Mode
		for _, l := range layers {
			spans := []span{{0, dayMinutes}}
			if l.week != nil {
				spans = l.week.days[day]
			}
			for _, p := range spans {
				for m := p.from; m < p.to; m++ {
					if minutes[m] == "" || l.mode == protocol.Continuous {
						minutes[m] = l.mode
					}
				}
			}
		}
		s.Days[day] = intervals(minutes[:])
		full = full && len(s.Days[day]) == 1 && s.Days[day][0] == protocol.Interval{From: 0, To: dayMinutes, Mode: s.Days[0][0].Mode}
	}
	for _, l := range layers {
		if l.week == nil || l.week.special == nil {
			continue
		}
		if len(layers) > 1 {
			return protocol.Schedule{} // what the others do on special days is not told
		}
		var minutes [dayMinutes]protocol.Mode
		for _, p := range l.week.special {
			for m := p.from; m < p.to; m++ {
				minutes[m] = l.mode
			}
		}
		s.Days[protocol.Holiday] = append([]protocol.Interval{}, intervals(minutes[:])...) // never nil: there is a row
		full = false
	}
	if full {
		return protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: s.Days[0][0].Mode}
	}
	return s
}

func intervals(minutes []protocol.Mode) []protocol.Interval {
	var row []protocol.Interval
	for m, mode := range minutes {
		switch {
		case mode == "":
		case m > 0 && minutes[m-1] == mode:
			row[len(row)-1].To = m + 1
		default:
			row = append(row, protocol.Interval{From: m, To: m + 1, Mode: mode})
		}
	}
	return row
}

// eventMode gives the mode of an event filter by its topics; analytics if they
// are others or mixed, which is like the rest "not continuous".
func eventMode(topics []string) protocol.Mode {
	text := strings.ToLower(strings.Join(topics, " "))
	motion := strings.Contains(text, "motion")
	alarm := strings.Contains(text, "trigger") || strings.Contains(text, "digitalinput") || strings.Contains(text, "alarm")
	switch {
	case motion && !alarm:
		return protocol.Motion
	case alarm && !motion:
		return protocol.Alarm
	}
	return protocol.Analytics
}

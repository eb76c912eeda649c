package review

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// cameraView is a camera in the owner's words.
type cameraView struct {
	inventory.Camera
	Name string              // what to call it, also when it has no name
	Rows []row               // what the register would hold, or holds
	Sent inventory.SentState // how far its site's last decision has come
}

// row is one line of what is known: what, the value, and where it comes from.
type row struct{ What, Value, From string }

func viewOf(w *pages.Words, c inventory.Camera) cameraView {
	values := c.Values
	if c.Declared != nil && len(c.Changed) == 0 {
		values = *c.Declared
		// Of these officers see the measured one, with its date.
		if slices.Contains(c.Differs, "schedule") {
			values.Schedule = c.Values.Schedule
		}
		if slices.Contains(c.Differs, "retention") {
			values.Retention = c.Values.Retention
		}
	}
	rows := rowsOf(w, values)
	keeper := recorderWords(c.Device)
	rows = append(rows, row{What: w.T("view.recorder"), Value: or(keeper, w.T("view.unknown"))},
		row{What: w.T("view.storage"), Value: storageWords(w, c.Device.Storage, c.Device.StorageNote)},
		row{What: w.T("camera.clock"), Value: clockWords(w, c.Device.Clock)})
	return cameraView{Camera: c, Name: nameOf(w, c), Rows: rows}
}

func nameOf(w *pages.Words, c inventory.Camera) string {
	if c.Values.Name != "" {
		return c.Values.Name
	}
	what := protocol.MakerModel(c.Device.Vendor, c.Device.Model)
	if what == "" {
		what = c.Device.Address
	}
	return w.T("camera.nameless", "what", what)
}

// rowsOf reports what a declaration holds of a camera, all of it.
func rowsOf(w *pages.Words, c protocol.Camera) []row {
	unknown := w.T("view.unknown")
	rows := []row{{w.T("view.name"), or(c.Name, unknown), from(w, c.NameFact)}}
	place := unknown
	if c.Position.Placed() {
		place = w.T("view.place", "lat", degrees(c.Position.Lat), "lon", degrees(c.Position.Lon), "m", w.Number(c.Position.AccuracyM))
	}
	rows = append(rows, row{w.T("view.position"), place, from(w, c.Position.Fact)})
	sight := []string{}
	if c.View.Turns {
		sight = append(sight, w.T("view.turns"))
	}
	if c.View.DirectionDeg != nil {
		sight = append(sight, w.T("view.towards", "side", w.Side(float64(*c.View.DirectionDeg))))
	}
	if c.View.AngleDeg != nil {
		sight = append(sight, w.T("fov.wide", "deg", strconv.Itoa(*c.View.AngleDeg)))
	}
	if c.View.RangeM != nil {
		sight = append(sight, w.T("fov.far", "m", w.Number(*c.View.RangeM)))
	}
	if c.View.Infrared {
		sight = append(sight, w.T("view.infrared"))
	}
	if c.View.WidthPx > 0 {
		sight = append(sight, fmt.Sprintf("%d × %d", c.View.WidthPx, c.View.HeightPx))
	}
	rows = append(rows,
		row{w.T("view.sight"), or(strings.Join(sight, ", "), unknown), from(w, c.View.Fact)},
		row{w.T("view.schedule"), scheduleWords(w, c.Schedule), from(w, c.Schedule.Fact)},
		row{w.T("view.retention"), retentionWords(w, c.Retention), from(w, c.Retention.Fact)})
	return rows
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func degrees(micro int32) string { return strconv.FormatFloat(float64(micro)/1e6, 'f', 6, 64) }

// from says in words where a fact comes from.
func from(w *pages.Words, f protocol.Fact) string {
	switch f.Source {
	case protocol.Declared:
		return w.T("from.declared", "day", w.Day(f.At))
	case protocol.Measured:
		return w.T("from.measured", "day", w.Day(f.At))
	case protocol.Confirmed:
		return w.T("from.confirmed", "day", w.Day(f.At))
	}
	return ""
}

func scheduleWords(w *pages.Words, s protocol.Schedule) string {
	switch s.Kind {
	case protocol.ScheduleAlways:
		return w.T("schedule.always", "mode", w.T("mode."+string(s.Mode)))
	case protocol.ScheduleOff:
		return w.T("schedule.off")
	case protocol.ScheduleWeekly:
		var days []string
		for i := range 8 {
			day := (i + 1) % 7 // Monday first, the holiday row last
			name := ""
			if i == 7 {
				day, name = protocol.Holiday, w.T("schedule.holiday")
			} else {
				name = w.T("time.weekday." + strconv.Itoa(day))
			}
			if len(s.Days[day]) == 0 {
				continue
			}
			var times []string
			for _, t := range s.Days[day] {
				times = append(times, w.T("schedule.interval", "from", minutes(t.From), "to", minutes(t.To), "mode", w.T("mode."+string(t.Mode))))
			}
			days = append(days, name+" "+strings.Join(times, ", "))
		}
		return or(strings.Join(days, "; "), w.T("schedule.off"))
	}
	return w.T("view.unknown")
}

func minutes(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

func retentionWords(w *pages.Words, r protocol.Retention) string {
	var parts []string
	if limit := limitWords(w, r); limit != "" {
		parts = append(parts, limit)
	}
	if !r.OldestFootage.IsZero() {
		parts = append(parts, w.T("retention.oldest", "when", w.Short(r.OldestFootage)))
	}
	return or(strings.Join(parts, "; "), w.T("view.unknown"))
}

// storageWords says where images are by the owner's word.
func storageWords(w *pages.Words, s protocol.Storage, note string) string {
	var parts []string
	if key := "storage." + string(s); s != protocol.StorageUnknown && w.Has(key) {
		parts = append(parts, w.T(key))
	}
	if note != "" {
		parts = append(parts, note)
	}
	return or(strings.Join(parts, ": "), w.T("view.unknown"))
}

// limitWords says how long footage is kept as configured; "" where that is not known.
func limitWords(w *pages.Words, r protocol.Retention) string {
	switch {
	case r.Kind == protocol.RetentionAge && r.EventAge > 0 && r.EventAge != r.Age:
		return w.T("retention.both", "age", w.Duration(r.Age), "event", w.Duration(r.EventAge))
	case r.Kind == protocol.RetentionAge:
		return w.Duration(r.Age)
	case r.Kind == protocol.RetentionCapacity:
		return w.T("retention.capacity")
	}
	return ""
}

// clockWords says how far a device's clock is off.
func clockWords(w *pages.Words, c *protocol.Clock) string {
	if c == nil {
		return w.T("view.unknown")
	}
	off := time.Duration(c.OffsetMs) * time.Millisecond
	switch {
	case off.Abs() < 10*time.Second:
		return w.T("clock.right")
	case off > 0:
		return w.T("clock.ahead", "span", spanWords(w, off))
	}
	return w.T("clock.behind", "span", spanWords(w, -off))
}

func spanWords(w *pages.Words, d time.Duration) string {
	if d < 2*time.Minute {
		return w.N("clock.seconds", int(d/time.Second))
	}
	return w.Duration(d)
}

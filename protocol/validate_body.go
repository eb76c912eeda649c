package protocol

import (
	"fmt"
	"slices"
	"time"
)

func (c checker) declaration(d Declaration) {
	c.site(d.Site)
	c.approval(d.Approval)
	c.few("contacts", len(d.Contacts), maxContacts)
	c.few("recorders", len(d.Recorders), maxRecorders)
	c.few("cameras", len(d.Cameras), MaxCameras)
	for i, p := range d.Contacts {
		c.at("contacts", i).contact(p)
	}
	if len(d.Cameras) > 0 && len(d.Contacts) == 0 {
		c.add("contacts", "are missing: a site with cameras needs one at least")
	}
	recorders := map[string]bool{}
	for i, r := range d.Recorders {
		c.at("recorders", i).recorder(r)
		if recorders[r.ID] {
			c.at("recorders", i).add("id", "occurs twice")
		}
		recorders[r.ID] = true
	}
	cameras := map[string]bool{}
	for i, m := range d.Cameras {
		at := c.at("cameras", i)
		at.camera(m)
		if cameras[m.ID] {
			at.add("id", "occurs twice")
		}
		cameras[m.ID] = true
		if !recorders[m.RecorderID] {
			at.add("recorder_id", "names no recorder of this declaration")
		}
	}
}

func (c checker) few(field string, n, most int) {
	if n > most {
		c.add(field, "are %d, more than %d", n, most)
	}
}

func (c checker) site(s Site) {
	c = c.in("site")
	c.required("name", s.Name, maxName)
	known(c, "category", s.Category, Categories...)
	c.text("address", s.Address, maxLine)
}

func (c checker) recorder(r Recorder) {
	c.id("id", r.ID)
	c.text("vendor", r.Vendor, maxName)
	c.text("model", r.Model, maxName)
	c.text("name", r.Name, maxName)
	known(c, "storage", r.Storage, StorageUnknown, StorageOnPremises, StorageCloud, StorageThirdParty)
	c.text("storage_note", r.StorageNote, maxLine)
	if r.Clock != nil {
		c.in("clock").clock(*r.Clock)
	}
}

func (c checker) clock(k Clock) {
	c.number("offset_ms", k.OffsetMs, -maxOffsetMs, maxOffsetMs)
	c.number("uncertainty_ms", k.UncertaintyMs, 0, maxUncertaintyMs)
	c.text("method", k.Method, maxLine)
	c.time("at", k.At)
}

func (c checker) camera(m Camera) {
	c.id("id", m.ID)
	c.text("channel", m.Channel, maxName)
	c.required("name", m.Name, maxName)
	c.in("name_fact").fact(m.NameFact, true)
	c.in("position").position(m.Position)
	c.in("view").view(m.View)
	c.in("schedule").schedule(m.Schedule)
	c.in("retention").retention(m.Retention)

	c = c.in("outdoor_public")
	if !m.OutdoorPublic.Yes {
		c.add("yes", "must be true: only cameras that film an outdoor area open to the public are declared")
	}
	c.required("by", m.OutdoorPublic.By, maxName)
	c.time("at", m.OutdoorPublic.At)
}

func (c checker) position(p Position) {
	c.number("lon", int64(p.Lon), -180e6, 180e6)
	c.number("lat", int64(p.Lat), -90e6, 90e6)
	if p.Point == (Point{}) {
		c.add("lat", "is missing: 0,0 is no place")
	}
	c.number("accuracy_m", int64(p.AccuracyM), 0, maxAccuracy)
	known(c, "method", p.Method, "", "map", "address", "gps", "typed")
	c.in("fact").fact(p.Fact, true)
}

func (c checker) view(v View) {
	c.optional("direction_deg", v.DirectionDeg, 0, 359)
	c.optional("angle_deg", v.AngleDeg, 1, 360)
	c.optional("range_m", v.RangeM, 1, maxRangeM)
	c.optional("height_cm", v.HeightCm, 0, maxHeightCm)
	c.number("width_px", int64(v.WidthPx), 0, maxPixels)
	c.number("height_px", int64(v.HeightPx), 0, maxPixels)
	said := v
	said.Fact = Fact{}
	c.in("fact").fact(v.Fact, said != View{})
}

func (c checker) schedule(s Schedule) {
	known(c, "kind", s.Kind, ScheduleUnknown, ScheduleAlways, ScheduleOff, ScheduleWeekly)
	if s.Kind == ScheduleAlways {
		known(c, "mode", s.Mode, Continuous, Motion, Alarm, Analytics)
	} else if s.Mode != "" {
		c.add("mode", "belongs to kind always; a week has the modes of its intervals")
	}
	if s.Zone != "" && !plausibleZone(s.Zone) {
		c.add("zone", `must be an IANA name or a fixed offset such as "UTC+01:00"`)
	}
	for day, row := range s.Days {
		if s.Kind != ScheduleWeekly && len(row) > 0 {
			c.add("days", "belong to kind weekly")
			break
		}
		c.in(fmt.Sprintf("days[%d]", day)).row(row)
	}
	c.few("suspensions", len(s.Suspensions), maxSuspensions)
	for i, p := range s.Suspensions {
		at := c.at("suspensions", i)
		at.time("from", p.From)
		at.optionalTime("to", p.To)
		if !p.To.IsZero() && !p.From.Truncate(time.Microsecond).Before(p.To.Truncate(time.Microsecond)) {
			at.add("to", "must be after from")
		}
	}
	c.in("fact").fact(s.Fact, s.Kind != ScheduleUnknown)
}

func (c checker) row(row []Interval) {
	if len(row) > maxIntervals {
		c.add("", "are %d intervals, more than %d", len(row), maxIntervals)
		return
	}
	order := make([]int, len(row))
	for i := range row {
		order[i] = i
		at := c.in(fmt.Sprintf("intervals[%d]", i))
		at.number("from", int64(row[i].From), 0, 1439)
		at.number("to", int64(row[i].To), 1, 1440)
		if row[i].From >= row[i].To {
			at.add("to", "must be after from; an interval past midnight is two")
		}
		known(at, "mode", row[i].Mode, Continuous, Motion, Alarm, Analytics)
	}
	slices.SortStableFunc(order, func(a, b int) int { return row[a].From - row[b].From })
	for i := 1; i < len(order); i++ {
		if row[order[i]].From < row[order[i-1]].To {
			c.in(fmt.Sprintf("intervals[%d]", order[i])).add("from", "overlaps interval %d", order[i-1])
		}
	}
}

func (c checker) retention(r Retention) {
	known(c, "kind", r.Kind, RetentionUnknown, RetentionAge, RetentionCapacity)
	if r.Kind == RetentionAge {
		c.age("age", r.Age, time.Second)
	} else if r.Age != 0 {
		c.add("age", "belongs to kind age")
	}
	if r.Kind == RetentionAge || r.EventAge == 0 {
		c.age("event_age", r.EventAge, 0)
	} else {
		c.add("event_age", "belongs to kind age")
	}
	c.optionalTime("oldest_footage", r.OldestFootage)
	c.optionalTime("observed_at", r.ObservedAt)
	switch {
	case r.OldestFootage.IsZero() != r.ObservedAt.IsZero():
		c.add("observed_at", "and oldest_footage go together")
	case r.OldestFootage.After(r.ObservedAt):
		c.add("oldest_footage", "is later than it was observed: take off the recorder's clock offset")
	case r.Settled && r.OldestFootage.IsZero():
		c.add("settled", "needs an oldest footage")
	}
	c.in("fact").fact(r.Fact, r.Kind != RetentionUnknown || !r.OldestFootage.IsZero())
}

func (c checker) age(field string, d, least time.Duration) {
	if d < least || d > maxAge || d%time.Second != 0 {
		c.add(field, "must be whole seconds, from %d to %d", int64(least/time.Second), int64(maxAge/time.Second))
	}
}

func (c checker) observation(o Observation) {
	c.few("recorders", len(o.Recorders), maxRecorders)
	c.few("cameras", len(o.Cameras), MaxCameras)
	type look struct {
		id string
		at int64
	}
	seen := map[look]bool{}
	for i, r := range o.Recorders {
		at := c.at("recorders", i)
		at.id("recorder_id", r.RecorderID)
		at.time("at", r.At)
		if r.Clock != nil {
			at.in("clock").clock(*r.Clock)
			if !r.Reachable {
				at.add("reachable", "must be true where the clock was read")
			}
		}
		if k := (look{r.RecorderID, r.At.UnixMicro()}); seen[k] {
			at.add("at", "occurs twice for this recorder")
		} else {
			seen[k] = true
		}
	}
	clear(seen)
	for i, m := range o.Cameras {
		at := c.at("cameras", i)
		at.id("camera_id", m.CameraID)
		at.time("at", m.At)
		at.optionalTime("oldest_footage", m.OldestFootage)
		if m.OldestFootage.After(m.At) {
			at.add("oldest_footage", "is later than it was observed: take off the recorder's clock offset")
		}
		if m.Schedule != nil {
			at.in("schedule").schedule(*m.Schedule)
		}
		if m.Retention != nil {
			at.in("retention").retention(*m.Retention)
		}
		if k := (look{m.CameraID, m.At.UnixMicro()}); seen[k] {
			at.add("at", "occurs twice for this camera")
		} else {
			seen[k] = true
		}
	}
}

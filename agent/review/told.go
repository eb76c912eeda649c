package review

import (
	"slices"
	"strings"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// saying is one value as the recorder told it, for an owner who doubts it.
type saying struct {
	What, Value string
	At          time.Time // zero: not said
	Observed    bool      // seen over days, not read
	Question    string    // that was asked
	Raw         string    // the recorder's own words
}

// toldOf lists what the recorder told of a camera: only what it did tell.
func toldOf(w *pages.Words, c inventory.Camera) (all []saying) {
	add := func(what, value string, f interrogate.Fact) {
		if value == "" {
			value = w.T("told.unread")
		}
		all = append(all, saying{What: w.T(what), Value: value, At: f.At, Question: f.From, Raw: f.Raw})
	}
	if f, ok := c.Facts["name"]; ok {
		name := f.Raw
		if c.Values.NameFact.Source == protocol.Measured {
			name = c.Values.Name
		}
		add("view.name", name, f)
	}
	if f, ok := c.Facts["schedule"]; ok {
		value := ""
		if c.Values.Schedule.Kind != protocol.ScheduleUnknown {
			value = scheduleWords(w, c.Values.Schedule)
		}
		add("view.schedule", value, f)
	}
	if f, ok := c.Facts["retention"]; ok {
		add("view.retention", limitWords(w, c.Values.Retention), f)
	}
	if points := c.Depth.Points; len(points) > 0 {
		all = append(all, saying{What: w.T("depth.what"), Value: depthWords(w, c.Depth), At: points[len(points)-1].Day, Observed: true})
	}
	if f, ok := c.Facts["oldest"]; ok && !c.Values.Retention.OldestFootage.IsZero() {
		add("told.oldest", w.Short(c.Values.Retention.OldestFootage), f)
	}
	if clock := c.Device.Clock; clock != nil {
		f := c.Device.Facts["clock"]
		f.At = clock.At
		if f.From == "" {
			f.From = clock.Method
		}
		add("camera.clock", clockWords(w, clock), f)
	}
	if c.Device.Kept != interrogate.KeptUnknown {
		add("view.storage", w.T("told.kept.says", "where", keptWords(w, c.Device.Kept)), c.Device.Facts["kept"])
	}
	return all
}

// keptWords names where a recorder says that its images are; "" where it does not.
func keptWords(w *pages.Words, k interrogate.Kept) string {
	if k == interrogate.KeptUnknown {
		return ""
	}
	if key := "kept." + string(k); w.Has(key) {
		return w.T(key)
	}
	return string(k)
}

// depthWords says how far back footage was seen to reach: "circa 6 giorni, in
// diminuzione". Days and hours are cut off, so that it is never made longer.
func depthWords(w *pages.Words, d inventory.Depth) string {
	about := w.T("depth.hour")
	switch {
	case d.About >= 48*time.Hour:
		about = w.T("depth.about", "span", w.N("span.days", int(d.About/(24*time.Hour))))
	case d.About >= time.Hour:
		about = w.T("depth.about", "span", w.N("span.hours", int(d.About/time.Hour)))
	}
	if d.Trend == inventory.TrendUnknown {
		return about
	}
	return about + ", " + w.T("trend."+string(d.Trend))
}

// differing is a value of which the declared and the measured one differ.
type differing struct {
	What, Declared, Measured string
	At                       time.Time // of the reading
}

func differingOf(w *pages.Words, c inventory.Camera) (all []differing) {
	if c.Declared == nil {
		return nil
	}
	if slices.Contains(c.Differs, "schedule") {
		all = append(all, differing{w.T("view.schedule"), scheduleWords(w, c.Declared.Schedule),
			scheduleWords(w, c.Values.Schedule), c.Values.Schedule.Fact.At})
	}
	if slices.Contains(c.Differs, "retention") {
		unknown := w.T("view.unknown")
		all = append(all, differing{w.T("view.retention"), or(limitWords(w, c.Declared.Retention), unknown),
			or(limitWords(w, c.Values.Retention), unknown), c.Values.Retention.Fact.At})
	}
	return all
}

// makers are the words by which a maker's name tells the family, the longer
// first: Wisenet WAVE is no Wisenet recorder. Only makers that sell under their
// own name are here: who sells under many is found by asking.
var makers = []struct {
	word   string
	family interrogate.Family
}{
	{"wisenet wave", interrogate.Nx}, {"nx witness", interrogate.Nx}, {"network optix", interrogate.Nx}, {"dw spectrum", interrogate.Nx},
	{"hikvision", interrogate.Hikvision}, {"hiwatch", interrogate.Hikvision},
	{"dahua", interrogate.Dahua}, {"imou", interrogate.Dahua},
	{"axis", interrogate.Axis},
	{"uniview", interrogate.Uniview}, {"unv", interrogate.Uniview},
	{"synology", interrogate.Synology},
	{"reolink", interrogate.Reolink},
	{"ubiquiti", interrogate.UniFi}, {"unifi", interrogate.UniFi},
	{"hanwha", interrogate.Hanwha}, {"wisenet", interrogate.Hanwha}, {"samsung techwin", interrogate.Hanwha},
	{"frigate", interrogate.Frigate}, {"zoneminder", interrogate.ZoneMinder}, {"mediamtx", interrogate.MediaMTX},
}

// familyOf is whose menus a device has: that whose interface it answers, else
// what its maker's name says; "" when neither tells.
func familyOf(d inventory.Device) interrogate.Family {
	if d.Family != "" {
		return d.Family
	}
	said := " " + strings.Join(strings.FieldsFunc(strings.ToLower(d.Vendor), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	}), " ") + " "
	for _, m := range makers {
		if strings.Contains(said, " "+m.word+" ") {
			return m.family
		}
	}
	return ""
}

// steps are the numbered texts of a list "KEY.1", "KEY.2" and so on.
func steps(w *pages.Words, key string, pairs ...any) (all []string) {
	for n := 1; w.Has(key + "." + string(rune('0'+n))); n++ {
		all = append(all, w.T(key+"."+string(rune('0'+n)), pairs...))
	}
	return all
}

// familySteps are those of a family, or the general ones where there are none.
func familySteps(w *pages.Words, key string, f interrogate.Family, pairs ...any) []string {
	if own := steps(w, key+"."+string(f), pairs...); f != "" && len(own) > 0 {
		return own
	}
	return steps(w, key+".generic", pairs...)
}

package review

import (
	"context"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// reportFacts are what a technician writes down at the end of a visit, in words:
// what there is, how it was read, and what is to be mended. They hold no password,
// no address of the network, no serial number, and no code of the owner's: whoever
// works for the owner may have them.
type reportFacts struct {
	Date      time.Time        `json:"date"`
	Sites     []string         `json:"sites"`
	Recorders []reportRecorder `json:"recorders"`
	Mend      []reportPoint    `json:"mend"`
	Unread    []reportPoint    `json:"unread"`
}

// Empty reports that nothing was met of which anything could be said.
func (f reportFacts) Empty() bool {
	return len(f.Recorders)+len(f.Mend)+len(f.Unread) == 0
}

// reportRecorder is a recorder with its cameras, or a camera that keeps its own footage.
type reportRecorder struct {
	Name    string         `json:"name"`
	Rows    []reportRow    `json:"facts"`
	Cameras []reportCamera `json:"cameras"`
}

type reportRow struct {
	What  string `json:"what"`
	Value string `json:"value"`
}

type reportCamera struct {
	Name    string `json:"name"`
	Channel string `json:"channel,omitempty"`
	Hours   string `json:"records"`  // when it records
	Kept    string `json:"keeps"`    // for how long images stay
	Oldest  string `json:"oldest"`   // images that were seen; "" none were
	Where   string `json:"register"` // whether it is in the register
}

// reportPoint is one thing that somebody should look after.
type reportPoint struct {
	Of   string `json:"of"`
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
}

// reportFacts reads them. Cameras that the owner has put aside are left out, and a
// recorder without any other.
func (v *Review) reportFacts(ctx context.Context, w *pages.Words) (f reportFacts, err error) {
	known, err := v.Inventory.View(ctx)
	if err != nil {
		return f, err
	}
	users, err := v.Inventory.Accounts(ctx)
	if err != nil {
		return f, err
	}
	devices, cameras := known.Devices, slices.DeleteFunc(known.Cameras, keptBack)
	for i := range devices { // what has no name would be named by it
		devices[i].Address = ""
	}
	for i := range cameras {
		cameras[i].Device.Address = ""
	}
	f = reportFacts{Date: v.sessions.now(), Sites: []string{}, Recorders: []reportRecorder{},
		Mend: mendOf(w, devices, cameras), Unread: unreadOf(w, devices, cameras)}
	for _, s := range known.Sites {
		f.Sites = append(f.Sites, strings.Join(slices.DeleteFunc([]string{s.SiteName, s.Address}, func(p string) bool { return p == "" }), ", "))
	}
	marks := apart(devices, func(d inventory.Device) string { return makerOf(w, d) }) // numbers: addresses are out
	for _, d := range devices {
		r := reportRecorder{Name: makerOf(w, d), Rows: deviceRows(w, d, users[d.ID]), Cameras: []reportCamera{}}
		if mark := marks[d.ID]; mark != "" {
			r.Name += " (" + mark + ")"
		}
		for _, c := range cameras {
			if c.Device.ID == d.ID {
				r.Cameras = append(r.Cameras, reportCameraOf(w, c))
			}
		}
		if len(r.Cameras) > 0 || asks(d) {
			f.Recorders = append(f.Recorders, r)
		}
	}
	return f, nil
}

// makerOf names a device without its address.
func makerOf(w *pages.Words, d inventory.Device) string {
	return or(or(protocol.MakerModel(d.Vendor, d.Model), d.Name), w.T("device.nameless"))
}

// cameraOf names a camera, a nameless one by its maker.
func cameraOf(w *pages.Words, c inventory.Camera) string {
	return or(c.Values.Name, makerOf(w, c.Device))
}

// asks reports that a device wants something before it tells all.
func asks(d inventory.Device) bool { return d.Needs != "" && d.Needs != interrogate.NeedsNothing }

func deviceRows(w *pages.Words, d inventory.Device, user string) []reportRow {
	unknown := w.T("view.unknown")
	clock := clockWords(w, d.Clock)
	if gap, ok := hoursOff(d); ok {
		clock = w.T("report.hours", "clock", clockWords(w, &protocol.Clock{OffsetMs: gap.Milliseconds()}))
	}
	if d.Clock != nil {
		clock += " (" + w.Short(d.Clock.At) + ")"
	}
	where := storageWords(w, d.Storage, d.StorageNote)
	if where == unknown {
		where = or(keptWords(w, d.Kept), unknown)
	}
	return []reportRow{
		{w.T("report.firmware"), or(d.Firmware, unknown)},
		{w.T("camera.clock"), clock},
		{w.T("report.account"), or(user, w.T("report.account.none"))},
		{w.T("view.storage"), where},
		{w.T("report.answered"), or(whenOf(w, d.AnsweredAt), w.T("report.never"))},
	}
}

func whenOf(w *pages.Words, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.Short(t)
}

func reportCameraOf(w *pages.Words, c inventory.Camera) reportCamera {
	r := c.Values.Retention
	state := "report.out"
	if c.State == inventory.StateDeclared {
		state = "report.in"
	}
	hours := w.T("report.notread")
	if c.Values.Schedule.Kind != protocol.ScheduleUnknown {
		hours = scheduleWords(w, c.Values.Schedule)
	}
	return reportCamera{Name: cameraOf(w, c), Channel: c.Channel, Hours: hours,
		Kept: or(limitWords(w, r), w.T("report.notread")), Oldest: whenOf(w, r.OldestFootage), Where: w.T(state)}
}

// mendOf lists what the technician can put right: what the owner is warned of,
// and what keeps the agent from reading.
func mendOf(w *pages.Words, devices []inventory.Device, cameras []inventory.Camera) []reportPoint {
	all := []reportPoint{}
	for _, a := range alertsOf(w, devices, cameras) {
		all = append(all, reportPoint{or(a.Of, w.T("device.nameless")), a.What, a.Do})
	}
	for _, d := range devices {
		if key := "mend." + string(d.Needs); asks(d) && w.Has(key) {
			all = append(all, reportPoint{makerOf(w, d), w.T(key), w.T(key + ".do")})
		}
	}
	for _, c := range cameras {
		off := c.Values.Schedule.Kind == protocol.ScheduleOff
		if off && !slices.Contains(c.Differs, "schedule") { // that one is among the alerts
			all = append(all, reportPoint{cameraOf(w, c), w.T("mend.off"), w.T("mend.off.do")})
		}
	}
	return all
}

// unreadOf lists what the devices did not tell.
func unreadOf(w *pages.Words, devices []inventory.Device, cameras []inventory.Camera) []reportPoint {
	all := []reportPoint{}
	for _, d := range devices {
		switch {
		case !d.Reachable:
			all = append(all, reportPoint{Of: makerOf(w, d), What: w.T("device.silent")})
		case asks(d) && w.Has("mend."+string(d.Needs)):
			all = append(all, reportPoint{Of: makerOf(w, d), What: w.T("mend." + string(d.Needs))})
		}
	}
	for _, c := range cameras {
		if asks(c.Device) || !c.Device.Reachable { // said of the device
			continue
		}
		var unknown []string
		if c.Values.Schedule.Kind == protocol.ScheduleUnknown {
			unknown = append(unknown, w.T("view.schedule"))
		}
		if c.Values.Retention.Kind == protocol.RetentionUnknown {
			unknown = append(unknown, w.T("view.retention"))
		}
		if c.Device.Clock == nil {
			unknown = append(unknown, w.T("camera.clock"))
		}
		if len(unknown) > 0 {
			all = append(all, reportPoint{Of: cameraOf(w, c), What: strings.Join(unknown, ", ")})
		}
	}
	return all
}

// facts writes them as text.
func (r *report) facts(f reportFacts) {
	r.line("%s", strings.ToUpper(r.w.T("report.title")))
	r.line("%s: %s", r.w.T("report.date"), r.w.DateTime(f.Date))
	for _, s := range f.Sites {
		r.line("%s: %s", r.w.T("report.site"), s)
	}
	for _, d := range f.Recorders {
		r.line("\n%s", d.Name)
		for _, row := range d.Rows {
			r.line("  %s: %s", row.What, row.Value)
		}
		for _, c := range d.Cameras {
			r.line("  - %s", c.line(r.w))
		}
	}
	if f.Empty() {
		r.head("report.empty")
		return
	}
	r.points("report.mend", "report.mend.none", f.Mend)
	r.points("report.unread", "report.allread", f.Unread)
}

// line is a camera in one line.
func (c reportCamera) line(w *pages.Words) string {
	name := c.Name
	if c.Channel != "" {
		name = w.T("report.channel", "name", c.Name, "channel", c.Channel)
	}
	parts := []string{w.T("report.records", "hours", c.Hours), w.T("report.keeps", "span", c.Kept)}
	if c.Oldest != "" {
		parts = append(parts, w.T("retention.oldest", "when", c.Oldest))
	}
	return name + ": " + strings.Join(append(parts, c.Where), "; ")
}

func (r *report) points(head, none string, all []reportPoint) {
	r.head(head)
	if len(all) == 0 {
		r.line("  %s", r.w.T(none))
	}
	for _, p := range all {
		r.line("  %s: %s", p.Of, strings.TrimSpace(p.What+" "+p.Do))
	}
}

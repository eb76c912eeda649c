package review

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// hoursView is the page of when cameras record, for how long images stay and where:
// a panel a recorder, in which cameras that agree are asked about once.
type hoursView struct {
	Steps  stepsView
	Panels []hoursPanel
	Wrong  bool // something that was typed cannot be kept
}

type hoursPanel struct {
	Device  inventory.Device
	Name    string
	Sets    []*hoursSet // the largest first
	Storage field
	Note    field
	From    string // where Storage comes from
}

// hoursSet is cameras of a recorder that record alike and keep images alike, as they
// are shown and, where the form was posted, as it was typed.
type hoursSet struct {
	N       int // counts the sets of the page
	Apart   bool
	Cameras []inventory.Camera
	Names   string
	hoursWords
}

// hoursWords are what cameras of a set have in common.
type hoursWords struct {
	Read     string // the schedule as it was read, in words; "" where nobody did
	ReadFrom string
	Schedule field // "read", "always", "motion", "hours", "unknown"
	From, To string
	Days     [7]bool // from Monday
	Motion   bool    // of the hours

	ReadKeep     string // likewise for how long
	ReadKeepFrom string
	Keep         field // days; "" as read, or not known

	Said, SaidKeep string // when the owner said so
}

// weekdayKeys are the days from Monday, as inventory.ParseHours names them and as
// time.Weekday counts them.
var weekdayKeys = [7]struct {
	Key string
	N   int
}{{"mon", 1}, {"tue", 2}, {"wed", 3}, {"thu", 4}, {"fri", 5}, {"sat", 6}, {"sun", 0}}

// Weekdays lists them for the page.
func (hoursView) Weekdays() any { return weekdayKeys }

func (v *Review) hours(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	cameras := hourly(known)
	view := hoursView{Steps: firstRun(r, known), Panels: panelsOf(v.words(r), cameras)}
	a := page("hours.html", "hours.title", view)
	a.json = camerasJSON{cameras}
	return a, nil
}

type camerasJSON struct {
	Cameras []inventory.Camera `json:"cameras"`
}

// hourly are the cameras of which hours are asked: those that film where anybody passes.
func hourly(known inventory.View) []inventory.Camera {
	return slices.DeleteFunc(slices.Clone(known.Cameras), func(c inventory.Camera) bool { return c.Outdoor == nil || keptBack(c) })
}

// panelsOf puts together the cameras of each recorder, and of these what agrees.
func panelsOf(w *pages.Words, cameras []inventory.Camera) (panels []hoursPanel) {
	n := 0
	for _, c := range cameras {
		at := slices.IndexFunc(panels, func(p hoursPanel) bool { return p.Device.ID == c.Device.ID })
		if at < 0 {
			at = len(panels)
			panels = append(panels, panelOf(w, c.Device))
		}
		p := &panels[at]
		fresh := setOf(w, c)
		same := slices.IndexFunc(p.Sets, func(s *hoursSet) bool { return s.hoursWords == fresh.hoursWords })
		if same < 0 {
			fresh.N, n = n, n+1
			p.Sets = append(p.Sets, fresh)
			continue
		}
		p.Sets[same].Cameras = append(p.Sets[same].Cameras, c)
	}
	devices := make([]inventory.Device, len(panels))
	for i, p := range panels {
		devices[i] = p.Device
	}
	marks := apart(devices, recorderName)
	for i := range panels {
		if mark := marks[panels[i].Device.ID]; mark != "" {
			panels[i].Name += " (" + mark + ")"
		}
		slices.SortStableFunc(panels[i].Sets, func(a, b *hoursSet) int { return len(b.Cameras) - len(a.Cameras) })
		for k, s := range panels[i].Sets {
			s.Apart = k > 0
			var names []string
			for _, c := range s.Cameras {
				names = append(names, nameOf(w, c))
			}
			s.Names = strings.Join(names, ", ")
		}
	}
	return panels
}

func panelOf(w *pages.Words, d inventory.Device) hoursPanel {
	p := hoursPanel{Device: d, Name: or(recorderName(d), d.Address), Storage: field{Value: string(d.Storage)}, Note: field{Value: d.StorageNote}}
	switch said := keptWords(w, d.Kept); {
	case d.Storage != protocol.StorageUnknown:
		p.From = w.T("hours.yours")
	case d.Kept == interrogate.KeptDisk || d.Kept == interrogate.KeptShare:
		p.Storage.Value, p.From = string(protocol.StorageOnPremises), w.T("hours.suggested", "where", said)
	case said != "":
		p.From = w.T("camera.storage.says", "where", said)
	}
	return p
}

// setOf is what is known of one camera.
func setOf(w *pages.Words, c inventory.Camera) *hoursSet {
	s := &hoursSet{Cameras: []inventory.Camera{c}}
	s.Schedule.Value, s.Days = "unknown", [7]bool{true, true, true, true, true, true, true}
	schedule, retention := c.Values.Schedule, c.Values.Retention
	switch read := c.Overruled.Schedule; {
	case read != nil:
		s.Read, s.ReadFrom = scheduleWords(w, *read), readOn(w, read.Fact)
	case schedule.Kind != protocol.ScheduleUnknown && !hisWords(c):
		s.Read, s.ReadFrom, s.Schedule.Value = scheduleWords(w, schedule), readOn(w, schedule.Fact), "read"
	}
	if hisWords(c) {
		s.Schedule.Value, s.Said = c.Hours, w.T("from.declared", "day", w.Day(schedule.Fact.At))
		s.typeHours(c.Hours)
	}
	his := retention.Fact.Source == protocol.Declared
	switch read := c.Overruled.Retention; {
	case read != nil:
		s.ReadKeep, s.ReadKeepFrom = keptShort(w, *read), readOn(w, read.Fact)
	case !his && (retention.Kind != protocol.RetentionUnknown || !retention.OldestFootage.IsZero()):
		s.ReadKeep, s.ReadKeepFrom = keptShort(w, retention), readOn(w, retention.Fact)
	case his && retention.Kind == protocol.RetentionUnknown: // he saw since when there are images
		s.ReadKeep, s.ReadKeepFrom = keptShort(w, retention), w.T("from.declared", "day", w.Day(retention.Fact.At))
	}
	if his && retention.Kind == protocol.RetentionAge {
		s.Keep.Value, s.SaidKeep = strconv.Itoa(int(retention.Age.Hours()/24)), w.T("from.declared", "day", w.Day(retention.Fact.At))
	}
	return s
}

// hisWords: the schedule that counts is the owner's word.
func hisWords(c inventory.Camera) bool {
	return c.Hours != "" && c.Values.Schedule.Fact.Source == protocol.Declared
}

// keptShort says for how long images stay, else since which day there are any: the
// minute differs from camera to camera.
func keptShort(w *pages.Words, r protocol.Retention) string {
	if limit := limitWords(w, r); limit != "" || r.OldestFootage.IsZero() {
		return limit
	}
	return w.T("hours.since", "day", w.Day(r.OldestFootage))
}

// readOn says where a value comes from that the owner has only to confirm.
func readOn(w *pages.Words, f protocol.Fact) string {
	switch f.Source {
	case protocol.Measured, protocol.Confirmed:
		return w.T("hours.read", "day", w.Day(f.At))
	}
	return w.T("hours.confirm")
}

// typeHours shows hours as inventory.ParseHours reads them in the controls.
func (s *hoursSet) typeHours(text string) {
	words := strings.Fields(text)
	if !strings.ContainsAny(text, "0123456789") {
		return // always, motion, unknown
	}
	s.Schedule.Value = "hours"
	if last := len(words) - 1; words[last] == "motion" {
		s.Motion, words = true, words[:last]
	}
	if parsed, err := inventory.ParseHours(text); err == nil && len(words) == 2 {
		s.From, s.To, _ = strings.Cut(words[1], "-")
		for i, day := range weekdayKeys { // those on which an interval begins
			from, _ := inventory.ParseHours(day.Key + " " + words[1])
			begins := from.Days[day.N][len(from.Days[day.N])-1]
			s.Days[i] = slices.ContainsFunc(parsed.Days[day.N], func(p protocol.Interval) bool { return p.From == begins.From && p.To == begins.To })
		}
	} else if len(words) == 1 {
		s.From, s.To, _ = strings.Cut(words[0], "-")
	}
}

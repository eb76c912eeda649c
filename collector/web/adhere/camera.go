package adhere

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxCameras is the most that one types by hand: for more there are easier ways.
const maxCameras = 64

// cameraView is the page of one camera.
type cameraView struct {
	placeView
	ID      string // "" of a new one
	N       int    // counts the cameras
	Action  string
	Copied  string // the name of the camera whose answers are proposed, "" none
	Outdoor choice
	Compass []option
	Width   choice
	Reach   choice
	Records choice
	Days    []option
	Storage choice
	Exact   bool // a number was typed
	Own     bool // it hangs elsewhere
	Last    bool // no more can be added
}

var cameraNames = []string{"name", "outdoor", "address", "position", "direction", "direction_deg", "angle", "angle_deg", "range", "range_m",
	"records", "from", "to", "kept", "storage", "room", "recorder"}

func cameraForm() form {
	f := placeForm()
	f["address"].Optional, f["address"].Label, f["address"].Hint = true, "camera.address", "camera.address.hint"
	for _, i := range []input{
		{Name: "name", Label: "camera.name", Hint: "camera.name.hint", Auto: "off", Most: 120},
		{Name: "outdoor", Label: "camera.outdoor", Most: 5},
		{Name: "direction", Label: "camera.direction", Most: 7, Optional: true},
		{Name: "angle", Label: "camera.angle", Most: 3, Optional: true},
		{Name: "range", Label: "camera.range", Most: 4, Optional: true},
		{Name: "direction_deg", Label: "camera.direction.exact", Mode: "numeric", Auto: "off", Most: 3, Optional: true},
		{Name: "angle_deg", Label: "camera.angle.exact", Mode: "numeric", Auto: "off", Most: 3, Optional: true},
		{Name: "range_m", Label: "camera.range.exact", Mode: "numeric", Auto: "off", Most: 4, Optional: true},
		{Name: "turns", Most: 5, Optional: true},
		{Name: "records", Label: "camera.records", Most: 10},
		{Name: "from", Label: "camera.from", Type: "time", Most: 5, Optional: true, Unmarked: true},
		{Name: "to", Label: "camera.to", Type: "time", Most: 5, Optional: true, Unmarked: true},
		{Name: "motion", Most: 5, Optional: true},
		{Name: "kept", Label: "camera.kept", Hint: "camera.kept.hint", Mode: "numeric", Auto: "off", Most: 4, Optional: true},
		{Name: "storage", Label: "camera.storage", Most: 20, Optional: true},
		{Name: "room", Label: "camera.room", Hint: "camera.room.hint", Auto: "off", Most: 120, Optional: true},
		{Name: "recorder", Label: "camera.recorder", Hint: "camera.recorder.hint", Auto: "off", Most: 120, Optional: true},
	} {
		f[i.Name] = &i
	}
	for _, d := range weekdays {
		name := "day" + strconv.Itoa(d)
		f[name] = &input{Name: name, Most: 5, Optional: true}
	}
	return f
}

// find is the place of a camera among those of a submission, -1 none.
func find(s registry.Submission, id string) int {
	return slices.IndexFunc(s.Cameras, func(c registry.SubmittedCamera) bool { return c.Camera.ID == id })
}

func (a *Adhere) camera(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	f, v := a.form(cameraForm()), cameraView{ID: r.PathValue("id"), N: len(s.Cameras) + 1}
	if v.ID == "" {
		if len(s.Cameras) >= maxCameras {
			a.to(rw, r, "/telecamere")
			return
		}
		if n := len(s.Cameras); n > 0 { // all but what is its own is probably the same
			last := s.Cameras[n-1]
			v.Copied = last.Camera.Name
			f.fill(registry.SubmittedCamera{Recorder: last.Recorder, Camera: protocol.Camera{
				Position: last.Camera.Position, Schedule: last.Camera.Schedule, Retention: last.Camera.Retention, OutdoorPublic: last.Camera.OutdoorPublic}})
			f["records"].Value = recordsOf(last.Camera.Schedule)
			f["outdoor"].Value = ""
		}
	} else {
		i := find(s, v.ID)
		if i < 0 {
			a.to(rw, r, "/telecamere")
			return
		}
		v.N = i + 1
		f.fill(s.Cameras[i])
		f["outdoor"].Value, f["records"].Value = "yes", recordsOf(s.Cameras[i].Camera.Schedule)
	}
	a.showCamera(rw, r, s, f, v, 0)
}

func (a *Adhere) showCamera(rw http.ResponseWriter, r *http.Request, s registry.Submission, f form, v cameraView, status int) {
	v.Bar, v.Form, v.Problems, v.Back = a.bar(s, "cameras"), f, f.problems(cameraNames...), back(r)
	v.Action = a.base + "/telecamere/" + v.ID
	if v.ID == "" {
		v.Action = a.base + "/telecamere/nuova"
	}
	choose := func(name, hint string, all ...option) choice {
		for i := range all {
			all[i].Chosen = all[i].Value == f[name].Value
		}
		return choice{f[name], hint, all}
	}
	v.Outdoor = choose("outdoor", "camera.outdoor.hint", option{Value: "yes", Key: "camera.outdoor.yes"}, option{Value: "no", Key: "camera.outdoor.no"})
	for i := range 8 {
		v.Compass = append(v.Compass, option{Value: strconv.Itoa(i * 45), Key: "wind." + strconv.Itoa(i)})
	}
	v.Compass = choose("direction", "", append(v.Compass, option{Value: "unknown", Key: "form.unknown"})...).All
	v.Width = choose("angle", "", option{Value: "40", Key: "camera.angle.narrow"}, option{Value: "80", Key: "camera.angle.normal"},
		option{Value: "110", Key: "camera.angle.wide"}, option{Value: "360", Key: "camera.angle.all"}, option{Key: "form.unknown"})
	v.Reach = choose("range", "camera.range.hint", option{Value: "15", Key: "camera.range.near"}, option{Value: "30", Key: "camera.range.street"},
		option{Value: "60", Key: "camera.range.square"}, option{Key: "form.unknown"})
	v.Records = choose("records", "", option{Value: "always", Key: "camera.records.always"}, option{Value: "motion", Key: "camera.records.motion"},
		option{Value: "hours", Key: "camera.records.hours"}, option{Value: "unknown", Key: "form.unknown"})
	if f["records"].Value == "kept" {
		v.Records.All = append(v.Records.All, option{Value: "kept", Key: "camera.records.kept", Chosen: true})
	}
	v.Storage = choose("storage", "", option{Key: "form.unknown"}, option{Value: string(protocol.StorageOnPremises), Key: "storage.on-premises"},
		option{Value: string(protocol.StorageThirdParty), Key: "storage.third-party"}, option{Value: string(protocol.StorageCloud), Key: "storage.cloud"})
	for _, d := range weekdays {
		name := "day" + strconv.Itoa(d)
		v.Days = append(v.Days, option{Value: name, Key: "time.weekday." + strconv.Itoa(d), Chosen: f[name].Value != ""})
	}
	v.Exact = f["direction_deg"].Value != "" || f["angle_deg"].Value != "" || f["range_m"].Value != ""
	v.Own = f["address"].Value != "" || f["position"].Value != "" || f["address"].Error != "" || f["position"].Error != ""
	v.Last = v.ID == "" && len(s.Cameras)+1 >= maxCameras
	v.Map = a.cameraMap(r, s, v.ID, f)
	a.show(rw, r, drawn(v.Map, pages.Page{Template: "camera.html", Title: "camera.title", Status: status, Notes: wrongNote(v.Problems), Data: v}))
}

// fill shows a camera that was typed before.
func (f form) fill(c registry.SubmittedCamera) {
	number := func(name string, n *int, presets ...int) {
		switch {
		case n == nil:
		case slices.Contains(presets, *n):
			f[name].Value = strconv.Itoa(*n)
		default:
			f[map[string]string{"direction": "direction_deg", "angle": "angle_deg", "range": "range_m"}[name]].Value = strconv.Itoa(*n)
		}
	}
	f["name"].Value = c.Camera.Name
	if p := c.Camera.Position; p.Placed() {
		f["position"].Value, f["method"].Value = pointText(p.Point), p.Method
		if p.AccuracyM > 0 {
			f["accuracy_m"].Value = strconv.Itoa(p.AccuracyM)
		}
	}
	v := c.Camera.View
	number("direction", v.DirectionDeg, 0, 45, 90, 135, 180, 225, 270, 315)
	number("angle", v.AngleDeg, 40, 80, 110, 360)
	number("range", v.RangeM, 15, 30, 60)
	if c.Camera.Name != "" && v.DirectionDeg == nil {
		f["direction"].Value = "unknown"
	}
	if v.Turns {
		f["turns"].Value = "yes"
	}
	if h, ok := hoursOf(c.Camera.Schedule); ok {
		f["from"].Value, f["to"].Value = clockText(h.From), clockText(h.To)
		for d, on := range h.Days {
			if on {
				f["day"+strconv.Itoa(d)].Value = "yes"
			}
		}
		if h.Mode != protocol.Continuous {
			f["motion"].Value = "yes"
		}
	}
	if c.Camera.Retention.Kind == protocol.RetentionAge {
		f["kept"].Value = strconv.Itoa(max(1, int(c.Camera.Retention.Age/(24*time.Hour))))
	}
	f["storage"].Value, f["room"].Value, f["recorder"].Value = string(c.Recorder.Storage), c.Recorder.StorageNote, c.Recorder.Name
}

// recordsOf is the choice that says a schedule; "kept" for one that none says.
func recordsOf(s protocol.Schedule) string {
	switch s.Kind {
	case protocol.ScheduleAlways:
		if s.Mode == protocol.Continuous {
			return "always"
		}
		return "motion"
	case protocol.ScheduleWeekly:
		if _, ok := hoursOf(s); ok {
			return "hours"
		}
		return "kept"
	case protocol.ScheduleOff:
		return "kept"
	}
	return "unknown"
}

// setCamera takes one camera. One that films nothing open to the public is not kept,
// and goes if it was.
func (a *Adhere) setCamera(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	v := cameraView{ID: r.PathValue("id"), N: len(s.Cameras) + 1}
	var before registry.SubmittedCamera
	if i := find(s, v.ID); v.ID != "" {
		if i < 0 {
			a.to(rw, r, "/telecamere")
			return
		}
		v.N, before = i+1, s.Cameras[i]
	} else if len(s.Cameras) >= maxCameras {
		a.to(rw, r, "/telecamere")
		return
	}
	f := a.form(cameraForm())
	f.typed(r)
	if f["outdoor"].Value == "no" {
		if _, ok := a.change(rw, r, s.ID, without(v.ID)); ok {
			a.to(rw, r, "/telecamere?fatto=interna")
		}
		return
	}
	c := f.read(before)
	placed := true
	if f["address"].Value != "" || f["position"].Value != "" || r.PostFormValue("at")+r.PostFormValue("near") != "" {
		c.Camera.Position, placed = a.point(r, f, &v.placeView)
	} else {
		c.Camera.Position = protocol.Position{}
	}
	if !placed || len(f.problems(cameraNames...)) > 0 {
		a.showCamera(rw, r, s, f, v, http.StatusUnprocessableEntity)
		return
	}
	if p := c.Camera.Position; p.Placed() && !a.Inside(p.Point) {
		if _, ok := a.change(rw, r, s.ID, without(v.ID)); ok {
			a.to(rw, r, "/telecamere?fatto=fuori")
		}
		return
	}
	if _, ok := a.change(rw, r, s.ID, func(s *registry.Submission) error {
		if i := find(*s, c.Camera.ID); i >= 0 {
			s.Cameras[i] = c
		} else if len(s.Cameras) < maxCameras {
			s.Cameras = append(s.Cameras, c)
		}
		return nil
	}); !ok {
		return
	}
	if r.PostFormValue("more") != "" {
		a.to(rw, r, "/telecamere/nuova")
		return
	}
	a.to(rw, r, a.after(r, "/telecamere"))
}

// without takes a camera out.
func without(id string) func(*registry.Submission) error {
	return func(s *registry.Submission) error {
		s.Cameras = slices.DeleteFunc(s.Cameras, func(c registry.SubmittedCamera) bool { return c.Camera.ID == id })
		return nil
	}
}

// read checks the fields of a camera, marks what is wrong, and gives what they say of
// the camera before; but not where it hangs.
func (f form) read(before registry.SubmittedCamera) registry.SubmittedCamera {
	c := before
	if c.Camera.ID == "" {
		c.Camera.ID = uuid.NewString()
	}
	c.Camera.Name, c.Camera.OutdoorPublic.Yes = f["name"].Value, true
	if f["outdoor"].Error == "" && f["outdoor"].Value != "yes" {
		f.wrong("outdoor", "wrong.choose")
	}
	if f["outdoor"].Error != "" {
		f.wrong("outdoor", "wrong.answer")
	}
	if f["records"].Error != "" {
		f.wrong("records", "wrong.answer")
	}
	c.Camera.View = f.readView(before.Camera.View)
	c.Camera.Schedule = f.readSchedule(before.Camera.Schedule)
	c.Camera.Retention = f.readRetention(before.Camera.Retention)
	c.Recorder.Name, c.Recorder.StorageNote, c.Recorder.Storage = f["recorder"].Value, f["room"].Value, protocol.Storage(f["storage"].Value)
	if !slices.Contains([]protocol.Storage{protocol.StorageUnknown, protocol.StorageOnPremises, protocol.StorageThirdParty, protocol.StorageCloud}, c.Recorder.Storage) {
		f.wrong("storage", "wrong.choose")
	}
	return c
}

// readView reads direction, width and range: a number that was typed wins over a choice.
func (f form) readView(v protocol.View) protocol.View {
	number := func(choice, exact, unknown string, least, most int) *int {
		name, typed := exact, f[exact].Value
		if typed == "" {
			name, typed = choice, f[choice].Value
		}
		if f[name].Error != "" || typed == unknown {
			return nil
		}
		n, err := strconv.Atoi(typed)
		if err != nil || n < least || n > most {
			f.wrong(name, "wrong."+exact)
			return nil
		}
		return &n
	}
	if f["direction"].Value == "" && f["direction_deg"].Value == "" && f["direction"].Error == "" {
		f.wrong("direction", "wrong.answer")
	}
	v.DirectionDeg = nil
	if f["direction"].Error == "" {
		v.DirectionDeg = number("direction", "direction_deg", "unknown", 0, 359)
	}
	v.AngleDeg = number("angle", "angle_deg", "", 1, 360)
	v.RangeM = number("range", "range_m", "", 1, 2000)
	v.Turns = f["turns"].Value != ""
	return v
}

func (f form) readSchedule(before protocol.Schedule) protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: zone}
	switch f["records"].Value {
	case "always":
	case "motion":
		s.Mode = protocol.Motion
	case "hours":
		return f.readHours()
	case "kept":
		return before
	case "unknown":
		return protocol.Schedule{}
	default:
		if f["records"].Error == "" {
			f.wrong("records", "wrong.choose")
		}
	}
	return s
}

// readHours reads hours and days; no day is every day.
func (f form) readHours() protocol.Schedule {
	h := hours{Mode: protocol.Continuous}
	if f["motion"].Value != "" {
		h.Mode = protocol.Motion
	}
	for name, at := range map[string]*int{"from": &h.From, "to": &h.To} {
		n, ok := readClock(f[name].Value)
		if !ok {
			f.wrong(name, "wrong.clock")
		}
		*at = n
	}
	if f["from"].Error == "" && f["to"].Error == "" && (h.From == h.To || h.From == 1440) {
		f.wrong("to", "wrong.sameclock")
	}
	any := false
	for d := range h.Days {
		h.Days[d] = f["day"+strconv.Itoa(d)].Value != ""
		any = any || h.Days[d]
	}
	for d := range h.Days {
		h.Days[d] = h.Days[d] || !any
	}
	return h.schedule()
}

// readRetention reads for how many days images stay; empty: nobody knows.
func (f form) readRetention(before protocol.Retention) protocol.Retention {
	typed := f["kept"].Value
	if typed == "" || f["kept"].Error != "" {
		if before.Kind == protocol.RetentionCapacity {
			return before
		}
		return protocol.Retention{}
	}
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 || n > 3650 {
		f.wrong("kept", "wrong.kept")
		return protocol.Retention{}
	}
	return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(n) * 24 * time.Hour}
}

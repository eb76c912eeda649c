package review

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// outdoor answers yes for all cameras that were found.
func outdoor(t *testing.T, o *owner, found ...interrogate.Device) []inventory.Camera {
	t.Helper()
	if err := o.Inventory.Record(t.Context(), found, time.Now()); err != nil {
		t.Fatal(err)
	}
	all := camerasOf(t, o)
	for _, c := range all {
		if err := o.Inventory.Set(t.Context(), c.ID, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func camerasOf(t *testing.T, o *owner) []inventory.Camera {
	t.Helper()
	all := o.known(t).Cameras
	return all
}

// four is a recorder of four cameras, of which the last keeps images for less long.
func four() interrogate.Device {
	d := recorder()
	d.Kept = interrogate.KeptDisk
	for _, name := range []string{"Retro", "Cantina"} {
		ch := d.Channels[0]
		ch.ID, ch.Name = name, name
		d.Channels = append(d.Channels, ch)
	}
	d.Channels[3].Retention.Age = 24 * time.Hour
	return d
}

// fieldsOf reads the form of a page as a browser would send it, and gives also its
// radio groups and boxes that are not ticked ("").
func fieldsOf(t *testing.T, o *owner, path string) url.Values {
	t.Helper()
	status, page, _ := o.send(t, "GET", path, "")
	if status != http.StatusOK {
		t.Fatalf("%s answers %d", path, status)
	}
	values := url.Values{}
	for _, tag := range strings.Split(page, "<")[1:] {
		tag, _, _ = strings.Cut(tag, ">")
		attribute := func(name string) string {
			_, rest, _ := strings.Cut(tag, " "+name+`="`)
			text, _, _ := strings.Cut(rest, `"`)
			return text
		}
		name := attribute("name")
		switch {
		case !strings.HasPrefix(tag, "input") || name == "":
		case attribute("type") == "radio" || attribute("type") == "checkbox":
			if strings.HasSuffix(tag, " checked") {
				values.Set(name, attribute("value"))
			}
		default:
			values.Set(name, attribute("value"))
		}
	}
	return values
}

// What the recorder tells is confirmed by one button: nothing is typed, the sources
// stay, and of four cameras the one that differs stands apart.
func TestHoursThatWereReadAreConfirmed(t *testing.T) {
	o := start(t)
	o.signIn(t)
	all := outdoor(t, o, four())
	_, text, _ := o.send(t, "GET", "/hours", "")
	for _, want := range []string{"Ingresso, Cassa, Retro", "Diverse dalle altre: Cantina", "3 giorni", "1 giorno", "solo se qualcosa si muove",
		"letto dal registratore il", "Da confermare: il registratore dice disco interno."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	form := fieldsOf(t, o, "/hours")
	form.Set("storage."+all[0].Device.ID, "on-premises") // a select, filled beforehand
	if status, _, h := o.send(t, "POST", "/hours", form.Encode()); status != http.StatusSeeOther || h.Get("Location") == "" {
		t.Fatalf("confirmed: %d", status)
	}
	for i, c := range camerasOf(t, o) {
		if c.HoursAt.IsZero() || c.Hours != "" || c.Values.Schedule.Fact.Source != protocol.Measured || c.Values.Retention.Fact.Source != protocol.Measured ||
			c.Values.Retention.Age != all[i].Values.Retention.Age || c.Device.Storage != protocol.StorageOnPremises {
			t.Errorf("camera %d: %+v, said at %s", i, c.Values, c.HoursAt)
		}
	}
}

// What nobody read is said, or is not known; what was read is corrected, and put back.
func TestHoursThatAreSaid(t *testing.T) {
	o := start(t)
	o.signIn(t)
	mute := recorder()
	for i := range mute.Channels {
		mute.Channels[i].Schedule, mute.Channels[i].Retention = protocol.Schedule{}, protocol.Retention{}
	}
	outdoor(t, o, mute)
	post := func(wanted int, pairs ...string) {
		t.Helper()
		form := fieldsOf(t, o, "/hours")
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
			if pairs[i+1] == "" {
				form.Del(pairs[i])
			}
		}
		if status, page, _ := o.send(t, "POST", "/hours", form.Encode()); status != wanted {
			t.Fatalf("%v: %d %s", pairs, status, page)
		}
	}
	post(http.StatusSeeOther)
	for _, c := range camerasOf(t, o) {
		if c.HoursAt.IsZero() || c.Values.Schedule.Kind != protocol.ScheduleUnknown || c.Values.Retention.Kind != protocol.RetentionUnknown {
			t.Errorf("nothing is known, and declared would be %+v", c.Values)
		}
	}
	post(http.StatusSeeOther, "schedule.0", "hours", "from.0", "20:00", "to.0", "8", "sun.0", "", "sat.0", "", "motion.0", "yes", "days.0", "7")
	c := camerasOf(t, o)[1]
	if c.Hours != "mon,tue,wed,thu,fri 20:00-8 motion" || c.Values.Retention.Age != 7*24*time.Hour || c.Values.Retention.Fact.Source != protocol.Declared ||
		len(c.Values.Schedule.Days[time.Saturday]) != 1 || c.Values.Schedule.Days[time.Tuesday][1].Mode != protocol.Motion {
		t.Errorf("%q, %+v", c.Hours, c.Values)
	}
	form := fieldsOf(t, o, "/hours")
	if form.Get("schedule.0") != "hours" || form.Get("from.0") != "20:00" || form.Get("to.0") != "8" || form.Get("mon.0") == "" ||
		form.Get("sun.0") != "" || form.Get("motion.0") == "" || form.Get("days.0") != "7" {
		t.Errorf("shown again as %v", form)
	}
	for _, wrong := range [][]string{{"schedule.0", "hours", "from.0", "25", "to.0", "8"}, {"days.0", "sette"}, {"days.0", "0"}, {"schedule.0", ""},
		{"schedule.0", "hours", "from.0", "8", "to.0", "9", "mon.0", "", "tue.0", "", "wed.0", "", "thu.0", "", "fri.0", ""},
		{"note." + c.Device.ID, strings.Repeat("x", 130), "storage." + c.Device.ID, "cloud"}} {
		post(http.StatusUnprocessableEntity, wrong...)
	}
	if again := camerasOf(t, o)[1]; again.Hours != c.Hours || again.Device.Storage != "" {
		t.Errorf("a refused form changed %q", again.Hours)
	}

	// The password is found: what the recorder tells counts, and can be corrected.
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{recorder()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if form := fieldsOf(t, o, "/hours"); form.Get("schedule.0") != "read" || form.Get("days.0") != "" {
		t.Errorf("what was read is shown as %v", form)
	}
	post(http.StatusSeeOther, "schedule.0", "always", "days.0", "2")
	if c := camerasOf(t, o)[0]; c.Overruled.Schedule == nil || c.Values.Retention.Age != 48*time.Hour {
		t.Errorf("corrected to %+v", c.Values)
	}
	if _, page, _ := o.send(t, "GET", "/hours", ""); strings.Count(page, "finché il registratore non dice") != 2 {
		t.Error("the page does not say which of the two counts")
	}
	post(http.StatusSeeOther, "schedule.0", "read", "days.0", "")
	if c := camerasOf(t, o)[0]; c.Overruled.Schedule != nil || c.Values.Schedule.Fact.Source != protocol.Measured || c.Values.Retention.Fact.Source != protocol.Measured {
		t.Errorf("put back: %+v", c.Values)
	}
}

// Only cameras that film where anybody passes are asked about; JSON says the same.
func TestHoursAreOfOutdoorCamerasAlone(t *testing.T) {
	o := start(t)
	o.signIn(t)
	if _, page, _ := o.send(t, "GET", "/hours", ""); !strings.Contains(page, "niente da controllare") || strings.Contains(page, `action="/hours"`) {
		t.Error("without cameras there is something to confirm")
	}
	all := outdoor(t, o, four())
	for _, c := range all[1:] {
		if err := o.Inventory.Set(t.Context(), c.ID, inventory.Edit{Outdoor: new(false)}); err != nil {
			t.Fatal(err)
		}
	}
	var got camerasJSON
	if status := o.api(t, "GET", "/hours", nil, &got); status != http.StatusOK || len(got.Cameras) != 1 || got.Cameras[0].ID != all[0].ID {
		t.Errorf("%d, %d cameras", status, len(got.Cameras))
	}
	in := map[string]any{"cameras": []any{map[string]any{"id": all[0].ID, "schedule": "20:00-08:00", "days": 5}}}
	if status := o.api(t, "POST", "/hours", in, &got); status != http.StatusOK || got.Cameras[0].Hours != "20:00-08:00" || got.Cameras[0].Values.Retention.Age != 5*24*time.Hour {
		t.Errorf("%d, %+v", status, got)
	}
	var refused told
	in = map[string]any{"cameras": []any{map[string]any{"id": all[0].ID, "schedule": "mai"}}}
	if status := o.api(t, "POST", "/hours", in, &refused); status != http.StatusUnprocessableEntity || refused.Field != "schedule" {
		t.Errorf("%d, %+v", status, refused)
	}
	in = map[string]any{"cameras": []any{map[string]any{"id": siteID}}}
	if status := o.api(t, "POST", "/hours", in, &refused); status != http.StatusNotFound {
		t.Errorf("an unknown camera: %d", status)
	}
	// The same by the camera's own address, as the command line does it.
	if status := o.api(t, "POST", "/cameras/"+all[0].ID, map[string]any{"schedule": "motion", "days": 0}, nil); status != http.StatusOK {
		t.Errorf("set: %d", status)
	}
	if c := camerasOf(t, o)[0]; c.Values.Schedule.Mode != protocol.Motion || c.Values.Retention.Fact.Source != protocol.Measured {
		t.Errorf("%+v", c.Values)
	}
	if slices.ContainsFunc(camerasOf(t, o)[1:], func(c inventory.Camera) bool { return !c.HoursAt.IsZero() }) {
		t.Error("cameras that stay here were confirmed")
	}
}

package review

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

func TestNextStep(t *testing.T) {
	device := []inventory.Device{{ID: "d"}}
	camera := func(s inventory.State, missing ...string) inventory.Camera {
		return inventory.Camera{ID: string(s), State: s, Missing: missing, SiteID: siteID}
	}
	changed := camera(inventory.StateDeclared)
	changed.Changed = []string{"view"}
	asked := camera(inventory.StateDeclared, "outdoor_public")
	asked.Changed, asked.AskAgain = []string{"outdoor_public"}, true
	indoor := camera(inventory.StateFound, "outdoor_public", "position")
	indoor.Outdoor = new(false)
	enrolled := []inventory.Site{grant()}
	for _, tc := range []struct {
		want    string
		devices []inventory.Device
		cameras []inventory.Camera
		grants  []inventory.Site
		decided inventory.SentState
	}{
		{"search", nil, nil, nil, ""},
		{"again", device, nil, nil, ""},
		{"answer", device, []inventory.Camera{camera(inventory.StateReady), camera(inventory.StateFound, "position")}, enrolled, ""},
		{"contact", device, []inventory.Camera{camera(inventory.StateFound, "contact"), indoor}, enrolled, ""},
		{"enrol", device, []inventory.Camera{camera(inventory.StateReady)}, nil, ""},
		{"approve", device, []inventory.Camera{camera(inventory.StateReady)}, enrolled, inventory.Acknowledged},
		{"changed", device, []inventory.Camera{changed}, enrolled, inventory.Acknowledged},
		{"answer", device, []inventory.Camera{asked}, enrolled, inventory.Acknowledged},
		{"sending", device, []inventory.Camera{camera(inventory.StateDeclared)}, enrolled, inventory.Waiting},
		{"rejected", device, []inventory.Camera{camera(inventory.StateDeclared)}, enrolled, inventory.Rejected},
		{"rejected", device, []inventory.Camera{camera(inventory.StateDeclared), camera(inventory.StateFound, "position")}, enrolled, inventory.Rejected},
		{"calm", device, []inventory.Camera{camera(inventory.StateDeclared), camera(inventory.StateRefused, "position")}, enrolled, inventory.Acknowledged},
		{"none", device, []inventory.Camera{camera(inventory.StateRefused), camera(inventory.StateWithdrawn), indoor}, enrolled, inventory.Acknowledged},
	} {
		got := nextStep(inventory.View{Devices: tc.devices, Cameras: tc.cameras, Sites: tc.grants, Decided: map[string]inventory.SentState{siteID: tc.decided}})
		if got.Key != tc.want {
			t.Errorf("%s is next, want %s", got.Key, tc.want)
		}
		o := start(t)
		for _, lang := range []string{"it", "en"} {
			w := o.pages.Words("it")
			if lang == "en" {
				w = o.pages.Words("en")
			}
			if said := got.say(w) + w.T("next."+got.Key+".why") + w.T("next."+got.Key+".do"); strings.Contains(said, "[next.") || strings.Contains(said, "{n}") {
				t.Errorf("%s, %s: %s", got.Key, lang, said)
			}
		}
	}
}

// While a search runs a browser is shown so, and the command line waits.
func TestASearchIsShownWhileItRuns(t *testing.T) {
	o := start(t)
	o.signIn(t)
	let := make(chan struct{})
	began := make(chan struct{}, 8)
	o.Scan = func(context.Context) error {
		began <- struct{}{}
		<-let
		return nil
	}
	if status, _, h := o.send(t, "POST", "/scan", ""); status != http.StatusSeeOther || h.Get("Location") != "/scan" {
		t.Fatalf("%d to %s", status, h.Get("Location"))
	}
	<-began
	o.send(t, "POST", "/scan", "") // joins the one that runs
	status, body, h := o.send(t, "GET", "/scan", "")
	if status != http.StatusOK || h.Get("Refresh") == "" || !strings.Contains(body, "Sto cercando") {
		t.Errorf("%d, refresh %q", status, h.Get("Refresh"))
	}
	close(let)
	<-o.start()
	if status, body, h := o.send(t, "GET", "/scan", ""); status != http.StatusOK || h.Get("Refresh") != "" || !strings.Contains(body, "Non abbiamo trovato telecamere") {
		t.Errorf("after the search: %d, refresh %q", status, h.Get("Refresh"))
	}
	if len(began) > 1 {
		t.Errorf("%d further searches began", len(began))
	}
}

// Every page and every answer is in words in both languages, also where what
// was measured is unusual.
func TestPagesInWords(t *testing.T) {
	o := start(t)
	o.signIn(t)
	d := recorder()
	measured := protocol.Fact{Source: protocol.Measured, At: time.Now()}
	weekly := protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: "Europe/Rome", Fact: measured}
	weekly.Days[time.Monday] = []protocol.Interval{{From: 480, To: 1200, Mode: protocol.Continuous}, {From: 1200, To: 1440, Mode: protocol.Alarm}}
	weekly.Days[protocol.Holiday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Analytics}}
	d.Channels[0].Schedule = weekly
	d.Channels[1].Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: measured}
	d.Channels[1].Retention = protocol.Retention{Kind: protocol.RetentionCapacity, Fact: measured}
	d.Channels[1].Turns, d.Channels[1].Infrared = true, true
	o.found = append(o.found[:0], d, locked())
	<-o.start()
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	o.api(t, "POST", "/contact", contactIn{Contact: protocol.Contact{Name: "Anna Neri", Role: "owner", PEC: "anna@pec.example"}}, nil)
	o.api(t, "POST", "/enrol", map[string]string{"code": "GIUSTO"}, nil)
	for _, c := range all.Cameras {
		o.api(t, "POST", "/cameras/"+c.ID, inventory.Edit{Outdoor: new(true), Name: new("Angolo"), Lon: new(9.19), Lat: new(45.46), Direction: new(17)}, nil)
	}
	for _, step := range []string{"before", "after", "observed", "withdrawn"} {
		switch step {
		case "after":
			o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Anna Neri"}, nil)
		case "observed":
			d.Channels[0].Schedule = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion, Fact: measured}
			d.Channels[1].Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 24 * time.Hour, Fact: measured}
			mute := locked()
			mute.Answered = false
			o.found = append(o.found[:0], d, mute)
			if err := o.Inventory.Record(t.Context(), o.found, time.Now().Add(2*time.Hour)); err != nil {
				t.Fatal(err)
			}
		case "withdrawn":
			o.api(t, "POST", "/withdraw", map[string]any{"all": true}, nil)
		}
		paths := []string{"/", "/approve", "/withdraw", "/contact?role=referent", "/credentials?device=" + all.Devices[1].ID, "/enrol", "/outbox", "/status", "/no-such"}
		for _, c := range all.Cameras {
			paths = append(paths, "/cameras/"+c.ID, "/withdraw?id="+c.ID)
		}
		for key := range done {
			paths = append(paths, "/?done="+key)
		}
		for _, path := range paths {
			for _, lang := range []string{"it", "en"} {
				join := "?"
				if strings.Contains(path, "?") {
					join = "&"
				}
				status, body, _ := o.send(t, "GET", path+join+"lang="+lang, "")
				if status != http.StatusOK && path != "/no-such" || !strings.Contains(body, "</html>") {
					t.Errorf("%s %s in %s: %d", step, path, lang, status)
				}
			}
		}
		if step == "observed" {
			_, body, _ := o.send(t, "GET", "/outbox?lang=it", "")
			for _, want := range []string{"adesso registra: sempre, solo se qualcosa si muove", "le immagini restano 1 giorno", "non risponde", "lunedì 08:00–20:00 in continuo"} {
				if !strings.Contains(body, want) {
					t.Errorf("the outbox does not say %q", want)
				}
			}
		}
	}
}

// The owner is told when this computer's clock is wrong, and only then.
func TestThisComputersClock(t *testing.T) {
	o := start(t)
	o.signIn(t)
	for _, wrong := range []bool{true, false} {
		o.Status = func(context.Context) (any, error) {
			return map[string]any{"clock_offset_ms": 58 * 60 * 1000, "clock_wrong": wrong}, nil
		}
		_, page, _ := o.send(t, "GET", "/status", "")
		if told := strings.Contains(page, "avanti di 58 minuti"); told != wrong {
			t.Errorf("wrong %t: told %t", wrong, told)
		}
	}
}

// TestHoursOff: a display whole hours off is told as such, whether its clock or its
// zone is wrong.
func TestHoursOff(t *testing.T) {
	june := at(t, "2026-06-21T12:00:00Z")
	for name, c := range map[string]struct {
		zone string
		off  time.Duration
		want time.Duration // 0: no whole hours
	}{
		"right":                      {"Europe/Rome", 0, 0},
		"minutes":                    {"Europe/Rome", 20 * time.Minute, 0},
		"an hour":                    {"Europe/Rome", -time.Hour + 300*time.Millisecond, -time.Hour},
		"an hour, of no zone":        {"", time.Hour, time.Hour},
		"58 minutes":                 {"Europe/Rome", -58 * time.Minute, -58 * time.Minute},
		"right without summer time":  {"UTC+01:00", 0, -time.Hour},
		"and drifted":                {"UTC+01:00", 2 * time.Minute, -58 * time.Minute},
		"put right by hand":          {"UTC+01:00", time.Hour, 0},
		"the zone of the factory":    {"UTC+08:00", 0, 6 * time.Hour},
		"a clock of another century": {"Europe/Rome", 20 * 365 * 24 * time.Hour, 0},
	} {
		d := inventory.Device{Zone: c.zone, Clock: &protocol.Clock{OffsetMs: c.off.Milliseconds(), At: june}}
		gap, ok := hoursOff(d)
		if ok != (c.want != 0) || ok && gap != c.want {
			t.Errorf("%s: %s, %t; want %s", name, gap, ok, c.want)
		}
	}
	if _, ok := hoursOff(inventory.Device{Zone: "UTC+08:00"}); ok {
		t.Error("a clock that was never read is hours off")
	}
}

package interrogate

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// TestReolinkParts: what is refused or absent is unknown, and never off.
func TestReolinkParts(t *testing.T) {
	rec := func(fields string) []byte {
		return []byte(`[{"cmd":"GetRecV20","code":0,"value":{"Rec":{` + fields + `}}}]`)
	}
	whole := `"schedule":{"table":{"TIMING":"` + strings.Repeat("1", 168) + `"}}`
	refused := []byte(`[{"cmd":"X","code":1,"error":{"rspCode":-26,"detail":"ability error"}}]`)
	absent := []byte(`[{"cmd":"X","code":1,"error":{"rspCode":-9,"detail":"not support"}}]`)
	for name, c := range map[string]struct {
		replace  map[string][]byte
		schedule protocol.Schedule
		kind     protocol.RetentionKind
		problem  string
	}{
		"switched off":         {map[string][]byte{"rec_0.json": rec(`"enable":0,"saveDay":7,` + whole)}, off(), protocol.RetentionAge, ""},
		"enable not told":      {map[string][]byte{"rec_0.json": rec(whole)}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
		"refused":              {map[string][]byte{"rec_0.json": refused}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
		"neither offered":      {map[string][]byte{"rec_0.json": absent}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
		"without Rec":          {map[string][]byte{"rec_0.json": []byte(`[{"cmd":"GetRecV20","code":0,"value":{}}]`)}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
		"without a value":      {map[string][]byte{"rec_0.json": []byte(`[{"cmd":"GetRecV20","code":0}]`)}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
		"disks refused":        {map[string][]byte{"disks.json": refused}, always(protocol.Continuous), protocol.RetentionAge, "disks"},
		"no disk":              {map[string][]byte{"disks.json": []byte(`[{"cmd":"GetHddInfo","code":0,"value":{"HddInfo":[]}}]`)}, protocol.Schedule{}, protocol.RetentionAge, "disks"},
		"a disk not in use":    {map[string][]byte{"disks.json": []byte(`[{"cmd":"GetHddInfo","code":0,"value":{"HddInfo":[{"capacity":1000,"mount":0}]}}]`)}, protocol.Schedule{}, protocol.RetentionAge, "disks"},
		"no disk, and off":     {map[string][]byte{"disks.json": []byte(`[{"cmd":"GetHddInfo","code":0,"value":{}}]`), "rec_0.json": rec(`"enable":0,` + whole)}, off(), "", "disks"},
		"time refused":         {map[string][]byte{"time.json": refused}, always(protocol.Continuous), protocol.RetentionAge, "time"},
		"information refused":  {map[string][]byte{"devinfo.json": refused}, always(protocol.Continuous), protocol.RetentionAge, "device information"},
		"a session that ended": {map[string][]byte{"rec_0.json": []byte(`[{"cmd":"X","code":1,"error":{"rspCode":-6}}]`)}, protocol.Schedule{}, "", "schedule of Vetrina via Borsieri"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := lookAt(t, loadRecorder(t, reolinkFolder).Replacing(c.replace))
			if len(got.Channels) != 4 {
				t.Fatalf("%d channels: %v", len(got.Channels), got.Errors)
			}
			ch := got.Channels[0]
			ch.Schedule.Zone, ch.Schedule.ZoneAssumed, ch.Schedule.Fact = "", false, protocol.Fact{}
			if !reflect.DeepEqual(ch.Schedule, c.schedule) || ch.Retention.Kind != c.kind {
				t.Errorf("schedule %+v, retention %+v", ch.Schedule, ch.Retention)
			}
			if c.problem != "" && problemOf(got, c.problem) == "" {
				t.Errorf("problems %v, want one of %q", got.Errors, c.problem)
			}
		})
	}
}

// TestReolinkCamera: a camera by itself is one channel, under its own name.
func TestReolinkCamera(t *testing.T) {
	info := func(fields string) []byte {
		return []byte(`[{"cmd":"GetDevInfo","code":0,"value":{"DevInfo":{"model":"E1 Prova","name":"Ingresso"` + fields + `}}}]`)
	}
	absent := []byte(`[{"cmd":"X","code":1,"error":{"rspCode":-9}}]`)
	for name, c := range map[string]map[string][]byte{
		"by its count":   {"devinfo.json": info(`,"channelNum":1,"exactType":"IPC"`)},
		"by its refusal": {"devinfo.json": info(""), "channels.json": absent},
	} {
		got, _ := lookAt(t, loadRecorder(t, reolinkFolder).Replacing(c))
		if got.Kind != KindCamera || len(got.Channels) != 1 || got.Channels[0].ID != "0" || got.Channels[0].Name != "Ingresso" || got.Channels[0].Schedule.Kind != protocol.ScheduleAlways {
			t.Errorf("%s: kind %q, channels %+v", name, got.Kind, got.Channels)
		}
	}
	got, _ := lookAt(t, loadRecorder(t, reolinkFolder).Replacing(map[string][]byte{"devinfo.json": info(`,"channelNum":1,"exactType":"HOMEHUB"`)}))
	if got.Kind != KindRecorder || len(got.Channels) != 4 {
		t.Errorf("a hub: kind %q, %d channels", got.Kind, len(got.Channels))
	}
}

func TestReolinkRecognise(t *testing.T) {
	for body, want := range map[string]likeness{
		`[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-6,"detail":"please login first"}}]`: known,
		`[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-1}}]`:                               known,
		`[{"cmd":"Other","code":1,"error":{"rspCode":-6}}]`:                                    stranger,
		`[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":6}}]`:                                stranger,
		`[{"cmd":"GetDevInfo","code":1,"error":{}}]`:                                           stranger,
		`[{"cmd":"GetDevInfo","code":0,"value":{}}]`:                                           stranger,
		`[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-6}},{"cmd":"X","code":0}]`:          stranger,
		`{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-6}}`:                                 stranger,
		`[]`: stranger, `<html>`: stranger, ``: stranger,
	} {
		s := serveReolink(t, func(string) []byte { return []byte(body) })
		if got := (reolink{}).recognise(t.Context(), webTo(t, s, &memory{})); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

// TestReolinkEcho: what it repeats of the session in an error is taken out.
func TestReolinkEcho(t *testing.T) {
	d := start(t, loadRecorder(t, reolinkFolder), cameratest.Options{})
	if err := d.Change("rec_0.json", []byte(`[{"cmd":"X","code":1,"error":{"rspCode":-3,"detail":"token {{.Session}}"}}]`)); err != nil {
		t.Fatal(err)
	}
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if why := problemOf(got, "schedule of Vetrina via Borsieri"); why != "it refused, error -3 token [removed]" {
		t.Errorf("told as %q", why)
	}
}

func TestReolinkRefusals(t *testing.T) {
	for code, words := range map[int]string{-5: "as many users", -9: "does not offer", -1: "error -1"} {
		body := fmt.Appendf(nil, `[{"cmd":"Login","code":1,"error":{"rspCode":%d,"detail":"x"}}]`, code)
		d := start(t, loadRecorder(t, reolinkFolder).Replacing(map[string][]byte{"login.json": body}), cameratest.Options{})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		if why := problemOf(got, "reolink"); !strings.Contains(why, words) || got.Needs == NeedsWrongPassword || logins(d) != 1 {
			t.Errorf("error %d: %q, needs %q, %d logins", code, why, got.Needs, logins(d))
		}
	}
}

// TestReolinkSynthetic plays the shapes of the shared folder.
func TestReolinkSynthetic(t *testing.T) {
	shape := func(name string) []byte { return sharedAnswer(t, "synthetic", "reolink", name) }
	i := func(from, to int) protocol.Interval {
		return protocol.Interval{From: from, To: to, Mode: protocol.Motion}
	}
	for name, want := range map[string]expectedTold{
		"GetRecV20_continuous_7days.json":    {"0", "Ingresso Via Roma", "", 3840, 2160, always(protocol.Continuous), protocol.RetentionAge, 7 * day, 0, "TIMING every day 24x1", "saveDay=7"},
		"GetRecV20_disabled.json":            {"0", "Ingresso Via Roma", "", 3840, 2160, off(), protocol.RetentionCapacity, 0, 0, "enable=0", "saveDay=0"},
		"GetRecV20_motion_night_30days.json": {"0", "Ingresso Via Roma", "", 3840, 2160, everyDay(i(0, 420), i(1200, 1440)), protocol.RetentionAge, 30 * day, 0, "MD every day", "saveDay=30"},
	} {
		got, _ := lookAt(t, loadRecorder(t, reolinkFolder).Replacing(map[string][]byte{"channels.json": shape("GetChannelstatus.json"), "rec_0.json": shape(name),
			"disks.json": shape("GetHddInfo.json"), "search_0.json": []byte(`[{"cmd":"Search","code":0,"value":{"SearchResult":{"channel":0}}}]`)}))
		compareTold(t, got, []expectedTold{want}, "Europe/Rome")
		if got.Kept != KeptDisk || len(ownProblems(got)) != 0 {
			t.Errorf("%s: kept %q, problems %v", name, got.Kept, got.Errors)
		}
	}
	var at []struct{ Value reolinkTime }
	if err := json.Unmarshal(shape("GetTime.json"), &at); err != nil || len(at) != 1 {
		t.Fatal(err)
	}
	read := time.Date(2026, 11, 21, 23, 48, 8, 0, time.UTC)
	c := reolinkClock(at[0].Value, answer{when: timing{read, read}})
	if c == nil || c.zone != "Europe/Rome" || c.at.Format(time.DateTime) != "2026-11-22 00:48:08" {
		t.Errorf("clock %+v", c)
	}
	s := serveReolink(t, func(string) []byte { return shape("Search_status_month.json") })
	var ch channelReport
	if err := reolinkOldest(t.Context(), webTo(t, s, &memory{}), &ch, 0, c.at, 7*day); err != nil || ch.oldest.at.Format(time.DateTime) != "2026-11-16 00:00:00" {
		t.Errorf("oldest %+v, %v", ch.oldest, err)
	}
}

func FuzzReolink(f *testing.F) {
	f.Add([]byte(`[{"cmd":"GetRecV20","code":0,"value":{"Rec":{"enable":1,"saveDay":"7","schedule":{"table":{"TIMING":"` + strings.Repeat("01", 84) + `"}}}}}]`))
	f.Add([]byte(`[{"cmd":"GetTime","code":0,"value":{"Time":{"year":2026,"mon":1,"day":1,"hour":1,"timeZone":-3600},"Dst":{"enable":1,"offset":1,"startMon":3,"startWeek":5}}}]`))
	f.Add([]byte(`"` + strings.Repeat("1", 168) + `"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, _, err := reolinkWeek(b); err != nil && s.Kind != protocol.ScheduleUnknown {
			t.Errorf("%+v with the error %v", s, err)
		}
		r, err := reolinkReplyOf(answer{body: b})
		if err != nil {
			return
		}
		_ = r.refusal()
		var rec reolinkRec
		if json.Unmarshal(r.Value, &rec) == nil && rec.Rec != nil {
			var c channelReport
			_ = rec.schedule(&c, "x", true)
			rec.retention(&c, "x")
			if c.retention.Age < 0 {
				t.Errorf("kept for %s", c.retention.Age)
			}
			_, _ = c.channel(&Device{}, time.Unix(1790000000, 0))
		}
		var at reolinkTime
		if json.Unmarshal(r.Value, &at) == nil {
			reolinkClock(at, answer{})
			if zone, _ := reolinkZone(at, time.Unix(1790000000, 0)); zone != "" {
				if _, ok := loadZone(zone); !ok {
					t.Errorf("the zone %q is none", zone)
				}
			}
		}
	})
}

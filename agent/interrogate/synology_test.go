package interrogate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

const day = 24 * time.Hour

func TestSynology(t *testing.T) {
	got, d := lookAt(t, loadRecorder(t, "bottegabrera-synology"))
	if got.Vendor != "Synology" || got.Model != "DS-Prova 4" || got.Name != "nas-bottega-brera" || got.Serial != "SENTINEL-SERIAL-2001" || got.Firmware != "Surveillance Station 9.2-11575" {
		t.Errorf("read %q %q %q %q %q", got.Vendor, got.Model, got.Name, got.Serial, got.Firmware)
	}
	if got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Clock == nil || got.Clock.Method != "HTTP Date" {
		t.Errorf("zone %q, assumed %v, clock %+v", got.Zone, got.ZoneAssumed, got.Clock)
	}
	checkClock(t, got, 7*time.Minute)
	if got.Kept != KeptDisk || !strings.Contains(got.Facts["kept"].Raw, "/volume1") {
		t.Errorf("kept %q, %+v", got.Kept, got.Facts["kept"])
	}
	compareTold(t, got, []expectedTold{
		{"1", "Ingresso via Fiori Chiari", "192.0.2.101", 1920, 1080, always(protocol.Continuous), protocol.RetentionAge, 30 * day, 696 * time.Hour, "all rows: 48x1", "rotation_by_date=30"},
		{"2", "Cassa", "192.0.2.102", 1920, 1080, everyDay(protocol.Interval{From: 0, To: 420, Mode: protocol.Motion}, protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion}),
			protocol.RetentionAge, 7 * day, 50 * time.Hour, "14x2 26x0 8x2", "rotation_by_space=250"},
		{"5", "Cortile", "192.0.2.105", 2560, 1440, protocol.Schedule{}, protocol.RetentionCapacity, 0, 0, "row 1: 48x0", "rotation_by_space=80"},
		{"7", "Magazzino", "192.0.2.107", 1920, 1080, off(), protocol.RetentionUnknown, 0, 0, "enabled=false", "is_rotated_by_date=false"},
	}, "Europe/Rome")
	if why := problemOf(got, "schedule of Cortile"); !strings.Contains(why, "which day") {
		t.Errorf("problems: %v", got.Errors)
	}
	if why := problemOf(got, "oldest recording of Magazzino"); why != errForbidden.Error() {
		t.Errorf("problems: %v", got.Errors)
	}
	if len(ownProblems(got)) != 2 {
		t.Errorf("problems: %v", got.Errors)
	}
	if n := d.WrongAttempts(); n != 0 {
		t.Errorf("%d wrong attempts", n)
	}
}

// synologyTable writes camSchedule with these rows; the last one goes on.
func synologyTable(rows ...string) []byte {
	var out []string
	for i := range 7 {
		out = append(out, "["+strings.Join(strings.Split(rows[min(i, len(rows)-1)], ""), ",")+"]")
	}
	return []byte("[" + strings.Join(out, ",") + "]")
}

func TestSynologyWeek(t *testing.T) {
	x := strings.Repeat
	i := func(from, to int, m protocol.Mode) protocol.Interval {
		return protocol.Interval{From: from, To: to, Mode: m}
	}
	for name, c := range map[string]struct {
		table []byte
		want  protocol.Schedule
		said  string
		fails string
	}{
		"not told":              {nil, protocol.Schedule{}, "", ""},
		"null":                  {[]byte("null"), protocol.Schedule{}, "", ""},
		"whole days":            {synologyTable(x("1", 48)), always(protocol.Continuous), "all rows: 48x1", ""},
		"nothing":               {synologyTable(x("0", 48)), off(), "all rows: 48x0", ""},
		"motion all day":        {synologyTable(x("2", 48)), always(protocol.Motion), "48x2", ""},
		"across midnight":       {synologyTable(x("1", 12) + x("0", 32) + x("1", 4)), everyDay(i(0, 360, protocol.Continuous), i(1320, 1440, protocol.Continuous)), "12x1 32x0 4x1", ""},
		"every kind":            {synologyTable("0123" + "59" + x("0", 42)), everyDay(i(30, 60, protocol.Continuous), i(60, 90, protocol.Motion), i(90, 120, protocol.Alarm), i(120, 180, protocol.Analytics)), "1x5 1x9", ""},
		"half hours":            {synologyTable(x("0", 47) + "1"), everyDay(i(1410, 1440, protocol.Continuous)), "47x0 1x1", ""},
		"another Sunday":        {synologyTable(x("0", 48), x("1", 48)), protocol.Schedule{}, "row 7: 48x1", "which day"},
		"one half hour differs": {synologyTable(x("1", 48), x("1", 47)+"0", x("1", 48)), protocol.Schedule{}, "row 2: 47x1 1x0", "which day"},
		"six days":              {[]byte(`[[1],[1],[1],[1],[1],[1]]`), protocol.Schedule{}, "", "6 rows"},
		"hours":                 {synologyTable(x("1", 24)), protocol.Schedule{}, "", "24 cells"},
		"no number":             {[]byte(strings.ReplaceAll(string(synologyTable(x("1", 48))), "1", `"on"`)), protocol.Schedule{}, "", "no number"},
		"no table":              {[]byte(`"11"`), protocol.Schedule{}, "", "no table"},
		"in quotes":             {[]byte(strings.ReplaceAll(string(synologyTable(x("1", 48))), "1", `"1"`)), always(protocol.Continuous), "48x1", ""},
	} {
		got, said, err := synologyWeek(c.table)
		if !reflect.DeepEqual(got, c.want) || !strings.Contains(strings.Join(said, " | "), c.said) {
			t.Errorf("%s: %+v %q, want %+v %q", name, got, said, c.want, c.said)
		}
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.fails)
		}
	}
}

// TestSynologyRecognise: a NAS without Surveillance Station is none of ours.
func TestSynologyRecognise(t *testing.T) {
	const auth, camera = `"SYNO.API.Auth":{"path":"auth.cgi","maxVersion":6}`, `"SYNO.SurveillanceStation.Camera":{"path":"entry.cgi","maxVersion":9}`
	for body, want := range map[string]likeness{
		`{"success":true,"data":{` + auth + `,` + camera + `}}`:                                                 known,
		`{"success":true,"data":{` + auth + `}}`:                                                                stranger,
		`{"success":true,"data":{` + camera + `}}`:                                                              stranger,
		`{"success":false,"data":{` + auth + `,` + camera + `}}`:                                                stranger,
		`{"success":true,"data":{` + auth + `,` + strings.Replace(camera, "entry", "../x/entry", 1) + `}}`:      stranger,
		`{"success":true,"data":{` + strings.Replace(auth, "auth.cgi", "//192.0.2.1/", 1) + `,` + camera + `}}`: stranger,
		`{"success":true}`: stranger, `[]`: stranger, `<html>`: stranger, ``: stranger,
	} {
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(body)) })
		if got := (synology{}).recognise(t.Context(), webTo(t, s, &memory{})); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestSynologyRefusals(t *testing.T) {
	for code, words := range map[int]string{401: "disabled", 402: "Surveillance Station", 403: "one-time code", 404: "one-time code", 406: "one-time code", 407: "blocks this computer", 409: "expired", 411: "locked", 999: "999"} {
		c := loadRecorder(t, "bottegabrera-synology").Replacing(map[string][]byte{"login.json": fmt.Appendf(nil, `{"error":{"code":%d},"success":false}`, code)})
		d := start(t, c, cameratest.Options{})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		if why := problemOf(got, "synology"); !strings.Contains(why, words) || got.Needs == NeedsWrongPassword || logins(d) != 1 || got.Clock == nil {
			t.Errorf("error %d: %q, needs %q, %d logins, clock %v", code, why, got.Needs, logins(d), got.Clock)
		}
	}
}

// TestSynologyParts: what is refused or absent is unknown, and never off.
func TestSynologyParts(t *testing.T) {
	one := func(fields string) []byte {
		return []byte(`{"data":{"cameras":[{"id":1,"name":"Sala"` + fields + `}],"total":1},"success":true}`)
	}
	refused := []byte(`{"error":{"code":105},"success":false}`)
	whole := string(synologyTable(strings.Repeat("1", 48)))
	for name, c := range map[string]struct {
		replace  map[string][]byte
		schedule protocol.Schedule
		kind     protocol.RetentionKind
		oldest   bool
		problem  string // its operation
	}{
		"nothing told":           {map[string][]byte{"cameras.json": one("")}, protocol.Schedule{}, "", true, ""},
		"recording disabled":     {map[string][]byte{"cameras.json": one(`,"enabled":true,"blDisableRec":true,"detailInfo":{"camSchedule":` + whole + `}`)}, protocol.Schedule{}, "", true, "schedule of Sala"},
		"only details":           {map[string][]byte{"cameras.json": one(`,"detailInfo":{"camIsRotByDate":true,"camRotByDate":"5","camSchedule":` + whole + `}`)}, always(protocol.Continuous), protocol.RetentionAge, true, ""},
		"no days of rotation":    {map[string][]byte{"cameras.json": one(`,"is_rotated_by_date":true,"rotation_by_date":0,"is_rotated_by_space":true`)}, protocol.Schedule{}, "", true, ""},
		"an odd table":           {map[string][]byte{"cameras.json": one(`,"detailInfo":{"camSchedule":{"a":1}}`)}, protocol.Schedule{}, "", true, "schedule of Sala"},
		"information refused":    {map[string][]byte{"cameras.json": one(""), "info.json": refused}, protocol.Schedule{}, "", true, "Surveillance Station information"},
		"recordings refused":     {map[string][]byte{"cameras.json": one(""), "recordings_1_first.json": refused}, protocol.Schedule{}, "", false, "oldest recording of Sala"},
		"no recordings offered":  {map[string][]byte{"cameras.json": one(""), "recordings_1_first.json": []byte(`{"error":{"code":103},"success":false}`)}, protocol.Schedule{}, "", false, ""},
		"another's recording":    {map[string][]byte{"cameras.json": one(""), "recordings_1_first.json": []byte(`{"data":{"recordings":[{"cameraId":2,"startTime":1790000000}],"total":1},"success":true}`)}, protocol.Schedule{}, "", false, "oldest recording of Sala"},
		"no count":               {map[string][]byte{"cameras.json": one(""), "recordings_1_first.json": []byte(`{"data":{"recordings":[{"cameraId":1,"startTime":1790000000}]},"success":true}`)}, protocol.Schedule{}, "", false, "oldest recording of Sala"},
		"the list ends early":    {map[string][]byte{"cameras.json": one(""), "recordings_1_last.json": []byte(`{"data":{"recordings":[],"total":3},"success":true}`)}, protocol.Schedule{}, "", false, "oldest recording of Sala"},
		"without any recordings": {map[string][]byte{"cameras.json": one(""), "recordings_1_first.json": []byte(`{"data":{"events":[],"total":0},"success":true}`)}, protocol.Schedule{}, "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := lookAt(t, loadRecorder(t, "bottegabrera-synology").Replacing(c.replace))
			if len(got.Channels) != 1 {
				t.Fatalf("%d channels: %v", len(got.Channels), got.Errors)
			}
			ch := got.Channels[0]
			ch.Schedule.Zone, ch.Schedule.ZoneAssumed, ch.Schedule.Fact = "", false, protocol.Fact{}
			if !reflect.DeepEqual(ch.Schedule, c.schedule) || ch.Retention.Kind != c.kind || ch.Retention.OldestFootage.IsZero() == c.oldest {
				t.Errorf("schedule %+v, retention %+v", ch.Schedule, ch.Retention)
			}
			if (c.problem == "") != (len(ownProblems(got)) == 0) || c.problem != "" && problemOf(got, c.problem) == "" {
				t.Errorf("problems %v, want one of %q", got.Errors, c.problem)
			}
		})
	}
}

// TestSynologyPages: cameras come by pages, and a page that is given over and over
// ends the list.
func TestSynologyPages(t *testing.T) {
	page := func(from, to, total int) []byte {
		var all []string
		for id := from; id < to; id++ {
			all = append(all, fmt.Sprintf(`{"id":%d,"name":"C%d"}`, id, id))
		}
		return fmt.Appendf(nil, `{"data":{"cameras":[%s],"total":%d},"success":true}`, strings.Join(all, ","), total)
	}
	for name, c := range map[string]struct {
		first, second []byte
		want          int
	}{
		"two pages":         {page(1, 49, 60), page(49, 61, 60), 60},
		"one page":          {page(1, 49, 48), page(90, 99, 48), 48},
		"all at every page": {page(1, 61, 60), page(1, 61, 60), 60},
		"without an end":    {page(1, 49, 9999), page(1, 49, 9999), 48},
	} {
		d := start(t, loadRecorder(t, "bottegabrera-synology").Replacing(map[string][]byte{
			"cameras.json": c.first, "cameras_more.json": c.second, "recordings_1_first.json": []byte(`{"error":{"code":103},"success":false}`)}), cameratest.Options{})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		if len(got.Channels) != c.want {
			t.Errorf("%s: %d cameras, want %d: %v", name, len(got.Channels), c.want, got.Errors)
		}
	}
}

// TestSynologyRecorded plays what a real DSM 6 answered.
func TestSynologyRecorded(t *testing.T) {
	const real = "mib1185+py-synologydsm-api"
	got, _ := lookAt(t, loadRecorder(t, "bottegabrera-synology").Replacing(map[string][]byte{
		"apis.json": sharedAnswer(t, real, "api_info.subset.json"), "cameras.json": sharedAnswer(t, real, "camera_list.converted.json")}))
	compareTold(t, got, []expectedTold{{"1", "Camera1", "192.168.1.101", 1920, 1080, always(protocol.Continuous), protocol.RetentionAge, 30 * day, 696 * time.Hour, "all rows: 48x1", "rotation_by_space=10"}}, "Europe/Rome")
	if got.Kept != KeptDisk || len(ownProblems(got)) != 0 {
		t.Errorf("kept %q, problems %v", got.Kept, got.Errors)
	}
	said, err := json.Marshal(got)
	if err != nil || strings.Contains(string(said), "cam1") {
		t.Errorf("the camera's user is in what was read (%v)", err)
	}
}

func FuzzSynology(f *testing.F) {
	f.Add(synologyTable(strings.Repeat("1", 48)))
	f.Add([]byte(`{"success":true,"data":{"cameras":[{"id":1,"enabled":"x","detailInfo":{"camSchedule":[[1]]}}],"total":1}}`))
	f.Add([]byte(`{"success":true,"data":{"recordings":[{"startTime":"1"}],"total":2}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, said, err := synologyWeek(b); err != nil && s.Kind != protocol.ScheduleUnknown || len(rawWords(said...)) > 4*480 {
			t.Errorf("%+v with the error %v", s, err)
		}
		a := answer{body: b}
		if l, err := jsonOf[synoAnswer[struct{ Cameras []synoCam }]](a); err == nil {
			for _, cam := range l.Data.Cameras {
				c, err := cam.channel("x")
				if errors.Is(err, errFirstDay) && c.schedule.Kind != protocol.ScheduleUnknown {
					t.Errorf("%+v though %v", c.schedule, err)
				}
				if c.retention.Age < 0 {
					t.Errorf("kept for %s", c.retention.Age)
				}
				_, _ = c.channel(&Device{}, time.Unix(1790000000, 0))
			}
		}
		if l, err := jsonOf[synoAnswer[synoRecordings]](a); err == nil {
			for _, r := range l.Data.Recordings {
				_, _ = r.start(), r.stop()
			}
		}
	})
}

// TestSynologyHostIsAnAddress: the host of a camera may be written as the address of
// its stream, with the camera's password. Of that the address counts.
func TestSynologyHostIsAnAddress(t *testing.T) {
	for host, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "rtsp://admin:s3gr3t0@192.0.2.7:554/ch1": "192.0.2.7", "admin:s3gr3t0@camera/ch1": "", "camera.lan": "", "": "",
	} {
		c, _ := synoCam{Name: "Vetrina", Host: anyText(host)}.channel("")
		got := ""
		if c.behind != nil {
			got = c.behind.Address
		}
		if got != want || (c.behind != nil) != (want != "") {
			t.Errorf("%q: %+v, want the address %q", host, c.behind, want)
		}
	}
}

// TestSynologyListWithoutEnd: pages of deleted cameras that never end are given up.
func TestSynologyListWithoutEnd(t *testing.T) {
	pages := 0
	s := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages > 1000 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"success":true,"data":{"cameras":[{"id":%d,"deleted":true}]}}`, pages)
	})
	var read deviceReport
	if err := synoCameras(t.Context(), webTo(t, s, &memory{}), synoAPIs{synoCamera: {Path: "entry.cgi"}}, &read); err != nil || pages > 2*maxChannels/synoPage+1 {
		t.Errorf("%d pages were read, %v", pages, err)
	}
}

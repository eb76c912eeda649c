package interrogate

import (
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

func TestHanwha(t *testing.T) {
	d := start(t, loadRecorder(t, "libreria-hanwha"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if got.Family != Hanwha || got.Kind != KindRecorder || got.Vendor != "Hanwha" || got.Name != "Libreria via Dante" || got.Model != "XRN-F1201" || got.Firmware != "4.10_230901" || got.Serial != "SENTINEL-SERIAL-1201" || !reflect.DeepEqual(got.MACs, []string{"02:5e:47:00:12:01"}) {
		t.Errorf("read as %+v", got)
	}
	if len(got.Errors) != 0 || got.Needs != NeedsNothing || got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Kept != KeptDisk || got.Facts["kept"].Raw != "Normal" {
		t.Errorf("problems %v, needs %q, zone %q, kept %q %+v", got.Errors, got.Needs, got.Zone, got.Kept, got.Facts)
	}
	checkClock(t, got, -3*time.Minute)
	all := channelsByID(t, got)
	if len(all) != 3 || all["1"].Name != "Vetrina via Dante" || all["2"].Name != "Cassa" || all["3"].Name != "Magazzino" {
		t.Fatalf("channels %+v", got.Channels)
	}
	if c := all["2"].Camera; c == nil || c.Address != "192.0.2.41" || !reflect.DeepEqual(c.MACs, []string{"02:5e:47:00:12:41"}) {
		t.Errorf("behind channel 2: %+v", c)
	}
	evenings := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	evenings.Days[0] = []protocol.Interval{{From: 1200, To: 1440, Mode: protocol.Analytics}}
	for day := 1; day < 7; day++ {
		evenings.Days[day] = []protocol.Interval{{From: 480, To: 1200, Mode: protocol.Continuous}, {From: 1200, To: 1440, Mode: protocol.Analytics}}
	}
	for id, want := range map[string]protocol.Schedule{"1": always(protocol.Continuous), "2": evenings, "3": off()} {
		got := all[id].Schedule
		if f := all[id].Facts["schedule"]; !strings.Contains(f.From, "recordingschedule") || !strings.Contains(f.Raw, "NormalMode=") || got.Zone != "Europe/Rome" {
			t.Errorf("channel %s: zone %q, %+v", id, got.Zone, f)
		}
		got.Zone, got.Fact = "", protocol.Fact{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("channel %s records %+v, want %+v", id, got, want)
		}
	}
	for id, days := range map[string]time.Duration{"1": 20, "2": 10, "3": 20} {
		if r := all[id].Retention; r.Kind != protocol.RetentionAge || r.Age != days*24*time.Hour {
			t.Errorf("channel %s keeps %+v", id, r)
		}
	}
	oldestNear(t, all["1"], time.Now().Add(-432*time.Hour)) // to the second: all the recorder's footage begins with it
	oldestNear(t, all["2"], endOfDay(t, d, 192*time.Hour))
	if r := all["3"].Retention; !r.OldestFootage.IsZero() {
		t.Errorf("channel 3 has footage since %s", r.OldestFootage)
	}
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "SENTINEL-USER") || strings.Contains(text, "SENTINEL-PASSWORD") {
		t.Error("users or passwords of cameras were kept")
	}
	for _, r := range d.Requests() {
		if strings.HasPrefix(r.Path, "/stw-cgi/") && (r.Method != http.MethodGet || !strings.Contains(r.Query, "action=view")) {
			t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
		}
	}
}

// sunapiWeek is a week of the same cell every hour.
func sunapiWeek(cell string) (week [7]string) {
	for day := range week {
		week[day] = strings.TrimSpace(strings.Repeat(cell+" ", 24))
	}
	return week
}

func TestSunapiSchedules(t *testing.T) {
	half := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	half.Days[time.Monday] = []protocol.Interval{{From: 510, To: 600, Mode: protocol.Continuous}, {From: 612, To: 620, Mode: protocol.Continuous}}
	partly := sunapiWeek("0")
	partly[1] = "0 0 0 0 0 0 0 0 (30-59) 1 12-20 0 0 0 0 0 0 0 0 0 0 0 0 0"
	short := sunapiWeek("1")
	short[6] = "1 1 1"
	for name, c := range map[string]struct {
		r    sunapiRecording
		want protocol.Schedule
	}{
		"a camera, always":                     {sunapiRecording{false, "true", "Full", "Full", "Always", sunapiWeek("0")}, always(protocol.Continuous)},
		"a camera, always, key pictures alone": {sunapiRecording{false, "True", "I-Frame", "Off", "Always", [7]string{}}, always(protocol.Continuous)},
		"a camera, at events":                  {sunapiRecording{false, "True", "Off", "Full", "Always", [7]string{}}, always(protocol.Analytics)},
		"a camera, nothing":                    {sunapiRecording{false, "True", "Off", "Off", "Always", [7]string{}}, protocol.Schedule{}},
		"a recorder, nothing":                  {sunapiRecording{true, "True", "Off", "Off", "", sunapiWeek("B")}, off()},
		"a camera, minutes of a week":          {sunapiRecording{false, "True", "Full", "Off", "Scheduled", partly}, half},
		"a camera, every hour of a week":       {sunapiRecording{false, "True", "Full", "Off", "Scheduled", sunapiWeek("1")}, always(protocol.Continuous)},
		"a camera, no hour, but events":        {sunapiRecording{false, "True", "Full", "Full", "Scheduled", sunapiWeek("0")}, always(protocol.Analytics)},
		"a camera, no hour":                    {sunapiRecording{false, "True", "Full", "Off", "Scheduled", sunapiWeek("0")}, protocol.Schedule{}},
		"a recorder, both":                     {sunapiRecording{true, "True", "Full", "Full", "", sunapiWeek("B")}, always(protocol.Continuous)},
		"a recorder, events":                   {sunapiRecording{true, "True", "Full", "Full", "", sunapiWeek("E")}, always(protocol.Analytics)},
		"a recorder, events that are not kept": {sunapiRecording{true, "True", "Full", "Off", "", sunapiWeek("E")}, off()},
		"a recorder, no hour":                  {sunapiRecording{true, "True", "Full", "Full", "", sunapiWeek("0")}, off()},
		"storage off":                          {sunapiRecording{true, "False", "Full", "Full", "Always", sunapiWeek("1")}, protocol.Schedule{}},
		"storage not told":                     {sunapiRecording{true, "", "Full", "Full", "Always", sunapiWeek("1")}, protocol.Schedule{}},
		"modes not told":                       {sunapiRecording{true, "True", "", "", "Always", sunapiWeek("1")}, protocol.Schedule{}},
		"a mode not understood":                {sunapiRecording{true, "True", "Full", "Sometimes", "Always", sunapiWeek("1")}, protocol.Schedule{}},
		"an Activate not understood":           {sunapiRecording{true, "True", "Full", "Full", "Sometimes", sunapiWeek("1")}, protocol.Schedule{}},
		"a camera without Activate":            {sunapiRecording{false, "True", "Full", "Full", "", sunapiWeek("1")}, protocol.Schedule{}},
		"a week not told":                      {sunapiRecording{true, "True", "Full", "Full", "Scheduled", [7]string{}}, protocol.Schedule{}},
		"a day of three hours":                 {sunapiRecording{true, "True", "Full", "Full", "Scheduled", short}, protocol.Schedule{}},
		"a cell not understood":                {sunapiRecording{true, "True", "Full", "Full", "Scheduled", sunapiWeek("X")}, protocol.Schedule{}},
		"minutes that there are not":           {sunapiRecording{true, "True", "Full", "Full", "Scheduled", sunapiWeek("(10-75)")}, protocol.Schedule{}},
		"minutes backwards":                    {sunapiRecording{true, "True", "Full", "Full", "Scheduled", sunapiWeek("(40-10)")}, protocol.Schedule{}},
	} {
		if got := c.r.schedule(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestSunapiRetention(t *testing.T) {
	age := func(days int) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(days) * 24 * time.Hour}
	}
	for _, c := range []struct {
		body string
		want protocol.Retention
	}{
		{"Enable=True\nOverWrite=True\nAutoDeleteEnable=True\nAutoDeleteDays=7\n", age(7)},
		{`{"Enable":true,"OverWrite":false,"AutoDeleteEnable":true,"AutoDeleteDays":180}`, age(180)},
		{"Enable=True\nOverWrite=True\nAutoDeleteEnable=False\nAutoDeleteDays=180\n", protocol.Retention{Kind: protocol.RetentionCapacity}},
		{"Enable=True\nOverWrite=False\nAutoDeleteEnable=False\nAutoDeleteDays=180\n", protocol.Retention{}},
		{"Enable=False\nOverWrite=True\nAutoDeleteEnable=True\nAutoDeleteDays=7\n", protocol.Retention{}},
		{"Enable=True\nOverWrite=True\nAutoDeleteEnable=True\nAutoDeleteDays=0\n", protocol.Retention{}},
		{"Enable=True\nOverWrite=True\n", protocol.Retention{}},
	} {
		s, err := readSunapi([]byte(c.body), "Enable", "OverWrite", "AutoDeleteEnable", "AutoDeleteDays")
		if err != nil {
			t.Fatal(err)
		}
		if got := sunapiRetention(s, s["AutoDeleteDays"]); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.body, got, c.want)
		}
	}
}

func TestReadSunapi(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want sunapi // nil: an error
	}{
		"text":                 {"Model=A=B\r\nOther=1\r\n", sunapi{"Model": "A=B"}},
		"channels in text":     {"Channel.0.Name=One\nChannel.1.Name=Two\nChannel.1.Password=SENTINEL\n", sunapi{"Channel.0.Name": "One", "Channel.1.Name": "Two"}},
		"sections in text":     {"Channel=0\nActivate=Always\nSUN:0 1\nChannel=1\nActivate=Scheduled\n", sunapi{"Channel.0.Activate": "Always", "Channel.0.SUN": "0 1", "Channel.1.Activate": "Scheduled"}},
		"JSON":                 {`{"Model":"A","Enable":true,"List":[{"Channel":3,"Name":"Three","Schedule":{"SUN":["0","E"]}}]}`, sunapi{"Model": "A", "Enable": "true", "Channel.3.Name": "Three", "Channel.3.SUN": "0 E"}},
		"numbers in JSON":      {`{"Storages":[{"Storage":1,"Type":"DAS","NASConfig":{"Password":"SENTINEL"}}]}`, sunapi{"Storage.1.Type": "DAS"}},
		"nothing that we want": {`{"Other":1}`, sunapi{}},
		"NG":                   {"NG\nError Code: 604\n", nil},
		"Fail":                 {`{"Response":"Fail","Error":{"Code":604}}`, nil},
		"a page":               {"<html></html>", nil},
		"nothing":              {"", nil},
		"half":                 {`{"Model":`, nil},
	} {
		got, err := readSunapi([]byte(c.body), "Model", "Enable", "Name", "Activate", "SUN", "Type")
		if _, ng := errors.AsType[*sunapiError](err); ng != (name == "NG" || name == "Fail") {
			t.Errorf("%s: %v", name, err)
		}
		if (err != nil) != (c.want == nil) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestSunapiStamps: the hour that autumn has twice is told by the word DST.
func TestSunapiStamps(t *testing.T) {
	var rule systemDateAndTime
	rule.Set.Zone = "STWT-1STWST,M3.5.0/2:00:00,M10.5.0/3:00:00"
	rome, _ := namedZone(rule, at("2026-11-22T00:00:00Z"))
	for _, c := range []struct {
		text string
		zone *time.Location
		want stamp
	}{
		{"2026-10-25 02:30:00 DST", rome, utcStamp(at("2026-10-25T00:30:00Z"), "2026-10-25 02:30:00 DST")},
		{"2026-10-25 02:30:00", rome, utcStamp(at("2026-10-25T01:30:00Z"), "2026-10-25 02:30:00")},
		{"2026-10-25 02:30:00 DST", nil, stamp{at("2026-10-25T02:30:00Z"), true, "2026-10-25 02:30:00 DST"}},
		{"2026-07-08 12:00:00 DST", rome, stamp{at("2026-07-08T12:00:00Z"), true, "2026-07-08 12:00:00 DST"}},
		{"2026-11-15 08:00:00", rome, stamp{at("2026-11-15T08:00:00Z"), true, "2026-11-15 08:00:00"}},
		{"2026-11-15", rome, stamp{}},
		{"", rome, stamp{}},
	} {
		if got := sunapiStamp(c.text, c.zone); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
}

// TestHanwhaClocks: UTC where it is told, and the zone that the wall clock follows.
func TestHanwhaClocks(t *testing.T) {
	now := at("2026-07-10T10:00:00Z")
	const rule = "POSIXTimeZone=STWT-1STWST,M3.5.0/2,M10.5.0/3\n"
	for name, c := range map[string]struct {
		body, zone string
		at         string
		wall       bool
	}{
		"UTC":                         {"LocalTime=2026-07-10 12:00:00\nUTCTime=2026-07-10 10:00:00\nDSTEnable=True\n" + rule, "Europe/Rome", "2026-07-10T10:00:00Z", false},
		"summer time not switched on": {"LocalTime=2026-07-10 11:00:00\nUTCTime=2026-07-10 10:00:00\nDSTEnable=False\n" + rule, "UTC+01:00", "2026-07-10T10:00:00Z", false},
		"a rule that it breaks":       {"LocalTime=2026-07-10 11:00:00\nUTCTime=2026-07-10 10:00:00\nDSTEnable=True\n" + rule, "UTC+01:00", "2026-07-10T10:00:00Z", false},
		"a zone without a name":       {"LocalTime=2026-07-10 19:00:00\nUTCTime=2026-07-10 10:00:00\nDSTEnable=false\nPOSIXTimeZone=STWT-9\n", "UTC+09:00", "2026-07-10T10:00:00Z", false},
		"the wall alone":              {"LocalTime=2026-07-10 12:00:00\nDSTEnable=True\n" + rule, "Europe/Rome", "2026-07-10T12:00:00Z", true},
		"the wall in winter time":     {"LocalTime=2026-07-10 11:00:00\nDSTEnable=False\n" + rule, "UTC+01:00", "2026-07-10T11:00:00Z", true},
		"the wall, no zone":           {"LocalTime=2026-07-10 12:00:00\n", "", "2026-07-10T12:00:00Z", true},
		"1970":                        {"LocalTime=1970-01-01 00:00:10\n", "none", "", false},
		"no time":                     {"LocalTime=noon\n", "none", "", false},
	} {
		s := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.body) })
		h := &hanwhaReading{ctx: t.Context(), w: webTo(t, s, &memory{})}
		h.clock()
		if c.zone == "none" {
			if h.told.clock != nil || !h.wall.IsZero() {
				t.Errorf("%s: %+v", name, h.told.clock)
			}
			continue
		}
		if k := h.told.clock; k == nil || k.zone != c.zone || !k.at.Equal(at(c.at)) || k.wall != c.wall || k.at.After(now.Add(24*time.Hour)) {
			t.Errorf("%s: %+v, want %+v", name, k, c)
		}
	}
}

// TestHanwhaSynthetic reads the answers that are shared between projects. The form
// of their schedule is partly a guess: what is not as documented is unknown.
func TestHanwhaSynthetic(t *testing.T) {
	fixture := func(name string) []byte { return sharedAnswer(t, "synthetic/hanwha/"+name) }
	d := start(t, loadRecorder(t, "libreria-hanwha").Replacing(map[string][]byte{
		"storage.json":           fixture("recording_storage_view.txt"),
		"general.txt":            fixture("recording_general_view.txt"),
		"recordingschedule.json": fixture("recording_recordingschedule_view.SHAPE-INFERRED.json"),
		"period.txt":             fixture("recording_searchrecordingperiod_view.txt"),
	}), cameratest.Options{})
	all := channelsByID(t, asker(t, owner(d)).Ask(t.Context(), named(d)))
	if s := all["1"].Schedule; s.Kind != protocol.ScheduleAlways || s.Mode != protocol.Continuous {
		t.Errorf("channel 1 records %+v", s)
	}
	for _, id := range []string{"2", "3"} {
		if s := all[id].Schedule; s.Kind != protocol.ScheduleUnknown {
			t.Errorf("channel %s records %+v, want unknown", id, s)
		}
	}
	if f := all["2"].Facts["schedule"]; !strings.Contains(f.Raw, "Activate=Scheduled") || !strings.Contains(f.Raw, "NormalMode=Off") {
		t.Errorf("its words: %+v", f)
	}
	for id := range all {
		if r := all[id].Retention; r.Kind != protocol.RetentionAge || r.Age != 7*24*time.Hour {
			t.Errorf("channel %s keeps %+v", id, r)
		}
	}
	said, err := readSunapi(fixture("recording_calendarsearch_view.txt"), "Result")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]string{"0": "2026-11-15", "1": "0001-01-01"} {
		day, err := walkCalendar(at("2026-11-22T00:50:00Z"), func(_ int, m time.Month) ([]bool, error) {
			if m != time.November {
				return nil, nil
			}
			return sunapiMonth(said["Channel."+n+".Result"])
		})
		if err != nil || day.Format(time.DateOnly) != want {
			t.Errorf("channel %s: footage since %s, %v, want %s", n, day, err, want)
		}
	}
}

// FuzzSunapi reads any bytes as answers of SUNAPI.
func FuzzSunapi(f *testing.F) {
	f.Add([]byte("Channel=0\nActivate=Scheduled\nSUN:1 1 (30-59) 0 E B\nEnable=True\nNormalMode=Full\n"), "(30-59)")
	f.Add([]byte(`{"RecordSchedule":[{"Channel":0,"Activate":"Always","Schedule":{"SUN":["1"]}}]}`), "0")
	f.Fuzz(func(t *testing.T, b []byte, cell string) {
		keys := append([]string{"Activate", "Enable", "NormalMode", "EventMode", "Result", "StartTime"}, sunapiDays[:]...)
		s, err := readSunapi(b, keys...)
		if err != nil {
			s = sunapi{}
		}
		for _, n := range append(s.channels(), 0) {
			key := fmt.Sprintf("Channel.%d.", n)
			r := sunapiRecording{true, "True", "Full", "Full", s[key+"Activate"], sunapiWeek("1")}
			r.week[0] = s[key+"SUN"]
			r.week[1] = strings.TrimSpace(strings.Repeat(cell+" ", 24))
			sound(t, r.schedule())
			r.words()
			_, _ = sunapiMonth(s[key+"Result"])
			sunapiStamp(s["StartTime"], time.UTC)
		}
	})
}

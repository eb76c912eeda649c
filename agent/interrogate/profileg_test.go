package interrogate

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// TestProfileG gives recorded cameras the recorded answers about recordings,
// with other times and retentions.
func TestProfileG(t *testing.T) {
	dir := sharedOnvif(t)
	recorded, err := cameratest.LoadProfileG(filepath.Join(dir, "hammeraj"))
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		folder    string
		retention string
		oldest    time.Duration
		offset    time.Duration
		want      protocol.Retention // Kind and Age
		known     bool               // the oldest footage
		problem   string
	}{
		"as recorded":          {"AXIS_P3818-PVE_11.9.60", "", 0, 0, protocol.Retention{Kind: protocol.RetentionAge, Age: time.Hour}, false, ""},
		"three days":           {"AXIS_P3818-PVE_11.9.60", "P3D", 72 * time.Hour, 0, protocol.Retention{Kind: protocol.RetentionAge, Age: 3 * day}, true, ""},
		"P14D read back":       {"AXIS_P3818-PVE_11.9.60", "PT1209600S", 14 * day, 57 * time.Minute, protocol.Retention{Kind: protocol.RetentionAge, Age: 14 * day}, true, ""},
		"until full":           {"Bosch_FLEXIDOME_panoramic_5100i_9.00.0210", "PT0S", 7 * day, -58 * time.Minute, protocol.Retention{Kind: protocol.RetentionCapacity}, true, ""},
		"until full, in days":  {"Bosch_FLEXIDOME_panoramic_5100i_9.00.0210", "P0D", 7 * day, 0, protocol.Retention{Kind: protocol.RetentionCapacity}, true, ""},
		"nonsense":             {"AXIS_P3818-PVE_11.9.60", "forever", time.Hour, 0, protocol.Retention{}, true, ""},
		"clock two days wrong": {"AXIS_P3818-PVE_11.9.60", "P3D", 72 * time.Hour, 48 * time.Hour, protocol.Retention{Kind: protocol.RetentionAge, Age: 3 * day}, false, "oldest footage"},
	} {
		t.Run(name, func(t *testing.T) {
			g := *recorded
			g.Retention, g.Oldest = c.retention, c.oldest
			d := start(t, loadRecorded(t, filepath.Join(dir, c.folder)), cameratest.Options{ClockOffset: c.offset, ProfileG: &g})
			got := asker(t, nil).Ask(t.Context(), sighted(d))
			if len(got.Channels) != 1 {
				t.Fatalf("three recordings of one camera made %d channels", len(got.Channels))
			}
			ch := got.Channels[0]
			if ch.Retention.Kind != c.want.Kind || ch.Retention.Age != c.want.Age {
				t.Errorf("retention %+v, want %+v", ch.Retention, c.want)
			}
			if ch.Schedule.Kind != protocol.ScheduleAlways || ch.Schedule.Mode != protocol.Continuous {
				t.Errorf("schedule %+v, want always: its job is active, without schedule and filter", ch.Schedule)
			}
			checkOldest(t, ch, c.known, c.oldest)
			if _, ok := ch.Facts["retention"]; ok != (c.want.Kind != "") {
				t.Errorf("a fact about the retention: %v", ok)
			}
			problem := slices.ContainsFunc(got.Errors, func(p Problem) bool { return p.What == c.problem })
			if problem != (c.problem != "") || c.problem == "" && len(got.Errors) > 0 {
				t.Errorf("problems %v, want %q", got.Errors, c.problem)
			}
			onlyReads(t, d)
		})
	}
}

// checkOldest wants the age of the oldest footage in true time, whatever the
// recorder's clock says.
func checkOldest(t *testing.T, ch Channel, known bool, age time.Duration) {
	t.Helper()
	r := ch.Retention
	if r.OldestFootage.IsZero() == known || r.ObservedAt.IsZero() == known {
		t.Fatalf("oldest footage %v, observed %v; want it known: %v", r.OldestFootage, r.ObservedAt, known)
	}
	if known {
		if got := r.ObservedAt.Sub(r.OldestFootage); (got - age).Abs() > 3*time.Second {
			t.Errorf("the oldest footage is %s old, want %s", got, age)
		}
	}
}

// TestMilesight serves the answers of ex_onvif, most of one camera, behind a list
// of services of our own.
func TestMilesight(t *testing.T) {
	dir := filepath.Join(sharedOnvif(t), "ex_onvif")
	c := &cameratest.Conversation{Name: "ex_onvif", Source: cameratest.Recorded}
	offer := "<tds:GetServicesResponse>"
	for _, a := range []struct{ file, operation, namespace string }{
		{"get_system_date_and_time", "GetSystemDateAndTime", nsDevice}, {"get_device_information", "GetDeviceInformation", nsDevice}, {"get_scopes", "GetScopes", nsDevice},
		{"get_media_osds", "GetOSDs", nsMedia}, {"get_recordings", "GetRecordings", nsRecording}, {"get_recording_jobs", "GetRecordingJobs", nsRecording},
		{"get_recording_summary", "GetRecordingSummary", nsSearch}, {"find_recordings", "FindRecordings", nsSearch}, {"get_recording_search_results", "GetRecordingSearchResults", nsSearch},
	} {
		body, err := os.ReadFile(filepath.Join(dir, a.file+".xml"))
		if err != nil {
			t.Fatal(err)
		}
		c.Answers = append(c.Answers, cameratest.Answer{File: a.file, Namespace: a.namespace, Operation: a.operation, Status: 200, Body: body})
		offer += "<tds:Service><tds:Namespace>" + a.namespace + "</tds:Namespace><tds:XAddr>http://192.0.2.1/onvif/device_service</tds:XAddr></tds:Service>"
	}
	c.Answers = append(c.Answers, cameratest.Answer{File: "GetServices", Namespace: nsDevice, Operation: "GetServices", Status: 200, Body: []byte(envelopeWith(offer + "</tds:GetServicesResponse>"))})
	d := start(t, c, cameratest.Options{})
	got := asker(t, nil).Ask(t.Context(), sighted(d))
	if got.Vendor != "Milesight Technology Co.,Ltd." || got.Model != "MS-C8165-PE" || got.Firmware != "61.8.0.3-r8" || got.Serial != "EM82V102555235231" || got.HardwareID != "V1.0" || got.Name != "Camera" || got.Zone != "UTC-03:00" {
		t.Errorf("read as %+v", got)
	}
	// Three recordings and no source that any belongs to: each is a channel.
	if len(got.Channels) != 3 {
		t.Fatalf("%d channels: %+v", len(got.Channels), got.Channels)
	}
	ch := got.Channels[0]
	if ch.ID != "SD_DISK_20200422_123501_A2388AB3" || ch.Name != "paolo" || ch.Retention.Kind != protocol.RetentionAge || ch.Retention.Age != time.Hour || !ch.Retention.OldestFootage.IsZero() || ch.Schedule.Kind != protocol.ScheduleUnknown {
		t.Errorf("the first channel: %+v", ch)
	}
	onlyReads(t, d)
}

func TestWrittenRecorder(t *testing.T) {
	c := loadWritten(t, "videofavola-nvr")
	d := start(t, c, cameratest.Options{})
	m := &memory{given: Credential{User: d.Options().User, Password: d.Options().Password}}
	got := asker(t, m).Ask(t.Context(), sighted(d))
	if got.Kind != KindRecorder || len(got.Channels) != 6 || len(got.Errors) > 0 || got.Zone != "Europe/Rome" {
		t.Fatalf("read as %s with %d channels in %q, problems %v", got.Kind, len(got.Channels), got.Zone, got.Errors)
	}
	unknown := protocol.Schedule{}
	for i, want := range []struct {
		name string
		mode protocol.Mode // "": unknown schedule
		age  time.Duration
	}{
		{"Ingresso via Alba", protocol.Continuous, 72 * time.Hour},
		{"Cortile", protocol.Continuous, 72 * time.Hour},
		{"Cassa", protocol.Continuous, 72 * time.Hour},
		{"Vetrina", protocol.Motion, 72 * time.Hour},
		{"Magazzino", "", 72 * time.Hour}, // its job has an empty ScheduleToken
		{"Parcheggio", protocol.Continuous, 31 * time.Hour},
	} {
		ch := got.Channels[i]
		if ch.Name != want.name || ch.Schedule.Mode != want.mode || (ch.Schedule.Kind == unknown.Kind) != (want.mode == "") {
			t.Errorf("channel %d: %q, schedule %+v; want %+v", i, ch.Name, ch.Schedule, want)
		}
		if ch.Retention.Kind != protocol.RetentionAge || ch.Retention.Age != 72*time.Hour {
			t.Errorf("%s: retention %+v", ch.Name, ch.Retention)
		}
		checkOldest(t, ch, true, want.age)
	}
	onlyReads(t, d)
}

func TestEmptyListsAreUnknown(t *testing.T) {
	d := start(t, loadWritten(t, "cameramai-vuota"), cameratest.Options{})
	got := asker(t, nil).Ask(t.Context(), sighted(d))
	if len(got.Channels) != 1 {
		t.Fatalf("channels: %+v", got.Channels)
	}
	ch := got.Channels[0]
	if ch.Schedule.Kind != protocol.ScheduleUnknown || ch.Retention.Kind != protocol.RetentionUnknown || !ch.Retention.OldestFootage.IsZero() {
		t.Errorf("an empty list of recordings was read as schedule %+v, retention %+v", ch.Schedule, ch.Retention)
	}
}

package interrogate

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

const writtenCameras = "../../testdata/cameras"

// sharedOnvif is the folder of recorded devices. Where it is absent the test is
// left out, and says so; in CI that is a failure.
func sharedOnvif(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	dir := filepath.Join(shared, "devices", "onvif")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the recorded devices are absent: %v (put them there, or set ANAGRAFE_SHARED)", err)
		}
		t.Skipf("LEFT OUT: the recorded devices are not here (%v); set ANAGRAFE_SHARED to the folder that holds devices/onvif", err)
	}
	return dir
}

// memory is a Memory that knows one credential for every device.
type memory struct {
	mu      sync.Mutex
	given   Credential
	refused map[string]Credential
}

func (m *memory) Credential(context.Context, discover.Sighting) (Credential, bool, error) {
	return m.given, m.given != Credential{}, nil
}

func (m *memory) Refused(_ context.Context, s discover.Sighting, c Credential) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused[s.Endpoint] == c, nil
}

func (m *memory) Refuse(_ context.Context, s discover.Sighting, c Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = map[string]Credential{}
	}
	m.refused[s.Endpoint] = c
	return nil
}

func start(t *testing.T, c *cameratest.Conversation, o cameratest.Options) *cameratest.Device {
	t.Helper()
	d, err := cameratest.Start(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func sighted(d *cameratest.Device) discover.Sighting {
	return discover.Sighting{Endpoint: d.Options().Endpoint, Address: d.Address(), XAddrs: []string{d.URL()}}
}

func asker(t *testing.T, m Memory) *Asker {
	return New(Options{Memory: m, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
}

// expected is what one device says, field by field.
type expected struct {
	vendor, model, firmware, serial, name, zone, mac string
	kind                                             Kind
	channels                                         []expectedChannel
	problems                                         []string // operations
}

type expectedChannel struct {
	id, name string
	w, h     int
	turns    bool
}

func TestRecordedDevices(t *testing.T) {
	dir := sharedOnvif(t)
	for folder, want := range map[string]expected{
		"AXIS_P3818-PVE_11.9.60": {"AXIS", "P3818-PVE", "11.9.60", "B8A44F6614D7", "AXIS P3818-PVE", "America/New_York", "b8:a4:4f:66:14:d7", KindCamera,
			[]expectedChannel{{"0", "AXIS P3818-PVE", 1920, 960, false}}, []string{"GetRecordings"}}, // recording named, but no answer recorded
		"Bosch_FLEXIDOME_panoramic_5100i_9.00.0210": {"Bosch", "FLEXIDOME panoramic 5100i", "9.00.0210", "404705924940181325", "Bosch", "America/New_York", "00:07:5f:7e:d7:75", KindCamera,
			[]expectedChannel{{"1", "E_PTZ", 3072, 1728, false}}, []string{"GetRecordings"}},
		"Bosch_FLEXIDOME_indoor_5100i_IR_8.71.0066": {"Bosch", "FLEXIDOME indoor 5100i IR", "8.71.0066", "404754730315493240", "", "UTC-05:00", "", KindCamera,
			[]expectedChannel{{"1", "Camera_1", 1920, 1080, false}}, []string{"GetRecordings"}},
		"REOLINK_E1_Zoom_v3.1.0.2649_23083101": {"REOLINK", "E1 Zoom", "v3.1.0.2649_23083101", "192140080", "IPC-BO", "UTC-08:00", "ec:71:db:05:44:81", KindCamera,
			[]expectedChannel{{"000", "IPC-BO", 2048, 1536, true}}, nil},
		"hawkeye64/axis": {"AXIS", "AXIS Q6045-E", "5.55.1.2", "00408C47838D", "AXIS Q6045-E", "America/Denver", "00:40:8c:47:83:8d", KindCamera,
			[]expectedChannel{{"0", "AXIS Q6045-E", 1280, 720, true}}, nil},
		"hawkeye64/hikvision": {"HIKVISION", "DS-2DF7276-AEL", "V5.1.6 build 140401", "DS-2DF7250-AEL27882204CCWR308206236B", "DS-2DF7276-AEL", "America/Denver", "44:19:b6:88:26:b5", KindCamera,
			[]expectedChannel{{"VideoSource_1", "DS-2DF7276-AEL", 1280, 720, true}}, nil},
		"hawkeye64/pelco": {"Pelco", "D6230L", "2.9.0.4.9340-A0.0", "J253503", "D6230L-J253503", "America/Edmonton", "00:04:7d:52:00:97", KindCamera,
			[]expectedChannel{{"0", "D6230L-J253503", 1920, 1080, true}}, []string{"GetRecordings"}},
		"hawkeye64/trendnet": {"TRENDnet", "TV-IP320PI", "V5.3.4 build 160830", "TV-IP320PI50784474AAWR317016221", "TV-IP320PI", "America/Denver", "3c:8c:f8:25:2e:fe", KindCamera,
			[]expectedChannel{{"VideoSource_1", "TV-IP320PI", 1280, 720, false}}, []string{"GetRecordings"}},
	} {
		t.Run(folder, func(t *testing.T) {
			offset := 58*time.Minute + 3*time.Second
			d := start(t, loadRecorded(t, filepath.Join(dir, folder)), cameratest.Options{ClockOffset: offset})
			got := asker(t, nil).Ask(t.Context(), sighted(d))
			compare(t, got, want, offset)
			onlyReads(t, d)
		})
	}
}

func loadRecorded(t *testing.T, dir string) *cameratest.Conversation {
	t.Helper()
	load := cameratest.LoadRecorded
	if strings.Contains(dir, "hawkeye64") {
		load = cameratest.LoadHawkeye
	}
	c, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func loadWritten(t *testing.T, name string) *cameratest.Conversation {
	t.Helper()
	c, err := cameratest.LoadDir(filepath.Join(writtenCameras, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compare(t *testing.T, got Device, want expected, offset time.Duration) {
	t.Helper()
	mac := ""
	if len(got.MACs) == 1 {
		mac = got.MACs[0]
	}
	e := expected{got.Vendor, got.Model, got.Firmware, got.Serial, got.Name, got.Zone, mac, got.Kind, nil, nil}
	for _, c := range got.Channels {
		e.channels = append(e.channels, expectedChannel{c.ID, c.Name, c.WidthPx, c.HeightPx, c.Turns})
		if _, ok := c.Facts["name"]; ok != (c.Name != "") {
			t.Errorf("channel %s: the name %q has a fact: %v", c.ID, c.Name, ok)
		}
	}
	for _, p := range got.Errors {
		e.problems = append(e.problems, p.What)
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("read\n %+v, want\n %+v\nproblems: %v", e, want, got.Errors)
	}
	if !got.Answered || got.Needs != NeedsNothing {
		t.Errorf("answered %v, needs %q", got.Answered, got.Needs)
	}
	checkClock(t, got, offset)
}

func checkClock(t *testing.T, got Device, offset time.Duration) {
	t.Helper()
	if got.Clock == nil {
		t.Fatal("the clock was not read")
	}
	off := time.Duration(got.Clock.OffsetMs) * time.Millisecond
	if within := time.Duration(got.Clock.UncertaintyMs) * time.Millisecond; (off-offset).Abs() > within || within < time.Second {
		t.Errorf("clock offset %s +- %s, want %s", off, within, offset)
	}
}

// onlyReads checks what a device was asked: the time first, without
// credentials, nothing that changes it, and no stream or picture.
func onlyReads(t *testing.T, d *cameratest.Device) {
	t.Helper()
	all := d.Requests()
	if len(all) == 0 {
		t.Fatal("it was asked nothing")
	}
	if r := all[0]; r.Operation != "GetSystemDateAndTime" || r.Scheme != "" {
		t.Errorf("the first question was %s, credentials %q", r.Operation, r.Scheme)
	}
	for _, r := range all {
		if !strings.HasPrefix(r.Operation, "Get") || strings.HasSuffix(r.Operation, "Uri") {
			t.Errorf("it was asked %s", r.Operation)
		}
	}
}

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
		"P14D read back":       {"AXIS_P3818-PVE_11.9.60", "PT1209600S", 14 * day, time.Hour, protocol.Retention{Kind: protocol.RetentionAge, Age: 14 * day}, true, ""},
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
			if _, ok := ch.Facts["retention"]; ok != (c.known || c.want.Kind != "") {
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

func TestWrittenRecorder(t *testing.T) {
	c := loadWritten(t, "videofavola-nvr")
	d := start(t, c, cameratest.Options{})
	m := &memory{given: Credential{d.Options().User, d.Options().Password}}
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

package interrogate

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
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
	odd     map[string]Credential // of NoVerdict
	pins    map[string][]byte
	pinning error
}

func (m *memory) Pinned(_ context.Context, s discover.Sighting) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum, ok := m.pins[s.Key()]
	return sum, ok, nil
}

func (m *memory) Pin(_ context.Context, s discover.Sighting, sha256 []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pinning != nil {
		return m.pinning
	}
	if m.pins == nil {
		m.pins = map[string][]byte{}
	}
	m.pins[s.Key()] = sha256
	return nil
}

func (m *memory) Credential(context.Context, discover.Sighting) (Credential, bool, error) {
	return m.given, m.given != Credential{}, nil
}

func (m *memory) Refused(_ context.Context, s discover.Sighting, c Credential, at Door) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at == NoVerdict {
		return m.odd[s.Endpoint] == c, nil
	}
	return m.refused[s.Endpoint] == c || m.refused[s.Endpoint+string(at)] == c, nil
}

func (m *memory) Refuse(_ context.Context, s discover.Sighting, c Credential, at Door) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused, m.odd = map[string]Credential{}, map[string]Credential{}
	}
	if at == NoVerdict {
		m.odd[s.Endpoint] = c
		return nil
	}
	m.refused[s.Endpoint+string(at)] = c
	return nil
}

func (m *memory) Accept(_ context.Context, s discover.Sighting, _ Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.odd, s.Endpoint)
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

// asker reads each clock once, which is enough for most tests.
func asker(t *testing.T, m Memory) *Asker {
	a := exactAsker(t, m)
	a.edges = 0
	return a
}

func exactAsker(t *testing.T, m Memory) *Asker { return askerWith(t, m, t.Output()) }

func askerWith(t *testing.T, m Memory, log io.Writer) *Asker {
	t.Helper()
	a, err := New(Options{Memory: m, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	return a
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
	onScreen string
}

func TestRecordedDevices(t *testing.T) {
	dir := sharedOnvif(t)
	table := map[string]expected{
		"AXIS_P3818-PVE_11.9.60": {"AXIS", "P3818-PVE", "11.9.60", "B8A44F6614D7", "AXIS P3818-PVE", "America/New_York", "b8:a4:4f:66:14:d7", KindCamera,
			[]expectedChannel{{"0", "AXIS P3818-PVE", 1920, 960, false, ""}}, []string{"GetRecordings"}}, // recording named, but no answer recorded
		"Bosch_FLEXIDOME_panoramic_5100i_9.00.0210": {"Bosch", "FLEXIDOME panoramic 5100i", "9.00.0210", "404705924940181325", "Bosch", "America/New_York", "00:07:5f:7e:d7:75", KindCamera,
			[]expectedChannel{{"1", "E_PTZ", 3072, 1728, false, ""}}, []string{"GetRecordings"}},
		"Bosch_FLEXIDOME_indoor_5100i_IR_8.71.0066": {"Bosch", "FLEXIDOME indoor 5100i IR", "8.71.0066", "404754730315493240", "", "UTC-05:00", "", KindCamera,
			[]expectedChannel{{"1", "Camera_1", 1920, 1080, false, ""}}, []string{"GetRecordings"}},
		"REOLINK_E1_Zoom_v3.1.0.2649_23083101": {"REOLINK", "E1 Zoom", "v3.1.0.2649_23083101", "192140080", "IPC-BO", "UTC-08:00", "ec:71:db:05:44:81", KindCamera,
			[]expectedChannel{{"000", "IPC-BO", 2048, 1536, true, ""}}, nil},
		"hawkeye64/axis": {"AXIS", "AXIS Q6045-E", "5.55.1.2", "00408C47838D", "AXIS Q6045-E", "America/Denver", "00:40:8c:47:83:8d", KindCamera,
			[]expectedChannel{{"0", "AXIS Q6045-E", 1280, 720, true, ""}}, nil},
		"hawkeye64/hikvision": {"HIKVISION", "DS-2DF7276-AEL", "V5.1.6 build 140401", "DS-2DF7250-AEL27882204CCWR308206236B", "DS-2DF7276-AEL", "America/Denver", "44:19:b6:88:26:b5", KindCamera,
			[]expectedChannel{{"VideoSource_1", "DS-2DF7276-AEL", 1280, 720, true, "IPdome"}}, nil},
		"hawkeye64/pelco": {"Pelco", "D6230L", "2.9.0.4.9340-A0.0", "J253503", "D6230L-J253503", "America/Edmonton", "00:04:7d:52:00:97", KindCamera,
			[]expectedChannel{{"0", "D6230L-J253503", 1920, 1080, true, ""}}, []string{"GetRecordings"}},
		"hawkeye64/trendnet": {"TRENDnet", "TV-IP320PI", "V5.3.4 build 160830", "TV-IP320PI50784474AAWR317016221", "TV-IP320PI", "America/Denver", "3c:8c:f8:25:2e:fe", KindCamera,
			[]expectedChannel{{"VideoSource_1", "TV-IP320PI", 1280, 720, false, "TV-IP320PI"}}, []string{"GetRecordings"}},
	}
	everyFolder(t, dir, table)
	for folder, want := range table {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			offset := 58*time.Minute + 3*time.Second
			d := start(t, loadRecorded(t, filepath.Join(dir, folder)), cameratest.Options{ClockOffset: offset})
			got := exactAsker(t, nil).Ask(t.Context(), sighted(d))
			times := 0
			for _, r := range d.Requests() {
				// Their capabilities say which of these they do not offer.
				if folder == "AXIS_P3818-PVE_11.9.60" && r.Operation == "GetStorageConfigurations" ||
					(strings.HasPrefix(folder, "AXIS_P3818") || strings.HasPrefix(folder, "Bosch_FLEXIDOME_panoramic")) && r.Operation == "GetGeoLocation" {
					t.Errorf("it was asked for %s, which it does not offer", r.Operation)
				}
				if r.Operation == timeOperation {
					times++
				}
			}
			if times < 2 || times > 1+edgeSamples {
				t.Errorf("its clock was read %d times", times)
			}
			if times > 2 && got.Clock != nil && got.Clock.UncertaintyMs >= 1000 { // as of a single reading
				t.Errorf("after %d readings the clock is known to %d ms", times, got.Clock.UncertaintyMs)
			}
			compare(t, got, want, offset)
			recordedAs(t, filepath.Join(dir, folder), want)
			onlyReads(t, d)
		})
	}
}

// everyFolder fails for a recorded device that no test reads.
func everyFolder(t *testing.T, dir string, table map[string]expected) {
	t.Helper()
	elsewhere := map[string]bool{
		"AXIS_P5655-E_wrong-credentials": true, // TestRefusesEvenTheTime
		"ex_onvif":                       true, // TestMilesight
		"hammeraj":                       true, // TestProfileG: answers of several cameras
		"specs":                          true, // no device
		"hawkeye64":                      true, // its folders follow
	}
	for _, parent := range []string{"", "hawkeye64"} {
		entries, err := os.ReadDir(filepath.Join(dir, parent))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.ToSlash(filepath.Join(parent, e.Name()))
			if _, ok := table[name]; e.IsDir() && !ok && !elsewhere[name] {
				t.Errorf("the recorded device %s is not in the table", name)
			}
		}
	}
}

// recordedAs holds the table against the recorded XML, by text and without our
// reader: each value stands in the element from which it must come.
func recordedAs(t *testing.T, dir string, want expected) {
	t.Helper()
	plain := strings.NewReplacer("-", "", ":", "") // MAC addresses are written in three ways
	texts := func(operation, element string) (found []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*-"+operation+".http200.xml"))
		if err != nil {
			t.Fatal(err)
		}
		other, err := filepath.Glob(filepath.Join(dir, "*", operation+".Response.xml"))
		if err != nil {
			t.Fatal(err)
		}
		form := regexp.MustCompile(`<(?:[\w-]+:)?` + element + `(?:\s[^>]*)?>([^<]*)<`)
		for _, f := range append(files, other...) {
			body, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range form.FindAllStringSubmatch(string(body), -1) {
				text, err := url.PathUnescape(strings.TrimSpace(m[1]))
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, plain.Replace(strings.ToLower(text)))
			}
		}
		return found
	}
	holds := func(what, value, operation, element, prefix string) {
		value = plain.Replace(strings.ToLower(prefix + value))
		if all := texts(operation, element); !slices.Contains(all, value) {
			t.Errorf("%s: %q is not among what was recorded: %q", what, value, all)
		}
	}
	holds("vendor", want.vendor, "GetDeviceInformation", "Manufacturer", "")
	holds("model", want.model, "GetDeviceInformation", "Model", "")
	holds("firmware", want.firmware, "GetDeviceInformation", "FirmwareVersion", "")
	holds("serial", want.serial, "GetDeviceInformation", "SerialNumber", "")
	if want.mac != "" {
		holds("mac", want.mac, "GetNetworkInterfaces", "HwAddress", "")
	}
	if want.name != "" {
		holds("name", want.name, "GetScopes", "ScopeItem", "onvif://www.onvif.org/name/")
	}
	for _, c := range want.channels {
		holds("channel", c.id, "GetProfiles", "SourceToken", "")
		holds("width", strconv.Itoa(c.w), "GetProfiles", "Width", "")
		holds("height", strconv.Itoa(c.h), "GetProfiles", "Height", "")
		if c.name != want.name {
			holds("channel name", c.name, "GetProfiles", "Name", "")
		}
		if c.onScreen != "" {
			holds("on-screen text", c.onScreen, "GetOSDs", "PlainText", "")
		}
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
		e.channels = append(e.channels, expectedChannel{c.ID, c.Name, c.WidthPx, c.HeightPx, c.Turns, c.OnScreen})
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
	if within := time.Duration(got.Clock.UncertaintyMs) * time.Millisecond; (off-offset).Abs() > within || within <= 0 {
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
		if r.Method == http.MethodGet && r.Namespace == "" && r.Scheme == "" {
			continue // which maker's own interface it has, if any
		}
		search := r.Operation == "FindRecordings" || r.Operation == "EndSearch"
		if !search && !strings.HasPrefix(r.Operation, "Get") || strings.HasSuffix(r.Operation, "Uri") {
			t.Errorf("it was asked %s", r.Operation)
		}
	}
}

package interrogate

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// sharedRecorders is the folder of recorders' answers, as sharedOnvif is of devices.
func sharedRecorders(t *testing.T) string {
	t.Helper()
	return filepath.Join(sharedOnvif(t), "..", "recorders")
}

func sharedAnswer(t *testing.T, path ...string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(append([]string{sharedRecorders(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// named is the sighting of a host that the owner named.
func named(d *cameratest.Device) discover.Sighting {
	return discover.Sighting{Endpoint: d.Options().Endpoint, Address: d.Address(), XAddrs: []string{d.URL()}, Methods: []discover.Method{discover.MethodTarget}}
}

// namedAt is that of a server of a few lines.
func namedAt(t *testing.T, h http.HandlerFunc) discover.Sighting {
	t.Helper()
	s := serveWeb(t, h)
	at := netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "http://"))
	return discover.Sighting{Endpoint: "urn:uuid:5e471e15-0000-4000-8000-00000000f001", Address: at, XAddrs: []string{s.URL + "/onvif/device_service"}, Methods: []discover.Method{discover.MethodTarget}}
}

// ownExpected is what a recorder's own interface says of it.
type ownExpected struct {
	family                                           Family
	kind                                             Kind
	vendor, model, firmware, serial, name, zone, mac string
	assumed                                          bool
	kept                                             Kept
	offset                                           time.Duration
	channels                                         []ownExpectedChannel
	problems                                         []string
}

type ownExpectedChannel struct {
	id, name  string
	w, h      int
	analogue  bool
	behind    *Identity
	schedule  protocol.Schedule // without zone and fact
	retention protocol.Retention
	oldest    time.Duration // ago; 0: not known
}

// ownProblems are those of its own interface: it need not speak ONVIF.
func ownProblems(got Device) (all []Problem) {
	for _, p := range got.Errors {
		if p.What != timeOperation {
			all = append(all, p)
		}
	}
	return all
}

func compareOwn(t *testing.T, got Device, want ownExpected) {
	t.Helper()
	e := ownExpected{family: got.Family, kind: got.Kind, vendor: got.Vendor, model: got.Model, firmware: got.Firmware, serial: got.Serial,
		name: got.Name, zone: got.Zone, assumed: got.ZoneAssumed, kept: got.Kept, offset: want.offset}
	if len(got.MACs) == 1 {
		e.mac = got.MACs[0]
	}
	for _, c := range got.Channels {
		one := ownExpectedChannel{id: c.ID, name: c.Name, w: c.WidthPx, h: c.HeightPx, analogue: c.Analogue, behind: c.Camera, schedule: c.Schedule,
			retention: protocol.Retention{Kind: c.Retention.Kind, Age: c.Retention.Age, EventAge: c.Retention.EventAge}}
		one.schedule.Zone, one.schedule.ZoneAssumed, one.schedule.Fact = "", false, protocol.Fact{}
		if zone := c.Schedule.Zone; zone != got.Zone && c.Schedule.Kind != protocol.ScheduleUnknown {
			t.Errorf("channel %s: its schedule is in the zone %q, the device's is %q", c.ID, zone, got.Zone)
		}
		if !c.Retention.OldestFootage.IsZero() {
			// Rounded, since stamps have whole seconds.
			one.oldest = c.Retention.ObservedAt.Sub(c.Retention.OldestFootage).Round(time.Minute)
		}
		e.channels = append(e.channels, one)
	}
	for _, p := range ownProblems(got) {
		e.problems = append(e.problems, p.What)
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("read\n %+v, want\n %+v", e, want)
		for i := range min(len(e.channels), len(want.channels)) {
			if !reflect.DeepEqual(e.channels[i], want.channels[i]) {
				t.Errorf("channel %d:\n %+v (camera %+v), want\n %+v", i, e.channels[i], e.channels[i].behind, want.channels[i])
			}
		}
		t.Errorf("problems: %v", got.Errors)
	}
	checkClock(t, got, want.offset)
}

// factWords checks that a fact was noted with its question and the device's words.
func factWords(t *testing.T, f map[string]Fact, group, from string, words ...string) {
	t.Helper()
	if f[group].From != from {
		t.Errorf("%s was read from %q, want %q", group, f[group].From, from)
	}
	for _, w := range words {
		if !strings.Contains(f[group].Raw, w) {
			t.Errorf("%s: the words %q lack %q", group, f[group].Raw, w)
		}
	}
}

func everyDay(row ...protocol.Interval) (s protocol.Schedule) {
	s.Kind = protocol.ScheduleWeekly
	for day := range protocol.Holiday {
		s.Days[day] = row
	}
	return s
}

// holdsNone checks that of a device's answers these are in nothing that was read.
func holdsNone(t *testing.T, got Device, secrets ...string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(string(text), s) {
			t.Errorf("%s... is in what was read: %s", s, text)
		}
	}
}

// onlyGets checks that a device was asked nothing that changes it: no method but GET,
// and POST to what only searches.
func onlyGets(t *testing.T, d *cameratest.Device) {
	t.Helper()
	for _, r := range d.Requests() {
		if r.Path == axisInfoCall.path && r.Scheme == "" {
			continue // whether it is an Axis, without credentials
		}
		search := r.Path == isapiSearch || strings.HasSuffix(r.Path, "/dailyDistribution") || r.Path == "/" || strings.HasPrefix(r.Path, "/onvif")
		if r.Method != http.MethodGet && !(r.Method == http.MethodPost && search) {
			t.Errorf("it was asked %s %s", r.Method, r.Path)
		}
	}
}

package interrogate

import (
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// loadRecorder reads one of the hand-written recorders.
func loadRecorder(t testing.TB, name string) *cameratest.Conversation {
	t.Helper()
	c, err := cameratest.LoadDir(filepath.Join(recordersDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sharedAnswer is a recorded or synthetic answer of a recorder; without the shared
// folder the test is left out (see sharedOnvif).
func sharedAnswer(t *testing.T, path ...string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(append([]string{sharedOnvif(t), "..", "recorders"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// named is a device as the owner names it, by its address alone.
func named(d *cameratest.Device) discover.Sighting {
	s := namedAt(d.Address())
	if d.Options().HTTPS {
		s.XAddrs = []string{d.URL()} // its port alone does not say that it speaks TLS
	}
	return s
}

func namedAt(at netip.AddrPort) discover.Sighting {
	return discover.Sighting{Address: at, Methods: []discover.Method{discover.MethodTarget}}
}

// namedServer is the same for a server of a few lines.
func namedServer(t *testing.T, h http.HandlerFunc) discover.Sighting {
	t.Helper()
	return namedAt(netip.MustParseAddrPort(strings.TrimPrefix(serveWeb(t, h).URL, "http://")))
}

// owner is a Memory with the right password, if the device asks for one.
func owner(d *cameratest.Device) *memory {
	user, password, asked := d.Credential()
	if !asked {
		return &memory{}
	}
	return &memory{given: Credential{User: user, Password: password}}
}

// lookAt plays a recorder, asks it once with the right password, and checks that
// what was opened is closed and that no password was wrong.
func lookAt(t *testing.T, c *cameratest.Conversation) (Device, *cameratest.Device) {
	t.Helper()
	d := start(t, c, cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	closedAfter(t, d)
	return got, d
}

// closedAfter checks that sessions were closed, and that no password was wrong.
func closedAfter(t *testing.T, d *cameratest.Device) {
	t.Helper()
	if opened, open := d.Sessions(); opened > 1 || open != 0 || d.WrongAttempts() != 0 {
		t.Errorf("%d sessions opened, %d left open, %d wrong passwords", opened, open, d.WrongAttempts())
	}
}

// ownProblems are those of its own interface: that it has no ONVIF is none.
func ownProblems(d Device) []Problem {
	return slices.DeleteFunc(slices.Clone(d.Errors), func(p Problem) bool { return p.What == timeOperation })
}

// whats are the parts that could not be read.
func whats(all []Problem) (names []string) {
	for _, p := range all {
		names = append(names, p.What)
	}
	return names
}

// oldestNear checks when the footage of a channel begins, to the seconds that the
// rounding of two clocks takes.
func oldestNear(t *testing.T, c Channel, want time.Time) {
	t.Helper()
	if got := c.Retention.OldestFootage; got.Sub(want).Abs() > 20*time.Second || c.Retention.ObservedAt.IsZero() || c.Facts["oldest"].From == "" {
		t.Errorf("channel %s: footage since %s, want %s; %+v", c.ID, got, want, c.Facts["oldest"])
	}
}

// fronted puts something before a device that answers some requests in its place.
func fronted(t *testing.T, d *cameratest.Device, instead func(*http.Request) http.HandlerFunc) discover.Sighting {
	t.Helper()
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: d.Address().String()})
	return namedServer(t, func(w http.ResponseWriter, r *http.Request) {
		if h := instead(r); h != nil {
			h(w, r)
			return
		}
		through.ServeHTTP(w, r)
	})
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

// channelsByID also fails for two with the same number.
func channelsByID(t *testing.T, d Device) map[string]Channel {
	t.Helper()
	all := map[string]Channel{}
	for _, c := range d.Channels {
		if _, twice := all[c.ID]; twice {
			t.Errorf("two channels are %q", c.ID)
		}
		all[c.ID] = c
	}
	return all
}

// endOfDay is the midnight after the day on which a device's wall clock showed at,
// in true time.
func endOfDay(t *testing.T, d *cameratest.Device, ago time.Duration) time.Time {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	y, m, day := d.Now().Add(-ago).In(rome).Date()
	return time.Date(y, m, day+1, 0, 0, 0, 0, rome).Add(-d.Options().ClockOffset)
}

// problemOf gives why something could not be read, "" if it could.
func problemOf(d Device, what string) string {
	for _, p := range d.Errors {
		if p.What == what {
			return p.Why
		}
	}
	return ""
}

// logins counts the messages with a password.
func logins(d *cameratest.Device) (n int) {
	for _, r := range d.Requests() {
		if r.Scheme == "session" {
			n++
		}
	}
	return n
}

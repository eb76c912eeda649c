package interrogate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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

// sessionFamilies are the families that log in by a message, each with its
// hand-written recorder: where what it logs in with stands, what tells of its
// channels, and what its session's token is called in an address.
var sessionFamilies = []struct {
	family               Family
	folder               string
	login, cameras, info string
	token                string
}{
	{Synology, "bottegabrera-synology", "login.json", "cameras.json", "apis.json", "_sid"},
	{Reolink, "galleriaisola-reolink", "login.json", "channels.json", "please_login.json", "token"},
	{UniFi, "corteticinese-unifi", "login.json", "bootstrap.json", "system.json", ""},
}

func loadRecorder(t testing.TB, name string) *cameratest.Conversation {
	t.Helper()
	c, err := cameratest.LoadDir(filepath.Join(writtenCameras, "recorders", name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// namedByOwner is a device that the owner named.
func namedByOwner(d *cameratest.Device) discover.Sighting {
	return discover.Sighting{Address: d.Address(), XAddrs: []string{d.URL()}, Methods: []discover.Method{discover.MethodTarget}}
}

// owner is a Memory that knows the device's own password.
func owner(d *cameratest.Device) *memory {
	user, password, _ := d.Credential()
	return &memory{given: Credential{user, password}}
}

// lookAt plays a recorder, asks it once, and checks that its sessions were closed.
func lookAt(t *testing.T, c *cameratest.Conversation) (Device, *cameratest.Device) {
	t.Helper()
	d := start(t, c, cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), namedByOwner(d))
	if opened, open := d.Sessions(); opened != 1 || open != 0 {
		t.Errorf("%d sessions, %d of them left open", opened, open)
	}
	return got, d
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

// ownDoorProblems are those of the own interface; that a recorder without ONVIF does not
// tell ONVIF's time is none.
func ownDoorProblems(d Device) []Problem {
	return slices.DeleteFunc(slices.Clone(d.Errors), func(p Problem) bool { return p.What == timeOperation })
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

func TestSessionsSecretsStay(t *testing.T) {
	for _, f := range sessionFamilies {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s secure %v", f.family, secure), func(t *testing.T) {
				d := start(t, loadRecorder(t, f.folder), cameratest.Options{HTTPS: secure})
				var log bytes.Buffer
				m := owner(d)
				a := New(Options{Memory: m, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				a.edges = 0
				got := a.Ask(t.Context(), namedByOwner(d))
				if opened, open := d.Sessions(); opened != 1 || open != 0 || d.WrongAttempts() != 0 {
					t.Errorf("%d sessions, %d left open, %d wrong attempts", opened, open, d.WrongAttempts())
				}
				if got.Family != f.family || got.Needs != NeedsNothing || got.Kind != KindRecorder || !got.Answered || len(got.Channels) == 0 {
					t.Errorf("family %q, needs %q, kind %q, %d channels, problems %v", got.Family, got.Needs, got.Kind, len(got.Channels), got.Errors)
				}
				said, err := json.Marshal(got)
				if err != nil {
					t.Fatal(err)
				}
				secrets := []string{"SENTINEL-SECRET", m.given.Password}
				for _, r := range d.Requests() {
					if query, err := url.ParseQuery(r.Query); err == nil && query.Get(f.token) != "" {
						secrets = append(secrets, query.Get(f.token))
					}
					if strings.Contains(r.Query, url.QueryEscape(m.given.Password)) {
						t.Errorf("the password stood in the address %s", r.Path)
					}
				}
				if f.token != "" && len(secrets) < 3 {
					t.Fatal("no token was seen in an address")
				}
				for _, s := range secrets {
					if strings.Contains(string(said), s) || strings.Contains(log.String(), s) {
						t.Errorf("%q is in what was read or logged", s)
					}
				}
			})
		}
	}
}

func TestSessionsWrongPassword(t *testing.T) {
	for _, f := range sessionFamilies {
		d := start(t, loadRecorder(t, f.folder), cameratest.Options{})
		m := owner(d)
		m.given.Password = "guess"
		a := asker(t, m)
		for range 2 {
			got := a.Ask(t.Context(), namedByOwner(d))
			if got.Needs != NeedsWrongPassword || got.Family != f.family || len(got.Channels) != 0 || problemOf(got, string(f.family)) == "" {
				t.Errorf("%s: needs %q, %d channels, problems %v", f.family, got.Needs, len(got.Channels), got.Errors)
			}
		}
		if opened, _ := d.Sessions(); opened != 0 || d.WrongAttempts() != 1 || logins(d) != 1 {
			t.Errorf("%s: %d sessions, %d wrong attempts, %d logins; want one attempt in two looks", f.family, opened, d.WrongAttempts(), logins(d))
		}
	}
}

func TestSessionsWithoutPassword(t *testing.T) {
	for _, f := range sessionFamilies {
		d := start(t, loadRecorder(t, f.folder), cameratest.Options{})
		got := asker(t, nil).Ask(t.Context(), namedByOwner(d))
		if got.Needs != NeedsCredentials || got.Family != f.family || logins(d) != 0 {
			t.Errorf("%s: needs %q, family %q, %d logins", f.family, got.Needs, got.Family, logins(d))
		}
	}
}

// TestSessionsAreClosed: also when what follows the login cannot be read.
func TestSessionsAreClosed(t *testing.T) {
	huge := append(bytes.Repeat([]byte(" "), maxAnswer), '{', '}')
	for _, f := range sessionFamilies {
		for what, body := range map[string][]byte{"cut short": []byte(`{"data":[`), "no JSON": []byte("<html>"), "empty": {}, "another JSON": []byte(`[[7]]`), "huge": huge} {
			t.Run(fmt.Sprintf("%s %s", f.family, what), func(t *testing.T) {
				c := loadRecorder(t, f.folder).Replacing(map[string][]byte{f.cameras: body})
				if f.family == UniFi && what == "huge" {
					c = c.Replacing(map[string][]byte{"nvr.json": huge})
				}
				got, _ := lookAt(t, c)
				if len(got.Channels) != 0 || problemOf(got, string(f.family)) == "" {
					t.Errorf("%d channels, problems %v", len(got.Channels), got.Errors)
				}
			})
		}
	}
}

// TestSessionsOddLogin: what is no verdict on the password is tried once in a look,
// and the password is not held for wrong.
func TestSessionsOddLogin(t *testing.T) {
	for _, f := range sessionFamilies {
		for what, body := range map[string]string{"no JSON": "<html>", "another": "[]", "no session": `{"success":true,"data":{}}`, "no token": `[{"cmd":"Login","code":0,"value":{}}]`} {
			if f.family == UniFi {
				continue // its session is in a cookie: TestUniFiRefusals
			}
			d := start(t, loadRecorder(t, f.folder).Replacing(map[string][]byte{f.login: []byte(body)}), cameratest.Options{})
			got := asker(t, owner(d)).Ask(t.Context(), namedByOwner(d))
			if got.Needs == NeedsWrongPassword || logins(d) != 1 || problemOf(got, string(f.family)) == "" {
				t.Errorf("%s, %s: needs %q, %d logins, problems %v", f.family, what, got.Needs, logins(d), got.Errors)
			}
		}
	}
}

// TestSessionsNobodyElse: each family knows its own, and no other device at all.
func TestSessionsNobodyElse(t *testing.T) {
	var all []*cameratest.Conversation
	for _, dir := range []string{writtenCameras, filepath.Join(writtenCameras, "recorders")} {
		more, err := cameratest.LoadDirs(dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	for _, c := range all {
		d := start(t, c, cameratest.Options{})
		for _, f := range sessionFamilies {
			i := slices.IndexFunc(families, func(x family) bool { return x.name == f.family })
			if i < 0 {
				t.Fatalf("%s is not among the families", f.family)
			}
			w := webAt(t, d, &memory{})
			want := stranger
			if c.Name == f.folder {
				want = known
			}
			if got := families[i].driver.recognise(t.Context(), w); got != want {
				t.Errorf("%s as %s: %d, want %d", c.Name, f.family, got, want)
			}
		}
	}
}

// webAt makes a web to a played device.
func webAt(t *testing.T, d *cameratest.Device, m *memory) *web {
	t.Helper()
	s := namedByOwner(d)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	auth := newAuthenticator(m, s, log, time.Now)
	w := newWeb(url.URL{Scheme: "http", Host: d.Address().String()}, auth, &trust{memory: m, sighting: s, log: log}, log, callTime)
	t.Cleanup(func() { w.close(context.WithoutCancel(t.Context())) })
	return w
}

// TestSessionsRedirect: a host that leads over to TLS is followed there, and one
// that leads elsewhere is not.
func TestSessionsRedirect(t *testing.T) {
	for to, want := range map[string]string{"https://127.0.0.1:1/x": "https", "http://127.0.0.1:1/x": "http", "https://192.0.2.9/x": "http"} {
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusMovedPermanently) })
		w := webTo(t, s, &memory{})
		_, _ = w.meet(t.Context(), call{path: "/"})
		if w.base.Scheme != want || w.base.Hostname() != "127.0.0.1" {
			t.Errorf("sent to %s it went to %s", to, w.base.String())
		}
	}
}

func TestLoose(t *testing.T) {
	type both struct {
		N anyInt
		T anyText
	}
	known := func(v int64, text anyText) both { return both{anyInt{value: v, known: true}, text} }
	for text, want := range map[string]both{
		`10`: known(10, "10"), `"10"`: known(10, "10"), `true`: known(1, "true"), `false`: known(0, "false"), `1e3`: known(1000, "1e3"), `"08"`: known(8, "08"),
		`null`: {N: anyInt{null: true}}, `1.5`: {T: "1.5"}, `"x"`: {T: "x"}, `[1]`: {}, `{"a":1}`: {}, `1e300`: {T: "1e300"}, `99999999999999999999`: {T: "99999999999999999999"}, `""`: {},
	} {
		var got both
		if err := json.Unmarshal([]byte(`{"n":`+text+`,"t":`+text+`}`), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

// allWeek is a schedule with this row on each day.
func allWeek(row ...protocol.Interval) protocol.Schedule {
	s := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	for day := range 7 {
		s.Days[day] = row
	}
	return s
}

// expectedTold is what a recorder's own interface says of one channel, field by
// field. oldest is how long before now it was; 0: not told.
type expectedTold struct {
	id, name, behind   string
	w, h               int
	schedule           protocol.Schedule // without its zone and fact
	kind               protocol.RetentionKind
	age                time.Duration
	oldest             time.Duration
	rawWeek, rawRetain string // in the raw words of these facts
}

// compareTold checks the channels, with a zone in their schedules.
func compareTold(t *testing.T, got Device, want []expectedTold, zone string) {
	t.Helper()
	if len(got.Channels) != len(want) {
		t.Fatalf("%d channels, want %d: %v", len(got.Channels), len(want), got.Errors)
	}
	for i, c := range got.Channels {
		x := want[i]
		behind := ""
		if c.Camera != nil {
			behind = c.Camera.Address + strings.Join(c.Camera.MACs, "")
		}
		if c.ID != x.id || c.Name != x.name || behind != x.behind || c.WidthPx != x.w || c.HeightPx != x.h {
			t.Errorf("channel %s %q behind %q %dx%d, want %s %q %q %dx%d", c.ID, c.Name, behind, c.WidthPx, c.HeightPx, x.id, x.name, x.behind, x.w, x.h)
		}
		if s := c.Schedule; s.Kind != protocol.ScheduleUnknown && (s.Zone != zone || s.ZoneAssumed) {
			t.Errorf("%s: its schedule is in the zone %q, assumed %v", x.name, s.Zone, s.ZoneAssumed)
		}
		s := c.Schedule
		s.Zone, s.ZoneAssumed, s.Fact = "", false, protocol.Fact{}
		if !reflect.DeepEqual(s, x.schedule) {
			t.Errorf("%s: schedule %+v, want %+v", x.name, s, x.schedule)
		}
		if r := c.Retention; r.Kind != x.kind || r.Age != x.age {
			t.Errorf("%s: retention %q %s, want %q %s", x.name, r.Kind, r.Age, x.kind, x.age)
		}
		ago := time.Duration(0)
		if o := c.Retention.OldestFootage; !o.IsZero() {
			ago = time.Since(o).Round(time.Minute)
		}
		if (ago-x.oldest).Abs() > time.Minute || (ago == 0) != (x.oldest == 0) {
			t.Errorf("%s: oldest footage %s ago, want %s", x.name, ago, x.oldest)
		}
		for fact, raw := range map[string]string{"schedule": x.rawWeek, "retention": x.rawRetain} {
			f, ok := c.Facts[fact]
			if !ok || !strings.Contains(f.Raw, raw) || f.From == "" || f.Source != protocol.Measured {
				t.Errorf("%s: the fact %s is %+v, want the words %q", x.name, fact, f, raw)
			}
		}
	}
}

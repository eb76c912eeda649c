package interrogate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

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
			got := asker(t, owner(d)).Ask(t.Context(), named(d))
			if got.Needs == NeedsWrongPassword || logins(d) != 1 || problemOf(got, string(f.family)) == "" {
				t.Errorf("%s, %s: needs %q, %d logins, problems %v", f.family, what, got.Needs, logins(d), got.Errors)
			}
		}
	}
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

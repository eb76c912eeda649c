package interrogate

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

var frigatePassword = Credential{User: "anagrafe", Password: "SENTINEL-PASSWORD-8971"}

func TestFrigate(t *testing.T) {
	for _, c := range []struct {
		name     string
		options  cameratest.Options
		given    Credential
		problems []string
		sessions int
	}{
		{"with its login", cameratest.Options{}, frigatePassword, nil, 1},
		{"over TLS", cameratest.Options{HTTPS: true}, frigatePassword, nil, 1},
		{"open to all", cameratest.Options{Auth: cameratest.AuthNone}, Credential{}, []string{"password"}, 0},
		{"open to all, with a password that is not needed", cameratest.Options{Auth: cameratest.AuthNone}, frigatePassword, []string{"password"}, 0},
	} {
		d := start(t, loadRecorder(t, "officina-frigate"), c.options)
		begun := time.Now()
		got := asker(t, &memory{given: c.given}).Ask(t.Context(), named(d))
		if got.Family != Frigate || got.Kind != KindRecorder || got.Vendor != "Frigate" || got.Model != "Frigate" || got.Firmware != "0.17.1-5e47a11" ||
			got.Zone != "" || got.Kept != KeptDisk || got.Needs != NeedsNothing || got.Name != "" {
			t.Errorf("%s: read %+v", c.name, got)
		}
		checkClock(t, got, -2*time.Minute)
		if what := whats(got.Errors); !slices.Equal(what, c.problems) {
			t.Errorf("%s: problems %v", c.name, got.Errors)
		}
		checkFrigateChannels(t, got, begun)
		if opened, open := d.Sessions(); opened != c.sessions || open != 0 {
			t.Errorf("%s: %d sessions opened, %d left open", c.name, opened, open)
		}
		if c.sessions == 0 && slices.ContainsFunc(d.Requests(), func(r cameratest.Request) bool { return r.Path == "/api/login" }) {
			t.Errorf("%s: it was logged in to", c.name)
		}
		if text, err := json.Marshal(got); err != nil || bytes.Contains(text, []byte("SENTINEL")) {
			t.Errorf("%s: a secret of its configuration was kept: %s %v", c.name, text, err)
		}
	}
}

// checkFrigateChannels checks them. It was asked after begun: an hour may have ended
// by its clock meanwhile, and footage that it tells by the hour then begins one later.
func checkFrigateChannels(t *testing.T, got Device, begun time.Time) {
	t.Helper()
	const (
		day  = 24 * time.Hour
		none = -1 // hours with footage
	)
	asked := time.Now()
	// end is the true time at which the hour ended that the device, 2 minutes late,
	// counts as ago at a moment.
	end := func(at time.Time, ago time.Duration) time.Time {
		return at.Add(-ago - 2*time.Minute).Truncate(time.Hour).Add(time.Hour + 2*time.Minute)
	}
	for i, w := range []struct {
		id, name, at string
		schedule     protocol.Schedule
		age, event   time.Duration
		oldest       time.Duration // ago, the hour that the device tells
		words        string
	}{
		{"ponte", "ponte", "", always(protocol.Motion), 5 * day, 14 * day, 120 * time.Hour, "motion.days 5"},
		{"cortile", "Cortile officina", "192.0.2.91", always(protocol.Continuous), 3 * day, 30 * day, 72 * time.Hour, "continuous.days 3"},
		{"ufficio", "Ufficio", "", always(protocol.Analytics), 252 * time.Hour, 0, 0, "alerts.retain.days 10.5 motion"},
		{"strada", "Strada", "", off(), 3 * day, 0, 49 * time.Hour, "record.enabled false"},
		{"vecchia", "Vecchia", "", off(), 3 * day, 0, none, "enabled false"},
		{"prova", "Prova", "", off(), 0, 0, none, "detections.retain.days 0 motion"},
	} {
		if i >= len(got.Channels) {
			t.Errorf("%s is not told", w.id)
			continue
		}
		c := got.Channels[i]
		behind := ""
		if c.Camera != nil {
			behind = c.Camera.Address
		}
		if c.ID != w.id || c.Name != w.name || behind != w.at || c.WidthPx != 0 {
			t.Errorf("channel %d: %+v, want %s", i, c, w.id)
		}
		if s := c.Schedule; s.Kind != w.schedule.Kind || s.Mode != w.schedule.Mode {
			t.Errorf("%s: schedule %+v", w.id, s)
		}
		kind := protocol.RetentionAge
		if w.age == 0 {
			kind = protocol.RetentionUnknown
		}
		if r := c.Retention; r.Kind != kind || r.Age != w.age || r.EventAge != w.event {
			t.Errorf("%s: retention %+v", w.id, r)
		}
		if oldest := c.Retention.OldestFootage; oldest.IsZero() != (w.oldest == none) {
			t.Errorf("%s: oldest %s, want %s ago", w.id, oldest, w.oldest)
		} else if w.oldest != none {
			first, last := end(begun, w.oldest), end(asked, w.oldest)
			if first.After(begun) { // an hour that has not ended: it is now
				first = begun
			}
			if last.After(asked) {
				last = asked
			}
			if oldest.Before(first.Add(-2*time.Second)) || oldest.After(last.Add(2*time.Second)) {
				t.Errorf("%s: oldest %s, want from %s to %s", w.id, oldest, first, last)
			}
		}
		if raw := c.Facts["schedule"].Raw; !strings.Contains(raw, w.words) || c.Facts["schedule"].From != "GET /api/config" {
			t.Errorf("%s: the schedule is from %+v", w.id, c.Facts["schedule"])
		}
	}
	if len(got.Channels) != 6 {
		t.Errorf("%d channels", len(got.Channels))
	}
}

// frigateServer answers by path, a status or a?body; what is not listed is taken
// from a Frigate with a login and one camera.
func frigateServer(t *testing.T, answers map[string]string, asked *[]string) *httptest.Server {
	t.Helper()
	usual := map[string]string{
		"/":                           "<title>Frigate</title> window.baseUrl",
		"/api/config":                 `{"cameras":{"a?b":{"record":{"enabled":true,"continuous":{"days":1},"motion":{"days":0}}}}}`,
		"/api/stats":                  `{"service":{"version":"0.17.0-1","storage":{"/media/frigate/recordings":{"mount_type":"nfs4"}}}}`,
		"/api/a?b/recordings/summary": `[{"day":"2026-11-15","hours":[{"hour":"09"}]}]`,
		"/api/login":                  "{}",
		"/api/logout":                 "{}",
	}
	return serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		c, err := r.Cookie("frigate_token")
		if err != nil && r.URL.Path != "/" && r.URL.Path != "/api/login" || err == nil && c.Value != "SENTINEL-TOKEN" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		text, ok := answers[r.URL.Path]
		if !ok {
			text = usual[r.URL.Path]
		}
		if status, ok := map[string]int{"": 404, "400": 400, "401": 401, "403": 403, "404": 404, "429": 429, "500": 500}[text]; ok {
			w.WriteHeader(status)
			return
		}
		if r.URL.Path == "/api/login" && text == "{}" {
			http.SetCookie(w, &http.Cookie{Name: "frigate_token", Value: "SENTINEL-TOKEN", HttpOnly: true})
		}
		_, _ = w.Write([]byte(text))
	})
}

// TestFrigateRefusedParts: what is refused or broken is unknown, the rest is read,
// and it is logged out whatever happened.
func TestFrigateRefusedParts(t *testing.T) {
	one := func(t deviceReport) bool {
		return len(t.channels) == 1 && t.channels[0].schedule.Mode == protocol.Continuous
	}
	for _, c := range []struct {
		name, path, answer string
		failed             string
		problems           []string
		want               func(deviceReport) bool
	}{
		{"all is well", "", "", "", nil, func(t deviceReport) bool {
			return one(t) && t.kept == KeptShare && t.firmware == "0.17.0-1" && t.channels[0].oldest.at.Equal(time.Date(2026, 11, 15, 10, 0, 0, 0, time.UTC)) && t.clock != nil
		}},
		{"no statistics", "/api/stats", "403", "", []string{"stats"}, func(t deviceReport) bool { return one(t) && t.kept == KeptUnknown }},
		{"broken statistics", "/api/stats", "<html>", "", []string{"stats"}, one},
		{"another place", "/api/stats", `{"service":{"storage":{"/media/frigate/recordings":{"mount_type":"9p"}}}}`, "", nil, func(t deviceReport) bool { return t.kept == KeptUnknown }},
		{"no right to the footage", "/api/a?b/recordings/summary", "403", "", []string{"recordings"}, func(t deviceReport) bool { return one(t) && !t.channels[0].oldest.known() }},
		{"no such summary", "/api/a?b/recordings/summary", "404", "", nil, func(t deviceReport) bool { return one(t) && !t.channels[0].oldest.known() }},
		{"a summary that is none", "/api/a?b/recordings/summary", `{"2026-11-15":true}`, "", []string{"recordings"}, one},
		{"no footage", "/api/a?b/recordings/summary", `[]`, "", nil, func(t deviceReport) bool { return one(t) && !t.channels[0].oldest.known() }},
		{"days that are none", "/api/a?b/recordings/summary", `[{"day":"yesterday","hours":[{"hour":"9"}]}]`, "", nil, func(t deviceReport) bool { return !t.channels[0].oldest.known() }},
		{"no configuration", "/api/config", "403", "may not read", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"a?broken configuration", "/api/config", `{"cameras":`, "JSON", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"too large a configuration", "/api/config", `{}` + strings.Repeat(" ", maxAnswer), "1 MiB", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"a camera that cannot be read", "/api/config", `{"cameras":{"x":7,"a?b":{"record":{"enabled":true,"continuous":{"days":1}}}}}`, "", []string{"config"}, one},
		{"a camera without a section", "/api/config", `{"cameras":{"a?b":{}}}`, "", nil, func(t deviceReport) bool {
			return len(t.channels) == 1 && t.channels[0].schedule.Kind == protocol.ScheduleUnknown && t.channels[0].retention.Kind == protocol.RetentionUnknown
		}},
	} {
		var asked []string
		var log bytes.Buffer
		w := webTo(t, frigateServer(t, map[string]string{c.path: c.answer}, &asked), &memory{given: Credential{User: "u", Password: "p"}})
		w.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		got, err := frigate{}.read(t.Context(), w)
		w.close(t.Context())
		if (err != nil) != (c.failed != "") || err != nil && !strings.Contains(err.Error(), c.failed) || !slices.Equal(whats(got.problems), c.problems) || !c.want(got) {
			t.Errorf("%s: error %v, problems %v, read %+v", c.name, err, got.problems, got)
		}
		if asked[len(asked)-1] != "GET /api/logout" {
			t.Errorf("%s: it was not logged out: %q", c.name, asked)
		}
		if strings.Contains(log.String(), "SENTINEL") {
			t.Errorf("%s: the token was logged: %s", c.name, log.String())
		}
	}
}

func TestFrigateLoginThatIsNotUnderstood(t *testing.T) {
	for _, answer := range []string{"403", "429", "500", "<html>"} {
		var asked []string
		m := &memory{given: Credential{User: "u", Password: "p"}}
		w := webTo(t, frigateServer(t, map[string]string{"/api/login": answer}, &asked), m)
		if _, err := (frigate{}).read(t.Context(), w); err == nil || len(m.refused) != 0 || w.auth.lacks() != NeedsNothing || len(asked) != 2 {
			t.Errorf("%s: error %v, refused %v, needs %q, asked %q", answer, err, m.refused, w.auth.lacks(), asked)
		}
	}
	s := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	w := webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	if _, err := (frigate{}).read(t.Context(), w); statusOf(err) != http.StatusBadGateway || w.auth.works() {
		t.Errorf("an answer that asks for no password: %v", err)
	}
}

func TestFrigateRecognises(t *testing.T) {
	for answer, want := range map[string]likeness{
		"<title>Frigate</title><script>window.baseUrl=\"/\"</script>": known,
		"<title>Frigate</title>":                       stranger,
		"<title>My Frigate page</title>window.baseUrl": stranger,
		"<title>Router</title>":                        stranger,
		"":                                             stranger,
		"400":                                          stranger,
		"401":                                          stranger,
	} {
		var asked []string
		w := webTo(t, frigateServer(t, map[string]string{"/": answer}, &asked), &memory{})
		if got := (frigate{}).recognise(t.Context(), w); got != want || len(asked) != 1 {
			t.Errorf("%q: %d, want %d; asked %q", answer, got, want, asked)
		}
	}
}

// TestFrigateGoesOverToTLS: its port 8971 answers plain HTTP with 400; no other port
// is asked twice.
func TestFrigateGoesOverToTLS(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<title>Frigate</title> window.baseUrl"))
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(page))
	t.Cleanup(secure.Close)
	plain := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	for host, want := range map[string]struct {
		found likeness
		dials int
	}{"192.0.2.7:8971": {known, 2}, "192.0.2.7:8080": {stranger, 1}} {
		w := webTo(t, plain, &memory{})
		dials := 0
		w.client.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			to := plain.Listener.Addr().String()
			if dials++; dials > 1 {
				to = secure.Listener.Addr().String()
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		}
		w.base.Host = host
		if got := (frigate{}).recognise(t.Context(), w); got != want.found || w.private() != (got == known) || dials != want.dials {
			t.Errorf("%s: %d, then at %s, %d connections", host, got, &w.base, dials)
		}
	}
}

func TestFrigatePolicy(t *testing.T) {
	const day = 24 * time.Hour
	age := func(age, event time.Duration) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: age, EventAge: event}
	}
	for _, c := range []struct {
		name, text string
		mode       protocol.Mode // "": see kind
		kind       protocol.ScheduleKind
		retention  protocol.Retention
	}{
		{"0.16: everything", `{"enabled":true,"retain":{"days":7,"mode":"all"},"alerts":{"retain":{"days":30,"mode":"motion"}},"detections":{"retain":{"days":10}}}`, protocol.Continuous, "", age(7*day, 30*day)},
		{"0.16: everything longer than events", `{"enabled":true,"retain":{"days":30,"mode":"all"},"alerts":{"retain":{"days":10}},"detections":{"retain":{"days":10}}}`, protocol.Continuous, "", age(30*day, 0)},
		{"0.16: motion", `{"enabled":true,"retain":{"days":7,"mode":"motion"},"alerts":{"retain":{"days":30}},"detections":{"retain":{"days":10}}}`, protocol.Motion, "", age(7*day, 30*day)},
		{"0.16: objects", `{"enabled":true,"retain":{"days":7,"mode":"active_objects"}}`, protocol.Analytics, "", age(7*day, 0)},
		{"0.16: a new mode", `{"enabled":true,"retain":{"days":7,"mode":"sundays"}}`, protocol.Analytics, "", age(7*day, 0)},
		{"0.16: events alone", `{"enabled":true,"retain":{"days":0,"mode":"all"},"alerts":{"retain":{"days":10}},"detections":{"retain":{"days":4}}}`, protocol.Analytics, "", age(10*day, 0)},
		{"0.17: everything", `{"enabled":true,"continuous":{"days":3},"motion":{"days":7},"alerts":{"retain":{"days":30}},"detections":{"retain":{"days":14}}}`, protocol.Continuous, "", age(3*day, 30*day)},
		{"0.17: everything, motion longest", `{"enabled":true,"continuous":{"days":3},"motion":{"days":7},"alerts":{"retain":{"days":5}},"detections":{"retain":{"days":5}}}`, protocol.Continuous, "", age(3*day, 7*day)},
		{"0.17: motion", `{"enabled":true,"continuous":{"days":0},"motion":{"days":5},"alerts":{"retain":{"days":5}},"detections":{"retain":{"days":5}}}`, protocol.Motion, "", age(5*day, 0)},
		{"0.17: events alone", `{"enabled":true,"continuous":{"days":0},"motion":{"days":0},"alerts":{"retain":{"days":10}},"detections":{"retain":{"days":14}}}`, protocol.Analytics, "", age(14*day, 0)},
		{"part of a day", `{"enabled":true,"continuous":{"days":0.5}}`, protocol.Continuous, "", age(12*time.Hour, 0)},
		{"switched off", `{"enabled":false,"continuous":{"days":3}}`, "", protocol.ScheduleOff, age(3*day, 0)},
		{"no switch told", `{"continuous":{"days":3}}`, "", protocol.ScheduleUnknown, age(3*day, 0)},
		{"nothing is kept", `{"enabled":true,"continuous":{"days":0},"motion":{"days":0},"alerts":{"retain":{"days":0}},"detections":{"retain":{"days":0}}}`, "", protocol.ScheduleOff, protocol.Retention{}},
		{"nothing is kept, as far as told", `{"enabled":true,"continuous":{"days":0},"motion":{"days":0}}`, "", protocol.ScheduleUnknown, protocol.Retention{}},
		{"nothing is kept of detections", `{"enabled":true,"continuous":{"days":0},"motion":{"days":0},"detections":{"retain":{"days":0}}}`, "", protocol.ScheduleUnknown, protocol.Retention{}},
		{"too long a time", `{"enabled":true,"continuous":{"days":100000}}`, "", protocol.ScheduleUnknown, protocol.Retention{}},
		{"an older version", `{"enabled":true,"events":{"retain":{"default":10}}}`, "", protocol.ScheduleUnknown, protocol.Retention{}},
		{"a time that is none", `{"enabled":true,"continuous":{"days":-3},"motion":{"days":1e300}}`, "", protocol.ScheduleUnknown, protocol.Retention{}},
	} {
		var r frigateRecord
		if err := json.Unmarshal([]byte(c.text), &r); err != nil {
			t.Fatal(err)
		}
		kind := c.kind
		if c.mode != "" {
			kind = protocol.ScheduleAlways
		}
		if s, keep := frigatePolicy(r); s.Kind != kind || s.Mode != c.mode || keep != c.retention {
			t.Errorf("%s: %+v %+v, want %s %+v", c.name, s, keep, c.mode, c.retention)
		}
	}
}

// TestFrigateModel reads the configuration that the project's own tests have (0.18).
func TestFrigateModel(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(sharedOnvif(t)), "recorders", "blakeblackshear+frigate", "config-snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, loadRecorder(t, "officina-frigate").Replacing(map[string][]byte{"config.json": text}), cameratest.Options{})
	got := asker(t, &memory{given: frigatePassword}).Ask(t.Context(), named(d))
	var names []string
	for _, c := range got.Channels {
		names = append(names, c.Name)
		if c.Schedule.Kind != protocol.ScheduleOff || c.Retention.Kind != protocol.RetentionAge || c.Retention.Age != 240*time.Hour || c.Retention.EventAge != 0 {
			t.Errorf("%+v", c)
		}
		if raw := c.Facts["retention"].Raw; !strings.Contains(raw, "record.enabled false") || !strings.Contains(raw, "alerts.retain.days 10 motion") {
			t.Errorf("the raw words are %q", raw)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"backyard", "front_door", "garage"}) {
		t.Errorf("channels %q", names)
	}
}

func FuzzFrigateCamera(f *testing.F) {
	f.Add([]byte(`{"friendly_name":"n","enabled":true,"onvif":{"host":"http://192.0.2.1:80/"},"ui":{"order":1},"record":{"enabled":true,"retain":{"days":7.5,"mode":"all"},"continuous":{"days":1e9},"motion":{"days":1},"alerts":{"retain":{"days":3}},"detections":null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c frigateCamera
		if json.Unmarshal(text, &c) != nil {
			return
		}
		out := c.channel("k", "x")
		r := out.retention
		if r.Age < 0 || r.EventAge < 0 || r.EventAge > 0 && r.EventAge <= r.Age || (r.Kind == protocol.RetentionAge) != (r.Age > 0) || r.Age%time.Second != 0 {
			t.Errorf("retention %+v", r)
		}
		if out.schedule.Kind == protocol.ScheduleAlways && out.schedule.Mode == "" {
			t.Errorf("schedule %+v", out.schedule)
		}
	})
}

func FuzzFrigateFootage(f *testing.F) {
	f.Add([]byte(`[{"day":"2026-11-15","hours":[{"hour":"09"},{"hour":"08"}]},{"day":"2026-11-14","hours":[{"hour":"23"}]}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		oldest, newest, err := frigateFootage(answer{body: text})
		if err == nil && oldest.known() && newest.at.Add(time.Hour).Before(oldest.at) {
			t.Errorf("from %s to %s", oldest.at, newest.at)
		}
	})
}

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
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// notKept takes away when a schedule was read.
func notKept(s protocol.Schedule) protocol.Schedule {
	s.Fact = protocol.Fact{}
	return s
}

func TestNxRecorder(t *testing.T) {
	for _, tls := range []bool{false, true} {
		d := start(t, loadRecorder(t, "cartoleria-nx"), cameratest.Options{HTTPS: tls})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		if got.Family != Nx || got.Kind != KindRecorder || got.Vendor != "DW Spectrum" || got.Model != "Media Server" || got.Firmware != "6.1.1.42624" ||
			got.Serial != "SENTINEL-SERVER-7001" || got.Name != "Retrobottega" || got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Kept != KeptDisk || got.Needs != NeedsNothing {
			t.Errorf("read %+v", got)
		}
		checkClock(t, got, 3*time.Minute)
		if got.Clock.UncertaintyMs > 500 {
			t.Errorf("the clock is told to the millisecond and known to %d ms", got.Clock.UncertaintyMs)
		}
		if what := whats(got.Errors); !slices.Equal(what, []string{"devices"}) { // of another server
			t.Errorf("problems: %v", got.Errors)
		}
		checkNxChannels(t, got)
		if opened, open := d.Sessions(); opened != 1 || open != 0 {
			t.Errorf("%d sessions opened, %d left open", opened, open)
		}
		for _, r := range d.Requests() {
			if r.Method != http.MethodGet && !strings.HasPrefix(r.Path, "/rest/v3/login/sessions") && strings.Contains(r.Path, "rest") {
				t.Errorf("%s %s does not only read", r.Method, r.Path)
			}
			if strings.Contains(r.Query, "limit=") {
				t.Errorf("asked with a limit: %s", r.Query)
			}
		}
	}
}

func checkNxChannels(t *testing.T, got Device) {
	t.Helper()
	always, now := always(protocol.Continuous), time.Now()
	vetrina := everyDay(protocol.Interval{From: 0, To: 420, Mode: protocol.Motion}, protocol.Interval{From: 420, To: 1200, Mode: protocol.Continuous}, protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion})
	friday := oneRow(5, protocol.Interval{From: 1320, To: 1440, Mode: protocol.Analytics})
	friday.Days[6] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Analytics}}
	workdays := everyDay(protocol.Interval{From: 0, To: 1440, Mode: protocol.Continuous})
	workdays.Days[0], workdays.Days[6] = nil, nil
	want := []struct {
		id, name, at string
		w, h         int
		schedule     protocol.Schedule
		kind         protocol.RetentionKind
		age          time.Duration
		oldest       time.Duration // before now, 0: none
	}{
		{"4", "Cassa", "192.0.2.84", 640, 360, workdays, protocol.RetentionCapacity, 0, 1440 * time.Hour},
		{"1", "Ingresso alzaia", "192.0.2.81", 1920, 1080, always, protocol.RetentionAge, 5 * 24 * time.Hour, 120 * time.Hour},
		{"3", "Magazzino", "192.0.2.83", 1920, 1080, friday, protocol.RetentionAge, 10 * 24 * time.Hour, 240 * time.Hour},
		{"5", "Soffitta", "192.0.2.85", 1920, 1080, off(), protocol.RetentionCapacity, 0, 0},
		{"2", "Vetrina", "192.0.2.82", 1920, 1080, vetrina, protocol.RetentionCapacity, 0, 600 * time.Hour},
	}
	if len(got.Channels) != len(want) {
		t.Fatalf("%d channels: %+v", len(got.Channels), got.Channels)
	}
	for i, w := range want {
		c := got.Channels[i]
		w.schedule.Zone = "Europe/Rome"
		if c.ID != "5e471e15-7001-4000-8000-00000000000"+w.id || c.Name != w.name || c.WidthPx != w.w || c.HeightPx != w.h {
			t.Errorf("channel %d: %+v", i, c)
		}
		if c.Camera == nil || c.Camera.Address != w.at || !slices.Equal(c.Camera.MACs, []string{"02:5e:47:70:01:0" + w.id}) {
			t.Errorf("%s: behind it %+v", w.name, c.Camera)
		}
		if !reflect.DeepEqual(notKept(c.Schedule), w.schedule) {
			t.Errorf("%s: schedule %+v, want %+v", w.name, c.Schedule, w.schedule)
		}
		if c.Retention.Kind != w.kind || c.Retention.Age != w.age || c.Retention.EventAge != 0 {
			t.Errorf("%s: retention %+v", w.name, c.Retention)
		}
		if w.oldest == 0 {
			if !c.Retention.OldestFootage.IsZero() {
				t.Errorf("%s: oldest %s, want none", w.name, c.Retention.OldestFootage)
			}
		} else {
			oldestNear(t, c, now.Add(-w.oldest))
		}
		for _, fact := range []string{"name", "resolution", "schedule", "retention"} {
			if !strings.HasPrefix(c.Facts[fact].From, "GET /rest/v3/devices") || c.Facts[fact].Raw == "" {
				t.Errorf("%s: fact %s is from %+v", w.name, fact, c.Facts[fact])
			}
		}
	}
	if raw := got.Channels[0].Facts["schedule"].Raw; !strings.Contains(raw, "metadataAndLowQuality motion|objects") {
		t.Errorf("the raw words are %q", raw)
	}
	if text, err := json.Marshal(got.Channels); err != nil || bytes.Contains(text, []byte("SENTINEL-P")) || bytes.Contains(text, []byte("SENTINEL-STREAM")) {
		t.Errorf("a password or a stream's address was kept: %s %v", text, err)
	}
}

// nxServer answers by path: a status, or a body. What is not listed is taken from
// a media server with one camera.
func nxServer(t *testing.T, answers map[string]string, asked *[]string) *httptest.Server {
	t.Helper()
	usual := map[string]string{
		"GET /api/moduleInformation":             `{"reply":{"type":"Media Server","id":"{s1}","brand":"hdwitness","version":"6.0.1.1","name":"S","synchronizedTimeMs":1795248000000}}`,
		"POST /rest/v3/login/sessions":           `{"token":"vms-SENTINEL-TOKEN"}`,
		"DELETE /rest/v3/login/sessions/current": `{}`,
		"GET /rest/v3/servers/this/runtimeInfo":  `{"timeZoneId":"Europe/Rome","timeZoneOffsetMs":3600000}`,
		"GET /rest/v3/servers/s1/storages":       `[{"type":"local","isUsedForWriting":true}]`,
		"GET /rest/v3/devices":                   `[{"id":"{d1}","name":"Uno","schedule":{"isEnabled":true,"maxArchiveDays":3,"tasks":[{"dayOfWeek":1,"startTime":0,"endTime":86400,"recordingType":"always"}]}}]`,
		"GET /rest/v3/devices/d1/footage":        `[{"startTimeMs":1795000000000}]`,
	}
	return serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		key := r.Method + " " + r.URL.Path
		*asked = append(*asked, key)
		if !strings.HasPrefix(key, "GET /api/") && !strings.HasPrefix(key, "POST ") && r.Header.Get("Authorization") != "Bearer vms-SENTINEL-TOKEN" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		text, ok := answers[key+"?"+r.URL.RawQuery]
		if !ok {
			text, ok = answers[key]
		}
		if !ok {
			text = usual[key]
		}
		if status, ok := map[string]int{"": 404, "400": 400, "403": 403, "404": 404, "500": 500}[text]; ok {
			w.WriteHeader(status)
			return
		}
		_, _ = w.Write([]byte(text))
	})
}

// TestNxRefusedParts: what is refused or broken is unknown, the rest is read, and
// the session is closed whatever happened.
func TestNxRefusedParts(t *testing.T) {
	const current, inPath = "DELETE /rest/v3/login/sessions/current", "DELETE /rest/v3/login/sessions/vms-SENTINEL-TOKEN"
	for _, c := range []struct {
		name, path, answer string
		failed             string // in the error of all
		problems           []string
		want               func(deviceReport) bool
	}{
		{"all is well", "", "", "", nil, func(t deviceReport) bool {
			return t.kept == KeptDisk && t.clock.zone == "Europe/Rome" && t.channels[0].oldest.known() && t.channels[0].retention.Age == 72*time.Hour
		}},
		{"no right to the archive", "GET /rest/v3/devices/d1/footage", "403", "", []string{"footage"}, func(t deviceReport) bool {
			return !t.channels[0].oldest.known() && t.channels[0].schedule.Kind == protocol.ScheduleWeekly
		}},
		{"no footage endpoint", "GET /rest/v3/devices/d1/footage", "404", "", nil, func(t deviceReport) bool { return !t.channels[0].oldest.known() }},
		{"footage that is no JSON", "GET /rest/v3/devices/d1/footage", "<html>", "", []string{"footage"}, func(t deviceReport) bool { return !t.channels[0].oldest.known() }},
		{"no footage", "GET /rest/v3/devices/d1/footage", "[]", "", nil, func(t deviceReport) bool { return !t.channels[0].oldest.known() }},
		{"no right to the storages", "GET /rest/v3/servers/s1/storages", "403", "", []string{"storages"}, func(t deviceReport) bool { return t.kept == KeptUnknown }},
		{"no such storages", "GET /rest/v3/servers/s1/storages", "404", "", nil, func(t deviceReport) bool { return t.kept == KeptUnknown }},
		{"a storage of an unknown kind", "GET /rest/v3/servers/s1/storages", `[{"type":"tape"}]`, "", nil, func(t deviceReport) bool { return t.kept == KeptUnknown && t.keptRaw == "tape" }},
		{"two places", "GET /rest/v3/servers/s1/storages", `[{"type":"local"},{"type":"smb"}]`, "", nil, func(t deviceReport) bool { return t.kept == KeptSeveral }},
		{"no zone", "GET /rest/v3/servers/this/runtimeInfo", "404", "", nil, func(t deviceReport) bool { return t.clock.zone == "" }},
		{"a zone by its offset", "GET /rest/v3/servers/this/runtimeInfo", `{"timeZoneId":"Local","timeZoneOffsetMs":"7200000"}`, "", nil, func(t deviceReport) bool { return t.clock.zone == "UTC+02:00" }},
		{"no devices", "GET /rest/v3/devices", "403", "may not read", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"devices that are no JSON", "GET /rest/v3/devices", "<html>", "JSON", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"too many devices", "GET /rest/v3/devices", "[" + strings.Repeat(" ", maxAnswer) + "]", "1 MiB", nil, func(t deviceReport) bool { return t.channels == nil }},
		{"a list of fields that is not known", "GET /rest/v3/devices?" + nxFields, "400", "", nil, func(t deviceReport) bool {
			return len(t.channels) == 1 && t.channels[0].schedule.Kind == protocol.ScheduleWeekly
		}},
		{"fields that were not given", "GET /rest/v3/devices?" + nxFields, `[{"id":"{d1}","name":"Uno"}]`, "", nil, func(t deviceReport) bool {
			return len(t.channels) == 1 && t.channels[0].schedule.Kind == protocol.ScheduleWeekly
		}},
		{"a device that cannot be read", "GET /rest/v3/devices", `[7,{"id":"{d1}","name":"Uno"},{"name":"without id"}]`, "", []string{"devices"}, func(t deviceReport) bool {
			return len(t.channels) == 1 && t.channels[0].schedule.Kind == protocol.ScheduleUnknown && t.channels[0].retention.Kind == protocol.RetentionUnknown
		}},
		{"a logout that does not know \"current\"", current, "404", "", nil, func(t deviceReport) bool { return len(t.channels) == 1 }},
	} {
		var asked []string
		var log bytes.Buffer
		w := webTo(t, nxServer(t, map[string]string{c.path: c.answer}, &asked), &memory{given: Credential{User: "u", Password: "p"}})
		w.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		got, err := nx{}.read(t.Context(), w)
		w.close(t.Context())
		if (err != nil) != (c.failed != "") || err != nil && !strings.Contains(err.Error(), c.failed) || !slices.Equal(whats(got.problems), c.problems) || !c.want(got) {
			t.Errorf("%s: error %v, problems %v, read %+v", c.name, err, got.problems, got)
		}
		end := []string{current}
		if c.path == current {
			end = append(end, inPath)
		}
		if len(asked) < len(end) || !slices.Equal(asked[len(asked)-len(end):], end) {
			t.Errorf("%s: the session was not closed: %q", c.name, asked)
		}
		if strings.Contains(log.String(), "SENTINEL") {
			t.Errorf("%s: the token was logged: %s", c.name, log.String())
		}
	}
}

func TestNxLoginThatIsNotUnderstood(t *testing.T) {
	for _, answer := range []string{"403", "500", "<html>", `{}`, `{"token":""}`, `{"token":"a b"}`} {
		var asked []string
		m := &memory{given: Credential{User: "u", Password: "p"}}
		w := webTo(t, nxServer(t, map[string]string{"POST /rest/v3/login/sessions": answer}, &asked), m)
		if _, err := (nx{}).read(t.Context(), w); err == nil || len(m.refused) != 0 || w.auth.lacks() != NeedsNothing {
			t.Errorf("%s: error %v, refused %v, needs %q", answer, err, m.refused, w.auth.lacks())
		}
		w.close(t.Context())
		if n := len(asked); n != 2 {
			t.Errorf("%s: asked %q", answer, asked)
		}
	}
}

func TestNxRecognises(t *testing.T) {
	for answer, want := range map[string]likeness{
		`{"reply":{"type":"Media Server","id":"{s1}"}}`:   known,
		`{"reply":{"type":"Desktop Client","id":"{s1}"}}`: stranger,
		`{"reply":{"type":"Media Server"}}`:               stranger,
		`{"type":"Media Server","id":"{s1}"}`:             stranger,
		`<html><title>Media Server</title></html>`:        stranger,
		`[]`: stranger, ``: stranger, `400`: stranger, `403`: stranger,
	} {
		var asked []string
		w := webTo(t, nxServer(t, map[string]string{"GET /api/moduleInformation": answer}, &asked), &memory{})
		if got := (nx{}).recognise(t.Context(), w); got != want || len(asked) != 1 {
			t.Errorf("%q: %d, want %d; asked %q", answer, got, want, asked)
		}
	}
}

// TestNxGoesOverToTLS: through a network the password waits for TLS, which is
// spoken on the same port.
func TestNxGoesOverToTLS(t *testing.T) {
	for _, redirects := range []bool{false, true} {
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if redirects {
				http.Redirect(w, r, "https://192.0.2.7:7001"+r.URL.Path, http.StatusTemporaryRedirect)
				return
			}
			_, _ = w.Write([]byte(`{"reply":{"type":"Media Server","id":"{s1}"}}`))
		})
		secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"reply":{"type":"Media Server","id":"{s1}"}}`))
		}))
		t.Cleanup(secure.Close)
		w := webTo(t, s, &memory{})
		first := true
		w.client.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			to := s.Listener.Addr().String()
			if !first {
				to = secure.Listener.Addr().String()
			}
			first = false
			return new(net.Dialer).DialContext(ctx, network, to)
		}
		w.base.Host = "192.0.2.7:7001"
		if got := (nx{}).recognise(t.Context(), w); got != known || w.base.String() != "https://192.0.2.7:7001" || !w.private() {
			t.Errorf("redirects %v: %d, then at %s", redirects, got, &w.base)
		}
	}
}

func TestNxInterface(t *testing.T) {
	for version, want := range map[string]string{"6.1.1.42624": "/rest/v3", "7.0": "/rest/v3", "": "/rest/v3", "5.1.5.1": "/rest/v2", "5.0.0.1": "/rest/v1", "4.2.0.1": "", "3": ""} {
		got, err := nxInterface(version)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("version %q: %q %v, want %q", version, got, err, want)
		}
	}
}

func TestNxWeek(t *testing.T) {
	cell := func(rest string) string {
		return `{"isEnabled":true,"tasks":[{"dayOfWeek":1,"startTime":3600,"endTime":7200,` + rest + `}]}`
	}
	monday := func(mode protocol.Mode) protocol.Schedule {
		return oneRow(1, protocol.Interval{From: 60, To: 120, Mode: mode})
	}
	sunday := oneRow(0, protocol.Interval{From: 1380, To: 1440, Mode: protocol.Continuous})
	for _, c := range []struct {
		name, text string
		oneStream  bool
		want       protocol.Schedule
	}{
		{"always", cell(`"recordingType":"always","metadataTypes":"none"`), false, monday(protocol.Continuous)},
		{"the old word", cell(`"recordingType":"RT_Always"`), false, monday(protocol.Continuous)},
		{"by its number", cell(`"recordingType":0`), false, monday(protocol.Continuous)},
		{"on motion", cell(`"recordingType":"metadataOnly","metadataTypes":"motion"`), false, monday(protocol.Motion)},
		{"on motion, old", cell(`"recordingType":"RT_MotionOnly"`), false, monday(protocol.Motion)},
		{"on motion, older still", cell(`"recordingType":"metadataOnly","metadataTypes":"none"`), false, monday(protocol.Motion)},
		{"on objects", cell(`"recordingType":"metadataOnly","metadataTypes":"objects"`), false, monday(protocol.Analytics)},
		{"on either", cell(`"recordingType":"metadataOnly","metadataTypes":"motion|objects"`), false, monday(protocol.Motion)},
		{"on either, by number", cell(`"recordingType":1,"metadataTypes":3`), false, monday(protocol.Motion)},
		{"small always", cell(`"recordingType":"metadataAndLowQuality","metadataTypes":"motion"`), false, monday(protocol.Continuous)},
		{"small always, but there is none", cell(`"recordingType":"metadataAndLowQuality","metadataTypes":"motion"`), true, monday(protocol.Motion)},
		{"never", cell(`"recordingType":"never"`), false, off()},
		{"a new word", cell(`"recordingType":"onThursdays"`), false, monday(protocol.Analytics)},
		{"no word", cell(`"fps":15`), false, monday(protocol.Analytics)},
		{"Sunday is 7", `{"isEnabled":true,"tasks":[{"dayOfWeek":7,"startTime":82800,"endTime":86400,"recordingType":"always"}]}`, false, sunday},
		{"Sunday until 23:59:59", `{"isEnabled":true,"tasks":[{"dayOfWeek":7,"startTime":82800,"endTime":86399,"recordingType":"always"}]}`, false, sunday},
		{"times as text", `{"isEnabled":true,"tasks":[{"dayOfWeek":"7","startTime":"82800","endTime":86400.0,"recordingType":"always"}]}`, false, sunday},
		{"switched off", `{"isEnabled":false,"tasks":[{"dayOfWeek":7,"startTime":0,"endTime":86400,"recordingType":"always"}]}`, false, off()},
		{"no switch told", `{"tasks":[{"dayOfWeek":7,"startTime":0,"endTime":86400,"recordingType":"always"}]}`, false, protocol.Schedule{}},
		{"no cells told", `{"isEnabled":true,"tasks":[]}`, false, protocol.Schedule{}},
		{"a day that is none", `{"isEnabled":true,"tasks":[{"dayOfWeek":0,"startTime":0,"endTime":86400,"recordingType":"always"}]}`, false, protocol.Schedule{}},
		{"minutes for seconds", `{"isEnabled":true,"tasks":[{"dayOfWeek":1,"startTime":0,"endTime":864000,"recordingType":"always"}]}`, false, protocol.Schedule{}},
		{"no end", `{"isEnabled":true,"tasks":[{"dayOfWeek":1,"startTime":0,"recordingType":"always"}]}`, false, protocol.Schedule{}},
	} {
		var s nxSchedule
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := nxWeek(s, c.oneStream); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestNxRetention(t *testing.T) {
	const day = 24 * time.Hour
	age := func(d time.Duration) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: d}
	}
	full := protocol.Retention{Kind: protocol.RetentionCapacity}
	for text, want := range map[string]protocol.Retention{
		`{"maxArchiveDays":7}`:                                age(7 * day),
		`{"maxArchiveDays":-30}`:                              full,
		`{"maxArchiveDays":0}`:                                full,
		`{"maxArchivePeriodS":604800}`:                        age(7 * day),
		`{"maxArchivePeriodS":"604800"}`:                      age(7 * day),
		`{"maxArchivePeriodS":604800.0}`:                      age(7 * day),
		`{"maxArchivePeriodS":-2592000,"maxArchiveDays":-30}`: full,
		`{"maxArchivePeriodS":432000,"maxArchiveDays":7}`:     age(5 * day),
		`{"maxArchivePeriodS":864000,"maxArchiveDays":7}`:     age(7 * day),
		`{"maxArchivePeriodS":-1,"maxArchiveDays":7}`:         age(7 * day),
		`{"maxArchivePeriodS":9223372036854775807}`:           full, // no limit that ends
		`{"maxArchiveDays":9223372036854775807}`:              full,
		`{"maxArchiveDays":"many"}`:                           {},
		`{"minArchiveDays":3}`:                                {},
		`{}`:                                                  {},
	} {
		var s nxSchedule
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if got, words := nxRetention(s); got != want || (words == nil) != (want.Kind == protocol.RetentionUnknown) {
			t.Errorf("%s: %+v %q, want %+v", text, got, words, want)
		}
	}
}

// TestNxSynthetic reads the answers that were written from the notes of a DW
// Spectrum 6.1.1.
func TestNxSynthetic(t *testing.T) {
	dir := filepath.Join(filepath.Dir(sharedOnvif(t)), "recorders", "synthetic", "nx")
	file := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	d := start(t, loadRecorder(t, "cartoleria-nx").Replacing(map[string][]byte{"devices.json": file("rest_v3_devices.json")}), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if len(got.Channels) != 2 || !slices.Equal(whats(got.Errors), nil) {
		t.Fatalf("read %+v", got)
	}
	yard, door := got.Channels[0], got.Channels[1]
	if door.ID != "aaaaaaaa-0000-0000-0000-000000000001" || door.Name != "Ingresso Via Roma" || door.Schedule.Kind != protocol.ScheduleAlways || door.Schedule.Mode != protocol.Continuous ||
		door.Retention.Kind != protocol.RetentionAge || door.Retention.Age != 7*24*time.Hour {
		t.Errorf("the first: %+v", door)
	}
	workdays := everyDay(protocol.Interval{From: 0, To: 1440, Mode: protocol.Continuous}) // small until 8, all of it after
	workdays.Days[0], workdays.Days[6], workdays.Zone = nil, nil, "Europe/Rome"
	if yard.Name != "Cortile retro" || !reflect.DeepEqual(notKept(yard.Schedule), workdays) || yard.Retention.Kind != protocol.RetentionCapacity {
		t.Errorf("the second: %+v", yard)
	}
	oldest, newest, err := nxFootage(answer{body: file("rest_v3_devices_1_footage.json")})
	if err != nil || !oldest.at.Equal(time.UnixMilli(1794720000000)) || !newest.at.Equal(time.UnixMilli(1795248000000)) || oldest.wall {
		t.Errorf("footage from %+v to %+v, %v", oldest, newest, err)
	}
}

func FuzzNxDevice(f *testing.F) {
	f.Add([]byte(`{"id":"{d}","name":"n","mac":"02-5E-47-00-00-01","url":"rtsp://u:p@192.0.2.1/x","mediaStreams":[{"encoderIndex":0,"resolution":"1x1"}],"schedule":{"isEnabled":true,"maxArchiveDays":-3,"maxArchivePeriodS":"9e9","tasks":[{"dayOfWeek":7,"startTime":0,"endTime":86400,"recordingType":3,"metadataTypes":"motion|objects"}]}}`))
	f.Add([]byte(`{"schedule":{"tasks":[{}]},"mediaStreams":{"streams":[{}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d nxDevice
		if json.Unmarshal(text, &d) != nil {
			return
		}
		c := d.channel("x")
		if c.retention.Age < 0 || c.retention.Kind == protocol.RetentionAge && c.retention.Age == 0 || c.width < 0 && c.height > 0 {
			t.Errorf("read %+v", c)
		}
		for _, row := range c.schedule.Days {
			for _, i := range row {
				if i.From < 0 || i.To <= i.From || i.To > dayMinutes || i.Mode == "" {
					t.Errorf("interval %+v", i)
				}
			}
		}
	})
}

func FuzzNxFootage(f *testing.F) {
	f.Add([]byte(`[{"startTimeMs":1794720000000,"durationMs":86400000},{"startTimeMs":"1795248000000"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		oldest, newest, err := nxFootage(answer{body: text})
		if err == nil && oldest.known() && newest.at.Before(oldest.at) {
			t.Errorf("from %s to %s", oldest.at, newest.at)
		}
	})
}

package interrogate

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

const mtxWritten = "loggia-mediamtx"

func TestMediaMTX(t *testing.T) {
	got, d := lookAt(t, loadRecorder(t, mtxWritten))
	compareChannels(t, got, []readChannel{
		{"cortile", "cortile", 0, 0, false, off(), protocol.Retention{Kind: byAge, Age: 24 * time.Hour}, 0},
		{"ingresso", "ingresso", 1920, 1080, false, always(protocol.Continuous), protocol.Retention{Kind: byAge, Age: 72 * time.Hour}, 70},
		{"loggia/portone", "loggia/portone", 0, 0, false, always(protocol.Continuous), protocol.Retention{Kind: byAge, Age: 36 * time.Hour}, 35},
		{"vuoto", "vuoto", 0, 0, false, protocol.Schedule{}, protocol.Retention{}, 0},
		{"ospite1", "ospite1", 0, 0, false, always(protocol.Continuous), protocol.Retention{}, 2000},
	})
	if got.Family != MediaMTX || got.Kind != KindRecorder || got.Vendor != "MediaMTX" || got.Firmware != "v1.15.3" || got.Kept != KeptDisk ||
		got.Needs != NeedsNothing || len(whats(ownProblems(got))) != 0 {
		t.Errorf("read %+v", got)
	}
	checkClock(t, got, -3*time.Minute)
	if f := got.Channels[4].Facts["retention"]; f.Raw != "recordDeleteAfter 0s" {
		t.Errorf("the retention of what keeps all is said to be %q", f.Raw)
	}
	for _, r := range d.Requests() {
		if strings.HasPrefix(r.Path, "/v3/") && r.Method != http.MethodGet || strings.Contains(r.Path, "global") {
			t.Errorf("it was asked %s %s", r.Method, r.Path)
		}
	}
	holdsNone(t, got, "SENTINEL-wrong", "SENTINEL-P", "SENTINEL-STREAM", "SENTINEL-SECRET")
}

func TestMediaMTXBroken(t *testing.T) {
	huge := slices.Repeat([]byte("x"), maxAnswer+1)
	for name, tc := range map[string]struct {
		file     string
		content  []byte
		channels int
		problems []string
		holds    func(Device) bool
	}{
		"no settings":      {"conf-0.json", []byte(`{"items":{}}`), 0, []string{"mediamtx"}, nil},
		"huge settings":    {"conf-0.json", huge, 0, []string{"mediamtx"}, nil},
		"no version":       {"info.json", []byte(`{`), 5, nil, func(d Device) bool { return d.Firmware == "" }},
		"many segments":    {"segments-ingresso.json", huge, 5, []string{"oldest segment of ingresso"}, func(d Device) bool { return d.Channels[1].Retention.OldestFootage.IsZero() }},
		"a path elsewhere": {"conf-1.json", []byte(`{"items":[{"name":"../../config/global/get","record":true}]}`), 4, []string{"oldest segment of ../../config/global/get"}, nil},
		"no segments":      {"segments-ingresso.json", []byte(`{"segments":[{}]}`), 5, nil, func(d Device) bool { return d.Channels[1].Retention.OldestFootage.IsZero() }},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := lookAt(t, loadRecorder(t, mtxWritten).Replacing(map[string][]byte{tc.file: tc.content}))
			if len(got.Channels) != tc.channels || !slices.Equal(whats(ownProblems(got)), tc.problems) {
				t.Errorf("%d channels, problems %v", len(got.Channels), got.Errors)
			}
			if tc.holds != nil && !tc.holds(got) {
				t.Errorf("read %+v", got)
			}
		})
	}
}

// TestMediaMTXEndless asks one that says it has pages without end.
func TestMediaMTXEndless(t *testing.T) {
	for item, most := range map[string]int{"": 2, `{"name":"x","record":true}`: maxChannels + 2} {
		asked := 0
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			first := item
			if asked == 1 {
				first = `{"name":"primo"}`
			}
			_, _ = w.Write([]byte(`{"pageCount":9000000,"items":[` + first + `]}`))
		})
		all, _, err := mtxAll[mtxConf](t.Context(), webTo(t, s, &memory{}), "/v3/config/paths/list")
		if err != nil || asked > most || len(all) > maxChannels {
			t.Errorf("%q: %d requests, %d paths, %v", item, asked, len(all), err)
		}
	}
}

// TestMediaMTXRecorded reads what a running one (commit 3e09466) answered.
func TestMediaMTXRecorded(t *testing.T) {
	dir := filepath.Join(sharedOnvif(t), "..", "recorders", "captured", "mediamtx-3e09466")
	file := func(name string) answer {
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return answer{body: body}
	}
	confs, err := jsonOf[mtxList[mtxConf]](file("confpaths.json"))
	if err != nil || confs.Pages != 1 {
		t.Fatalf("%+v, %v", confs, err)
	}
	alive, err := jsonOf[mtxList[mtxPath]](file("paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := mtxChannels(confs.Items, alive.Items, "paths")
	if len(all) != 3 {
		t.Fatalf("%d channels", len(all))
	}
	for i, want := range []struct {
		name string
		kind protocol.ScheduleKind
		age  time.Duration
	}{
		{"cortile", protocol.ScheduleAlways, 72 * time.Hour}, {"ingresso", protocol.ScheduleAlways, time.Minute}, {"sololive", protocol.ScheduleOff, 72 * time.Hour},
	} {
		if c := all[i]; c.name != want.name || c.schedule.Kind != want.kind || c.retention.Age != want.age || c.width != 320 || c.height != 240 {
			t.Errorf("read %+v, want %+v", c, want)
		}
	}
}

func TestMediaMTXIsNotAnybody(t *testing.T) {
	for name, tc := range map[string]struct {
		server string
		status int
		header string // WWW-Authenticate
		body   string
		want   likeness
	}{
		"itself":              {"mediamtx", 200, "", `{"itemCount":0,"pageCount":0,"items":[]}`, known},
		"it asks":             {"mediamtx", 401, `Basic realm="mediamtx"`, ``, known},
		"its player":          {"mediamtx", 200, "", `<html>`, stranger},
		"its player, asking":  {"mediamtx", 302, "", ``, stranger},
		"another's list":      {"nginx", 200, "", `{"itemCount":0,"pageCount":0,"items":[]}`, stranger},
		"it asks otherwise":   {"mediamtx", 401, `Bearer realm="mediamtx"`, ``, stranger},
		"another, that asks":  {"", 401, `Basic realm="mediamtx"`, ``, stranger},
		"a door with TLS":     {"", 400, "", "Client sent an HTTP request to an HTTPS server.\n", stranger},
		"it has no such page": {"mediamtx", 404, "", `{"error":"path not found"}`, stranger},
	} {
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", tc.server)
			if tc.header != "" {
				w.Header().Set("WWW-Authenticate", tc.header)
			}
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		})
		if got := (mediaMTX{}).recognise(t.Context(), webTo(t, s, &memory{})); got != tc.want {
			t.Errorf("%s: likeness %d, want %d", name, got, tc.want)
		}
	}
}

// TestRecordersMoveToTLS meets interfaces that answer only over TLS: MediaMTX says
// so with 400, before ZoneMinder stands what redirects.
func TestRecordersMoveToTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "mediamtx")
		_, _ = w.Write([]byte(`{"items":[],"version":"1.36.33","apiversion":"2.0"}`))
	}))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(t.Output(), nil), slog.LevelDebug)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := secure.Listener.Addr().String()
	plain := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+host+r.URL.Path, http.StatusMovedPermanently)
	})
	to := webTo(t, plain, &memory{})
	to.base.Host = host
	if got := (mediaMTX{}).recognise(t.Context(), to); got != known || to.base.Scheme != "https" {
		t.Errorf("MediaMTX: likeness %d, at %s", got, to.base.Scheme)
	}
	to = webTo(t, plain, &memory{})
	if got := (zoneMinder{}).recognise(t.Context(), to); got != known || to.base.Scheme != "https" {
		t.Errorf("ZoneMinder: likeness %d, at %s", got, to.base.Scheme)
	}
}

func TestMediaMTXAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3d": 72 * time.Hour, "1d12h0m0s": 36 * time.Hour, "1m0s": time.Minute, "24h0m0s": 24 * time.Hour, "1s": time.Second,
		"0s": 0, "": 0, "-1h0m0s": 0, "-1d": 0, "1d-1h0m0s": 0, "3": 0, "d": 0, "3d4": 0, "1d1d": 0, "99999d": 0, "65000d": 0, "2562047h": 0, "500ms": 0,
	} {
		if got, ok := mtxAge(text); ok != (want > 0) || ok && got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, ok, want)
		}
	}
}

func FuzzMediaMTX(f *testing.F) {
	f.Add([]byte(`{"pageCount":1,"items":[{"name":"a","confName":"~b","record":true,"recordDeleteAfter":"1d2h","tracks2":[{"codecProps":{"width":9}}]},{"name":"~b","record":false}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		confs, err1 := jsonOf[mtxList[mtxConf]](answer{body: b})
		alive, err2 := jsonOf[mtxList[mtxPath]](answer{body: b})
		if err1 != nil || err2 != nil {
			return
		}
		all := mtxChannels(confs.Items, alive.Items, "x")
		if len(all) > maxChannels {
			t.Errorf("%d channels", len(all))
		}
		for _, c := range all {
			if c.id == "" || c.retention.Kind == byAge && c.retention.Age < time.Second {
				t.Errorf("read %+v", c)
			}
		}
	})
}

package interrogate

import (
	"io"
	"net/http"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

var hikvisionShop = ownExpected{
	family: Hikvision, kind: KindRecorder, vendor: "Hikvision", model: "PROVA-NVR4", firmware: "V9.1.2 build 260105", serial: "SENTINEL-SERIAL-2001", name: "NVR Merceria",
	zone: "Europe/Rome", mac: "02:5e:47:20:01:01", kept: KeptDisk, offset: 7 * time.Minute,
	channels: []ownExpectedChannel{
		{id: "1", name: "Vetrina su via Torino", w: 2560, h: 1440, behind: &Identity{Serial: "SENTINEL-SERIAL-2071", Name: "Vetrina su via Torino", Address: "192.0.2.71"},
			schedule: always(protocol.Continuous), retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}, oldest: 160 * time.Hour},
		{id: "2", name: "Cassa", w: 1920, h: 1080, behind: &Identity{Name: "Cassa", Address: "192.0.2.72"},
			schedule: shopWeek(), retention: protocol.Retention{Kind: protocol.RetentionCapacity}, oldest: 1000 * time.Hour},
		{id: "3", name: "Là dietro", schedule: off()},
		{id: "4", name: "Magazzino", retention: protocol.Retention{Kind: protocol.RetentionCapacity}, oldest: 26 * time.Hour},
	},
}

// shopWeek is open from 8 to 19.30, with motion by night, which begins on Monday
// evening, on Sundays and on holidays.
func shopWeek() protocol.Schedule {
	night := protocol.Interval{From: 0, To: 480, Mode: protocol.Motion}
	open, evening := protocol.Interval{From: 480, To: 1170, Mode: protocol.Continuous}, protocol.Interval{From: 1170, To: 1440, Mode: protocol.Motion}
	s := everyDay(night, open, evening)
	s.Days[time.Monday] = []protocol.Interval{open, evening}
	s.Days[time.Sunday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Motion}}
	s.Days[protocol.Holiday] = s.Days[time.Sunday]
	return s
}

func TestHikvisionRecorder(t *testing.T) {
	for _, kind := range []cameratest.DigestKind{"", cameratest.DigestSHA256} {
		d := start(t, loadRecorder(t, "merceria-hikvision"), cameratest.Options{Quirks: cameratest.Quirks{Login: cameratest.LoginQuirks{Digest: kind, NonceUses: 5}}})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		compareOwn(t, got, hikvisionShop)
		if got.Needs != NeedsNothing || d.WrongAttempts() != 0 {
			t.Errorf("needs %q after %d wrong attempts", got.Needs, d.WrongAttempts())
		}
		onlyGets(t, d)
		for _, r := range d.Requests() {
			if r.Path == isapiInputs {
				t.Error("an NVR was asked for sockets")
			}
		}
		holdsNone(t, got, "SENTINEL-USER", "SENTINEL-LOGIN", "SENTINEL-URI", "SENTINEL-PASSWORD")
		factWords(t, got.Facts, "zone", "GET /ISAPI/System/time", "CST-1:00:00DST01:00:00", "localTime +05:30")
		factWords(t, got.Facts, "kept", "GET /ISAPI/ContentMgmt/Storage", "SATA ok")
		if len(got.Channels) != 4 {
			t.Fatal("channels are missing")
		}
		first, dark, last := got.Channels[0].Facts, got.Channels[2].Facts, got.Channels[3].Facts
		factWords(t, first, "name", "GET /ISAPI/ContentMgmt/InputProxy/channels", "Vetrina")
		factWords(t, first, "resolution", "GET /ISAPI/Streaming/channels", "2560x1440")
		factWords(t, first, "schedule", "GET /ISAPI/ContentMgmt/record/tracks", "enableSchedule true", "Sunday 00:00:00 - Monday 00:00:00 CMR")
		factWords(t, first, "retention", "GET /ISAPI/ContentMgmt/record/tracks", "P7DT0H", "durationEnabled true")
		factWords(t, first, "oldest", "POST /ISAPI/ContentMgmt/search", "Z")
		factWords(t, dark, "schedule", "GET /ISAPI/ContentMgmt/record/tracks", "enableSchedule false")
		factWords(t, dark, "retention", "GET /ISAPI/ContentMgmt/record/tracks", "P30DT0H", "durationEnabled is not told")
		factWords(t, last, "schedule", "GET /ISAPI/ContentMgmt/record/tracks", "ScheduleBlockList is not told")
	}
}

func TestHikvisionCamera(t *testing.T) {
	d := start(t, loadRecorder(t, "vetrina-hikvision"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	week := everyDay(protocol.Interval{From: 0, To: 1440, Mode: protocol.Continuous})
	week.Days[time.Saturday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Analytics}}
	week.Days[time.Sunday] = week.Days[time.Saturday]
	compareOwn(t, got, ownExpected{family: Hikvision, kind: KindCamera, vendor: "Hikvision", model: "PROVA-C4", firmware: "V9.0.1", serial: "SENTINEL-SERIAL-2002", name: "Vetrina",
		zone: "UTC+01:00", mac: "02:5e:47:20:02:01", kept: KeptSeveral, offset: -3 * time.Minute,
		channels: []ownExpectedChannel{{id: "1", name: "Vetrina da dentro", w: 2688, h: 1520, schedule: week,
			retention: protocol.Retention{Kind: protocol.RetentionCapacity}, oldest: 50 * time.Hour}}})
	if len(got.Channels) == 1 {
		factWords(t, got.Channels[0].Facts, "schedule", "GET /ISAPI/ContentMgmt/record/tracks", "pir", "24:00:00")
	}
	for _, r := range d.Requests() {
		if r.Path == isapiProxies {
			t.Error("a camera was asked for a recorder's channels")
		}
	}
}

// TestHikvisionRecognise: only its own answers are known; a bare challenge may be
// anybody's.
func TestHikvisionRecognise(t *testing.T) {
	challenge := func(w http.ResponseWriter) { w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n"`) }
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   likeness
	}{
		"open": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `<DeviceInfo`+isapiSpace+`/>`) }, known},
		"refuses in its words": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, `<ResponseStatus xmlns="http://www.hikvision.com/ver10/XMLSchema"/>`)
		}, known},
		"its server": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", "DNVRS-Webs")
			challenge(w)
			w.WriteHeader(401)
		}, known},
		"anybody's challenge": {func(w http.ResponseWriter, r *http.Request) { challenge(w); w.WriteHeader(401) }, locked},
		"401 without a challenge": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", "App-webs/")
			w.WriteHeader(401)
		}, stranger},
		"a page for every path":   {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>hikvision</html>") }, stranger},
		"a challenge without 401": {func(w http.ResponseWriter, r *http.Request) { challenge(w); w.WriteHeader(404) }, stranger},
		"not found":               {http.NotFound, stranger},
		"its server, not found": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", "App-webs/")
			w.WriteHeader(404)
		}, stranger},
	} {
		asked := 0
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			if r.Header.Get("Authorization") != "" || r.URL.Path != "/ISAPI/System/deviceInfo" {
				t.Errorf("%s: %s with %q", name, r.URL.Path, r.Header.Get("Authorization"))
			}
			c.answer(w, r)
		})
		if got := (hikvision{}).recognise(t.Context(), webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})); got != c.want || asked != 1 {
			t.Errorf("%s: %d after %d requests, want %d", name, got, asked, c.want)
		}
	}
}

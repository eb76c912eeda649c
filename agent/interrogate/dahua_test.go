package interrogate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// dahuaShop is the recorder of merceria-dahua.
var dahuaShop = ownExpected{
	family: Dahua, kind: KindRecorder, vendor: "Provador", model: "PROVA-NVR4104", firmware: "9.002.0000000.2.R,build:2026-01-05", serial: "SENTINEL-SERIAL-2003", name: "NVR Merceria",
	zone: "UTC+01:00", kept: KeptSeveral, offset: -4 * time.Minute,
	channels: []ownExpectedChannel{
		{id: "1", name: "Vetrina su via Torino", w: 2560, h: 1440, schedule: always(protocol.Continuous), retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}, oldest: 160 * time.Hour},
		{id: "2", name: "Cassa", w: 1920, h: 1080, schedule: dahuaShopWeek(), retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}, oldest: 160 * time.Hour},
		{id: "3", name: "Là dietro", w: 1280, h: 720, schedule: off(), retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}},
	},
}

// dahuaShopWeek: masks 6, 39 and 32 on weekdays, 2 on Sundays, 16 on holidays.
func dahuaShopWeek() protocol.Schedule {
	s := everyDay(protocol.Interval{From: 0, To: 480, Mode: protocol.Motion}, protocol.Interval{From: 480, To: 1170, Mode: protocol.Continuous}, protocol.Interval{From: 1170, To: 1440, Mode: protocol.Alarm})
	s.Days[time.Sunday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Motion}}
	s.Days[protocol.Holiday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Analytics}}
	return s
}

func TestDahuaRecorder(t *testing.T) {
	d := start(t, loadRecorder(t, "merceria-dahua"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	compareOwn(t, got, dahuaShop)
	if got.Needs != NeedsNothing || d.WrongAttempts() != 0 {
		t.Errorf("needs %q after %d wrong attempts", got.Needs, d.WrongAttempts())
	}
	onlyGets(t, d)
	holdsNone(t, got, "SENTINEL-FILE", "SENTINEL-PASSWORD")
	factWords(t, got.Facts, "zone", "GET /cgi-bin/global.cgi?action=getCurrentTime", "TimeZone 1", "DSTEnable false")
	factWords(t, got.Facts, "kept", "GET /cgi-bin/configManager.cgi?action=getConfig&name=RecordStoragePoint", "FTP Local")
	if len(got.Channels) != 3 {
		t.Fatal("channels are missing")
	}
	second := got.Channels[1].Facts
	const config = "GET /cgi-bin/configManager.cgi?action=getConfig&name="
	factWords(t, second, "name", config+"ChannelTitle", "Cassa")
	factWords(t, second, "resolution", config+"Encode", "1920x1080")
	factWords(t, second, "schedule", config+"Record", "RecordMode 0", "39 08:00:00-19:30:00", "holiday 16")
	factWords(t, second, "retention", config+"StorageGlobal", "StorageGlobal FileHoldTime 7 OverWrite true", "StorageGroup 0 FileHoldTime 0")
	factWords(t, second, "oldest", "GET /cgi-bin/mediaFileFind.cgi?action=findNextFile", "-")
	for _, r := range d.Requests() {
		if strings.Contains(r.Query, "RemoteDevice") || strings.Contains(r.Query, "setConfig") {
			t.Errorf("it was asked %s", r.Query)
		}
	}
}

func TestDahuaCamera(t *testing.T) {
	d := start(t, loadRecorder(t, "vetrina-dahua"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	compareOwn(t, got, ownExpected{family: Dahua, kind: KindCamera, vendor: "Provador", model: "PROVA-C2", firmware: "9.800.0000000.1.R,build:2025-10-10", serial: "SENTINEL-SERIAL-2004", name: "Vetrina",
		zone: "Europe/Rome", kept: KeptDisk, offset: 2 * time.Minute,
		channels: []ownExpectedChannel{{id: "1", name: "Vetrina da dentro", w: 2688, h: 1520, schedule: always(protocol.Continuous),
			retention: protocol.Retention{Kind: protocol.RetentionCapacity}, oldest: 50 * time.Hour}}})
}

// TestDahuaLockedOut: a locked account is left alone, and for how long is said.
func TestDahuaLockedOut(t *testing.T) {
	d := start(t, loadRecorder(t, "merceria-dahua"), cameratest.Options{})
	for i := range 4 { // another program
		w := webTo(t, serveWeb(t, d.ServeHTTP), &memory{given: Credential{User: "anagrafe", Password: fmt.Sprint("SENTINEL-PASSWORD-WRONG-", i)}})
		if _, err := w.get(t.Context(), dahuaBox, "action=getSystemInfo"); err == nil {
			t.Fatal("a wrong password was right")
		}
	}
	before := len(d.Requests())
	m := owner(d)
	got := asker(t, m).Ask(t.Context(), named(d))
	if text := fmt.Sprint(got.Errors); !strings.Contains(text, "30 minutes") || len(m.refused) != 0 || len(got.Channels) != 0 {
		t.Errorf("problems %s; remembered as refused: %v", text, m.refused)
	}
	signed := 0
	for _, r := range d.Requests()[before:] {
		if r.Scheme != "" {
			signed++
		}
	}
	if signed != 1 {
		t.Errorf("a locked account was tried %d times", signed)
	}
}

func TestLockedOut(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		still  time.Duration
		locked bool
	}{
		{403, `{"ErrorCode":268632081,"Result":false,"RmLock":1800,"RmLogin":0}`, 30 * time.Minute, true},
		{403, `{"RmLock":1790.5}`, 1790 * time.Second, true},
		{403, `{"RmLock":-1,"RmLogin":0}`, 0, true},
		{403, `{"RmLock":1e300}`, 0, true},
		{403, `{"RmLogin":0}`, 0, true},
		{403, `{"ErrorCode":1}`, 0, false},
		{403, "Error\r\nAuthority:check failure.\r\n", 0, false},
		{401, `{"RmLock":1800}`, 0, false},
	} {
		still, locked := lockedOut(answer{status: c.status, body: []byte(c.body)})
		if still != c.still || locked != c.locked {
			t.Errorf("%d %s: %s, %v", c.status, c.body, still, locked)
		}
	}
	for still, want := range map[time.Duration]string{0: "does not say for how long", 1790 * time.Second: "for 30 minutes more", time.Second: "for 1 minutes more"} {
		if text := (&lockError{still}).Error(); !strings.Contains(clean(text), want) {
			t.Errorf("%s: %s", still, text)
		}
	}
}

// dahuaDevice answers CGI from tables by name, and searches as a device does: each
// has an object of its own, which must be destroyed.
type dahuaDevice struct {
	mu      sync.Mutex
	tables  map[string]string // of getConfig, by name; a status of three digits in their place
	found   map[string]string // answer of findNextFile, or a status of findFile, by condition.Channel
	disks   string            // answer of storageDevice
	open    map[string]string // objects, with the channel that is searched
	made    int
	refused func(query string) (status int, body string) // before all else; 0: not
	asked   []string
}

func (d *dahuaDevice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := r.URL.Query()
	d.asked = append(d.asked, r.URL.Path+"?"+r.URL.RawQuery)
	say := func(text string) {
		if status, err := strconv.Atoi(text); err == nil {
			w.WriteHeader(status)
			text = "Error\n"
			if status == http.StatusForbidden {
				text += "Authority:check failure.\n"
			}
		}
		io.WriteString(w, strings.ReplaceAll(text, "\n", "\r\n"))
	}
	if d.refused != nil {
		if status, body := d.refused(r.URL.RawQuery); status != 0 {
			w.WriteHeader(status)
			io.WriteString(w, body)
			return
		}
	}
	object := q.Get("object")
	switch action := q.Get("action"); {
	case strings.HasPrefix(r.URL.Path, "/onvif"):
		w.WriteHeader(http.StatusNotFound)
	case action == "getVendor":
		say("vendor=Prova\n")
	case action == "getSystemInfo":
		say("serialNumber=SENTINEL-SERIAL-2005\nupdateSerial=PROVA-SERIE\n")
	case action == "getCurrentTime":
		say("result=" + time.Now().UTC().Add(time.Hour).Format(time.DateTime) + "\n")
	case action == "getConfig" && d.tables[q.Get("name")] != "":
		say(d.tables[q.Get("name")])
	case action == "getConfig":
		say("403")
	case action == "getDeviceAllInfo" && d.disks != "":
		say(d.disks)
	case action == "factory.create":
		d.made++
		object = fmt.Sprint(1000 + d.made)
		d.open[object] = ""
		say("result=" + object + "\n")
	case d.open[object] == "" && action == "findFile":
		d.open[object] = q.Get("condition.Channel")
		if answer := d.found[d.open[object]]; answer == "400" {
			say(answer)
			return
		}
		say("OK\n")
	case action == "findNextFile" && d.open[object] != "":
		say(d.found[d.open[object]])
	case action == "close" && d.open[object] != "":
		d.open[object] = "closed"
		say("OK\n")
	case action == "destroy" && d.open[object] == "closed":
		delete(d.open, object)
		say("OK\n")
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func (d *dahuaDevice) ask(t *testing.T) Device {
	t.Helper()
	d.open = map[string]string{}
	return asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), namedServer(t, d.ServeHTTP))
}

// wholeWeek is the table Record of some channels, with one mask on every day and on
// holidays.
func wholeWeek(mask int, channels ...int) string {
	text := ""
	for _, n := range channels {
		for day := range 8 {
			text += fmt.Sprintf("table.Record[%d].TimeSection[%d][0]=%d 00:00:00-23:59:59\n", n, day, mask)
		}
	}
	return text
}

// file is what is found of a channel, of what began then.
func file(channel int, at time.Time) string {
	return fmt.Sprintf("found=1\nitems[0].Channel=%d\nitems[0].StartTime=%s\n", channel, at.UTC().Add(time.Hour).Format(time.DateTime))
}

// plainTables are of a recorder with three channels that record always.
func plainTables() map[string]string {
	return map[string]string{
		"General": "table.General.MachineName=Prova\n", "NTP": "table.NTP.TimeZone=1\n", "Locales": "table.Locales.DSTEnable=false\n",
		"ChannelTitle": "table.ChannelTitle[0].Name=Uno\ntable.ChannelTitle[1].Name=Due\ntable.ChannelTitle[2].Name=Tre\n",
		"Encode":       "table.Encode[0].MainFormat[0].Video.resolution=1920x1080\ntable.Encode[1].A=1\ntable.Encode[2].A=1\n",
		"Record":       wholeWeek(1, 0, 1, 2), "RecordMode": "table.RecordMode[0].Mode=0\ntable.RecordMode[1].Mode=0\ntable.RecordMode[2].Mode=0\n",
		"StorageGlobal": "table.StorageGlobal.FileHoldTime=0\n", "StorageGroup": "table.StorageGroup[0].FileHoldTime=0\ntable.StorageGroup[0].OverWrite=true\n",
		"RecordStoragePoint": "table.RecordStoragePoint[0].TimingRecord.Local=true\n",
	}
}

// TestDahuaFiles: settings count channels from 0, the search from 1, its answer from
// 0 again; 400 is "nothing recorded"; what tells of another channel is not believed;
// every search is closed and destroyed.
func TestDahuaFiles(t *testing.T) {
	oldest := time.Now().Add(-70 * time.Hour)
	d := &dahuaDevice{tables: plainTables(), found: map[string]string{"1": file(0, oldest), "2": "400", "3": file(3, oldest)}}
	got := d.ask(t)
	if len(got.Channels) != 3 {
		t.Fatalf("channels %+v, problems %v", got.Channels, got.Errors)
	}
	if at := got.Channels[0].Retention.OldestFootage; at.Sub(oldest).Abs() > 3*time.Second {
		t.Errorf("the oldest footage is of %s, want %s", at, oldest)
	}
	checkOldest(t, got.Channels[1], false, 0)
	checkOldest(t, got.Channels[2], false, 0)
	if got.Model != "PROVA-SERIE" || got.Kind != KindRecorder {
		t.Errorf("model %q, %s", got.Model, got.Kind)
	}
	if len(ownProblems(got)) != 1 || ownProblems(got)[0].What != "mediaFileFind" || !strings.Contains(ownProblems(got)[0].Why, "channel 3") {
		t.Errorf("problems %v", got.Errors)
	}
	if d.made != 3 || len(d.open) != 0 {
		t.Errorf("%d searches were begun, still there: %v", d.made, d.open)
	}
	const want = "/cgi-bin/mediaFileFind.cgi?action=findFile&object=1001&condition.Channel=1&condition.StartTime=2000-01-01%2000:00:00&condition.EndTime=2038-01-01%2000:00:00&condition.Types[0]=dav"
	if !slices.Contains(d.asked, want) {
		t.Errorf("asked %q", d.asked)
	}
}

// TestDahuaSearchIsClosed also when a later answer breaks, or the account is locked
// meanwhile for what follows.
func TestDahuaSearchIsClosed(t *testing.T) {
	for name, answer := range map[string]string{
		"none": "found=0\n", "no date": "found=1\nitems[0].StartTime=soon\n", "broken": "<html>", "empty": "\n", "refused": "500",
	} {
		t.Run(name, func(t *testing.T) {
			d := &dahuaDevice{tables: plainTables(), found: map[string]string{"1": answer, "2": answer, "3": answer}}
			got := d.ask(t)
			if len(got.Channels) != 3 || d.made != 3 || len(d.open) != 0 {
				t.Errorf("%d channels, %d searches, still there: %v", len(got.Channels), d.made, d.open)
			}
			if n := len(ownProblems(got)); n > 1 || name == "none" != (n == 0) {
				t.Errorf("problems %v", got.Errors)
			}
		})
	}
}

// TestDahuaTimeIsUp in the midst of a search: it is closed all the same, and no other
// is begun.
func TestDahuaTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &dahuaDevice{tables: plainTables(), found: map[string]string{}, open: map[string]string{}}
	d.refused = func(query string) (int, string) {
		if strings.Contains(query, "findFile") {
			cancel()
		}
		return 0, ""
	}
	got, err := dahua{}.read(ctx, webTo(t, serveWeb(t, d.ServeHTTP), &memory{}))
	if err != nil || len(got.channels) != 3 || got.channels[2].schedule.Kind != protocol.ScheduleAlways || got.channels[0].oldest.known() {
		t.Errorf("channels %+v, error %v", got.channels, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made != 1 || len(d.open) != 0 {
		t.Errorf("%d searches were begun, still there: %v", d.made, d.open)
	}
	if len(got.problems) != 1 || !strings.Contains(got.problems[0].Why, "1 of 3 channels") {
		t.Errorf("problems %v", got.problems)
	}
}

// TestDahuaRefusedParts: refused and unknown settings are told alike, and are unknown,
// never off. Without RecordMode a week proves nothing.
func TestDahuaRefusedParts(t *testing.T) {
	for _, name := range []string{"Record", "RecordMode", "StorageGlobal", "StorageGroup", "Encode", "ChannelTitle", "Locales", "NTP", "RecordStoragePoint", "General"} {
		for _, answer := range []string{"403", "404", "<html>", "table.Other.X=1\n", strings.Repeat("x", maxAnswer+1)} {
			t.Run(name+" "+answer[:3], func(t *testing.T) {
				d := &dahuaDevice{tables: plainTables(), found: map[string]string{}}
				d.tables[name] = answer
				got := d.ask(t)
				if len(got.Channels) != 3 {
					t.Fatalf("channels %+v, problems %v", got.Channels, got.Errors)
				}
				ch := got.Channels[0]
				if (ch.Schedule.Kind == protocol.ScheduleAlways) != (name != "Record" && name != "RecordMode") || ch.Schedule.Kind == protocol.ScheduleOff {
					t.Errorf("schedule %+v", ch.Schedule)
				}
				if (ch.Retention.Kind == protocol.RetentionCapacity) != (name != "StorageGlobal" && name != "StorageGroup") {
					t.Errorf("retention %+v", ch.Retention)
				}
				if (ch.Name == "Uno") != (name != "ChannelTitle") || (ch.WidthPx == 1920) != (name != "Encode") || got.ZoneAssumed != (name == "NTP" || name == "Locales") {
					t.Errorf("name %q, width %d, zone %q, assumed %v", ch.Name, ch.WidthPx, got.Zone, got.ZoneAssumed)
				}
				told := false
				for _, p := range got.Errors {
					told = told || p.What == name
					if p.What == name && answer == "403" && !strings.Contains(p.Why, "alike") {
						t.Errorf("the refusal is told as %q", p.Why)
					}
				}
				if told != (answer != "404" && name != "RecordStoragePoint") {
					t.Errorf("problems %v", got.Errors)
				}
			})
		}
	}
}

// TestDahuaLockedMeanwhile: an account that is locked during the look ends it; what
// was read stays.
func TestDahuaLockedMeanwhile(t *testing.T) {
	d := &dahuaDevice{tables: plainTables(), found: map[string]string{}}
	d.refused = func(query string) (int, string) {
		if strings.Contains(query, "StorageGlobal") || strings.Contains(query, "StorageGroup") || strings.Contains(query, "factory") {
			return http.StatusForbidden, `{"ErrorCode":268632081,"RmLock":600}`
		}
		return 0, ""
	}
	got := d.ask(t)
	if len(got.Channels) != 3 || got.Channels[0].Schedule.Kind != protocol.ScheduleAlways || !strings.Contains(fmt.Sprint(got.Errors), "10 minutes") {
		t.Errorf("channels %+v, problems %v", got.Channels, got.Errors)
	}
	if last := d.asked[len(d.asked)-1]; !strings.Contains(last, "StorageGlobal") && !strings.Contains(last, "onvif") && last != "/?" {
		t.Errorf("after that it was asked %s", last)
	}
}

// TestDahuaRecognise: only its own answers are known; a bare challenge may be
// anybody's.
func TestDahuaRecognise(t *testing.T) {
	refuse := func(challenge, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if challenge != "" {
				w.Header().Set("WWW-Authenticate", challenge)
			}
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   likeness
	}{
		"open":      {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "vendor=Prova\r\n") }, known},
		"its realm": {refuse(`Digest realm="Login to SENTINEL-SERIAL-2006", qop="auth", nonce="1", opaque="2"`, ""), known},
		"its words": {refuse(`Digest realm="r", nonce="1"`, "Error\r\nInvalid Authority!\r\n"), known},
		"locked": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			io.WriteString(w, `{"RmLock":1800,"RmLogin":0}`)
		}, known},
		"anybody's challenge":     {refuse(`Digest realm="r", nonce="1"`, "Unauthorized"), locked},
		"anybody's login":         {refuse(`Basic realm="Login to the site"`, ""), locked},
		"401 without a challenge": {refuse("", "Invalid Authority!"), stranger},
		"a page for every path":   {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>vendor=Dahua</html>") }, stranger},
		"not found":               {http.NotFound, stranger},
		"a challenge without 401": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", "Digest")
			w.WriteHeader(404)
		}, stranger},
		"forbidden": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, stranger},
	} {
		asked := 0
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			if r.Header.Get("Authorization") != "" || r.RequestURI != "/cgi-bin/magicBox.cgi?action=getVendor" {
				t.Errorf("%s: %s with %q", name, r.RequestURI, r.Header.Get("Authorization"))
			}
			c.answer(w, r)
		})
		if got := (dahua{}).recognise(t.Context(), webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})); got != c.want || asked != 1 {
			t.Errorf("%s: %d after %d requests, want %d", name, got, asked, c.want)
		}
	}
}

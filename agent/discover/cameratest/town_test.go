package cameratest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTown: both towns have at least 8 devices of at least 4 makers, every one
// found by some probe, and at least one that each probe misses.
func TestTown(t *testing.T) {
	for source, o := range map[string]TownOptions{
		HandWritten: {Cameras: writtenCameras},
		Recorded:    {Shared: "set below"},
	} {
		t.Run(source, func(t *testing.T) {
			if source == Recorded {
				o.Shared = filepath.Dir(filepath.Dir(sharedOnvif(t)))
			}
			o.FirstHost = ownHost()
			lan, err := Town(o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = lan.Close() }()
			makers := map[string]bool{}
			var hosts []string
			for _, d := range lan.Devices {
				if d.c.Source != source || lan.Source != source {
					t.Errorf("%s is %s", d.o.Name, d.c.Source)
				}
				if d.c.Maker != "" {
					makers[strings.ToLower(d.c.Maker)] = true
				}
				hosts = append(hosts, d.o.Host)
			}
			if len(lan.Devices) < 8 || len(makers) < 4 {
				t.Errorf("%d devices of %d makers", len(lan.Devices), len(makers))
			}
			asked := 0
			for _, d := range lan.Devices {
				if user, password, ok := d.Credential(); ok {
					if asked++; user == "" || !strings.HasPrefix(password, "SENTINEL-") {
						t.Errorf("%s asks for %q, %q", d.o.Name, user, password)
					}
				}
			}
			if asked < 2 || asked > len(lan.Devices)-4 {
				t.Errorf("%d devices ask for a password", asked)
			}
			found := map[string]map[string]bool{}
			p := newProber(t, hosts...)
			for _, types := range []string{typesNVT, typesDevice, ""} {
				found[types] = map[string]bool{}
				p.probe("urn:uuid:"+types, types)
				for _, d := range lan.Devices {
					want := map[string]string{typesNVT: ProbeNVT, typesDevice: ProbeDevice, "": ProbeUntyped}[types]
					if slices.Contains(d.o.AnswerTo, want) {
						for !found[types][d.o.Endpoint] { // some answer twice
							found[types][p.reply().Matches[0].Endpoint] = true
						}
					}
				}
				if n := len(found[types]); n == 0 || n == len(lan.Devices) {
					t.Errorf("probe %q found %d of %d", types, n, len(lan.Devices))
				}
			}
			for _, d := range lan.Devices {
				if !found[typesNVT][d.o.Endpoint] && !found[typesDevice][d.o.Endpoint] && !found[""][d.o.Endpoint] {
					t.Errorf("%s answers no probe", d.o.Name)
				}
			}
			for name, want := range map[string]bool{lan.Devices[0].o.Host: true, "": false} {
				if slices.Contains(Sentinels(lan.Devices...), name) != want {
					t.Errorf("%q among the sentinels: %v", name, !want)
				}
			}
		})
	}
}

// TestNoAuth: then nobody asks for a password but who refuses everything.
func TestNoAuth(t *testing.T) {
	lan, err := Town(TownOptions{Cameras: writtenCameras, NoAuth: true, FirstHost: ownHost()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lan.Close() }()
	for _, d := range lan.Devices {
		if status, body := ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", "")); status != 200 {
			t.Errorf("%s: HTTP %d %s", d.o.Name, status, body)
		}
	}
}

func TestTownFails(t *testing.T) {
	for name, o := range map[string]TownOptions{
		"no cameras":   {Cameras: t.TempDir()},
		"no folder":    {Cameras: filepath.Join(t.TempDir(), "absent")},
		"no such host": {Cameras: writtenCameras, FirstHost: "home"},
		"foreign host": {Cameras: writtenCameras, FirstHost: "192.0.2.77"},
	} {
		if lan, err := Town(o); err == nil {
			_ = lan.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// TestTownFailsWhole: when a device cannot be started, those before it are gone.
func TestTownFailsWhole(t *testing.T) {
	const last, port = "127.255.255.254", 50087 // what follows is a broadcast address
	lan, err := Town(TownOptions{Cameras: writtenCameras, FirstHost: last, Port: port})
	if err == nil {
		_ = lan.Close()
		t.Fatal("a device on a broadcast address")
	}
	start(t, load(t, "videofavola-cubo"), Options{Host: last, Port: port})
}

// TestWritten: each hand-written device has what every device is asked, is in
// the table of the README, and marks what must not leave.
func TestWritten(t *testing.T) {
	all, err := LoadDirs(writtenCameras)
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(writtenCameras, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		for _, name := range []string{timeOperation, "GetDeviceInformation", "GetScopes", "GetServices", "GetCapabilities", "GetNetworkInterfaces", "GetProfiles", "GetVideoSources"} {
			if _, how := find(c.Answers, call{operation: name}); how != fits {
				t.Errorf("%s has no %s", c.Name, name)
			}
		}
		if !strings.Contains(string(readme), "| "+c.Name+" |") {
			t.Errorf("%s is not in README.md", c.Name)
		}
		sentinels := c.sentinels()
		for _, want := range []string{"SENTINEL-SERIAL-", "SENTINEL-STREAM-", "SENTINEL-SNAPSHOT-", "SENTINEL-HOST-", "02:5E:47:", "192.0.2."} {
			if !slices.ContainsFunc(sentinels, func(s string) bool { return strings.HasPrefix(s, want) }) {
				t.Errorf("%s has no sentinel %s", c.Name, want)
			}
		}
		for _, a := range c.Answers {
			for _, serial := range texts(a.Body, "SerialNumber") {
				if !strings.HasPrefix(serial, "SENTINEL-") {
					t.Errorf("%s: serial number %s is no sentinel", c.Name, serial)
				}
			}
		}
		if o := c.Defaults; !strings.HasPrefix(o.Endpoint, "urn:uuid:5e471e15-") || o.Auth != "" && !strings.HasPrefix(o.Password, "SENTINEL-") || len(o.Scopes) == 0 {
			t.Errorf("%s: %+v", c.Name, o)
		}
	}
}

// TestSentinels: what is looked for in all that leaves, of a recorded camera.
func TestSentinels(t *testing.T) {
	c, err := LoadRecorded(sharedOnvif(t) + "/AXIS_P3818-PVE_11.9.60")
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, c, Options{Host: ownHost(), Auth: AuthToken, User: "user", Password: "secret-password"})
	got := Sentinels(d)
	for _, want := range []string{
		"B8A44F6614D7", "b8:a4:4f:66:14:d7", "B8-A4-4F-66-14-D7", "192.168.2.82", "http://192.168.2.82/onvif/services",
		"urn:uuid:555a3d17-6698-43d9-9a52-2a199ff14dec", "555a3d17-6698-43d9-9a52-2a199ff14dec",
		d.o.Host, d.Address().String(), "secret-password",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, text := range got {
		if len(text) < 6 || text == c.Model || text == "127.0.0.1" || text == "0.0.0.0" || strings.HasPrefix(text, "http://www.") {
			t.Errorf("%q is told by everyone", text)
		}
	}
	found := map[string]bool{}
	if addSecret(found, "StreamUri", "rtsp://10.1.2.3:554/x"); !found["10.1.2.3"] {
		t.Error("the host of a stream address is missing")
	}
}

// TestBadFolders: what is wrong with a folder is said.
func TestBadFolders(t *testing.T) {
	device := map[string]string{"device.json": "{}"}
	with := func(more map[string]string) map[string]string {
		for name, text := range device {
			if _, ok := more[name]; !ok {
				more[name] = text
			}
		}
		return more
	}
	dir := func(files map[string]string) string {
		d := t.TempDir()
		for name, text := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(d, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	const head = "file\tendpoint_path\trequest\n"
	for name, tc := range map[string]struct {
		load  func(string) (*Conversation, error)
		files map[string]string
		says  string
	}{
		"no device.json":     {LoadDir, map[string]string{"GetScopes.xml": "<tds:GetScopesResponse/>"}, "device.json"},
		"unknown key":        {LoadDir, map[string]string{"device.json": `{"colour":"red"}`}, "colour"},
		"no duration":        {LoadDir, map[string]string{"device.json": `{"clock_offset":"soon"}`}, "clock_offset"},
		"no zone":            {LoadDir, map[string]string{"device.json": `{"zone":"Europe/Atlantis"}`}, "zone"},
		"no answers":         {LoadDir, device, "no answers"},
		"ill-formed":         {LoadDir, with(map[string]string{"GetScopes.xml": "<tds:GetScopesResponse>"}), "GetScopes.xml"},
		"wrong answer":       {LoadDir, with(map[string]string{"GetScopes.xml": "<tds:GetDNSResponse/>"}), "GetDNSResponse"},
		"no index":           {LoadRecorded, device, "INDEX.tsv"},
		"empty index":        {LoadRecorded, map[string]string{"INDEX.tsv": head}, "no answers"},
		"missing file":       {LoadRecorded, map[string]string{"INDEX.tsv": head + "001-GetDNS.http200.xml\ta\t<b/>\n"}, "line 2"},
		"misnamed file":      {LoadRecorded, map[string]string{"INDEX.tsv": head + "GetDNS.xml\ta\t<b/>\n"}, "line 2"},
		"two columns":        {LoadRecorded, map[string]string{"INDEX.tsv": head + "001-GetDNS.http200.xml\ta\n"}, "line 2"},
		"empty collection":   {LoadHawkeye, map[string]string{"README": ""}, "no answers"},
		"unknown service":    {LoadHawkeye, map[string]string{"tea/GetTea.Response.xml": "<a/>"}, "tea"},
		"no such collection": {LoadHawkeye, nil, ""},
	} {
		d := dir(tc.files)
		if tc.files == nil {
			d = filepath.Join(d, "absent")
		}
		if _, err := tc.load(d); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want one about %q", name, err, tc.says)
		}
	}
	if _, err := LoadProfileG(t.TempDir()); err == nil {
		t.Error("Profile G from an empty folder")
	}
}

// TestDeviceFile: device.json of every device has all its fields used; a field
// that has no effect would be a lie. The loader must carry each of them.
func TestDeviceFile(t *testing.T) {
	text := `{"about":"x","endpoint":"urn:uuid:1","scopes":["a"],"types":["b"],"answer_to":["Device"],"mdns":["_x._tcp"],"auth":"both","user":"u",
		"password":"p","token_skew":"1s","clock_offset":"2s","zone":"Europe/Rome","envelope":"env","lockout_after":3,"auth_status":401,"ephemeral_port":true,"answers_twice":true}`
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil || len(fields) != 17 {
		t.Fatal(err, len(fields))
	}
	name := filepath.Join(t.TempDir(), "device.json")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var c Conversation
	if err := c.readDevice(name); err != nil {
		t.Fatal(err)
	}
	o := c.Defaults
	if o.Endpoint == "" || o.Scopes == nil || o.Types == nil || o.AnswerTo == nil || o.MDNS == nil || o.Auth == "" || o.User == "" || o.Password == "" ||
		o.TokenSkew == 0 || o.ClockOffset == 0 || c.zone == nil || c.envelope == "" ||
		o.Quirks != (Quirks{LockoutAfter: 3, AuthStatus: 401, EphemeralPort: true, AnswersTwice: true}) {
		t.Errorf("%+v", c)
	}
}

package interrogate

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// TestLargeRecorders reads recorders with many channels: every channel has its
// own name, age and retention, over two connections, without a call for each.
func TestLargeRecorders(t *testing.T) {
	for _, channels := range []int{64, 256} {
		t.Run(fmt.Sprint(channels), func(t *testing.T) {
			t.Parallel()
			c := cameratest.Recorder(channels, cameratest.RecorderOptions{Analogue: 8, Oldest: 60 * time.Hour})
			d := start(t, c, cameratest.Options{Auth: cameratest.AuthToken, User: "u", Password: "p", Latency: 20 * time.Millisecond})
			got := asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), sighted(d))
			if got.Kind != KindRecorder || len(got.Channels) != channels || len(got.Errors) > 0 {
				t.Fatalf("%s with %d channels, problems %v", got.Kind, len(got.Channels), got.Errors)
			}
			names := map[string]bool{}
			for i, ch := range got.Channels {
				names[ch.Name] = true
				w, h := 2560, 1440
				if i < 8 {
					w, h = 960, 576
				}
				if ch.WidthPx != w || ch.HeightPx != h || ch.Analogue != (i < 8) {
					t.Fatalf("channel %d: %d x %d, analogue: %v", i+1, ch.WidthPx, ch.HeightPx, ch.Analogue)
				}
				if ch.Schedule.Kind != protocol.ScheduleAlways || ch.Retention.Age != 72*time.Hour || ch.Camera != nil {
					t.Fatalf("channel %d: %+v", i+1, ch)
				}
				checkOldest(t, ch, true, 60*time.Hour)
			}
			if len(names) != channels {
				t.Errorf("%d different names", len(names))
			}
			from := map[netip.AddrPort]bool{}
			for _, r := range d.Requests() {
				if r.Method != http.MethodGet { // of other than ONVIF
					from[r.From] = true
				}
			}
			if n := len(d.Requests()); n > 24 || len(from) > connections {
				t.Errorf("%d requests on %d connections", n, len(from))
			}
			onlyReads(t, d)
		})
	}
}

// TestHiddenCameras: the cameras on a recorder's own ports, as far as it tells.
func TestHiddenCameras(t *testing.T) {
	const endpoint = "urn:uuid:5e471e15-0000-4000-8000-00000000ca01"
	c := cameratest.Recorder(8, cameratest.RecorderOptions{Offline: 1, Behind: []cameratest.Hidden{
		{Channel: 2, Endpoint: endpoint, Serial: "SN20260001", Name: "Cortile dietro", Address: "http://192.168.254.3/onvif/device_service"},
		{Channel: 3, Serial: "SN20260002", Address: "rtsp://admin:segreta@192.168.254.4:554/stream"},
		{Channel: 8, Serial: "SN20260003"},
	}})
	d := start(t, c, cameratest.Options{})
	got := asker(t, nil).Ask(t.Context(), sighted(d))
	if len(got.Channels) != 8 || len(got.Errors) > 0 {
		t.Fatalf("%d channels, problems %v", len(got.Channels), got.Errors)
	}
	for i, want := range []*Identity{
		nil,
		{Serial: "SN20260001", Endpoint: endpoint, Name: "Cortile dietro", Address: "192.168.254.3"},
		{Serial: "SN20260002", Name: got.Channels[2].Name, Address: "192.168.254.4"},
		nil, nil, nil, nil,
		{Serial: "SN20260003", Name: got.Channels[7].Name},
	} {
		if ch := got.Channels[i]; !reflect.DeepEqual(ch.Camera, want) || ch.Name == "" {
			t.Errorf("channel %d (%s): %+v, want %+v", i+1, ch.Name, ch.Camera, want)
		}
	}
}

func TestIdentityForms(t *testing.T) {
	for name, c := range map[string]struct {
		source recordingSource
		want   Identity
	}{
		"a token":       {recordingSource{ID: "ch-064"}, Identity{}},
		"tokens":        {recordingSource{ID: "SourceId_1", Description: "Description of source", Address: "http://www.onvif.org/ver10/schema/Profile", Name: "IpCamera_1"}, Identity{Name: "IpCamera_1"}},
		"mac":           {recordingSource{ID: "44-19-B6-88-26-B5"}, Identity{MACs: []string{"44:19:b6:88:26:b5"}}},
		"address":       {recordingSource{Address: "192.168.254.7"}, Identity{Address: "192.168.254.7"}},
		"port":          {recordingSource{Address: "192.168.254.7:8000"}, Identity{Address: "192.168.254.7"}},
		"ipv6":          {recordingSource{Address: "http://[fe80::7%25eth0]/onvif"}, Identity{Address: "fe80::7"}},
		"nowhere":       {recordingSource{Address: "http://0.0.0.0/"}, Identity{}},
		"itself":        {recordingSource{Address: "http://127.0.0.1/"}, Identity{}},
		"a host's name": {recordingSource{Address: "http://camera.local/"}, Identity{}},
	} {
		var got Identity
		if got.learn(c.source); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestOwnIdentity: a source that is the device itself is no camera behind it.
func TestOwnIdentity(t *testing.T) {
	device := func(kind Kind, behind Identity) *Identity {
		d := Device{Kind: kind, Serial: "SN20260001", Channels: []Channel{{Camera: &behind}}}
		d.Sighting.Endpoint, d.Sighting.Address = "urn:uuid:A", netip.MustParseAddrPort("192.0.2.1:80")
		d.hideBehind()
		return d.Channels[0].Camera
	}
	for name, got := range map[string]*Identity{
		"serial":   device(KindRecorder, Identity{Serial: "SN20260001"}),
		"endpoint": device(KindRecorder, Identity{Endpoint: "urn:uuid:a"}),
		"a camera": device(KindCamera, Identity{Serial: "SN20260009"}),
	} {
		if got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := device(KindRecorder, Identity{Serial: "SN20260009", Address: "192.0.2.1"}); !reflect.DeepEqual(got, &Identity{Serial: "SN20260009"}) {
		t.Errorf("another camera: %+v", got)
	}
}

func TestDetailsOnce(t *testing.T) {
	var r readings
	r.learn("a", recordingDetails{Earliest: "1"})
	r.learn("a", recordingDetails{Earliest: "2"})
	if len(r.order) != 1 || r.details["a"].Earliest != "1" {
		t.Errorf("%+v", r)
	}
}

// TestTooManyProfiles: where the profiles do not fit into an answer, the sources
// are read alone; and a device that offers only Media2 is asked only that.
func TestTooManyProfiles(t *testing.T) {
	const source = `<tt:Name>%03d Cassa</tt:Name><tt:SourceToken>%d</tt:SourceToken>`
	var configurations, profiles2 strings.Builder
	for i := range 256 {
		fmt.Fprintf(&configurations, `<trt:Configurations xmlns:trt="http://www.onvif.org/ver10/media/wsdl" token="c%d">`+source+`</trt:Configurations>`, i, i, i)
		fmt.Fprintf(&profiles2, `<tds:Profiles token="p%d"><tds:Configurations><tds:VideoSource token="c%d">`+source+`</tds:VideoSource></tds:Configurations></tds:Profiles>`, i, i, i, i)
	}
	for name, c := range map[string]struct {
		service string
		answers map[string]string
	}{
		"media":  {nsMedia, map[string]string{"GetProfiles": strings.Repeat(" ", maxAnswer), "GetVideoSourceConfigurations": configurations.String()}},
		"media2": {nsMedia2, map[string]string{"GetProfiles": profiles2.String()}},
	} {
		t.Run(name, func(t *testing.T) {
			s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				op := operation.FindStringSubmatch(string(body))
				if op == nil { // another interface is looked for
					http.NotFound(w, r)
					return
				}
				if name == "media2" && strings.Contains(string(body), nsMedia) {
					t.Errorf("Media was asked, which it does not offer: %s", body)
				}
				answer := c.answers[op[1]]
				if op[1] == "GetServices" {
					answer = "<tds:Service><tds:Namespace>" + c.service + "</tds:Namespace><tds:XAddr>http://192.0.2.1/media</tds:XAddr></tds:Service>"
				}
				io.WriteString(w, envelopeWith("<tds:"+op[1]+"Response>"+answer+"</tds:"+op[1]+"Response>"))
			})
			got := asker(t, nil).Ask(t.Context(), s)
			if len(got.Channels) != 256 || got.Channels[7].Name != "007 Cassa" || len(got.Errors) != 1 { // the time, which it does not tell
				t.Errorf("%d channels, problems %v", len(got.Channels), got.Errors)
			}
		})
	}
}

var operation = regexp.MustCompile(`Body><\w+:(\w+)`)

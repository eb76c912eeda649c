package cameratest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRecorder: 64 and 256 channels, each named once wherever it is named, in
// answers that a reader with a limit of 1 MiB can take.
func TestRecorder(t *testing.T) {
	for _, n := range []int{1, 64, 256} {
		c := Recorder(n, RecorderOptions{})
		for _, a := range c.Answers {
			root, err := bodyElement(a.Body)
			if err != nil || root.Local != a.Operation+"Response" || root.Space != a.Namespace || len(a.Body) > 1<<20 {
				t.Errorf("%s: %v, %v, %d bytes", a.File, root, err, len(a.Body))
			}
		}
		d := start(t, c, Options{})
		get := func(path, namespace, operation, children string) []byte {
			t.Helper()
			status, body := ask(t, d, path, "", op(namespace, operation, children))
			if status != 200 {
				t.Fatalf("%s: HTTP %d %s", operation, status, body)
			}
			return body
		}
		profiles := get("/onvif/media_service", nsMedia, "GetProfiles", "")
		recordings := get("/onvif/recording_service", nsRecording, "GetRecordings", "")
		results := get("/onvif/search_service", nsSearch, "GetRecordingSearchResults", "<SearchToken>search-1</SearchToken>")
		sources := texts(recordings, "SourceId")
		seen := map[string]bool{}
		for _, name := range texts(recordings, "Name") {
			seen[name] = true
		}
		if len(seen) != n || len(sources) != n || !slices.Equal(texts(profiles, "SourceToken")[:2], []string{sources[0], sources[0]}) ||
			len(texts(profiles, "SourceToken")) != 2*n || !slices.Equal(texts(results, "SourceId"), sources) || !slices.Equal(texts(results, "Name"), texts(recordings, "Name")) {
			t.Errorf("%d channels: %d names, %d sources, %d profiles", n, len(seen), len(sources), len(texts(profiles, "SourceToken")))
		}
		last := texts(recordings, "RecordingToken")[n-1]
		one := get("/onvif/search_service", nsSearch, "GetRecordingInformation", "<RecordingToken>"+last+"</RecordingToken>")
		earliest, err := time.Parse(time.RFC3339, first(texts(one, "EarliestRecording")))
		if age := time.Since(earliest); err != nil || first(texts(one, "RecordingToken")) != last || age < 71*time.Hour || age > 73*time.Hour {
			t.Errorf("%s: %v %s", last, err, one)
		}
	}
}

// TestHybridRecorder: analogue inputs, a camera that is off, cameras behind the
// recorder's own ports.
func TestHybridRecorder(t *testing.T) {
	c := Recorder(8, RecorderOptions{Name: "ibrido", Analogue: 3, Offline: 1, Retention: "P14D", Oldest: 240 * time.Hour, Behind: []Hidden{
		{Channel: 5, Endpoint: "urn:uuid:5e471e15-0000-4000-8000-00000000beef", Serial: "SENTINEL-SERIAL-BEHIND-5", Name: "Bar & Grill", Address: "http://192.0.2.205/onvif/device_service"},
		{Channel: 6, Serial: "SENTINEL-SERIAL-BEHIND-6"},
	}})
	answer := func(namespace, operation string) []byte {
		a, how := find(c.Answers, call{namespace: namespace, operation: operation})
		if how != fits {
			t.Fatalf("no %s", operation)
		}
		return a.Body
	}
	if got := texts(answer(nsMedia, "GetVideoSources"), "Height"); !slices.Equal(got, []string{"576", "576", "576", "1440", "1440", "1440", "1440"}) {
		t.Errorf("video sources %q", got)
	}
	recordings := answer(nsRecording, "GetRecordings")
	ids, names := texts(recordings, "SourceId"), texts(recordings, "Name")
	if len(ids) != 8 || !strings.HasPrefix(ids[2], "analogue-") || strings.HasPrefix(ids[3], "analogue-") ||
		ids[4] != "urn:uuid:5e471e15-0000-4000-8000-00000000beef" || ids[5] != "SENTINEL-SERIAL-BEHIND-6" || names[4] != "Bar & Grill" {
		t.Errorf("sources %q, names %q", ids, names)
	}
	if got := texts(recordings, "Description"); !slices.Contains(got, "SENTINEL-SERIAL-BEHIND-5") ||
		texts(recordings, "Address")[0] != "http://192.0.2.205/onvif/device_service" || texts(recordings, "MaximumRetentionTime")[7] != "P14D" {
		t.Errorf("descriptions %q", got)
	}
	for _, secret := range []string{"5e471e15-0000-4000-8000-00000000beef", "SENTINEL-SERIAL-BEHIND-5", "SENTINEL-SERIAL-BEHIND-6", "192.0.2.205", "SENTINEL-SERIAL-IBRIDO"} {
		if !slices.Contains(c.sentinels(), secret) {
			t.Errorf("%s is not a sentinel", secret)
		}
	}
	if other := Recorder(8, RecorderOptions{Name: "altro"}); other.Defaults.Endpoint == c.Defaults.Endpoint || slices.Equal(other.sentinels(), c.sentinels()) {
		t.Error("two recorders with one identity")
	}
	for _, odd := range []*Conversation{Recorder(0, RecorderOptions{}), Recorder(2, RecorderOptions{Offline: 5, Analogue: 9})} {
		if len(odd.Answers) == 0 {
			t.Error("no answers")
		}
	}
}

// TestSimulated: each light camera answers one probe, with an identity and an
// address of its own.
func TestSimulated(t *testing.T) {
	const n = 12
	hosts := make([]string, n)
	for i := range hosts {
		hosts[i] = ownHost()
	}
	lan, err := Simulated(n, 3*time.Millisecond, SimulatedOptions{FirstHost: hosts[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lan.Close() })
	p := newProber(t, hosts...)
	p.probe("urn:uuid:1", typesNVT)
	found := map[string]string{}
	for range n {
		m := p.reply()
		found[m.Matches[0].Endpoint] = m.Matches[0].XAddrs
	}
	serials := map[string]bool{}
	for _, d := range lan.Devices {
		if found[d.Options().Endpoint] != d.URL() || d.Options().Latency != 3*time.Millisecond {
			t.Errorf("%s found at %q, is at %s", d.Options().Name, found[d.Options().Endpoint], d.URL())
		}
		_, body := ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", ""))
		serials[first(texts(body, "SerialNumber"))] = true
	}
	if len(found) != n || len(serials) != n {
		t.Errorf("%d endpoints, %d serial numbers, want %d", len(found), len(serials), n)
	}
	silent, err := Simulated(1, time.Hour, SimulatedOptions{Interface: "none", FirstHost: ownHost(), Auth: AuthToken, User: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	d := silent.Devices[0]
	if err := d.Hello(); err == nil || d.Options().Auth != AuthToken {
		t.Error("on no interface, and says hello")
	}
	done := make(chan error)
	go func() { _, err := request(t.Context(), d, 1); done <- err }()
	if err := d.await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := silent.Close(); err != nil { // does not wait for the hour
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("answered without its latency")
	}
	if _, err := Simulated(1, 0, SimulatedOptions{FirstHost: "nowhere"}); err == nil {
		t.Error("no error for a host that is none")
	}
}

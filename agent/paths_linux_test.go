package main

import (
	"bytes"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// alone opens a site that searches lo, in a network of its own.
func alone(t *testing.T) *agent {
	t.Helper()
	config := defaults()
	config.Interfaces = []string{"lo"}
	s, err := openAgent(t.Context(), filepath.Join(t.TempDir(), "agent"), config, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func startDevice(t *testing.T, c *cameratest.Conversation, o cameratest.Options) *cameratest.Device {
	t.Helper()
	o.Interface = "lo"
	d, err := cameratest.Start(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// A camera that a recorder shows and that answers by itself is one entry, from
// the network to what the owner is shown; one of which the recorder tells no more
// than the name is two, with a hint.
func TestOneCameraTwoPaths(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	const (
		first  = "urn:uuid:5f5a69c2-e0ae-504f-829b-0000000000a1"
		second = "urn:uuid:5f5a69c2-e0ae-504f-829b-0000000000a2"
	)
	camera := startDevice(t, cameratest.Recorder(1, cameratest.RecorderOptions{Name: "direct-1"}), cameratest.Options{Host: "127.0.0.111", Endpoint: first})
	startDevice(t, cameratest.Recorder(1, cameratest.RecorderOptions{Name: "direct-2"}), cameratest.Options{Host: "127.0.0.112", Endpoint: second})
	nvr := startDevice(t, cameratest.Recorder(3, cameratest.RecorderOptions{Name: "nvr", Behind: []cameratest.Hidden{
		{Channel: 1, Endpoint: first, Name: "Ingresso", Address: "http://192.168.254.3/onvif/device_service"},
		{Channel: 2, Name: "001 Ingresso"}, // as the second camera names itself
	}}), cameratest.Options{Host: "127.0.0.113"})
	s := alone(t)
	for range 2 {
		if err := s.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cameras := known(t, s.inv).Cameras
	var both []inventory.Camera
	for _, c := range cameras {
		if len(c.Paths) > 1 {
			both = append(both, c)
		}
	}
	if len(cameras) != 4 || len(both) != 1 || both[0].Device.Address != nvr.Address().String() || both[0].Paths[1].Address != camera.Address().String() {
		t.Fatalf("%d cameras, on two paths: %+v", len(cameras), both)
	}
	s.Close()

	var out bytes.Buffer
	if code := run(t.Context(), console{strings.NewReader(""), &out, io.Discard}, []string{"cameras", "-data", s.dir}); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	hinted := 0
	for _, c := range cameras {
		if c.MaybeSame != "" {
			hinted++
		}
	}
	if hinted != 2 || strings.Count(out.String(), "may be one camera") != 1 {
		t.Errorf("%d entries are perhaps the same, but the list says\n%s", hinted, &out)
	}
}

// A device that shows another certificate is told no password, across restarts,
// until the owner types it again.
func TestCertificateIsPinned(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	device := startDevice(t, cameratest.Recorder(1, cameratest.RecorderOptions{Name: "https"}), cameratest.Options{
		Host: "127.0.0.114", HTTPS: true, Auth: cameratest.AuthDigest, User: "anagrafe", Password: "SENTINEL-https"})
	s := alone(t)
	look := func(want interrogate.Needs) inventory.Device {
		t.Helper()
		if err := s.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		found := known(t, s.inv).Devices
		if len(found) != 1 {
			t.Fatalf("found %+v", found)
		}
		if found[0].Needs != want {
			t.Errorf("needs %q, want %q: %+v", found[0].Needs, want, found[0].Problems)
		}
		return found[0]
	}
	secret := interrogate.Credential{User: "anagrafe", Password: "SENTINEL-https"}
	d := look(interrogate.NeedsCredentials)
	if err := s.inv.SetCredential(t.Context(), d.ID, secret); err != nil {
		t.Fatal(err)
	}
	look(interrogate.NeedsNothing)
	if err := device.ChangeCertificate(); err != nil {
		t.Fatal(err)
	}
	sent := func() (n int) {
		for _, r := range device.Requests() {
			if r.Scheme != "" {
				n++
			}
		}
		return n
	}
	before := sent()
	look(interrogate.NeedsCertificate)
	if n := sent(); n != before {
		t.Errorf("%d requests with the password went to another certificate", n-before)
	}
	if err := s.inv.SetCredential(t.Context(), d.ID, secret); err != nil {
		t.Fatal(err)
	}
	look(interrogate.NeedsNothing)
	if sent() == before {
		t.Error("the password was not used after the owner's word")
	}
}

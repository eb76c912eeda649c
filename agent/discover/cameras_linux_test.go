package discover

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// TestScanFindsATown finds every device of a small network, and each of them
// once, however it answers.
func TestScanFindsATown(t *testing.T) {
	lan, err := cameratest.Town(cameratest.TownOptions{Cameras: filepath.Join("..", "..", "testdata", "cameras"), FirstHost: "127.0.51.11"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lan.Close() })
	if len(lan.Devices) < 8 {
		t.Fatalf("%d devices", len(lan.Devices))
	}
	first, found := scanLoopback(t, Options{Window: 1500 * time.Millisecond})
	methods := map[string]Method{cameratest.ProbeNVT: MethodTransmitter, cameratest.ProbeDevice: MethodDevice, cameratest.ProbeUntyped: MethodUntyped}
	for _, d := range lan.Devices {
		o := d.Options()
		s, ok := found[o.Endpoint]
		if !ok {
			t.Errorf("%s (answers %q) was not found", o.Name, o.AnswerTo)
			continue
		}
		if s.Address != d.Address() || s.Service().String() != d.URL() {
			t.Errorf("%s: found at %s, service %s; it is at %s", o.Name, s.Address, s.Service(), d.URL())
		}
		for probe, m := range methods {
			if answers := o.AnswerTo == nil || slices.Contains(o.AnswerTo, probe); slices.Contains(s.Methods, m) != answers {
				t.Errorf("%s answers %q and was found by %q", o.Name, o.AnswerTo, s.Methods)
			}
		}
		if n := count(first, o.Endpoint); n != 1 {
			t.Errorf("%s was announced %d times", o.Name, n)
		}
	}
}

func TestScanDespiteMisbehaviour(t *testing.T) {
	c, err := cameratest.LoadDir(filepath.Join("..", "..", "testdata", "cameras", "videofavola-cubo"))
	if err != nil {
		t.Fatal(err)
	}
	var devices []*cameratest.Device
	for i, quirks := range []cameratest.Quirks{{AnswersTwice: true}, {EphemeralPort: true}, {SlowProbe: 300 * time.Millisecond}, {GarbageProbeMatch: true}} {
		d, err := cameratest.Start(c, cameratest.Options{Host: fmt.Sprintf("127.0.52.%d", i+1), Interface: "lo", Quirks: quirks,
			Endpoint: fmt.Sprintf("urn:uuid:5e471e15-0052-4000-8000-00000000000%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		devices = append(devices, d)
	}
	_, found := scanLoopback(t, Options{Window: 1500 * time.Millisecond})
	for _, d := range devices {
		want := d.Address()
		if d.Options().Quirks.GarbageProbeMatch { // it never gives an address that can be used
			want = netip.AddrPortFrom(want.Addr(), defaultPort)
		}
		if s := found[d.Options().Endpoint]; s.Address != want {
			t.Errorf("%+v: found at %s, want %s", d.Options().Quirks, s.Address, want)
		}
	}
}

// TestScanFindsByMDNS finds a camera that answers no probe, but mDNS, and makes
// one of what answers both.
func TestScanFindsByMDNS(t *testing.T) {
	c, err := cameratest.LoadDir(filepath.Join("..", "..", "testdata", "cameras", "fintovista-dome"))
	if err != nil {
		t.Fatal(err)
	}
	var devices []*cameratest.Device
	for i, probes := range [][]string{{}, nil} {
		d, err := cameratest.Start(c, cameratest.Options{Name: fmt.Sprint("AXIS-", i), Host: fmt.Sprintf("127.0.53.%d", i+1), Interface: "lo", AnswerTo: probes,
			MDNS: []string{"_axis-video._tcp"}, Endpoint: fmt.Sprintf("urn:uuid:5e471e15-0053-4000-8000-00000000000%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		devices = append(devices, d)
	}
	_, found := scanLoopback(t, Options{Window: 2 * time.Second})
	const mdns = MethodMDNS + "_axis-video._tcp"
	if s, ok := found[devices[0].Address().String()]; !ok || !slices.Contains(s.Methods, mdns) || s.Interface != "lo" {
		t.Errorf("the camera that answers mDNS only was read as %+v", s)
	}
	if s := found[devices[1].Options().Endpoint]; !slices.Contains(s.Methods, mdns) || !slices.Contains(s.Methods, MethodUntyped) {
		t.Errorf("the camera that answers both was read as %+v", s)
	}
}

package inventory

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

func at(d interrogate.Device, address string) interrogate.Device {
	d.Sighting.Address = netip.MustParseAddrPort(address)
	return d
}

// bare is a device of which only the given marks are known.
func bare(serial, mac, endpoint, name, address string) interrogate.Device {
	d := cameraDevice(0)
	d.Serial, d.Sighting.Endpoint, d.Name, d.MACs = serial, endpoint, name, nil
	if mac != "" {
		d.MACs = []string{mac}
	}
	return at(d, address)
}

// Which of two looks' devices are the same? want gives for each device of the
// second look the index of the same device in the first, -1 for a new one.
func TestIdentity(t *testing.T) {
	const (
		mac1, mac2 = "00:11:22:33:44:55", "00:11:22:33:44:66"
		ep1, ep2   = "urn:uuid:11111111-e0ae-504f-829b-000000000001", "urn:uuid:22222222-e0ae-504f-829b-000000000002"
		here, away = "192.168.1.10:80", "192.168.1.99:80"
		sn1, sn2   = "AB12345678", "AB12345679"
	)
	other := func(d interrogate.Device, model string) interrogate.Device { d.Model = model; return d }
	by := func(d interrogate.Device, vendor string) interrogate.Device { d.Vendor = vendor; return d }
	list := func(d ...interrogate.Device) []interrogate.Device { return d }
	for _, tc := range []struct {
		name          string
		first, second []interrogate.Device
		want          []int
	}{
		{"all the same", list(bare(sn1, mac1, ep1, "n", here)), list(bare(sn1, mac1, ep1, "n", here)), []int{0}},
		{"new address", list(bare(sn1, mac1, ep1, "n", here)), list(bare(sn1, mac1, ep1, "n", away)), []int{0}},
		{"new address, serial and endpoint", list(bare(sn1, "", ep1, "n", here)), list(bare(sn1, "", ep1, "n", away)), []int{0}},
		{"new address, renamed, endpoint alone", list(bare("", "", ep1, "n", here)), list(bare("", "", ep1, "m", away)), []int{0}},
		{"new address, MAC alone", list(bare("", mac1, "", "", here)), list(bare("", mac1, "", "", away)), []int{0}},
		{"new endpoint after a restart", list(bare(sn1, mac1, ep1, "n", here)), list(bare(sn1, mac1, ep2, "n", here)), []int{0}},
		{"new endpoint and address after a power cut", list(bare(sn1, mac1, ep1, "n", here)), list(bare(sn1, mac1, ep2, "n", away)), []int{0}},
		{"the same, without a MAC", list(bare(sn1, "", ep1, "n", here)), list(bare(sn1, "", ep2, "n", away)), []int{0}},
		{"locked: endpoint, without serial", list(bare(sn1, mac1, ep1, "n", here)), list(bare("", "", ep1, "", away)), []int{0}},
		{"unlocked: the serial comes later", list(bare("", "", ep1, "", here)), list(bare(sn1, mac1, ep1, "n", away)), []int{0}},
		{"locked: without its maker", list(by(bare("", "", ep1, "n", here), "")), list(bare(sn1, mac1, ep1, "n", away)), []int{0}},
		{"locked: by another word for its model", list(other(bare("", "", ep1, "n", here), "M9")), list(bare(sn1, mac1, ep1, "n", here)), []int{0}},
		{"the model of another maker", list(by(bare(sn1, "", "", "", here), "X")), list(bare(sn1, "", "", "", away)), []int{-1}},
		{"by mDNS only, same address", list(bare(sn1, mac1, ep1, "n", here)), list(bare("", "", "", "", here)), []int{0}},
		{"by mDNS only, new address", list(bare(sn1, mac1, ep1, "n", here)), list(bare("", "", "", "", away)), []int{-1}},
		{"name and model alone", list(bare("", "", "", "Vicolo", here)), list(bare("", "", "", "Vicolo", away)), []int{0}},
		{"name alone, other model", list(bare("", "", "", "Vicolo", here)), list(other(bare("", "", "", "Vicolo", away), "M9")), []int{-1}},
		{"a factory name on two", list(bare("", "", "", "IPC", here), bare("", "", "", "IPC", "192.168.1.11:80")), list(bare("", "", "", "IPC", away)), []int{-1}},
		{"serial on another model", list(bare(sn1, "", "", "", here)), list(other(bare(sn1, "", "", "", away), "M9")), []int{-1}},
		{"another camera at the address", list(bare(sn1, mac1, ep1, "n", here)), list(bare(sn2, mac2, ep2, "n", here)), []int{-1}},
		{"one serial for all, told apart by MAC", list(bare(sn1, mac1, "", "n", here)), list(bare(sn1, mac2, "", "n", away)), []int{-1}},
		{"one serial for all, both seen", list(bare(sn1, "", ep1, "n", here), bare(sn1, "", ep2, "n", "192.168.1.11:80")),
			list(bare(sn1, "", ep2, "n", away), bare(sn1, "", ep1, "n", "192.168.1.98:80")), []int{1, 0}},
		{"default serials", list(bare("123456", "", "", "a", here)), list(bare("123456", "", "", "b", away)), []int{-1}},
		{"host:port as serial", list(bare("192.168.1.10:80", "", "", "a", here)), list(bare("192.168.1.10:80", "", "", "b", away)), []int{-1}},
		{"no MAC at all", list(bare(sn1, "00:00:00:00:00:00", "", "a", here)), list(bare(sn2, "00:00:00:00:00:00", "", "b", away)), []int{-1}},
		{"addresses swapped", list(bare(sn1, mac1, ep1, "a", here), bare(sn2, mac2, ep2, "b", away)),
			list(bare(sn1, mac1, ep1, "a", away), bare(sn2, mac2, ep2, "b", here)), []int{0, 1}},
		{"two ports of one host", list(bare("", "", ep1, "a", "127.0.0.2:8001")), list(bare("", "", ep2, "a", "127.0.0.2:8002")), []int{-1}},
		{"locked, new endpoint at the same place", list(bare("", "", ep1, "a", here)), list(bare("", "", ep2, "a", here)), []int{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := open(t, t.TempDir())
			record(t, v, noon, tc.first...)
			before := deviceIDs(t, v)
			if len(before) != len(tc.first) {
				t.Fatalf("%d devices became %d", len(tc.first), len(before))
			}
			record(t, v, noon.Add(time.Hour), tc.second...)
			devices := view(t, v).Devices
			for i, want := range tc.want {
				var got string
				for _, d := range devices {
					if d.Address == tc.second[i].Sighting.Address.String() && d.SeenAt.After(noon) {
						got = d.ID
					}
				}
				if k := slices.Index(before, got); k != want || got == "" {
					t.Errorf("device %d of the second look is %d of the first, want %d", i, k, want)
				}
			}
		})
	}
}

func deviceIDs(t *testing.T, v *Inventory) (ids []string) {
	t.Helper()
	devices := view(t, v).Devices
	for _, d := range devices {
		ids = append(ids, d.ID)
	}
	return ids
}

// What the owner said stays with the camera when it moves.
func TestTheOwnersWordsFollowTheCamera(t *testing.T) {
	v, all := declared(t, 2)
	moved := at(cameraDevice(0), "10.0.0.7:8080")
	record(t, v, noon.Add(time.Hour), moved, cameraDevice(1))
	now := cameras(t, v)
	if len(now) != 2 || now[0].ID != all[0].ID || now[0].State != StateDeclared || now[0].Device.Address != "10.0.0.7:8080" {
		t.Errorf("%+v", now)
	}
	known, err := v.Known(t.Context())
	if err != nil || !slices.Equal(known, []string{"10.0.0.7:8080", "192.168.7.11:80"}) {
		t.Errorf("known %v: %v", known, err)
	}
}

func TestChannelsOfOneRecorder(t *testing.T) {
	v := open(t, t.TempDir())
	nvr := cameraDevice(0)
	nvr.Kind = interrogate.KindRecorder
	nvr.Channels = []interrogate.Channel{channel("1", "uno"), channel("2", "due"), channel("2", "di nuovo"), channel("3", "")}
	record(t, v, noon, nvr)
	before := cameras(t, v)
	if len(before) != 3 || before[1].Values.Name != "due" || before[2].Values.Name != "" || before[0].Values.RecorderID != before[2].Values.RecorderID {
		t.Fatalf("%+v", before)
	}
	// The order changes, one is renamed, one is gone: each keeps its id.
	nvr.Channels = []interrogate.Channel{channel("3", "tre"), channel("1", "uno")}
	record(t, v, noon.Add(time.Hour), nvr)
	after := cameras(t, v)
	if len(after) != 3 || after[0].ID != before[0].ID || after[2].ID != before[2].ID || after[2].Values.Name != "tre" || !after[1].SeenAt.Equal(noon) {
		t.Errorf("%+v", after)
	}
}

// A locked camera is one camera, and the same once it is unlocked.
func TestLockedCamera(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	locked := cameraDevice(0)
	locked.Channels, locked.Serial, locked.MACs, locked.Needs = nil, "", nil, interrogate.NeedsCredentials
	record(t, v, noon, locked)
	all := cameras(t, v)
	if len(all) != 1 || all[0].Device.Needs != interrogate.NeedsCredentials || all[0].Values.Name != "Ingresso" {
		t.Fatalf("%+v", all)
	}
	outdoors(t, v, all[0].ID, true)
	approve(t, v, all[0].ID) // nothing is known of its schedule: that can be said too
	record(t, v, noon.Add(time.Hour), cameraDevice(0))
	now := cameras(t, v)
	if len(now) != 1 || now[0].ID != all[0].ID || now[0].Values.Schedule.Kind == "" || now[0].Values.Channel != "src_1" {
		t.Errorf("%+v", now)
	}
	mute := cameraDevice(5)
	mute.Answered, mute.Channels = false, nil
	record(t, v, noon.Add(time.Hour), mute)
	if n := len(cameras(t, v)); n != 1 {
		t.Errorf("what did not answer became a camera: %d", n)
	}
}

func TestOneLookMayReportADeviceTwice(t *testing.T) {
	v := open(t, t.TempDir())
	wire := cameraDevice(0)
	wifi := at(cameraDevice(0), "192.168.8.10:80")
	wifi.Sighting.Endpoint, wifi.Sighting.Methods = "", []discover.Method{discover.MethodTarget}
	record(t, v, noon, wire, wifi)
	devices := view(t, v).Devices
	if len(devices) != 1 || len(devices[0].FoundBy) != 2 || len(cameras(t, v)) != 1 {
		t.Errorf("%+v", devices)
	}
}

// What only announced itself is forgotten a day after it was last seen.
func TestMuteDevicesAreForgotten(t *testing.T) {
	v := open(t, t.TempDir())
	mute := cameraDevice(1)
	mute.Answered, mute.Channels = false, nil
	record(t, v, noon, cameraDevice(0), mute)
	record(t, v, noon.Add(muteKept), cameraDevice(2))
	if n := len(deviceIDs(t, v)); n != 3 {
		t.Errorf("%d devices after a day, want 3", n)
	}
	record(t, v, noon.Add(muteKept+time.Minute), cameraDevice(2))
	if n := len(deviceIDs(t, v)); n != 2 {
		t.Errorf("%d devices later, want the 2 that spoke", n)
	}
}

func TestAVacatedAddressIsNobodys(t *testing.T) {
	v := open(t, t.TempDir())
	record(t, v, noon, at(cameraDevice(0), "192.168.1.10:80"))
	record(t, v, noon, at(cameraDevice(1), "192.168.1.10:80"))
	devices := view(t, v).Devices
	if len(devices) != 2 || devices[0].Address != "" || devices[1].Address != "192.168.1.10:80" {
		t.Errorf("%+v", devices)
	}
}

func FuzzTells(f *testing.F) {
	d := &device{serial: "SN-7700 123", model: "M", macs: []string{"00:11:22:33:44:55"}, endpoint: "urn:uuid:11111111-e0ae-504f-829b-000000000001", address: "[fd00::12]:80"}
	f.Add("Ingresso", " 12")
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, secret := range []string{"00:11:22:33:44:55", "00-11-22-33-44-55", "001122334455", "11111111-e0ae-504f-829b-000000000001"} {
			if text := before + " " + secret + " " + after; !tells(text, d) || line(safe(text, d)) != "" {
				t.Errorf("%q is let pass", text)
			}
		}
		clean := line(before)
		if clean != line(clean) || strings.ContainsAny(clean, "\x00\n\r\u202e") || len([]rune(clean)) > maxName {
			t.Errorf("line(%q) = %q", before, clean)
		}
	})
}

func TestTells(t *testing.T) {
	d := &device{serial: "XK77001234", model: "M", macs: []string{"00:11:22:33:44:55"}, endpoint: "urn:uuid:11111111-e0ae-504f-829b-000000000001", address: "[fd00::12]:80"}
	for text, want := range map[string]bool{
		"Ingresso via Torino 12":   false,
		"CAM 3":                    false,
		"sn xk7700-1234":           true,
		"AA:BB:CC:DD:EE:FF":        true, // some other device's
		"cam 10.0.0.1":             true,
		"rtsp://x/stream":          true,
		"fd00::12":                 true,
		"v1.2.3":                   false,
		"telecamera 00.11.22.3344": false,
	} {
		if got := tells(text, d); got != want {
			t.Errorf("tells(%q) = %t", text, got)
		}
	}
}

package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// recorder is a device with one channel for each of the cameras, by number, of
// which it tells what of says; channel 0 shows none of them.
func recorder(tells func(d interrogate.Device) *interrogate.Identity, behind ...byte) interrogate.Device {
	nvr := at(cameraDevice(90), "192.168.7.200:80")
	nvr.Kind, nvr.Model, nvr.Name = interrogate.KindRecorder, "Registratore 16", "NVR"
	nvr.Channels = []interrogate.Channel{channel("0", "Magazzino")}
	for _, n := range behind {
		ch := channel(fmt.Sprint(n+1), fmt.Sprintf("Canale %d", n+1))
		ch.WidthPx, ch.HeightPx = 1280, 720
		if tells != nil {
			ch.Camera = tells(cameraDevice(n))
		}
		nvr.Channels = append(nvr.Channels, ch)
	}
	return nvr
}

func bySerial(d interrogate.Device) *interrogate.Identity {
	return &interrogate.Identity{Serial: strings.ToLower(d.Serial)}
}

func byMAC(d interrogate.Device) *interrogate.Identity {
	return &interrogate.Identity{MACs: []string{strings.ReplaceAll(d.MACs[0], ":", "-")}, Address: "192.168.254.3"}
}

func byEndpoint(d interrogate.Device) *interrogate.Identity {
	return &interrogate.Identity{Endpoint: d.Sighting.Endpoint}
}

// on gives the entry that is a recorder's channel with this name, and all others.
func on(t *testing.T, v *Inventory, name string) (c Camera, others []Camera) {
	t.Helper()
	for _, one := range cameras(t, v) {
		if one.Values.Name == name && c.ID == "" {
			c = one
		} else {
			others = append(others, one)
		}
	}
	return c, others
}

// Which link makes one entry of a recorder's channel and a camera?
func TestTwoPathsOfOneCamera(t *testing.T) {
	long := func(d interrogate.Device, change func(*interrogate.Device)) interrogate.Device { change(&d); return d }
	mac2 := "02:99:99:99:99:99"
	for _, tc := range []struct {
		name  string
		tells func(interrogate.Device) *interrogate.Identity
		own   func(*interrogate.Device)
		one   bool // one entry
		hint  bool // two, shown as maybe the same
	}{
		{"serial number", bySerial, nil, true, false},
		{"MAC", byMAC, nil, true, false},
		{"endpoint reference", byEndpoint, nil, true, false},
		{"serial number and MAC against the endpoint", func(d interrogate.Device) *interrogate.Identity {
			return &interrogate.Identity{Serial: d.Serial, MACs: d.MACs, Endpoint: "urn:uuid:other"}
		}, nil, true, false},
		{"MAC, with a new endpoint since", func(d interrogate.Device) *interrogate.Identity {
			return &interrogate.Identity{MACs: d.MACs, Endpoint: "urn:uuid:other"}
		}, nil, true, false},
		{"serial number, another MAC", func(d interrogate.Device) *interrogate.Identity {
			return &interrogate.Identity{Serial: d.Serial, MACs: []string{mac2}}
		}, nil, false, true},
		{"another serial number, the same name and address", func(d interrogate.Device) *interrogate.Identity {
			return &interrogate.Identity{Serial: "ALTRO12345", Name: d.Name, Address: d.Sighting.Address.Addr().String()}
		}, nil, false, false},
		{"name alone", func(d interrogate.Device) *interrogate.Identity { return &interrogate.Identity{Name: d.Name} }, nil, false, true},
		{"address alone", func(d interrogate.Device) *interrogate.Identity {
			return &interrogate.Identity{Address: d.Sighting.Address.Addr().String()}
		}, nil, false, true},
		{"name of the channel alone", nil, func(d *interrogate.Device) { d.Channels[0].Name = "Canale 1" }, false, true},
		{"the maker's name", func(interrogate.Device) *interrogate.Identity { return &interrogate.Identity{Name: "Ditta"} },
			func(d *interrogate.Device) { d.Channels[0].Name = "Ditta" }, false, false},
		{"a factory's serial number", func(interrogate.Device) *interrogate.Identity { return &interrogate.Identity{Serial: "123456"} },
			func(d *interrogate.Device) { d.Serial = "123456" }, false, false},
		{"nothing in common", nil, nil, false, false},
		{"a recorder of its own", bySerial, func(d *interrogate.Device) { d.Kind = interrogate.KindRecorder }, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			own := cameraDevice(0)
			own.Channels = slices.Clone(own.Channels)
			if tc.own != nil {
				own = long(own, tc.own)
			}
			nvr := recorder(tc.tells, 0)
			// In whichever order they are found, and in one look or two.
			for i, looks := range [][][]interrogate.Device{{{own, nvr}}, {{nvr, own}}, {{own}, {nvr}}, {{nvr}, {own}}} {
				v := open(t, t.TempDir())
				for k, found := range looks {
					record(t, v, noon.Add(time.Duration(k)*time.Hour), found...)
				}
				all := cameras(t, v)
				if tc.one {
					if len(all) != 2 || all[1].Values.Name != "Canale 1" && all[0].Values.Name != "Canale 1" {
						t.Fatalf("order %d: %d entries, want the recorder's two channels: %+v", i, len(all), all)
					}
					checkBothPaths(t, v)
					continue
				}
				if len(all) != 3 {
					t.Fatalf("order %d: %d entries, want 3", i, len(all))
				}
				hints := 0
				for _, c := range all {
					for _, o := range all {
						if c.MaybeSame == o.ID && o.MaybeSame == c.ID {
							hints++
						}
					}
				}
				if want := map[bool]int{true: 2, false: 0}[tc.hint]; hints != want {
					t.Errorf("order %d: %d entries with a hint, want %d", i, hints, want)
				}
			}
		})
	}
}

// checkBothPaths: the one entry is the recorder's, and knows of the camera itself.
func checkBothPaths(t *testing.T, v *Inventory) {
	t.Helper()
	c, _ := on(t, v, "Canale 1")
	devices := view(t, v).Devices
	if len(devices) != 1 || devices[0].Kind != interrogate.KindRecorder {
		t.Errorf("devices %+v; want the recorder alone", devices)
		return
	}
	if len(c.Paths) != 2 || c.Paths[0].Address != "192.168.7.200:80" || c.Paths[0].DeviceID != c.Device.ID || c.Paths[1].Address != "192.168.7.10:80" {
		t.Errorf("paths %+v", c.Paths)
	}
	if c.Device.ID != devices[0].ID || c.Values.RecorderID != devices[0].ID || c.Values.View.WidthPx != 1280 || c.MaybeSame != "" {
		t.Errorf("the entry is not the recorder's: %+v", c)
	}
}

// The camera's own card is not where the recorder's footage is.
func TestTheRecorderSaysWhereFootageIsKept(t *testing.T) {
	v := open(t, t.TempDir())
	own, nvr := cameraDevice(0), recorder(bySerial, 0)
	own.Channels[0].Turns = true
	nvr.Channels[1].Schedule, nvr.Channels[1].Retention = protocol.Schedule{}, protocol.Retention{}
	for i, found := range [][]interrogate.Device{{own}, {nvr, own}, {own}} {
		record(t, v, noon.Add(time.Duration(i)*time.Hour), found...)
	}
	c, _ := on(t, v, "Canale 1")
	if c.Values.Schedule.Kind != "" || c.Values.Retention.Kind != "" || !c.Values.Retention.OldestFootage.IsZero() {
		t.Errorf("the card's facts became the recorder's: %+v %+v", c.Values.Schedule, c.Values.Retention)
	}
	if !c.Values.View.Turns || !c.SeenAt.Equal(noon.Add(2*time.Hour)) || !c.Paths[1].SeenAt.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("what the camera itself tells is lost: %+v seen %v", c.Values.View, c.SeenAt)
	}
}

// A camera that was locked, and told no channel, is one entry once it tells.
func TestALockedCameraOnTwoPaths(t *testing.T) {
	v := open(t, t.TempDir())
	locked := cameraDevice(0)
	locked.Channels, locked.Needs = nil, interrogate.NeedsCredentials
	nvr := recorder(byEndpoint, 0)
	for i, own := range []interrogate.Device{locked, cameraDevice(0), locked, cameraDevice(0)} {
		record(t, v, noon.Add(time.Duration(i)*time.Hour), own, nvr)
		if n := len(cameras(t, v)); n != 2 {
			t.Fatalf("look %d: %d entries", i, n)
		}
	}
	checkBothPaths(t, v)
}

// Sensors of one camera, and channels of one recorder that claim to be the same
// camera, are told apart by name or not at all.
func TestSeveralPicturesOfOneCamera(t *testing.T) {
	multi := cameraDevice(0)
	multi.Channels = []interrogate.Channel{channel("a", "Nord"), channel("b", "Sud")}
	nvr := recorder(bySerial, 0, 0)
	nvr.Channels[1].ID, nvr.Channels[2].ID = "1", "2"
	v := open(t, t.TempDir())
	record(t, v, noon, multi, nvr)
	if n := len(cameras(t, v)); n != 5 {
		t.Fatalf("%d entries: nothing says which is which", n)
	}
	nvr.Channels[1].Name, nvr.Channels[2].Name = "Sud", "Nord"
	record(t, v, noon.Add(time.Hour), multi, nvr)
	all := cameras(t, v)
	if len(all) != 3 {
		t.Fatalf("%d entries, want the recorder's three", len(all))
	}
	for _, c := range all {
		if want := map[string]int{"Magazzino": 1, "Nord": 2, "Sud": 2}[c.Values.Name]; len(c.Paths) != want {
			t.Errorf("%s has %d paths", c.Values.Name, len(c.Paths))
		}
	}
}

// Two recorders that show a camera keep two footages of it.
func TestTwoRecordersOfOneCamera(t *testing.T) {
	v := open(t, t.TempDir())
	second := at(recorder(bySerial, 0), "192.168.7.201:80")
	second.Serial, second.MACs, second.Sighting.Endpoint = "ZZ99887766", []string{"02:77:77:77:77:77"}, "urn:uuid:second"
	second.Channels = second.Channels[1:]
	record(t, v, noon, cameraDevice(0), recorder(bySerial, 0), second)
	record(t, v, noon.Add(time.Hour), cameraDevice(0), recorder(bySerial, 0), second)
	var paths []int
	for _, c := range cameras(t, v) {
		paths = append(paths, len(c.Paths))
	}
	if slices.Sort(paths); !slices.Equal(paths, []int{1, 1, 2}) {
		t.Errorf("paths of each entry: %v", paths)
	}
}

// Another camera on a declared channel: the old yes was not about it.
func TestAnotherCameraOnTheChannel(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, recorder(bySerial, 0), cameraDevice(0))
	c, _ := on(t, v, "Canale 1")
	outdoors(t, v, c.ID, true)
	approve(t, v, c.ID)
	deliver(t, v)

	swapped := recorder(bySerial, 1)
	swapped.Channels[1].ID, swapped.Channels[1].Name = "1", "Canale 1"
	swapped.Channels[1].Retention.Age = 24 * time.Hour
	record(t, v, noon.Add(2*time.Hour), swapped, cameraDevice(0))
	c, others := on(t, v, "Canale 1")
	if !c.AskAgain || c.Outdoor != nil || c.State != StateDeclared || !slices.Contains(c.Changed, "outdoor_public") || len(c.Paths) != 1 {
		t.Errorf("not asked again: %+v", c)
	}
	if len(others) != 2 || others[1].Values.Name != "Ingresso via Torino" && others[0].Values.Name != "Ingresso via Torino" {
		t.Errorf("the camera that was on the channel has no entry: %+v", others)
	}
	for _, m := range outbox(t, v)[1:] {
		if o := m.Message.Body.(protocol.Observation); len(o.Cameras) > 0 {
			t.Errorf("facts of the other camera left: %+v", o.Cameras)
		}
	}
	if r := approve(t, v, c.ID); !slices.Equal(r[0].Missing, []string{"outdoor_public"}) {
		t.Errorf("approved without an answer: %+v", r)
	}
	// Correcting something else is no answer, and takes nothing out.
	if err := v.Set(t.Context(), c.ID, Edit{Direction: new(90)}); err != nil {
		t.Fatal(err)
	}
	if c, _ = on(t, v, "Canale 1"); c.State != StateDeclared || !c.AskAgain {
		t.Errorf("after a correction it is %s, asked again: %t", c.State, c.AskAgain)
	}
	if err := v.Set(t.Context(), c.ID, Edit{Clear: []string{"direction"}}); err != nil {
		t.Fatal(err)
	}
	outdoors(t, v, c.ID, true)
	if c, _ = on(t, v, "Canale 1"); c.AskAgain || len(c.Changed) > 0 {
		t.Errorf("still asked: %+v", c)
	}
}

// Nothing by which the camera behind the recorder could be found leaves in the
// texts of the recorder.
func TestTextsOfTheRecorderDoNotTellTheCamera(t *testing.T) {
	v := open(t, t.TempDir())
	nvr := recorder(func(interrogate.Device) *interrogate.Identity {
		return &interrogate.Identity{Serial: "QX55500777", MACs: []string{"02:aa:bb:cc:dd:ee"}}
	}, 0)
	nvr.Channels[0].Name = ""
	nvr.Channels[1].Name, nvr.Channels[1].ID = "cam QX-555 00777", "02aabbccddee"
	record(t, v, noon, nvr)
	for _, c := range cameras(t, v) {
		if c.Values.Name != "" || strings.Contains(c.Values.Channel, "02aabb") {
			t.Errorf("%+v", c.Values)
		}
		if len(c.Paths) != 1 {
			t.Errorf("paths %+v", c.Paths)
		}
	}
	all := cameras(t, v)
	told := 0
	for _, c := range all {
		if err := v.Set(t.Context(), c.ID, Edit{Name: new("qx 55500777")}); err != nil {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d entries refuse the serial number as a name, want that on the channel", told)
	}
}

package inventory

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// lockedRecorder wants a password that nobody knows.
func lockedRecorder() interrogate.Device {
	d := nvrTelling(interrogate.Dahua)
	d.Needs, d.Clock, d.Channels = interrogate.NeedsCredentials, nil, nil
	return d
}

func list(t *testing.T, v *Inventory, l ByHand) string {
	t.Helper()
	id, err := v.ListByHand(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func devices(t *testing.T, v *Inventory) []Device {
	t.Helper()
	all := view(t, v).Devices
	return all
}

// What the owner reads from the screen of a recorder whose password is lost can be
// answered, placed and declared like what was read; of four cameras the one that
// films outdoors leaves.
func TestCamerasListedByHand(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, lockedRecorder())
	device := devices(t, v)[0]
	since := noon.Add(-9*24*time.Hour - 12*time.Hour)
	if id := list(t, v, ByHand{DeviceID: device.ID, Cameras: []string{"Ingresso", "Cassa", "Retro", "Cantina"}, Since: since, Offset: new(int64(3_480_000))}); id != device.ID {
		t.Errorf("listed on %s", id)
	}
	if err := v.Set(t.Context(), cameras(t, v)[0].ID, Edit{Schedule: new("20:00-08:00")}); err != nil {
		t.Fatal(err)
	}
	all := cameras(t, v)
	if len(all) != 4 {
		t.Fatalf("%d cameras", len(all))
	}
	outdoors(t, v, all[0].ID, true)
	for _, c := range all[1:] {
		outdoors(t, v, c.ID, false)
	}
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	d := lastDeclaration(t, v)
	if len(d.Cameras) != 1 || len(d.Recorders) != 1 || d.Cameras[0].ID != all[0].ID {
		t.Fatalf("declared %+v", d.Cameras)
	}
	c, r := d.Cameras[0], d.Recorders[0]
	if c.Name != "Ingresso" || c.NameFact.Source != protocol.Declared || c.Channel != "1" || c.Schedule.Fact.Source != protocol.Declared || !c.Schedule.ZoneAssumed && c.Schedule.Zone == "" {
		t.Errorf("%+v", c)
	}
	if !c.Retention.OldestFootage.Equal(since) || c.Retention.Fact.Source != protocol.Declared || c.Retention.Kind != protocol.RetentionUnknown {
		t.Errorf("images %+v", c.Retention)
	}
	if r.Clock == nil || r.Clock.OffsetMs != 3_480_000 || r.Clock.UncertaintyMs != 60_000 || !strings.Contains(r.Clock.Method, "declared") {
		t.Errorf("clock %+v", r.Clock)
	}
	if text := string(outbox(t, v)[0].Raw); strings.Contains(text, "192.168") || strings.Contains(text, string(byHand)) {
		t.Error("how it was found left")
	}
	if c := cameras(t, v)[0]; len(c.Changed)+len(c.Differs) > 0 || !c.ByHand || c.Channel != "1" {
		t.Errorf("%+v", c)
	}
}

// Who lists again corrects: cameras keep their ids by number, what is no longer
// named goes, unless something was decided of it.
func TestListedAnew(t *testing.T) {
	v := open(t, t.TempDir())
	record(t, v, noon, lockedRecorder())
	device := devices(t, v)[0].ID
	list(t, v, ByHand{DeviceID: device, Numbered: true, Cameras: []string{"Telecamera 1", "Telecamera 2", "Telecamera 3"}})
	before := cameras(t, v)
	if _, err := v.KeepOut(t.Context(), []string{before[2].ID}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	list(t, v, ByHand{DeviceID: device, Cameras: []string{"Ingresso"}, Days: 7})
	after := cameras(t, v)
	if len(after) != 2 || after[0].ID != before[0].ID || after[0].Values.Name != "Ingresso" || after[1].ID != before[2].ID || after[0].Values.Retention.Age != 7*24*time.Hour {
		t.Errorf("%+v", after)
	}
	list(t, v, ByHand{DeviceID: device, Numbered: true, Cameras: []string{"Telecamera 1", "Telecamera 2"}})
	if again := cameras(t, v); len(again) != 3 || again[0].Values.Name != "Ingresso" {
		t.Errorf("%+v", again)
	}
}

// A recorder that no search finds is listed with its cameras. A look that finds
// nothing leaves it; one of its maker that is found later is shown beside.
func TestARecorderListedByHand(t *testing.T) {
	v := open(t, t.TempDir())
	list(t, v, ByHand{Vendor: "Ditta", Name: "Retrobottega", Room: "nel retro", Cameras: []string{"Porta", "Vetrina"}})
	record(t, v, noon.Add(48*time.Hour))
	d := devices(t, v)
	if len(d) != 1 || !d[0].ByHand || d[0].Needs != interrogate.NeedsNothing || d[0].Storage != protocol.StorageOnPremises || d[0].StorageNote != "nel retro" {
		t.Fatalf("%+v", d)
	}
	record(t, v, noon.Add(49*time.Hour), nvrTelling(interrogate.Dahua, byOwnInterface...))
	all := cameras(t, v)
	if len(all) != 4 || all[0].MaybeSame != all[2].ID || all[3].MaybeSame != all[1].ID {
		t.Errorf("%+v", all)
	}
	if d := devices(t, v); len(d) != 2 || !d[0].ByHand || d[1].ByHand {
		t.Errorf("%+v", d)
	}
}

// A listed camera is the told one of its name, else of its number; where neither
// fits the owner is shown the two.
func TestAListedCameraIsTold(t *testing.T) {
	own := func(tokens ...tokenOf) interrogate.Device { return nvrTelling(interrogate.Dahua, tokens...) }
	for name, tc := range map[string]struct {
		listed   []string
		numbered bool
		told     interrogate.Device
		want     []string // listed places, then new ones, as the told name; "-" stays listed
		maybe    int      // pairs that the owner is shown
	}{
		"by number":              {[]string{"Telecamera 1", "Telecamera 2"}, true, own(byOwnInterface...), []string{"Ingresso", "Cortile"}, 0},
		"by number from 0":       {[]string{"Telecamera 1", "Telecamera 2"}, true, nvrTelling("", tokenOf{"0", nil, "Video 1"}, tokenOf{"1", nil, "Video 2"}), []string{"Video 1", "Video 2"}, 0},
		"by place":               {[]string{"Telecamera 1", "Telecamera 2"}, true, own(tokenOf{"src_a", nil, "Ingresso"}, tokenOf{"src_b", nil, "Cortile"}), []string{"Ingresso", "Cortile"}, 0},
		"by name":                {[]string{"Cortile", "ingresso"}, false, own(byOwnInterface...), []string{"Cortile", "ingresso"}, 0},
		"by name then number":    {[]string{"Cortile", "Porta"}, false, own(tokenOf{"1", nil, "Ingresso"}, tokenOf{"2", nil, "Giardino"}), []string{"Cortile", "Porta"}, 0},
		"more than were counted": {[]string{"Telecamera 1"}, true, own(byOwnInterface...), []string{"Ingresso", "Cortile"}, 0},
		"fewer":                  {[]string{"Telecamera 1", "Telecamera 2"}, true, own(tokenOf{"1", nil, "Ingresso"}), []string{"Ingresso", "-"}, 0},
		"another number": {[]string{"Telecamera 1", "Telecamera 2"}, true,
			own(tokenOf{"1", nil, "Ingresso"}, tokenOf{"8", nil, "Cortile"}, tokenOf{"9", nil, "Scala"}), []string{"Ingresso", "-", "Cortile", "Scala"}, 1},
		"numbers left out":       {[]string{"Telecamera 1", "Telecamera 2"}, true, own(tokenOf{"1", nil, "Ingresso"}, tokenOf{"9", nil, "Cortile"}), []string{"Ingresso", "Cortile"}, 0},
		"no name at all":         {[]string{"Telecamera 1"}, true, own(tokenOf{"1", nil, ""}), []string{"Telecamera 1"}, 0},
		"a name crosses numbers": {[]string{"Cortile", "Porta"}, false, own(tokenOf{"1", nil, "Ingresso"}, tokenOf{"2", nil, "Cortile"}), []string{"Cortile", "-", "Ingresso"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, t.TempDir())
			record(t, v, noon, lockedRecorder())
			list(t, v, ByHand{DeviceID: devices(t, v)[0].ID, Cameras: tc.listed, Numbered: tc.numbered, Days: 3})
			before := cameras(t, v)
			for _, c := range before {
				outdoors(t, v, c.ID, true)
			}
			for i := range 2 { // the second look changes nothing
				record(t, v, noon.Add(time.Duration(i+1)*time.Hour), tc.told)
			}
			after := cameras(t, v)
			if len(after) != len(tc.want) {
				t.Fatalf("%d cameras: %+v", len(after), after)
			}
			maybe := 0
			for i, c := range after {
				if i < len(before) && (c.ID != before[i].ID || c.Outdoor == nil || !c.Values.Position.Placed()) {
					t.Errorf("entry %d is another, or what the owner said is gone: %+v", i, c)
				}
				if c.ByHand != (tc.want[i] == "-") || !c.ByHand && c.Values.Name != tc.want[i] {
					t.Errorf("entry %d: %q, by hand: %t, want %q", i, c.Values.Name, c.ByHand, tc.want[i])
				}
				if !c.ByHand && (c.Values.Retention.Fact.Source != protocol.Measured || c.Values.Retention.Age != 72*time.Hour) {
					t.Errorf("entry %d keeps %+v", i, c.Values.Retention)
				}
				if c.MaybeSame != "" {
					maybe++
				}
				if c.AskAgain {
					t.Errorf("entry %d is asked again", i)
				}
			}
			if maybe != 2*tc.maybe {
				t.Errorf("%d hints, want %d", maybe, 2*tc.maybe)
			}
		})
	}
}

// Every recorder of testdata that wants a password: its cameras are listed by hand,
// one is declared, and later the password is found.
// It is long because it is one way, step by step.
func TestThePasswordIsFoundLater(t *testing.T) {
	all, err := cameratest.LoadDirs(filepath.FromSlash("../../testdata/cameras/recorders"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, conversation := range all {
		device, err := cameratest.Start(conversation, cameratest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { device.Close() })
		user, password, ok := device.Credential()
		if !ok {
			continue
		}
		t.Run(conversation.Name, func(t *testing.T) {
			sighting := discover.Sighting{Endpoint: device.Options().Endpoint, Address: device.Address(), XAddrs: []string{device.URL()}, Methods: []discover.Method{discover.MethodTarget}}
			at := time.Now().UTC()
			look := func(v *Inventory) {
				t.Helper()
				at = at.Add(2 * time.Hour)
				v.now = func() time.Time { return at }
				record(t, v, at, asker(t, v, slog.New(slog.DiscardHandler)).Ask(t.Context(), sighting))
			}
			knows := func(v *Inventory) {
				t.Helper()
				if err := v.SetCredential(t.Context(), devices(t, v)[0].ID, interrogate.Credential{User: user, Password: password}); err != nil {
					t.Fatal(err)
				}
				look(v)
			}
			told := open(t, t.TempDir())
			look(told)
			if devices(t, told)[0].Needs == interrogate.NeedsNothing || slices.ContainsFunc(cameras(t, told), func(c Camera) bool { return c.Values.Channel != "" }) {
				t.Skip("it tells its cameras without a password")
			}
			knows(told)
			want := cameras(t, told)
			if len(want) == 0 {
				t.Skip("it has no cameras")
			}
			tried++

			v := open(t, t.TempDir())
			enrol(t, v, siteA)
			contact(t, v)
			look(v)
			l := ByHand{DeviceID: devices(t, v)[0].ID, Numbered: true, Days: 5, Offset: new(int64(-60_000))}
			for i := range want {
				l.Cameras = append(l.Cameras, fmt.Sprintf("Telecamera %d", i+1))
			}
			list(t, v, l)
			before := cameras(t, v)
			outdoors(t, v, before[0].ID, true)
			approve(t, v, before[0].ID)
			deliver(t, v)
			knows(v)
			after := cameras(t, v)
			if len(after) != len(want) {
				t.Fatalf("%d cameras, want %d", len(after), len(want))
			}
			for i, c := range after {
				w := want[i]
				if c.ID != before[i].ID || c.ByHand || c.Values.Channel != w.Values.Channel || w.Values.Name != "" && c.Values.Name != w.Values.Name ||
					w.Values.Schedule.Kind != "" && !sameSchedule(c.Values.Schedule, w.Values.Schedule) || w.Values.Retention.Kind != "" && !sameLimits(c.Values.Retention, w.Values.Retention) {
					t.Errorf("camera %d is %+v, want %+v", i, c.Values, w.Values)
				}
			}
			if c := after[0]; c.State != StateDeclared || c.Declared == nil || c.Values.Position.Point != before[0].Values.Position.Point && before[0].Values.Position.Placed() {
				t.Errorf("%+v", c)
			}
			if clock := devices(t, v)[0].Clock; devices(t, told)[0].Clock != nil && clock.Method == screenMethod {
				t.Error("the clock is still the one that was read from the screen")
			}
		})
	}
	if tried < 4 {
		t.Errorf("only %d recorders were listed by hand", tried)
	}
}

func TestWrongLists(t *testing.T) {
	v := open(t, t.TempDir())
	record(t, v, noon, lockedRecorder())
	id := devices(t, v)[0].ID
	for field, l := range map[string]ByHand{
		"cameras":   {DeviceID: id, Cameras: []string{"Ingresso", " "}},
		"days":      {DeviceID: id, Days: MaxDays + 1},
		"since":     {DeviceID: id, Since: noon.Add(time.Hour)},
		"offset_ms": {DeviceID: id, Offset: new(int64(1) << 60)},
		"name":      {Cameras: []string{"Porta"}},
		"vendor":    {Vendor: "http://192.168.1.4", Cameras: []string{"Porta"}},
		"room":      {Vendor: "Ditta", Room: strings.Repeat("x", 200), Cameras: []string{"Porta"}},
	} {
		_, err := v.ListByHand(t.Context(), l)
		if errs, ok := errors.AsType[protocol.FieldErrors](err); !ok || errs[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	many := make([]string, protocol.MaxCameras+1)
	for i := range many {
		many[i] = "Porta"
	}
	for _, l := range []ByHand{{DeviceID: id, Cameras: many}, {Vendor: "Ditta"}, {DeviceID: id, Cameras: []string{"al 192.168.1.4"}}} {
		if _, err := v.ListByHand(t.Context(), l); err == nil {
			t.Errorf("%+v is taken", l)
		}
	}
	if _, err := v.ListByHand(t.Context(), ByHand{DeviceID: siteA, Cameras: []string{"Porta"}}); !errors.Is(err, ErrUnknown) {
		t.Errorf("on no recorder: %v", err)
	}
	if n := len(cameras(t, v)); n != 0 {
		t.Errorf("%d cameras are left of it", n)
	}
}

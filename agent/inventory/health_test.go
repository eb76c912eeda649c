package inventory

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// healths are those of the outbox.
func healths(t *testing.T, v *Inventory) (all []protocol.Health) {
	t.Helper()
	for _, s := range outbox(t, v) {
		if h, ok := s.Message.Body.(protocol.Health); ok {
			all = append(all, h)
		}
	}
	return all
}

func tellHealth(t *testing.T, v *Inventory, at time.Time) {
	t.Helper()
	v.now = func() time.Time { return at }
	if err := v.TellHealth(t.Context(), "v1.4.0", at); err != nil {
		t.Fatal(err)
	}
}

// TestHealthBeforeAdhesion: nothing but counts leaves of what nobody confirmed.
func TestHealthBeforeAdhesion(t *testing.T) {
	v := open(t, t.TempDir())
	tellHealth(t, v, noon)
	if n := len(outbox(t, v)); n != 0 {
		t.Fatalf("%d messages to nobody", n)
	}
	enrol(t, v, siteA)
	read, locked, strange := cameraDevice(0), cameraDevice(1), cameraDevice(2)
	locked.Vendor, locked.Needs, locked.Channels = "HIKVISION", interrogate.NeedsCredentials, nil
	strange.Vendor, strange.Channels = "", nil
	out := cameraDevice(3)
	record(t, v, noon, read, locked, strange, out)
	for _, c := range cameras(t, v) {
		if c.Device.Address == out.Sighting.Address.String() {
			if _, err := v.KeepOut(t.Context(), []string{c.ID}, protocol.Approval{By: "Anna Neri"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	tellHealth(t, v, noon)
	all := healths(t, v)
	want := protocol.Health{At: noon, SearchedAt: noon, AgentVersion: "v1.4.0", Platform: all[0].Platform, Found: 3, Answered: 2,
		Others: []protocol.OtherFaults{{Maker: "hikvision", Fault: protocol.FaultPassword, Devices: 1}, {Maker: "other", Devices: 1}, {Maker: "unknown", Fault: protocol.FaultMaker, Devices: 1}}}
	if len(all) != 1 || !reflect.DeepEqual(all[0], want) {
		t.Errorf("%+v\nwant %+v", all, want)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"192.168", "SERIALE", "Ingresso", "Torino", "Modello", "Ditta"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q leaves: %s", secret, text)
		}
	}
}

// TestHealthOfWhatIsDeclared names recorders, by what operations need to mend.
func TestHealthOfWhatIsDeclared(t *testing.T) {
	v, _ := declared(t, 1)
	d := cameraDevice(0)
	d.Firmware, d.Needs, d.Clock.OffsetMs = "V4.30.085 build 200916", interrogate.NeedsWrongPassword, 3_480_000
	d.Errors = []interrogate.Problem{{What: "login", Why: "it has locked this user after wrong passwords, for 29 minutes more; nothing more is asked"}}
	record(t, v, noon.Add(time.Hour), d)
	tellHealth(t, v, noon.Add(time.Hour))
	all := healths(t, v)
	if len(all) != 1 || len(all[0].Recorders) != 1 || len(all[0].Others) != 0 || all[0].Confirmed != 1 {
		t.Fatalf("%+v", all)
	}
	got := all[0].Recorders[0]
	want := protocol.RecorderHealth{RecorderID: got.RecorderID, Maker: "other", Model: "Modello 3", Firmware: "4.30",
		Faults: []protocol.Fault{protocol.FaultLocked, protocol.FaultRefused, protocol.FaultClock}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestHealthLeavesSeldom: at most hourly, where something changed, else daily; one
// that waits is replaced, one that an older collector refused is not repeated soon.
func TestHealthLeavesSeldom(t *testing.T) {
	v, _ := declared(t, 1)
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	count := func(what string, want int) {
		t.Helper()
		if n := len(healths(t, v)); n != want {
			t.Errorf("%s: %d, want %d", what, n, want)
		}
	}
	tellHealth(t, v, at(0))
	tellHealth(t, v, at(10))
	count("it waits, and is replaced", 1)
	deliver(t, v)
	tellHealth(t, v, at(200))
	count("nothing changed", 1)
	silent := cameraDevice(0)
	silent.Answered = false
	record(t, v, at(201), silent)
	tellHealth(t, v, at(201))
	count("it fell silent", 2)
	deliver(t, v)
	record(t, v, at(220), cameraDevice(0))
	tellHealth(t, v, at(220))
	count("within the hour", 2)
	tellHealth(t, v, at(262))
	count("after it", 3)
	id, _, _, ok, err := v.Next(t.Context(), "")
	for err == nil && ok {
		if err = v.Reject(t.Context(), id, "field: body"); err == nil {
			id, _, _, ok, err = v.Next(t.Context(), "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	tellHealth(t, v, at(262+2*24*60))
	count("an older collector", 3)
	tellHealth(t, v, at(262+8*24*60))
	count("it may have become newer", 4)
}

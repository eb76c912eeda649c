package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
)

// scanned is what a reader of `scan -json` relies on.
type scanned struct {
	Address  string            `json:"address"`
	FoundBy  []discover.Method `json:"found_by"`
	Vendor   string            `json:"vendor"`
	Model    string            `json:"model"`
	Firmware string            `json:"firmware"`
	Clock    *struct {
		OffsetMs      int64 `json:"offset_ms"`
		UncertaintyMs int64 `json:"uncertainty_ms"`
	} `json:"clock"`
	Needs    interrogate.Needs `json:"needs"`
	Channels []struct {
		Name      string `json:"name"`
		Retention struct {
			Configured     string    `json:"configured"`
			ObservedOldest time.Time `json:"observed_oldest"`
		} `json:"retention"`
	} `json:"channels"`
}

// TestScanReadsTheRecordedTown scans a network of recorded cameras as a person
// would, with a file of passwords, one of which is wrong.
// It is long because it is one way, step by step.
func TestScanReadsTheRecordedTown(t *testing.T) {
	lan, err := cameratest.Town(cameratest.TownOptions{Shared: sharedFolder(t), FirstHost: freshHost()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lan.Close() })
	const day = 24 * time.Hour
	want := map[string]struct { // by model as recorded
		vendor, firmware string
		offset           time.Duration
		keeps            string
		oldest           time.Duration // age; 0: not known
		only             discover.Method
	}{
		"P3818-PVE":                 {"AXIS", "11.9.60", 0, "72h0m0s", 3 * day, ""},
		"FLEXIDOME panoramic 5100i": {"Bosch", "9.00.0210", 0, "until full", 7 * day, ""},
		"FLEXIDOME indoor 5100i IR": {"Bosch", "8.71.0066", 0, "unknown", 0, ""},
		"E1 Zoom":                   {"REOLINK", "v3.1.0.2649_23083101", -4 * time.Second, "unknown", 0, ""},
		"AXIS Q6045-E":              {"AXIS", "5.55.1.2", 58 * time.Minute, "unknown", 0, ""},
		"DS-2DF7276-AEL":            {"HIKVISION", "V5.1.6 build 140401", 0, "unknown", 0, discover.MethodTransmitter},
		"D6230L":                    {"Pelco", "2.9.0.4.9340-A0.0", 0, "unknown", 0, discover.MethodUntyped},
		"TV-IP320PI":                {"TRENDnet", "V5.3.4 build 160830", 0, "unknown", 0, discover.MethodDevice},
	}
	if len(lan.Devices) != len(want)+1 {
		t.Fatalf("the town has %d devices, the table %d and the one that refuses", len(lan.Devices), len(want))
	}

	dir := filepath.Join(t.TempDir(), "agent")
	passwords, refusing := passwordFile(t, lan)
	found := scanTown(t, lan, dir, passwords)
	for _, d := range lan.Devices {
		if d == refusing {
			continue
		}
		got, ok := found[d.Address().String()]
		if !ok {
			t.Errorf("%s at %s, which answers %q, was not found", d.Options().Name, d.Address(), d.Options().AnswerTo)
			continue
		}
		w, ok := want[got.Model]
		if !ok {
			t.Errorf("%s: model %q", d.Options().Name, got.Model)
			continue
		}
		delete(want, got.Model) // two of one model would be a mistake
		if got.Vendor != w.vendor || got.Firmware != w.firmware || got.Needs != interrogate.NeedsNothing {
			t.Errorf("%s: read as %+v", got.Model, got)
		}
		if w.only != "" && !slices.Equal(got.FoundBy, []discover.Method{w.only}) {
			t.Errorf("%s answers one probe only, and was found by %q; want %q", got.Model, got.FoundBy, w.only)
		}
		if got.Clock == nil {
			t.Errorf("%s: the clock was not read", got.Model)
		} else if off := time.Duration(got.Clock.OffsetMs)*time.Millisecond - w.offset; off.Abs() > time.Duration(got.Clock.UncertaintyMs)*time.Millisecond {
			t.Errorf("%s: clock offset %d ms +- %d ms, want %s", got.Model, got.Clock.OffsetMs, got.Clock.UncertaintyMs, w.offset)
		}
		if len(got.Channels) != 1 {
			t.Errorf("%s: %d channels", got.Model, len(got.Channels))
			continue
		}
		r := got.Channels[0].Retention
		if r.Configured != w.keeps || r.ObservedOldest.IsZero() != (w.oldest == 0) {
			t.Errorf("%s: retention %+v, want %q, oldest known: %v", got.Model, r, w.keeps, w.oldest != 0)
		}
		if age := time.Since(r.ObservedOldest) - w.oldest; w.oldest != 0 && age.Abs() > time.Hour {
			t.Errorf("%s: oldest footage of %s, want one %s old", got.Model, r.ObservedOldest, w.oldest)
		}
	}
	if got := found[refusing.Address().String()]; got.Needs != interrogate.NeedsWrongPassword || got.Model != "P5655-E" || got.Clock == nil {
		t.Errorf("the camera that refuses the password was read as %+v", got)
	}

	scanTown(t, lan, dir, passwords) // the program, started again
	var signed int
	for _, r := range refusing.Requests() {
		if r.Scheme != "" {
			signed++
		}
	}
	if signed != 1 {
		t.Errorf("two scans tried the wrong password %d times, want once", signed)
	}
}

// scanTown runs the command and gives this town's devices by their address;
// those of other tests on this machine are found, too.
func scanTown(t *testing.T, lan *cameratest.LAN, dir, passwords string) map[string]scanned {
	t.Helper()
	var out, log bytes.Buffer
	code := run(t.Context(), console{strings.NewReader(""), &out, &log},
		[]string{"scan", "-json", "-interface", "lo", "-data", dir, "-credentials", passwords, "-timeout", "90s"})
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, &log)
	}
	var report struct{ Devices []scanned }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	found := map[string]scanned{}
	for _, d := range report.Devices {
		for _, own := range lan.Devices {
			if d.Address != own.Address().String() {
				continue
			}
			if _, twice := found[d.Address]; twice {
				t.Errorf("%s is reported twice", d.Address)
			}
			found[d.Address] = d
		}
	}
	return found
}

// passwordFile writes the right password of every device that asks for one, and
// a wrong one for the one that refuses everything.
func passwordFile(t *testing.T, lan *cameratest.LAN) (file string, refusing *cameratest.Device) {
	t.Helper()
	var text strings.Builder
	asked := 0
	for _, d := range lan.Devices {
		user, password, ok := d.Credential()
		switch {
		case ok:
			asked++
		case d.Options().Auth != cameratest.AuthNone:
			refusing, user, password = d, "anagrafe", "sbagliata"
		default:
			continue
		}
		fmt.Fprintf(&text, "[[device]]\naddress = %q\nuser = %q\npassword = %q\n", d.Address().Addr(), user, password)
	}
	if refusing == nil || asked < 2 {
		t.Fatalf("%d devices ask for a password, one that refuses everything: %v", asked, refusing != nil)
	}
	file = filepath.Join(t.TempDir(), "passwords.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, refusing
}

// sharedFolder holds the recorded devices. Where it is absent the test is left
// out, and says so; in CI that is a failure.
func sharedFolder(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	if cameratest.HasRecorded(shared) {
		return shared
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("the recorded devices are not in %s: put them there, or set ANAGRAFE_SHARED", shared)
	}
	t.Skipf("LEFT OUT: the recorded devices are not in %s; set ANAGRAFE_SHARED to the folder that holds devices/onvif", shared)
	return ""
}

package inventory

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
)

// TestADayWithAWrongPassword has every recorder and camera of testdata that wants
// a password visited for a day with a wrong one, by agents that are started anew:
// devices lock accounts, so each gets one attempt, whatever its doors.
func TestADayWithAWrongPassword(t *testing.T) {
	tried := 0
	for _, dir := range []string{"cameras", "cameras/recorders"} {
		conversations, err := cameratest.LoadDirs(filepath.Join("..", "..", "testdata", filepath.FromSlash(dir)))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range conversations {
			d, err := cameratest.Start(c, cameratest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			user, password, asked := d.Credential()
			if !asked || strings.HasPrefix(c.Name, "provaweb-") { // of no family that is known
				continue
			}
			tried++
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				aDayWith(t, d, interrogate.Credential{User: user, Password: "SENTINEL-WRONG"}, interrogate.Credential{User: user, Password: password})
			})
		}
	}
	if tried < 12 {
		t.Errorf("only %d devices want a password", tried)
	}
}

func aDayWith(t *testing.T, d *cameratest.Device, wrong, right interrogate.Credential) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	var v *Inventory
	restart := func() {
		t.Helper()
		if v != nil {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if v, err = Open(t.Context(), dir, log); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	t.Cleanup(func() { v.Close() })
	sighting := discover.Sighting{Endpoint: d.Options().Endpoint, Address: d.Address(), XAddrs: []string{d.URL()}, Methods: []discover.Method{discover.MethodTarget}}
	visit := func(at time.Time) interrogate.Device {
		t.Helper()
		got := asker(t, v, log).Ask(t.Context(), sighting)
		if err := v.Record(t.Context(), []interrogate.Device{got}, at); err != nil {
			t.Fatal(err)
		}
		return got
	}
	begin := time.Now()
	first := visit(begin)
	if first.Needs != interrogate.NeedsCredentials {
		t.Errorf("without a password it needs %q: %+v", first.Needs, first.Errors)
	}
	devices := view(t, v).Devices
	if len(devices) != 1 {
		t.Fatalf("%d devices", len(devices))
	}
	set := func(ctx context.Context, c interrogate.Credential) {
		t.Helper()
		if err := v.SetCredential(ctx, devices[0].ID, c); err != nil {
			t.Fatal(err)
		}
	}
	set(t.Context(), wrong)
	for hour := range 24 {
		if hour%6 == 5 {
			restart()
		}
		got := visit(begin.Add(time.Duration(hour+1) * time.Hour))
		if got.Needs != interrogate.NeedsWrongPassword && got.Needs != interrogate.NeedsPasswordOrClock {
			t.Fatalf("in hour %d it needs %q: %+v", hour, got.Needs, got.Errors)
		}
	}
	if n := d.WrongAttempts(); n != 1 {
		t.Errorf("the wrong password was tried %d times", n)
	}
	set(t.Context(), right)
	if got := visit(begin.Add(25 * time.Hour)); got.Needs != interrogate.NeedsNothing || len(got.Channels) == 0 {
		t.Errorf("with the right password it needs %q and shows %d channels: %+v", got.Needs, len(got.Channels), got.Errors)
	}
}

package cameratest

import (
	"os"
	"path/filepath"
	"testing"
)

const writtenCameras = "../../../testdata/cameras"

// sharedOnvif is the folder of recorded devices. Where it is absent the test is
// left out, and says so; in CI that is a failure.
func sharedOnvif(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../../shared"
	}
	dir := filepath.Join(shared, "devices", "onvif")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the recorded devices are absent: %v (put them there, or set ANAGRAFE_SHARED)", err)
		}
		t.Skipf("LEFT OUT: the recorded devices are not here (%v); set ANAGRAFE_SHARED to the folder that holds devices/onvif", err)
	}
	return dir
}

// start runs a device until the end of the test.
func start(t *testing.T, c *Conversation, o Options) *Device {
	t.Helper()
	d, err := Start(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// load reads a hand-written device.
func load(t *testing.T, name string) *Conversation {
	t.Helper()
	c, err := LoadDir(filepath.Join(writtenCameras, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

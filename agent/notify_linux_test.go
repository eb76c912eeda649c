package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// In a person's session the desktop is told; a service, and a machine without a
// desktop, are left in peace.
func TestDesktopMessage(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	if err := os.WriteFile(filepath.Join(dir, "notify-send"), []byte("#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done > '"+said+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		bus, runtime, path string
		want               bool
	}{
		"a session":          {"unix:path=/run/user/1000/bus", "", dir, true},
		"a session's socket": {"", dir, dir, true},
		"a service":          {"", "", dir, false},
		"no socket":          {"", filepath.Join(dir, "none"), dir, false},
		"no desktop":         {"unix:path=/run/user/1000/bus", "", filepath.Join(dir, "none"), false},
	} {
		t.Run(name, func(t *testing.T) {
			_ = os.Remove(said)
			if err := os.WriteFile(filepath.Join(dir, "bus"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", c.bus)
			t.Setenv("XDG_RUNTIME_DIR", c.runtime)
			t.Setenv("PATH", c.path)
			if err := desktopMessage(t.Context(), "Anagrafe Telecamere", "-x"); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(said)
			if (err == nil) != c.want || c.want && !strings.HasSuffix(string(text), "--\nAnagrafe Telecamere\n-x\n") {
				t.Errorf("said %q, %v", text, err)
			}
		})
	}
}

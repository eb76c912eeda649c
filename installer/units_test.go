package installer

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// units are the services as packages ship them; the agent's is also what
// "anagrafe-agent install" writes.
var units = []string{
	filepath.Join("..", "agent", "anagrafe-agent.service"),
	filepath.Join("..", "collector", "anagrafe-collector.service"),
	filepath.Join("publish", "anagrafe-publish.service"),
}

// maxExposure is the gate: an empty unit has 9.6.
const maxExposure = 1.5

// TestUnits has systemd itself judge the units: that it understands each line, and
// how much a service that was taken over could still do.
func TestUnits(t *testing.T) {
	for _, unit := range units {
		t.Run(filepath.Base(unit), func(t *testing.T) {
			raw := read(t, unit)
			// The program is installed by the package; here any stands for it.
			start := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/anagrafe-\S+`)
			if !start.Match(raw) {
				t.Error("no ExecStart of a packaged program")
			}
			copied := filepath.Join(t.TempDir(), filepath.Base(unit))
			if err := os.WriteFile(copied, start.ReplaceAll(raw, []byte("ExecStart=/bin/true")), 0o600); err != nil {
				t.Fatal(err)
			}
			verified := []string{"verify", "--man=no", copied}
			if timer, err := os.ReadFile(strings.TrimSuffix(unit, "service") + "timer"); err == nil {
				verified = append(verified, strings.TrimSuffix(copied, "service")+"timer")
				if err := os.WriteFile(verified[3], timer, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if said, err := exec.CommandContext(t.Context(), "systemd-analyze", verified...).CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("systemd-analyze verify: %v\n%s", err, said)
			}
			table, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", copied).Output()
			if err != nil {
				t.Fatalf("systemd-analyze security (package systemd, see make deps): %v", err)
			}
			level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(table)
			if level == nil {
				t.Fatalf("no overall exposure in\n%s", table)
			}
			exposure, err := strconv.ParseFloat(string(level[1]), 64)
			if err != nil || exposure > maxExposure {
				t.Errorf("exposure %s (%v), at most %v:\n%s", level[1], err, maxExposure, table)
			}
			t.Logf("exposure %v", exposure)
		})
	}
}

// TestUsers has systemd make the services' users in an empty root: no shell, no
// password, and the data directory as home.
func TestUsers(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, unit := range units {
		name := strings.TrimSuffix(filepath.Base(unit), ".service")
		sysusers := exec.CommandContext(t.Context(), "systemd-sysusers", "--root="+root, "-")
		sysusers.Stdin = bytes.NewReader(read(t, filepath.Join(filepath.Dir(unit), name+".sysusers")))
		if said, err := sysusers.CombinedOutput(); err != nil {
			t.Fatalf("systemd-sysusers: %v\n%s", err, said)
		}
		users := string(read(t, filepath.Join(root, "etc", "passwd")))
		if !regexp.MustCompile(`(?m)^` + name + `:x:\d+:\d+:[^:]+:/var/lib/` + name + `:\S+/nologin$`).MatchString(users) {
			t.Errorf("%s is not a closed user:\n%s", name, users)
		}
	}
	if shadow := string(read(t, filepath.Join(root, "etc", "shadow"))); strings.Count(shadow, ":!*:") != len(units) {
		t.Errorf("a user can sign in:\n%s", shadow)
	}
}

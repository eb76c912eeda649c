//go:build !long && !bench

package installer

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

// made is where this run of the tests has made the programs: `make test` does not
// wait for `make build`, and must not run what an earlier one has left.
var made struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		_ = os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

// binary is one of the real programs, made from what stands here now, with the race
// detector if the tests have it.
func binary(t *testing.T, name string) string {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.dir == "" {
		dir, err := os.MkdirTemp("", "anagrafe-made-")
		if err != nil {
			t.Fatal(err)
		}
		made.dir = dir
		args := []string{"build", "-o", dir}
		if self, ok := debug.ReadBuildInfo(); ok && slices.Contains(self.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
			args = append(args, "-race")
		}
		cmd := exec.CommandContext(t.Context(), "go", append(args, "./agent", "./collector")...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make the programs: %v\n%s", err, out)
		}
	}
	return filepath.Join(made.dir, strings.TrimPrefix(name, "anagrafe-"))
}

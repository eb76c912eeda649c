//go:build long && linux

package installer

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLongCrashIsNoMisuse: Go ends a program that crashes with 2, which is also what
// the programs say to a configuration that trying again does not mend, and after
// which systemd does not start them again. By the environment that the units set, a
// crash ends by a signal. SIGQUIT is the one that can be had for the asking.
func TestLongCrashIsNoMisuse(t *testing.T) {
	for i, args := range [][]string{
		{"anagrafe-agent", "run", "-interface", "lo", "-listen-pages", freeAddr(t)},
		{"anagrafe-collector", "serve", "-public-url", "http://localhost", "-listen-agents", "127.0.0.1:0", "-listen-public", "127.0.0.1:0",
			"-listen-ops", "127.0.0.1:0", "-listen-consult", "127.0.0.1:0", "-listen-metrics", "off"},
	} {
		for _, set := range unitEnvironment(t, units[i]) {
			name, value, _ := strings.Cut(set, "=")
			t.Setenv(name, value)
		}
		dir := filepath.Join(t.TempDir(), "data")
		p := launch(t, args[0], append(args[1:], "-data", dir)...)
		p.until("the control socket", listening(filepath.Join(dir, "control.sock")))
		if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		<-p.done
		if end := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !end.Signaled() {
			t.Errorf("%s crashed, and ended with %d: systemd does not start it again after a 2", args[0], end.ExitStatus())
		}
	}
}

// unitEnvironment is what a unit sets.
func unitEnvironment(t *testing.T, unit string) (all []string) {
	t.Helper()
	for line := range strings.Lines(string(read(t, unit))) {
		if set, is := strings.CutPrefix(line, "Environment="); is {
			all = append(all, strings.TrimSpace(set))
		}
	}
	return all
}

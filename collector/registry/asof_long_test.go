//go:build long

package registry

import (
	"os"
	"os/exec"
	"testing"
)

// TestLongAsOf is TestAsOfModel at length, on both engines.
func TestLongAsOf(t *testing.T) {
	if tested == sqlite {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLongAsOf$", "-test.timeout=20m", "-test.v")
		cmd.Env = append(os.Environ(), engineEnv+"="+string(postgres))
		out, err := cmd.CombinedOutput()
		t.Logf("on PostgreSQL:\n%s", out)
		if err != nil {
			t.Error(err)
		}
	}
	asOfModel(t, 1000)
}

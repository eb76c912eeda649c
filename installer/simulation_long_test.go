//go:build long

package installer

import (
	"os"
	"strconv"
	"testing"
)

// stepsEnv says how many steps the long simulation takes: 1000000 take some
// four hours on an idle machine, with `-timeout 0`.
const stepsEnv = "ANAGRAFE_SIMULATION_STEPS"

// TestLongSimulation takes about a minute.
func TestLongSimulation(t *testing.T) {
	steps := 6000
	if text := os.Getenv(stepsEnv); text != "" {
		var err error
		if steps, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", stepsEnv, err)
		}
	}
	searchAll(t, steps)
}

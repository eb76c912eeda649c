//go:build long

package installer

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestLongSimulation takes a minute or two. A million steps take half an hour on two
// idle cores, with `-v` to see how far they are and `-timeout 0`:
//
//	ANAGRAFE_SIMULATION_STEPS=1000000 go test -tags long -v -timeout 0 -run '^TestLongSimulation$' ./installer
//
// A world has the randomness of its whole process to itself, or it could not be
// repeated. So each core has processes of its own, each with some seeds.
func TestLongSimulation(t *testing.T) {
	const chunk = 20 // worlds a process
	all := int(setting(t, stepsEnv, 10_000))
	first := setting(t, seedEnv, uint64(rand.Uint32()))
	chunks := (all + chunk*worldSteps - 1) / (chunk * worldSteps)
	t.Logf("seeds from %d on, to %d", first, first+uint64(chunks*chunk)-1)

	start, said := time.Now(), time.Now()
	var mu sync.Mutex
	begun, done := 0, 0
	next := func() (seed uint64, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		seed = first + uint64(begun*chunk)
		begun++
		return seed, begun <= chunks && t.Context().Err() == nil
	}
	finished := func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if time.Since(said) > 30*time.Second || done == chunks {
			said = time.Now()
			t.Logf("%d of %d steps in %v", done*chunk*worldSteps, chunks*chunk*worldSteps, time.Since(start).Round(time.Second))
		}
	}
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for seed, ok := next(); ok; seed, ok = next() {
				c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSimulation$", "-test.timeout=0")
				c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", seedEnv, seed), fmt.Sprintf("%s=%d", stepsEnv, chunk*worldSteps),
					"GOMAXPROCS=1", "GOGC=400")
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("seeds from %d on: %v\n%s", seed, err, out)
				}
				finished()
			}
		})
	}
	workers.Wait()
}

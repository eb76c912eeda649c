package installer

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

// The simulation drives the agent's real inventory and uplink against the
// collector's real services and register, on SQLite files, through steps that
// a seed chooses: what the owner decides, what changes on the network, how the
// line fails, when a program is killed and when the register is restored from
// an old copy. After each step the register must agree with the receipts that
// were given; whenever all comes to rest, with the owner's last decisions.

const (
	// seedEnv repeats a run: it holds the first seed.
	seedEnv = "ANAGRAFE_SIMULATION_SEED"
	// stepsEnv says how many steps are taken.
	stepsEnv = "ANAGRAFE_SIMULATION_STEPS"
	// traceEnv, not empty: a failure is run once more, with both programs' logs.
	traceEnv = "ANAGRAFE_SIMULATION_TRACE"
	// worldSteps is the length of one plan. A longer one makes each step slower,
	// since the outbox keeps all that was ever sent.
	worldSteps = 150
)

// quiet is the log of a program that nobody watches.
var quiet = slog.New(slog.DiscardHandler)

// scratch is where a world's files lie: in memory, where there is such a
// place. What a disk does is for the tests of the packages.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "anagrafe-simulation-")
	if err != nil {
		return t.TempDir()
	}
	return dir
}

// simulate takes the steps in a new world. It gives how many were taken, and
// what was wrong after the last of them.
func simulate(t *testing.T, seed uint64, steps []step, f fault, log *slog.Logger) (taken int, err error) {
	return simulateFrom(t, begins, seed, steps, f, log, (*world).settle)
}

// simulateFrom takes them in a world that begins at a time, and in the end does what
// judges it.
func simulateFrom(t *testing.T, begins time.Time, seed uint64, steps []step, f fault, log *slog.Logger, judge func(*world) error) (taken int, err error) {
	dir := scratch(t)
	defer os.RemoveAll(dir)
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(*testing.T) {
		var w *world
		if w, err = newWorld(begins, seed, dir, log, f); err != nil {
			err = fmt.Errorf("before the first step: %w", err)
			return
		}
		defer func() { err = errors.Join(err, w.close()) }()
		for _, s := range steps {
			taken++
			log.Info("step", "number", taken, "does", s)
			if err = w.do(s); err != nil {
				return
			}
		}
		err = judge(w)
	})
	return taken, err
}

// search simulates a seed. A failure comes with a short list of steps that
// end in one.
func search(t *testing.T, seed uint64) (int, error) {
	steps := plan(seed, worldSteps)
	taken, err := simulate(t, seed, steps, fault{}, quiet)
	if err == nil {
		return taken, nil
	}
	steps, err = shorten(t, seed, steps[:taken], err)
	if os.Getenv(traceEnv) != "" {
		_, _ = simulate(t, seed, steps, fault{}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}
	var b strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&b, "\n%4d %v", i+1, s)
	}
	return taken, fmt.Errorf("seed %d fails after %d steps: %w; so do these alone:%s", seed, taken, err, b.String())
}

// shorten leaves out of steps that end in a failure what is not needed for
// one: first at the end, then anywhere, in ever smaller pieces.
func shorten(t *testing.T, seed uint64, steps []step, err error) ([]step, error) {
	fails, passes := len(steps), 0
	for fails-passes > 1 {
		middle := (fails + passes) / 2
		if _, e := simulate(t, seed, steps[:middle], fault{}, quiet); e != nil {
			fails, err = middle, e
		} else {
			passes = middle
		}
	}
	steps = steps[:fails]
	for piece := len(steps) / 2; piece > 0; piece /= 2 {
		for at := len(steps) - piece; at >= 0; at -= piece {
			fewer := slices.Concat(steps[:at], steps[at+piece:])
			if _, e := simulate(t, seed, fewer, fault{}, quiet); e != nil {
				steps, err = fewer, e
			}
		}
	}
	return steps, err
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestSimulation is a sample, others each time: `-tags long` has more.
func TestSimulation(t *testing.T) {
	const failures = 3 // no more of them are looked into
	seed, enough := setting(t, seedEnv, uint64(rand.Uint32())), setting(t, stepsEnv, 2*worldSteps)
	t.Logf("seeds from %d on (%s=%[1]d repeats them)", seed, seedEnv)
	start, total, failed := time.Now(), 0, 0
	for total < int(enough) && failed < failures {
		taken, err := search(t, seed)
		total += taken
		if err != nil {
			failed++
			t.Error(err)
		}
		seed++
	}
	t.Logf("%d steps in %v, until seed %d", total, time.Since(start).Round(time.Second), seed-1)
}

// TestSimulationFindsMistakes plants mistakes, each of which it must find.
func TestSimulationFindsMistakes(t *testing.T) {
	const worlds = 10
	for _, f := range planted() {
		t.Run(f.name, func(t *testing.T) {
			total := 0
			for seed := range uint64(worlds) {
				taken, err := simulate(t, seed, plan(seed, worldSteps), f, quiet)
				total += taken
				if err != nil {
					t.Logf("found after %d steps, by seed %d: %v", total, seed, err)
					return
				}
			}
			t.Errorf("not found in %d steps", total)
		})
	}
}

// TestSimulationRepeats: the same seed gives the same messages at the same
// times, or a failure could not be looked into.
func TestSimulationRepeats(t *testing.T) {
	var first []string
	for range 2 {
		var said trail
		if _, err := simulate(t, 1, plan(1, 25), fault{}, slog.New(&said)); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = said.lines()
		} else if again := said.lines(); !slices.Equal(first, again) {
			for i := range min(len(first), len(again)) {
				if first[i] != again[i] {
					t.Fatalf("line %d of the logs was %q, and is %q", i, first[i], again[i])
				}
			}
			t.Fatalf("the logs had %d lines, and have %d", len(first), len(again))
		}
	}
}

//go:build long && linux && amd64

package installer

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"anagrafe/collector/registry/pgtest"
)

// Chaos: the real collector, with a fleet that declares, an officer who searches
// and the office that looks on, while a machine does to it what machines do. What
// was acknowledged stands in ledgers on another disk; at the end a program that
// shares no line with the collector (checker) compares.

const (
	// chaosSeedEnv repeats the order of the faults, chaosForEnv says how long they
	// last (hours, on a machine that is free), chaosAgentsEnv how many agents there are.
	chaosSeedEnv   = "ANAGRAFE_CHAOS_SEED"
	chaosForEnv    = "ANAGRAFE_CHAOS_FOR"
	chaosAgentsEnv = "ANAGRAFE_CHAOS_AGENTS"
	// chaosInsideEnv is set in the process that has namespaces of its own.
	chaosInsideEnv = "ANAGRAFE_CHAOS_INSIDE"
)

// TestLongChaos takes a minute of faults on each engine. Hours of them:
//
//	ANAGRAFE_CHAOS_FOR=4h go test -tags long -v -timeout 0 -run '^TestLongChaos$/sqlite' ./installer
func TestLongChaos(t *testing.T) {
	if os.Getenv(chaosInsideEnv) == "" {
		chaosInside(t)
		return
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) { chaos(t, engine) })
	}
}

// chaosInside runs the test again where the packets, mounts and limits are its own:
// all that it spoils ends with it.
func chaosInside(t *testing.T) {
	if os.Geteuid() != 0 {
		lacking(t, "chaos takes root: it mounts, and drops packets")
	}
	again := exec.CommandContext(t.Context(), "sh", "-c", `mount --make-rprivate / && ip link set lo up && exec "$@"`, "sh", os.Args[0],
		"-test.run=^TestLongChaos$"+chosen(), "-test.v", "-test.timeout=0")
	again.Env = append(os.Environ(), chaosInsideEnv+"=yes")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	again.Stdout, again.Stderr = t.Output(), t.Output()
	if err := again.Run(); err != nil {
		t.Fatal(err)
	}
}

// chosen is the engine that the command line names, if it does.
func chosen() string {
	if _, engine, ok := strings.Cut(flag.Lookup("test.run").Value.String(), "/"); ok {
		return "/" + engine
	}
	return ""
}

// injected counts the faults by kind.
type injected struct {
	mu sync.Mutex
	by map[string]int
}

func (i *injected) add(kind string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.by[kind]++
}

func (i *injected) String() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(i.by)) {
		all = append(all, fmt.Sprintf("%s %d", kind, i.by[kind]))
		total += i.by[kind]
	}
	return fmt.Sprintf("%d faults: %s", total, strings.Join(all, ", "))
}

func chaos(t *testing.T, engine string) {
	seed := setting(t, chaosSeedEnv, uint64(rand.Uint32()))
	lasts := time.Minute
	if text := os.Getenv(chaosForEnv); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d, %v of faults", chaosSeedEnv, seed, lasts)
	s := newChaosStage(t, engine)
	s.begin(int(setting(t, chaosAgentsEnv, 150)), lasts)
	before := s.collector.usage(t)

	faults := &injected{by: map[string]int{}}
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var tracks sync.WaitGroup
	for i, track := range s.tracks(lasts) {
		dice := rand.New(rand.NewPCG(seed, uint64(i)))
		tracks.Go(func() { track.play(ctx, dice, faults) })
	}
	tracks.Wait()
	played := s.settle()
	fell := s.collector.fell()
	t.Logf("attempts of agents that failed: %v", played.Live.Failed)
	t.Logf("%v; %d declarations; the collector ended by itself %d times:\n%s", faults, played.Live.Done, len(fell), strings.Join(fell, "\n"))

	t.Logf("the officer got no answer: %v; the collector complained:%s", s.askers.refused, s.collector.complaints())
	for _, track := range s.tracks(lasts) {
		for _, f := range track.faults {
			if faults.by[f.kind] == 0 {
				t.Errorf("%s: never", f.kind)
			}
		}
	}
	s.bounded(before)
	s.stop()
	r := s.check()
	t.Logf("the checker's report:\n%s", r)
	if m := r.Messages; !r.OK || m.Lost+m.Doubled+m.Unsent+r.Searches.Lost+r.Searches.Doubled+r.Trail.Unverifiable > 0 {
		t.Errorf("%s: not all that was acknowledged is there; seed %d", engine, seed)
	}
	if r.Messages.Acknowledged < played.Live.Done || r.Messages.Acknowledged == 0 || r.Searches.Answered == 0 {
		t.Errorf("%d messages and %d searches are in the ledgers: that is not all that was played", r.Messages.Acknowledged, r.Searches.Answered)
	}
	s.kept(t)
}

// A track plays its faults one after the other; the tracks meet as they come.
type track struct {
	faults       []chaosFault
	least, spans time.Duration // between two of them
	last         time.Duration // of the whole: how long before the end it stops
}

// chaosFault is one kind of thing that happens to a machine.
type chaosFault struct {
	kind string
	do   func(ctx context.Context, dice *rand.Rand)
}

// play deals the faults like cards: each comes before one comes again.
func (k track) play(ctx context.Context, dice *rand.Rand, count *injected) {
	until, _ := ctx.Deadline()
	ctx, stop := context.WithDeadline(ctx, until.Add(-k.last))
	defer stop()
	var deck []chaosFault
	for rest(ctx, k.least+time.Duration(dice.Int64N(int64(k.spans)))) {
		if len(deck) == 0 {
			deck = slices.Clone(k.faults)
			dice.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		count.add(deck[0].kind)
		deck[0].do(ctx, dice)
		deck = deck[1:]
	}
}

// rest waits, and tells whether there is reason to go on.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// newChaosPostgres is a server whose files lie on the small disk.
func newChaosPostgres(t *testing.T, disk string) *pgtest.Server {
	t.Helper()
	if err := os.Chmod(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", disk)
	server, err := pgtest.Start(t.Context(), "fsync=on", "full_page_writes=on", "max_wal_size=64MB", "min_wal_size=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

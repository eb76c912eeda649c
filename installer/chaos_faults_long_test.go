//go:build long && linux && amd64

package installer

import (
	"context"
	bits "encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// tracks are what happens side by side: to the process, to what it stands on, and
// to its clock. The process is left alone at the end, so that what all else has
// done to it can be seen. In a long run they come less thickly: an agent that finds
// nobody a few times in a row waits for minutes, and a fault wants load.
func (s *chaosStage) tracks(lasts time.Duration) []track {
	process := track{least: 2 * time.Second, spans: min(lasts/12, 40*time.Second), last: 15 * time.Second, faults: []chaosFault{
		{"kill -9", s.kill}, {"kill -9", s.kill}, {"SIGSTOP", s.pause}, {"SIGTERM", s.terminate}}}
	machine := track{least: 500 * time.Millisecond, spans: min(lasts/40, 10*time.Second), faults: []chaosFault{
		{"disk full", s.fill}, {"slow disk", s.slow}, {"30 % packet loss", s.lose}, {"no file handles", s.handles}, {"no memory", s.memory}}}
	clock := track{least: 3 * time.Second, spans: min(lasts/12, 20*time.Second), faults: []chaosFault{
		{"clock +1 h", s.step(time.Hour)}, {"clock -1 h", s.step(-time.Hour)}, {"leap second", s.leap}, {"clock right", s.step(0)}}}
	if s.server != nil {
		machine.faults = append(machine.faults, chaosFault{"PostgreSQL kill -9", s.killServer})
	}
	return []track{process, machine, clock}
}

// hold is how long a fault lasts.
func hold(ctx context.Context, dice *rand.Rand, least, spans time.Duration) {
	rest(ctx, least+time.Duration(dice.Int64N(int64(spans))))
}

func (s *chaosStage) kill(context.Context, *rand.Rand) { s.collector.signal(syscall.SIGKILL) }

func (s *chaosStage) terminate(context.Context, *rand.Rand) { s.collector.signal(syscall.SIGTERM) }

func (s *chaosStage) pause(ctx context.Context, dice *rand.Rand) {
	s.collector.signal(syscall.SIGSTOP)
	hold(ctx, dice, time.Second, 4*time.Second)
	s.collector.signal(syscall.SIGCONT)
}

// fill takes all room on the disk, and gives it back.
func (s *chaosStage) fill(ctx context.Context, dice *rand.Rand) {
	path := filepath.Join(s.disk, "filler")
	if err := filler(path); err != nil {
		s.t.Errorf("fill the disk: %v", err)
	}
	hold(ctx, dice, time.Second, 3*time.Second)
	if err := os.Remove(path); err != nil {
		s.t.Errorf("free the disk: %v", err)
	}
	s.serverBack()
}

func filler(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for size, at := int64(256<<20), int64(0); size >= 4096; {
		err := syscall.Fallocate(int(f.Fd()), 0, at, size)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		default:
			at += size
		}
	}
	return nil
}

// slow has every sync of a file take a while.
func (s *chaosStage) slow(ctx context.Context, dice *rand.Rand) {
	s.control.set(controlDelay, int64(50_000+dice.IntN(950_000)))
	hold(ctx, dice, 2*time.Second, 3*time.Second)
	s.control.set(controlDelay, 0)
}

// lose drops 30 per cent of the packets between agents and collector, each way.
func (s *chaosStage) lose(ctx context.Context, dice *rand.Rand) {
	_, port, err := net.SplitHostPort(s.collector.agents)
	rule := func(how, direction string) {
		out, e := exec.Command("iptables", "-w", how, "INPUT", "-p", "udp", direction, port, "-m", "statistic", "--mode", "random", "--probability", "0.3", "-j", "DROP").CombinedOutput()
		if e = errors.Join(err, e); e != nil {
			s.t.Errorf("lose packets: %v: %s", e, out)
		}
	}
	rule("-A", "--dport")
	rule("-A", "--sport")
	hold(ctx, dice, 3*time.Second, 4*time.Second)
	rule("-D", "--dport")
	rule("-D", "--sport")
}

// handles lets the process open hardly any file more.
func (s *chaosStage) handles(ctx context.Context, dice *rand.Rand) {
	s.limit(ctx, dice, "nofile", func(pid int) int {
		open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		return len(open) + dice.IntN(4)
	})
}

// memory lets the process take hardly any memory more. Go ends a program that gets
// none; SQLite says so.
func (s *chaosStage) memory(ctx context.Context, dice *rand.Rand) {
	s.limit(ctx, dice, "as", func(pid int) int { return status(s.t, pid, "VmSize") + dice.IntN(16<<20) })
}

// limit lowers one of the process's limits, and raises it again.
func (s *chaosStage) limit(ctx context.Context, dice *rand.Rand, what string, to func(pid int) int) {
	pid := s.collector.pid()
	if pid == 0 {
		return
	}
	set := func(soft string) error {
		out, err := exec.Command("prlimit", "--pid", fmt.Sprint(pid), "--"+what+"="+soft+":").CombinedOutput()
		if err != nil && syscall.Kill(pid, 0) == nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	was, err := exec.Command("prlimit", "--pid", fmt.Sprint(pid), "--"+what, "--output", "SOFT", "--noheadings", "--raw").Output()
	if err != nil {
		return // it has just ended
	}
	if err := set(fmt.Sprint(to(pid))); err != nil {
		s.t.Errorf("limit %s: %v", what, err)
	}
	hold(ctx, dice, 2*time.Second, 2*time.Second)
	if s.collector.pid() != pid {
		return
	}
	if err := set(string(was[:len(was)-1])); err != nil {
		s.t.Errorf("lift the limit %s: %v", what, err)
	}
}

// step has the wall clock of the collector, also of those to come, go wrong by so
// much from one moment to the next.
func (s *chaosStage) step(by time.Duration) func(context.Context, *rand.Rand) {
	return func(context.Context, *rand.Rand) { s.control.set(controlStep, int64(by)) }
}

// leap repeats a second, as Linux does where one is inserted.
func (s *chaosStage) leap(context.Context, *rand.Rand) {
	s.control.set(controlStep, s.control.get(controlStep)-int64(time.Second))
}

// killServer ends PostgreSQL as a power cut does, and starts it again.
func (s *chaosStage) killServer(ctx context.Context, dice *rand.Rand) {
	s.server.Kill()
	hold(ctx, dice, 200*time.Millisecond, 2*time.Second)
	s.serverBack()
}

// serverBack starts PostgreSQL again if it has ended, as systemd does.
func (s *chaosStage) serverBack() {
	if s.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	if c, err := pgx.Connect(ctx, s.server.URL("postgres")); err == nil {
		_ = c.Close(ctx)
		return
	}
	s.server.Kill()
	if err := s.server.Run(context.WithoutCancel(s.t.Context())); err != nil {
		s.t.Errorf("start PostgreSQL again: %v", err)
	}
}

// chaosControl is what the collector's machine is told while it runs: see
// chaos/control.h.
type chaosControl struct {
	dir  string
	file *os.File
}

// Places in the file.
const (
	controlStep   = 8 * iota // of the clock, in nanoseconds
	controlDelay             // of each sync, in microseconds
	controlSynced            // syncs that were delayed
	controlAsked             // processes whose clock this is
)

func newChaosControl(s *chaosStage) *chaosControl {
	c := &chaosControl{dir: s.dir}
	s.system("gcc", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-nostdlib", "-Wl,--version-script=chaos/clock.map", "-o", filepath.Join(s.dir, "clock.so"), "chaos/clock.c")
	s.system("gcc", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-o", filepath.Join(s.dir, "faults.so"), "chaos/faults.c", "-ldl")
	var err error
	if c.file, err = os.Create(filepath.Join(s.dir, "control")); err == nil {
		err = c.file.Truncate(4096)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.file.Close() })
	return c
}

func (c *chaosControl) environment() []string {
	return []string{"LD_PRELOAD=" + filepath.Join(c.dir, "faults.so"), "CHAOS_CLOCK=" + filepath.Join(c.dir, "clock.so"), "CHAOS_CONTROL=" + c.file.Name()}
}

func (c *chaosControl) set(at int64, value int64) {
	var raw [8]byte
	bits.NativeEndian.PutUint64(raw[:], uint64(value))
	_, _ = c.file.WriteAt(raw[:], at)
}

func (c *chaosControl) get(at int64) int64 {
	var raw [8]byte
	_, _ = c.file.ReadAt(raw[:], at)
	return int64(bits.NativeEndian.Uint64(raw[:]))
}

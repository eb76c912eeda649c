//go:build long && linux && amd64

package installer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chaosCollector is the program, with somebody who starts it again as systemd
// does by the unit that packages ship.
type chaosCollector struct {
	s                            *chaosStage
	dir, log                     string
	agents, ops, consult, public string // host:port
	args                         []string

	mu      sync.Mutex
	process *os.Process // nil: between two of them
	killed  bool        // we ended it
	began   int64       // where its log begins
	fallen  []string    // ends of its own: how
	over    bool
	kept    sync.WaitGroup
}

func newChaosCollector(s *chaosStage, store string) *chaosCollector {
	c := &chaosCollector{s: s, dir: filepath.Join(s.disk, "collector"), log: filepath.Join(s.dir, "collector.log")}
	for _, addr := range []*string{&c.agents, &c.ops, &c.consult, &c.public} {
		*addr = freeAddr(s.t)
	}
	c.args = []string{"serve", "-data", c.dir, "-store", store, "-public-url", "http://localhost", "-ops-url", "http://" + c.ops, "-consult-url", "http://" + c.consult,
		"-listen-agents", c.agents, "-listen-public", c.public, "-listen-ops", c.ops, "-listen-consult", c.consult, "-listen-metrics", "off"}
	return c
}

// start runs it until stop, and returns when it takes commands.
func (c *chaosCollector) start() {
	program := binary(c.s.t, "anagrafe-collector")
	c.kept.Go(func() {
		for c.run(program) {
			rest(context.Background(), 500*time.Millisecond)
		}
	})
	c.s.t.Cleanup(c.stop)
	c.serving(c.s.t)
}

// run runs it once, and tells whether it shall run again.
func (c *chaosCollector) run(program string) bool {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.s.t.Errorf("%v", err)
		return false
	}
	defer log.Close()
	cmd := exec.Command(program, c.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), c.s.control.environment()...)
	cmd.Env = append(cmd.Env, unitEnvironment(c.s.t, units[1])...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return false
	}
	err = cmd.Start()
	c.process, c.killed = cmd.Process, false
	if info, err := log.Stat(); err == nil {
		c.began = info.Size()
	}
	c.mu.Unlock()
	if err != nil {
		c.s.t.Errorf("%v", err)
		return false
	}
	err = cmd.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = nil
	if !c.killed && !c.over {
		c.fallen = append(c.fallen, fmt.Sprintf("%v: %s", err, c.last()))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 2 && !c.over {
		c.s.t.Errorf("the collector ended with 2, after which systemd does not start it again: %s", c.last())
	}
	return !c.over
}

// signal sends one to the process, if there is one; it gives its number, or 0.
func (c *chaosCollector) signal(sig syscall.Signal) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return 0
	}
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		c.killed = true
	}
	_ = c.process.Signal(sig)
	return c.process.Pid
}

// pid is its number, or 0 between two processes.
func (c *chaosCollector) pid() int { return c.signal(0) }

// fell is how it ended, each time that nobody had ended it.
func (c *chaosCollector) fell() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fallen
}

// renew ends it as an operator does, and waits until another one takes commands.
func (c *chaosCollector) renew() {
	was := c.signal(syscall.SIGTERM)
	for now := was; now == was || now == 0; now = c.pid() {
		if !rest(c.s.t.Context(), 50*time.Millisecond) {
			return
		}
	}
	c.serving(c.s.t)
}

func (c *chaosCollector) stop() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.signal(syscall.SIGTERM)
	late := time.AfterFunc(30*time.Second, func() { c.signal(syscall.SIGKILL) })
	defer late.Stop()
	c.kept.Wait()
}

// serving waits until it takes commands.
func (c *chaosCollector) serving(t *testing.T) {
	t.Helper()
	end := time.Now().Add(patience)
	for !listening(filepath.Join(c.dir, "control.sock"))() {
		if time.Now().After(end) || !rest(t.Context(), 50*time.Millisecond) {
			t.Fatalf("the collector does not serve: %s", c.last())
		}
	}
}

// last is the last word of the process that runs, or ran last: the beginning of what
// Go says in the end, or a line.
func (c *chaosCollector) last() string {
	log, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	text := string(log[c.began:])
	for _, of := range []string{"runtime/cgo:", "fatal error:", "panic:", "SIGABRT:"} {
		if i := strings.Index(text, of); i >= 0 {
			line, _, _ := strings.Cut(text[i:], "\n")
			return line
		}
	}
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

var (
	complaint = regexp.MustCompile(`level=(?:ERROR|WARN) msg=("(?:[^"\\]|\\.)*"|\S+)(?:.* err="((?:[^"\\]|\\.)*)")?`)
	nameInIt  = regexp.MustCompile(`[0-9a-f-]{36}|[\w.-]*/[\w./-]+|[\d.:]{2,}`)
)

// complaints counts what its log complains of, without the names in it.
func (c *chaosCollector) complaints() string {
	log, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	by := map[string]int{}
	for _, found := range complaint.FindAllStringSubmatch(string(log), -1) {
		by[nameInIt.ReplaceAllString(found[1]+": "+found[2], "…")]++
	}
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, "\n%6d %.300s", by[what], what)
	}
	return b.String()
}

// chaosUsage is what a process takes of its machine.
type chaosUsage struct{ files, memory, threads int }

func (u chaosUsage) String() string {
	return fmt.Sprintf("%d handles, %d MiB, %d threads", u.files, u.memory>>20, u.threads)
}

func (c *chaosCollector) usage(t *testing.T) (u chaosUsage) {
	t.Helper()
	c.serving(t)
	pid := c.pid()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	u.files, u.memory, u.threads = len(open), status(t, pid, "VmRSS"), status(t, pid, "Threads")
	return u
}

// status reads a number of /proc/PID/status; kB become bytes.
func status(t *testing.T, pid int, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // it has just ended
	}
	for line := range strings.Lines(string(text)) {
		if value, is := strings.CutPrefix(line, name+":"); is {
			f := strings.Fields(value)
			n, _ := strconv.Atoi(f[0])
			if len(f) == 2 && f[1] == "kB" {
				n <<= 10
			}
			return n
		}
	}
	t.Errorf("/proc/%d/status has no %s", pid, name)
	return 0
}

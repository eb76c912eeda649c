//go:build bench

package installer

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"

	"anagrafe/agent/discover/cameratest"
)

// What an agent of 16 cameras costs the machine that it lives on, on which nothing
// changes: a shop's PC, a NAS, a card in a small computer.
//
// Memory is what is resident after a minute of rest, with the program's file as it is
// after a boot: what a linker has just written lies in the system's cache in pieces of
// up to 2 MiB, and each counts as a whole. How much of it is the agent's own is said.
//
// A day on a line that is held is a minute of rest, a day long, and 24 messages as long as
// a declaration of all cameras, though nothing changes; where a message fell into the
// minute, another one is measured. A day of one that is parked is four visits, one every six hours,
// one of which gives the sign of life, taken to be as long as such a declaration.
// Where the program looks for updates of itself, every six hours, that is not in it: it
// connects for that, unless a visit is just under way.
// Visits but the first resume their session: so does the one that is measured, which asks
// for notices and says such a declaration; what that is on a held line is taken off.
//
// A day's writing to disk is 24 looks that find all as it was, six of which write that
// down, and a message. One that writes is measured with the start of the program, on a
// file that says that the last one was hours ago.
const (
	idleCameras = 16
	settlesFor  = 45 * time.Second
	idleFor     = time.Minute // three keep-alives
	looksFor    = 190 * time.Second
	looksIn     = 3.0 // they are a minute apart, give or take a tenth
	day         = 24 * time.Hour
)

// cost is what a process took since it began, or between two moments.
type cost struct {
	cpu  float64 // seconds
	disk float64 // bytes that were written to storage
	wire float64 // bytes to and from the collector, without what IP and UDP add
}

func (c cost) since(before cost) cost {
	return cost{cpu: c.cpu - before.cpu, disk: c.disk - before.disk, wire: c.wire - before.wire}
}

// rest is an agent, its collector, and the line between them, on which bytes are counted.
type rest struct {
	*town
	collector *process
}

// idleFigures are agent_idle and agent_binary. A day is what the idle agent takes, and
// 24 looks at the recorders more; on the wire each look is taken to send as much as a
// declaration of all cameras, which is more than what is observed.
func idleFigures(t *testing.T) []figure {
	lan, err := cameratest.Simulated(idleCameras, 5*time.Millisecond, cameratest.SimulatedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lan.Close() })
	dir := t.TempDir()
	r := rest{town: &town{t: t, collectorDir: filepath.Join(dir, "collector"), agentDir: filepath.Join(dir, "agent"), devices: idleCameras}}
	for _, addr := range []*string{&r.agents, &r.public, &r.ops, &r.consult, &r.metrics, &r.pages} {
		*addr = freeAddr(t)
	}
	r.relay = newRelay(t, r.agents)
	r.collector = r.startCollector()

	asAfterBoot(t, binary(t, "anagrafe-agent"))
	r.settings("look_every = \"24h\"")
	agent := r.startAgent()
	r.enrol()
	ids := r.answer(agent)
	before := r.spent(agent)
	r.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return r.delivered() })
	said := r.spent(agent).since(before)
	idle, rss, own := r.undisturbed(agent)
	floor := r.bare()
	agent.kill()

	r.settings("look_every = \"1m\"")
	r.aged()
	agent = r.startAgent()
	r.settled(agent)
	wrote := r.spent(agent)
	if wrote.disk == 0 {
		t.Fatal("the look after a start wrote nothing down")
	}
	looks := r.rests(agent, looksFor)
	agent.kill()

	r.settings("look_every = \"24h\"", "connection = \"parked\"")
	before = r.spent(nil)
	agent = r.startAgent()
	r.settled(agent)
	r.rests(agent, 75*time.Second) // before a minute is over, it does not ask for notices again
	first := r.spent(nil).since(before)
	r.agent("set", ids[0], "-name", "Ingresso di mezzo")
	before = r.spent(nil)
	r.agent("approve", ids[0])
	agent.until("the acknowledgement", func() bool { return r.delivered() })
	r.rests(agent, 20*time.Second)
	visit := r.spent(nil).since(before)

	const slots, writing = 4, 6
	perDay := func(of func(cost) float64) (idleOfDay, look float64) {
		rate := of(idle) / idleFor.Seconds()
		return rate * day.Seconds(), max(0, (of(looks)-rate*looksFor.Seconds())/looksIn)
	}
	cpuDay, cpuLook := perDay(func(c cost) float64 { return c.cpu })
	diskDay, diskLook := perDay(func(c cost) float64 { return c.disk })
	wireDay := idle.wire / idleFor.Seconds() * day.Seconds()
	binary, err := os.Stat(binary(t, "anagrafe-agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("on the wire: %.0f bytes in %v of rest, %.0f for a declaration, %.0f for a visit of one that is parked to say as much, %.0f for its first; %.0f bytes written in %v of rest",
		idle.wire, idleFor, said.wire, visit.wire, first.wire, idle.disk, idleFor)
	what := fmt.Sprintf("agent of %d cameras, nothing changing", idleCameras)
	return []figure{
		atMost("agent_idle.rss_peer", what+": memory; against an idle Go program with quic-go", rss, "MiB", floor, 3),
		bounded("agent_idle.rss", fmt.Sprintf("%s: memory, of which %.1f MiB its own, the rest its program's file", what, own), rss, "MiB", 30),
		bounded("agent_idle.cpu", fmt.Sprintf("%s: of one core, over a day (a look takes %.2f s)", what, cpuLook), 100*(cpuDay+24*cpuLook)/day.Seconds(), "%", 0.1),
		bounded("agent_idle.wire_held", what+": bytes a day while it stays connected", (wireDay+24*said.wire)/1000, "kB", 500),
		bounded("agent_idle.wire_parked", what+": bytes a day where it comes every six hours, and once says something", (slots*(visit.wire-said.wire)+said.wire)/1000, "kB", 50),
		bounded("agent_idle.disk", fmt.Sprintf("%s: written a day (a look writes %.0f kB, one in four %.0f, a message %.0f)", what, diskLook/1000, wrote.disk/1000, said.disk/1000),
			(diskDay+24*diskLook+writing*wrote.disk+said.disk)/1e6, "MB", 1),
		bounded("agent_binary", "size of the agent's program", float64(binary.Size())/(1<<20), "MiB", 40),
	}
}

func (r rest) settings(lines ...string) {
	r.t.Helper()
	if err := os.MkdirAll(r.agentDir, 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.agentDir, "agent.toml"), []byte(strings.Join(append(lines, "notify = false"), "\n")+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// aged has the agent's file say that its last look is five hours old.
func (r rest) aged() {
	r.t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(r.agentDir, "inventory.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	ago := (5 * time.Hour).Microseconds()
	for _, table := range []string{"device", "camera"} {
		if _, err := db.ExecContext(r.t.Context(), "UPDATE "+table+" SET seen = seen - ?", ago); err != nil {
			r.t.Fatal(err)
		}
	}
}

// delivered tells whether nothing waits any more.
func (r rest) delivered() bool {
	var box struct {
		Messages []struct{ Kind, State string }
	}
	mustJSON(r.t, &box, "anagrafe-agent", "outbox", "-data", r.agentDir)
	sent := false
	for _, m := range box.Messages {
		if m.State == "waiting" {
			return false
		}
		sent = sent || m.Kind == "declaration"
	}
	return sent
}

// settled waits until the first look after a start is over and told.
func (r rest) settled(agent *process) {
	r.t.Helper()
	agent.until("the first look", r.delivered)
	r.rests(agent, 10*time.Second)
}

// rests measures what the agent costs while a time goes by.
func (r rest) rests(agent *process, d time.Duration) cost {
	r.t.Helper()
	before := r.spent(agent)
	select {
	case <-time.After(d):
	case <-agent.done:
		r.t.Fatalf("the agent ended: %s", agent.log)
	case <-r.t.Context().Done():
	}
	return r.spent(agent).since(before)
}

// spent is what the agent took so far; of nil the wire alone.
func (r rest) spent(agent *process) cost {
	r.t.Helper()
	c := cost{wire: float64(r.relay.up.Load() + r.relay.down.Load())}
	if agent == nil {
		return c
	}
	pid := agent.cmd.Process.Pid
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		r.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])) // from the third on, proc(5)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	c.cpu = (user + system) / 100 // USER_HZ
	c.disk = procNumber(r.t, fmt.Sprintf("/proc/%d/io", pid), "write_bytes:")
	return c
}

// undisturbed is what idleFor of rest costs, in which nothing was said, and what memory
// is resident at its end, MiB, and of that the agent's own. It begins when the agent has
// given back what it needed before, and asks it nothing meanwhile.
func (r rest) undisturbed(agent *process) (c cost, rss, own float64) {
	r.t.Helper()
	for range 5 {
		before := r.messages()
		r.rests(agent, settlesFor)
		c = r.rests(agent, idleFor)
		rss, own = resident(r.t, agent.cmd.Process.Pid)
		if r.messages() == before {
			return c, rss, own
		}
	}
	r.t.Fatal("the agent is never at rest")
	return c, rss, own
}

// messages is how many there are, sent or waiting.
func (r rest) messages() int {
	r.t.Helper()
	var box struct{ Messages []struct{ ID string } }
	mustJSON(r.t, &box, "anagrafe-agent", "outbox", "-data", r.agentDir)
	return len(box.Messages)
}

// asAfterBoot has the system forget a program's file, which somebody has just made.
func asAfterBoot(t *testing.T, program string) {
	t.Helper()
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)); err != nil {
		t.Fatal(err)
	}
}

// resident is a process's memory, MiB, and how much of it is of no file.
func resident(t *testing.T, pid int) (all, own float64) {
	t.Helper()
	status := fmt.Sprintf("/proc/%d/status", pid)
	return procNumber(t, status, "VmRSS:") / 1024, procNumber(t, status, "RssAnon:") / 1024
}

// procNumber is the first number of a line of a file of /proc.
func procNumber(t *testing.T, file, key string) float64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", file, key)
	return 0
}

// bare is the memory of a Go program that has a QUIC listener and does nothing, MiB.
func (r rest) bare() float64 {
	r.t.Helper()
	dir := r.t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(`package main

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/quic-go/quic-go"
)

func main() {
	l, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{NextProtos: []string{"idle"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, fmt.Errorf("none") }}, nil)
	fmt.Println(err)
	l.Accept(context.Background())
}
`), 0o600); err != nil {
		r.t.Fatal(err)
	}
	program := filepath.Join(dir, "bare")
	if out, err := exec.CommandContext(r.t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, source).CombinedOutput(); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	asAfterBoot(r.t, program)
	cmd := exec.CommandContext(r.t.Context(), program)
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	buffer := make([]byte, 16)
	if n, err := out.Read(buffer); err != nil || strings.TrimSpace(string(buffer[:n])) != "<nil>" {
		r.t.Fatalf("the bare program: %v %q", err, buffer)
	}
	all, _ := resident(r.t, cmd.Process.Pid)
	return all
}

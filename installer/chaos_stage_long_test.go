//go:build long && linux && amd64

package installer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry/pgtest"
)

// chaosStage is what a run of faults stands on.
type chaosStage struct {
	t         *testing.T
	dir       string // on the machine's own disk: ledgers and logs
	disk      string // the small disk under the collector, and under PostgreSQL
	evidence  string // where what was there at a failure is kept
	tools     string // folder of loadtest and checker
	control   *chaosControl
	server    *pgtest.Server // nil: SQLite
	collector *chaosCollector
	askers    *chaosAskers

	loadtest  *exec.Cmd
	out, said bytes.Buffer
	ended     chan struct{} // closed when loadtest has ended
	wrong     error         // valid after ended
}

// diskSize is enough for the fleet's minutes, and quickly filled.
const diskSize = 1 << 30

func newChaosStage(t *testing.T, engine string) *chaosStage {
	s := &chaosStage{t: t, dir: t.TempDir(), evidence: os.TempDir()}
	s.disk, s.tools = filepath.Join(s.dir, "disk"), filepath.Join(s.dir, "tools")
	for _, dir := range []string{s.disk, s.tools} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The server of PostgreSQL is another user, who must come through.
	for dir := s.dir; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
			_ = os.Chmod(dir, info.Mode()|0o001)
		}
	}
	image := filepath.Join(s.dir, "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, diskSize); err != nil {
		t.Fatal(err)
	}
	s.system("mkfs.ext4", "-q", "-m", "0", image) // nothing is kept back for root
	s.system("mount", "-o", "loop", image, s.disk)
	t.Cleanup(func() { _ = exec.Command("umount", "--lazy", s.disk).Run() })
	s.system("go", "build", "-o", s.tools, "./loadtest", "./checker")
	s.control = newChaosControl(s)
	store := ""
	if engine == "postgres" {
		s.server = newChaosPostgres(t, s.disk)
		store = s.server.URL("postgres")
	}
	s.collector = newChaosCollector(s, store)
	return s
}

// system runs a command of the machine.
func (s *chaosStage) system(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func (s *chaosStage) ledger() string { return filepath.Join(s.dir, "ledger.jsonl") }

// begin starts all, and returns when every agent is enrolled and connected.
func (s *chaosStage) begin(agents int, lasts time.Duration) {
	s.collector.start()
	s.askers = newChaosAskers(s)
	codes := filepath.Join(s.dir, "codes.json")
	out, err := command(s.t, "anagrafe-collector", "invite", "-data", s.collector.dir, "-site", "Prova", "-category", "shop", "-count", fmt.Sprint(agents), "-json")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(codes, out, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.loadtest = exec.Command(filepath.Join(s.tools, "loadtest"), "-codes", codes, "-agents", fmt.Sprint(agents), "-phases", "enrol,connect,live",
		"-for", (lasts + 5*time.Second).String(), "-every", "5s", "-ledger", s.ledger(), "-json")
	s.loadtest.Stdout = &s.out
	said, err := s.loadtest.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.loadtest.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	live := make(chan struct{})
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			fmt.Fprintln(&s.said, lines.Text())
			if strings.HasPrefix(lines.Text(), "live") {
				close(live)
			}
		}
		s.wrong = s.loadtest.Wait()
	}()
	s.t.Cleanup(func() { _ = s.loadtest.Process.Kill(); <-s.ended })
	select {
	case <-live:
	case <-s.ended:
		s.t.Fatalf("loadtest: %v\n%s", s.wrong, &s.said)
	}
	s.askers.begin()
}

// chaosPlayed is what loadtest prints.
type chaosPlayed struct {
	Live struct {
		Done   int
		Failed map[string]int // attempts that were made again, by why
	}
}

// settle sets the clock right, as the machine's owner does in the end, and waits until
// every agent has an answer for all that it sent, and is connected again. One that
// found nobody for long waits up to five minutes before it tries again.
func (s *chaosStage) settle() (p chaosPlayed) {
	s.t.Helper()
	s.control.set(controlStep, 0)
	select {
	case <-s.ended:
	case <-time.After(5 * patience):
		s.t.Errorf("the agents have not come to rest; the collector: %s", s.collector.last())
		_ = s.loadtest.Process.Kill()
		<-s.ended
	}
	s.askers.stop()
	if s.wrong != nil {
		s.t.Errorf("loadtest: %v\n%s\nthe collector: %s", s.wrong, &s.said, s.collector.last())
		return p
	}
	if err := json.Unmarshal(s.out.Bytes(), &p); err != nil {
		s.t.Fatalf("%v in %s", err, &s.out)
	}
	return p
}

// bounded compares what the collector uses with what it used before the faults, and
// with what a process that has just begun uses on the same register, which has grown.
func (s *chaosStage) bounded(before chaosUsage) {
	s.t.Helper()
	var now chaosUsage
	for range 30 { // what waits for a time-out may still hold something
		if now = s.collector.usage(s.t); now.files <= before.files+20 {
			break
		}
		rest(s.t.Context(), time.Second)
	}
	s.collector.renew()
	fresh := s.collector.usage(s.t)
	s.t.Logf("before: %v; after: %v; begun anew: %v", before, now, fresh)
	if now.files > before.files+20 || now.memory > 2*max(before.memory, fresh.memory)+(128<<20) {
		s.t.Error("the collector has not come back to what it used")
	}
}

// stop ends the collector as an operator does.
func (s *chaosStage) stop() { s.collector.stop() }

// checked is what the checker prints.
type checked struct {
	OK       bool
	Messages struct{ Sent, Acknowledged, Held, Lost, Doubled, Unsent int }
	Searches struct{ Asked, Answered, Entries, Lost, Doubled int }
	Trail    struct{ Entries, Verified, Unverifiable, Checkpoints, Inconsistent int }
	Findings []string
}

func (c checked) String() string {
	text, _ := json.Marshal(c)
	return strings.ReplaceAll(string(text), "},", "},\n")
}

func (s *chaosStage) check() (r checked) {
	s.t.Helper()
	args := []string{"-ledger", s.ledger(), "-ledger", s.askers.ledger(), "-data", s.collector.dir, "-json"}
	if s.server != nil {
		args = append(args, "-store", s.server.URL("postgres"))
	}
	cmd := exec.Command(filepath.Join(s.tools, "checker"), args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, _ := cmd.Output() // that it found something is in what it prints
	if err := json.Unmarshal(out, &r); err != nil {
		s.t.Fatalf("the checker: %v in %s: %s", err, out, &said)
	}
	return r
}

// kept leaves the evidence of a failure where the test's own folder is not deleted.
func (s *chaosStage) kept(t *testing.T) {
	if !t.Failed() {
		return
	}
	to, err := os.MkdirTemp(s.evidence, "anagrafe-chaos-")
	if err == nil {
		err = exec.Command("cp", "-a", s.disk, s.collector.log, s.ledger(), s.askers.ledger(), to).Run()
	}
	t.Logf("the small disk, the collector's log and the ledgers are in %s (%v)", to, err)
}

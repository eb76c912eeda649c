//go:build long

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
	"syscall"
	"testing"
)

// invite gives a link for a site: a new one, or a further one for the site.
func (tn *town) invite(args ...string) string {
	tn.t.Helper()
	var invitation struct{ Link string }
	mustJSON(tn.t, &invitation, "anagrafe-collector", append([]string{"invite", "-data", tn.collectorDir}, args...)...)
	return invitation.Link
}

// visit is a technician's visit that runs: its results come when it has ended.
type visit struct {
	*process
	dir string
	out *bytes.Buffer
}

func (tn *town) startVisit(dir string, args ...string) *visit {
	tn.t.Helper()
	v := &visit{dir: dir, out: &bytes.Buffer{}}
	v.process = &process{t: tn.t, cmd: exec.Command(binary(tn.t, "anagrafe-agent"), append([]string{"visit", "-interface", "lo", "-data", dir}, args...)...),
		log: &bytes.Buffer{}, done: make(chan struct{})}
	v.cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Dir(tn.agentDir))
	v.cmd.Stdout, v.cmd.Stderr = v.out, v.log
	if err := v.cmd.Start(); err != nil {
		tn.t.Fatal(err)
	}
	go func() { _ = v.cmd.Wait(); close(v.done) }()
	tn.t.Cleanup(v.kill)
	v.until("the visit's control socket", func() bool { _, err := os.Stat(filepath.Join(dir, "control.sock")); return err == nil })
	return v
}

// gone fails while anything of the visit is there.
func (v *visit) gone() {
	v.t.Helper()
	if entries, err := os.ReadDir(v.dir); !os.IsNotExist(err) {
		v.t.Errorf("the visit's directory is still there: %v, %v", entries, err)
	}
}

// TestLongVisit: from the code to the report, and nothing is left on the laptop.
func TestLongVisit(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	link := tn.invite("-site", "Bar di prova", "-category", "bar-restaurant")
	dir := filepath.Join(filepath.Dir(tn.agentDir), "visit")
	v := tn.startVisit(dir, link, "-json")
	tn.agentDir = dir
	ids := tn.answer(v.process)
	tn.agent("approve", "-all")
	if _, err := command(t, "anagrafe-agent", "visit", "-finish", "-data", dir); err != nil {
		t.Fatal(err)
	}
	<-v.done
	if code := v.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, v.log)
	}
	var result struct {
		Messages []struct{ Kind, State, SHA256 string }
		Report   string
	}
	if err := json.Unmarshal(v.out.Bytes(), &result); err != nil {
		t.Fatalf("%v in %s", err, v.out)
	}
	if len(result.Messages) != 1 || result.Messages[0].State != "acknowledged" {
		t.Errorf("%+v", result.Messages)
	}
	for _, want := range []string{"RAPPORTINO DELLA VISITA", "Bar di prova", "Ingresso 1", "Ada Bianchi", result.Messages[0].SHA256} {
		if !strings.Contains(result.Report, want) {
			t.Errorf("the report does not hold %q:\n%s", want, result.Report)
		}
	}
	t.Log(result.Report)
	v.gone()
	tn.exactly(ids)
	var agents struct {
		Agents []struct {
			Sites []struct {
				VisitUntil string `json:"visit_until"`
			}
		}
	}
	mustJSON(t, &agents, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	if len(agents.Agents) != 1 || len(agents.Agents[0].Sites) != 1 || agents.Agents[0].Sites[0].VisitUntil == "" {
		t.Errorf("%+v", agents)
	}
}

// TestLongVisitInterrupted: a visit that is broken off forgets, and one that is
// killed is forgotten by the next.
func TestLongVisitInterrupted(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	dir := func(n int) string {
		return filepath.Join(filepath.Dir(tn.agentDir), "anagrafe-visit", fmt.Sprint(n))
	}
	v := tn.startVisit(dir(1), tn.invite("-site", "Uno"))
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-v.done
	if code := v.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d:\n%s", code, v.log)
	}
	v.gone()

	killed := tn.startVisit(dir(2), tn.invite("-site", "Due"))
	killed.kill()
	if _, err := os.Stat(filepath.Join(dir(2), "identity.key")); err != nil {
		t.Fatal("the killed visit left nothing: the test shows nothing", err)
	}
	next := tn.startVisit(dir(3), tn.invite("-site", "Tre"))
	killed.gone()
	if _, err := os.Stat(filepath.Join(next.dir, "identity.key")); err != nil {
		t.Error("the visit that runs was forgotten with it", err)
	}
	// A directory that is not a visit's is never one's.
	other := filepath.Join(filepath.Dir(tn.agentDir), "other")
	if err := os.MkdirAll(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "identity.key"), []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, "anagrafe-agent", "visit", "AAAA", "-data", other); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a visit in a directory that is in use: %v", err)
	}
	if _, err := os.Stat(filepath.Join(other, "identity.key")); err != nil {
		t.Error(err)
	}
}

// TestLongVisitEndsByEnter: the owner has shared, the technician presses Enter.
func TestLongVisitEndsByEnter(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	dir := filepath.Join(filepath.Dir(tn.agentDir), "visit")
	cmd := exec.Command(binary(t, "anagrafe-agent"), "visit", tn.invite("-site", "Bar"), "-interface", "lo", "-language", "en", "-data", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "press Enter") {
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it has ended
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "REPORT OF THE VISIT") || !strings.Contains(out.String(), "Nothing was shared") {
		t.Errorf("%v:\n%s", err, &out)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("something is left")
	}
}

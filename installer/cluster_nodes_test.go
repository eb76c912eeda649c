//go:build long || bench

package installer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build makes a program of the sources, with flags of go build.
func build(t *testing.T, what string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(what))
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-trimpath", "-o", out}, flags...), what)...)
	cmd.Dir = ".."
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v: %s", what, err, text)
	}
	return out
}

// store is the register's, as the collectors have it.
func (c *cluster) store() string {
	return fmt.Sprintf("postgres://anagrafe:%s@%s,%s/anagrafe?target_session_attrs=read-write&sslmode=require", clusterPassword, dbAddress(0), dbAddress(1))
}

// serve has both hosts serve.
func (c *cluster) serve(program string) {
	c.t.Helper()
	cert, key := certificateFor(c.t, collectorName)
	for i, n := range c.nodes {
		write(c.t, filepath.Join(n.dir, "cert.pem"), cert, 0o644)
		write(c.t, filepath.Join(n.dir, "key.pem"), key, 0o600)
		write(c.t, filepath.Join(n.dir, "collector.toml"), fmt.Sprintf(`store = %q
public_url = "https://%[2]s"
ops_url = "https://%[2]s:8081"
consult_url = "https://%[2]s:8082"
listen_agents = ":8443"
listen_agents_tcp = "%[3]s:8444"
listen_public = "%[3]s:4430"
listen_ops = "%[3]s:4431"
listen_consult = "%[3]s:4432"
listen_metrics = "%[3]s:9180"
balancers = ["10.9.1.2/32", "10.9.2.2/32"]
consult_allow = ["10.8.0.0/16"]
certificate = "%[4]s/cert.pem"
key = "%[4]s/key.pem"
`, c.store(), collectorName, n.address, n.dir), 0o600)
		if i > 0 {
			for _, part := range []string{"root.secret", "keys"} {
				if out, err := exec.Command("cp", "-a", filepath.Join(c.nodes[0].dir, part), n.dir).CombinedOutput(); err != nil {
					c.t.Fatalf("%v: %s", err, out)
				}
			}
		}
		c.collect(n, program)
		c.balance(n)
	}
}

// collect starts a collector, and waits until it says that it is ready.
func (c *cluster) collect(n *node, program string) {
	c.t.Helper()
	n.collector = n.serving(c.t, program, "serve", "-data", n.dir)
	n.collector.until("the collector of "+n.address, func() bool { return n.ready() })
}

func (n *node) ready() bool {
	_, err := n.get("http://" + n.address + ":9180/readyz")
	return err == nil
}

// balance starts HAProxy on a host.
func (c *cluster) balance(n *node) {
	c.t.Helper()
	config := filepath.Join(n.dir, "haproxy.cfg")
	// A service may have more open files than a shell of this machine.
	text := strings.NewReplacer("/dev/log", "stdout format raw", "maxconn 20000", "maxconn 4000").Replace(c.file("haproxy.cfg", "", n.address))
	write(c.t, config, text, 0o644)
	p := n.serving(c.t, "/usr/sbin/haproxy", "-db", "-f", config)
	p.until("HAProxy on "+n.address, func() bool {
		conn, err := n.dial(c.t.Context(), "tcp", n.address+":8443")
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// serving starts a program in the network, until the test ends.
func (n network) serving(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return started(t, n.command(context.Background(), program, args...))
}

func started(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, log: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", cmd, last(p.log.String(), 40))
		}
	})
	return p
}

// stop asks a process to end, and waits for it.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

// fleet is many agents at work, and their ledger.
type fleet struct {
	*cluster
	agents int
	ledger string
	key    string // the trail's
	load   *process
	quiet  io.Closer // closed: the agents say what they have to say, and end

	checker string
}

// play enrols agents in a house, and has each declare every few seconds.
func (c *cluster) play(agents int, every time.Duration) *fleet {
	c.t.Helper()
	f := &fleet{cluster: c, agents: agents, ledger: filepath.Join(c.dir, "ledger.jsonl"), checker: build(c.t, "./installer/checker")}
	codes := filepath.Join(c.dir, "codes.json")
	out, err := c.nodes[0].program(c.t, "anagrafe-collector", "invite", "-data", c.nodes[0].dir, "-site", "Prova", "-category", "shop", "-count", fmt.Sprint(agents), "-json")
	if err != nil {
		c.t.Fatal(err)
	}
	write(c.t, codes, string(out), 0o600)
	h := c.house(c.nodes[0].address, c.nodes[1].address)
	load := h.inside.command(context.Background(), build(c.t, "./installer/loadtest"), "-codes", codes, "-agents", fmt.Sprint(agents),
		"-phases", "enrol,connect,live", "-for", "0s", "-every", every.String(), "-ledger", f.ledger, "-json")
	if f.quiet, err = load.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	f.load = started(c.t, load)
	f.progress(agents)
	f.connected()
	return f
}

// acknowledged are the moments of all acknowledgements until now.
func (f *fleet) acknowledged() (all []time.Time) {
	file, err := os.Open(f.ledger)
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var e struct {
			Event string
			At    time.Time
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Event == "acknowledged" { // the last may be torn
			all = append(all, e.At)
		}
	}
	return all
}

// progress waits until so many more declarations are acknowledged.
func (f *fleet) progress(more int) {
	f.t.Helper()
	before := len(f.acknowledged())
	f.load.until(fmt.Sprintf("%d acknowledgements more", more), func() bool { return len(f.acknowledged()) >= before+more })
}

// connected waits until all agents are.
func (f *fleet) connected() {
	f.t.Helper()
	f.load.until("all agents to be connected", func() bool { return f.held() >= f.agents })
}

// held are the agents that listen for notices at any of the collectors.
func (f *fleet) held() (n int) {
	for _, node := range f.nodes {
		body, err := node.get("http://" + node.address + ":9180/metrics")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(body)) {
			var held int
			if _, err := fmt.Sscanf(line, "anagrafe_ingest_notice_streams_open %d", &held); err == nil {
				n += held
			}
		}
	}
	return n
}

// gap is the longest time without an acknowledgement since a moment.
func (f *fleet) gap(since time.Time) (longest time.Duration) {
	for _, at := range f.acknowledged() {
		if at.Before(since) {
			continue
		}
		longest, since = max(longest, at.Sub(since)), at
	}
	return longest
}

// compared is what the checker says of the register.
type compared struct {
	OK       bool
	Messages struct{ Sent, Acknowledged, Held, Lost, Doubled, Unsent int }
	Trail    struct{ Entries, Verified, Unverifiable int }
	Findings []string
}

// compare has the checker read the register, and the trail.
func (f *fleet) compare() (r compared) {
	f.t.Helper()
	if f.key == "" {
		text, err := os.ReadFile(filepath.Join(f.nodes[0].dir, "keys", "checkpoint.key"))
		if err != nil {
			f.t.Fatal(err)
		}
		f.key = strings.Fields(string(text))[1]
	}
	cmd := f.nodes[0].command(f.t.Context(), f.checker, "-ledger", f.ledger, "-store", f.store(), "-key", f.key, "-json")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if json.Unmarshal(out, &r) != nil {
		f.t.Fatalf("the checker: %v: %s", err, complaint.Bytes())
	}
	return r
}

// end has the agents say what they have begun, and waits for them.
func (f *fleet) end() {
	f.t.Helper()
	if err := f.quiet.Close(); err != nil {
		f.t.Fatal(err)
	}
	<-f.load.done
	if code := f.load.cmd.ProcessState.ExitCode(); code != 0 {
		f.t.Errorf("the agents: %d: %s", code, last(f.load.log.String(), 20))
	}
}

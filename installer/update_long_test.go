//go:build long

package installer

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// publisher is who signs updates: the real program, with keys of its own.
type publisher struct {
	t            *testing.T
	dir, channel string
}

func newPublisher(t *testing.T, channel string) publisher {
	t.Helper()
	p := publisher{t, t.TempDir(), channel}
	if err := os.WriteFile(p.path("secret"), []byte("one two three four five\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"comune", "ateneo", "associazione", "canale"} {
		p.do("key", p.path(name), "-passphrase", p.path("secret"))
	}
	p.do("root", channel, "-owner", p.path("comune.pub"), "-owner", p.path("ateneo.pub"), "-owner", p.path("associazione.pub"), "-online", p.path("canale.pub"))
	p.publish("comune", "ateneo")
	return p
}

func (p publisher) path(name string) string { return filepath.Join(p.dir, name) }

func (p publisher) do(args ...string) {
	p.t.Helper()
	if _, err := command(p.t, "anagrafe-publish", args...); err != nil {
		p.t.Fatal(err)
	}
}

// publish has two owners sign what is prepared, and makes it the channel's.
func (p publisher) publish(owners ...string) {
	p.t.Helper()
	for _, owner := range owners {
		p.do("sign", p.channel, "-key", p.path(owner), "-passphrase", p.path("secret"))
	}
	p.do("publish", p.channel, "-key", p.path("canale"), "-passphrase", p.path("secret"))
}

func (p publisher) release(version, program string, more ...string) {
	p.t.Helper()
	p.do(append([]string{"add", p.channel, program, "-version", version, "-percent", "100", "-note-it", "Novità di " + version, "-note-en", "News of " + version}, more...)...)
	p.publish("associazione", "comune")
}

// builtAgent is the agent's program of a version; overlay is a file of go build's, or "".
func builtAgent(t *testing.T, dir, version, overlay string) string {
	t.Helper()
	path := filepath.Join(dir, "anagrafe-agent")
	if out, err := exec.Command("go", "build", "-trimpath", "-overlay", overlay, "-ldflags=-s -w -X main.release="+version, "-o", path, "../agent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// keptRunning is a service manager: what ends with an error is started again.
type keptRunning struct {
	*process
	path string
	args []string
}

func keepRunning(t *testing.T, path string, args ...string) *keptRunning {
	k := &keptRunning{path: path, args: args}
	k.start(t)
	return k
}

func (k *keptRunning) start(t *testing.T) {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(k.path, k.args...), log: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", k.path, p.log)
		}
	})
	k.process = p
}

type versionsSeen struct {
	Able, Held    bool
	Version, Next string
	LookedAt      time.Time         `json:"looked_at"`
	Wrong         string            `json:"wrong"`
	Notes         map[string]string `json:"notes"`
	Failed        []struct{ Version, Why string }
	unanswered    bool
}

// versions is what the agent says of its versions; while it is started anew it does not
// answer.
func (tn *town) versions(args ...string) (v versionsSeen) {
	tn.t.Helper()
	c, err := net.Dial("unix", filepath.Join(tn.agentDir, "control.sock"))
	if err != nil {
		return versionsSeen{unanswered: true}
	}
	_ = c.Close()
	out, err := command(tn.t, "anagrafe-agent", append([]string{"updates", "-json", "-data", tn.agentDir}, args...)...)
	if err != nil {
		return versionsSeen{unanswered: true}
	}
	if err := json.Unmarshal(out, &v); err != nil {
		tn.t.Fatalf("%v: %s", err, out)
	}
	return v
}

// seenByOps is the version of the one agent in the operators' list.
func (tn *town) seenByOps() string {
	tn.t.Helper()
	var list struct {
		Agents []struct{ Version string }
	}
	mustJSON(tn.t, &list, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	if len(list.Agents) != 1 {
		tn.t.Fatalf("%+v", list)
	}
	return list.Agents[0].Version
}

// look has the agent look at the channel, and waits until what it comes to is there.
func (tn *town) look(agent *keptRunning, what string, there func(versionsSeen) bool) versionsSeen {
	tn.t.Helper()
	var v versionsSeen
	agent.until("the agent to be asked for "+what, func() bool { return !tn.versions("look").unanswered })
	agent.until(what, func() bool { v = tn.versions(); return !v.unanswered && there(v) })
	return v
}

// updating is a town of which the agent, v1.0.0, is enrolled and follows a channel.
func updating(t *testing.T) (*town, publisher, *keptRunning) {
	t.Helper()
	tn := newTown(t)
	installed := t.TempDir()
	program := builtAgent(t, installed, "v1.0.0", "")
	tn.startCollector()
	p := newPublisher(t, filepath.Join(tn.collectorDir, "channel"))
	root := read(t, filepath.Join(p.channel, "1.root.json"))
	if err := os.WriteFile(filepath.Join(installed, "update-root.json"), root, 0o644); err != nil {
		t.Fatal(err)
	}
	agent := keepRunning(t, program, "run", "-data", tn.agentDir, "-interface", "lo", "-listen-pages", tn.pages)
	agent.until("the agent's control socket", func() bool { return !tn.versions().unanswered })
	tn.enrol()
	tn.agent("contact", "-name", "Ada Bianchi", "-phone", "+39 02 5550 0100")
	return tn, p, agent
}

// TestLongUpdate: real programs. A good update comes, is tried, runs, and ops see it;
// one that crashes is left again, which ops see, too; one that is held is shown and
// does not come; and after kill -9 the newest good one runs.
func TestLongUpdate(t *testing.T) {
	tn, p, agent := updating(t)
	next := t.TempDir()
	newer := builtAgent(t, next, "v1.1.0", "")

	t.Log("good")
	p.release("v1.1.0", newer)
	v := tn.look(agent, "the good version", func(v versionsSeen) bool { return v.Version == "v1.1.0" })
	if !v.Able || v.Notes["it"] != "Novità di v1.1.0" || len(v.Failed) > 0 {
		t.Errorf("%+v", v)
	}
	agent.until("ops to see it", func() bool { return tn.seenByOps() == "v1.1.0" })
	var contacts json.RawMessage
	mustJSON(t, &contacts, "anagrafe-agent", "status", "-data", tn.agentDir)
	if !bytes.Contains(contacts, []byte(`"version": "v1.1.0"`)) && !bytes.Contains(contacts, []byte(`"version":"v1.1.0"`)) {
		t.Errorf("%s", contacts)
	}

	t.Log("one that crashes")
	bad := filepath.Join(next, "bad")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.release("v1.2.0", bad)
	v = tn.look(agent, "the way back", func(v versionsSeen) bool { return len(v.Failed) == 1 })
	if v.Version != "v1.1.0" || v.Failed[0].Version != "v1.2.0" || v.Failed[0].Why != "crash" {
		t.Errorf("%+v", v)
	}
	agent.until("ops to see it", func() bool { return tn.seenByOps() == "v1.1.0+back.v1.2.0.crash" })

	t.Log("held")
	tn.agent("updates", "hold")
	p.release("v1.3.0", newer)
	v = tn.look(agent, "what is held", func(v versionsSeen) bool { return v.Next == "v1.3.0" })
	if v.Version != "v1.1.0" || !v.Held || v.Wrong != "" {
		t.Errorf("%+v", v)
	}

	t.Log("kill -9")
	agent.kill()
	agent.start(t)
	agent.until("the version that was kept", func() bool { return tn.versions().Version == "v1.1.0" })
	if left, err := filepath.Glob(filepath.Join(tn.agentDir, "inventory.before*")); err != nil || len(left) > 0 {
		t.Errorf("copies of the inventory are left: %v, %v", left, err)
	}
}

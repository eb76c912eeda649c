//go:build long

package installer

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"anagrafe/collector/registry/pgtest"
)

// another is a further collector of the same town, on the same PostgreSQL, made as
// the operator makes it: from root.secret and keys/ of the first.
func (tn *town) another() *town {
	tn.t.Helper()
	other := *tn
	other.collectorDir = filepath.Join(tn.t.TempDir(), "collector")
	for _, addr := range []*string{&other.agents, &other.public, &other.ops, &other.consult, &other.metrics} {
		*addr = freeAddr(tn.t)
	}
	// The officer is the same; the file also names the collector to ask.
	other.creds = filepath.Join(tn.t.TempDir(), "officer.json")
	tn.registered()
	creds, err := os.ReadFile(tn.creds)
	if err != nil {
		tn.t.Fatal(err)
	}
	if err := os.WriteFile(other.creds, bytes.ReplaceAll(creds, []byte(tn.consult), []byte(other.consult)), 0o600); err != nil {
		tn.t.Fatal(err)
	}
	if err := os.MkdirAll(other.collectorDir, 0o700); err != nil {
		tn.t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", filepath.Join(tn.collectorDir, "root.secret"), filepath.Join(tn.collectorDir, "keys"), other.collectorDir).CombinedOutput(); err != nil {
		tn.t.Fatalf("%v: %s", err, out)
	}
	return &other
}

// lead sends what comes from now on to another collector.
func (r *relay) lead(target string) {
	r.target.Store(&target)
	r.mu.Lock()
	defer r.mu.Unlock()
	for from, f := range r.flows {
		_ = f.Close()
		delete(r.flows, from)
	}
}

// TestLongTwoCollectors: an agent delivers to one collector and the search of the
// other finds it; the first is killed, and the agent goes on with the second.
func TestLongTwoCollectors(t *testing.T) {
	server, err := pgtest.Start(t.Context(), "fsync=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	first := newTown(t)
	first.store = server.URL("postgres")
	one := first.startCollector()
	second := first.another()
	two := second.startCollector()
	agent := first.startAgent()
	first.enrol()
	ids := first.answer(agent)
	first.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return first.outbox("declaration")["acknowledged"] == 1 })
	second.exactly(ids)

	one.kill()
	first.relay.lead(second.agents)
	first.agent("withdraw", ids[0])
	two.until("the change, at the other collector", func() bool { return len(second.registered()) == len(ids)-1 })
	second.exactly(ids[1:])

	first.startCollector() // once more, with what it was killed with
	first.exactly(ids[1:])
}

//go:build long

package installer

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestLongNewHardware: another computer is enrolled for a site that is declared,
// takes over what it finds under the ids that the register knows, and takes the
// first one's place.
func TestLongNewHardware(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	agent := tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	tn.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	var sites struct {
		Agents []struct{ Sites []struct{ ID string } }
	}
	mustJSON(t, &sites, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	link := tn.invite("-site-id", sites.Agents[0].Sites[0].ID)
	old := tn.agentDir

	tn.agentDir, tn.pages = filepath.Join(filepath.Dir(old), "new"), freeAddr(t)
	second := tn.startAgent()
	second.until("the new agent's look at the network", func() bool { return len(tn.cameras()) >= tn.devices })
	// Two that are alike in everything but the name that a person gave: that the
	// new computer is told too.
	for i, cam := range tn.cameras() {
		tn.agent("set", cam.ID, "-name", fmt.Sprintf("Ingresso %d", i+1))
	}
	out, err := command(t, "anagrafe-agent", "enrol", link, "-data", tn.agentDir)
	if err != nil || !strings.Contains(string(out), "The register already has") || !strings.Contains(string(out), "1 other computers") {
		t.Fatalf("%s, %v", out, err)
	}
	tn.agent("takeover", "-accept")
	tn.agent("approve", "-all")
	second.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	tn.exactly(ids) // each once, under the id that it had

	// Both speak; then the owner says that the new one takes the other's place.
	mustJSON(t, &sites, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	if len(sites.Agents[0].Sites)+len(sites.Agents[1].Sites) != 2 {
		t.Errorf("%+v", sites)
	}
	tn.agent("enrol", link, "-replace")
	mustJSON(t, &sites, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	if len(sites.Agents[0].Sites)+len(sites.Agents[1].Sites) != 1 {
		t.Errorf("%+v", sites)
	}
	tn.exactly(ids)
}

//go:build long

package installer

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests are of the whole product: the real programs, killed and cut off, lose
// nothing that was confirmed and keep nothing that was withdrawn.
const recorded = "anagrafe_ingest_messages_recorded_total"

// exactly fails unless the register holds each of ids once and nothing else.
func (tn *town) exactly(ids []string) {
	tn.t.Helper()
	count := tn.registered()
	for _, id := range ids {
		if count[id] != 1 {
			tn.t.Errorf("camera %s stands in the register %d times, not once", id, count[id])
		}
		delete(count, id)
	}
	for id := range count {
		tn.t.Errorf("camera %s stands in the register and was not confirmed", id)
	}
}

// TestLongCollectorKilledBeforeAcknowledging kills the collector after it has
// committed a declaration and before the agent could hear of it.
func TestLongCollectorKilledBeforeAcknowledging(t *testing.T) {
	tn := newTown(t)
	collector, agent := tn.startCollector(), tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)

	tn.relay.dropDown.Store(true) // from here on the agent hears nothing
	tn.agent("approve", "-all")
	collector.until("the declaration to be committed", func() bool { return tn.metric(recorded, `kind="declaration"`) == 1 })
	if got := tn.outbox("declaration"); got["waiting"] != 1 {
		t.Fatalf("the agent believes %v, though no acknowledgement can have reached it", got)
	}
	collector.kill()

	tn.startCollector()
	tn.relay.dropDown.Store(false)
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	if got := tn.metric("anagrafe_ingest_messages_duplicate_total", ""); got != 1 {
		t.Errorf("the second delivery counted %d duplicates: the kill did not hit between commit and acknowledgement", got)
	}
	tn.exactly(ids)
}

// TestLongAgentKilledAfterConfirming confirms while the collector is down and
// kills the agent right after the command has returned.
func TestLongAgentKilledAfterConfirming(t *testing.T) {
	tn := newTown(t)
	collector, agent := tn.startCollector(), tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	collector.kill()
	tn.agent("approve", "-all")
	agent.kill()

	tn.startCollector()
	agent = tn.startAgent()
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	tn.exactly(ids)
}

// TestLongAgentKilledWhileConfirming kills the agent at random instants of an
// approval: after each restart either the decision and its message are both
// there, or neither is.
func TestLongAgentKilledWhileConfirming(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	agent := tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		approve := exec.Command(binary(t, "anagrafe-agent"), "approve", "-all", "-data", tn.agentDir)
		if err := approve.Start(); err != nil {
			t.Fatal(err)
		}
		// The instant is the point here: nothing is waited for.
		<-time.After(time.Duration(random.IntN(30)) * time.Millisecond)
		agent.kill()
		_ = approve.Wait()
		agent = tn.startAgent()
		declared := 0
		for _, cam := range tn.cameras() {
			if cam.State == "declared" {
				declared++
			}
		}
		states := tn.outbox("declaration")
		messages := states["waiting"] + states["acknowledged"]
		if declared != 0 && declared != len(ids) || (declared > 0) != (messages > 0) {
			t.Fatalf("%d of %d cameras are declared and %d declarations exist", declared, len(ids), messages)
		}
	}
	tn.agent("approve", "-all")
	agent.until("the acknowledgements", func() bool {
		states := tn.outbox("declaration")
		return states["acknowledged"] > 0 && states["waiting"] == 0
	})
	tn.exactly(ids)
}

// TestLongUDPDropped delivers over HTTP/2 where no UDP passes.
func TestLongUDPDropped(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	tn.relay.dropUp.Store(true)
	agent := tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	tn.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	var status struct{ Transport string }
	mustJSON(t, &status, "anagrafe-agent", "status", "-data", tn.agentDir)
	if status.Transport != "h2" {
		t.Errorf("status says %q, want h2", status.Transport)
	}
	var doctor struct {
		Healthy   bool
		Transport string
		Findings  []struct{ Part, State, Do string }
	}
	mustJSON(t, &doctor, "anagrafe-agent", "doctor", "-data", tn.agentDir)
	for _, f := range doctor.Findings {
		// This collector was given no map to lend.
		if want := map[bool]string{true: "slow", false: "good"}[f.Part == "udp" || f.Part == "map"]; f.State != want {
			t.Errorf("doctor says that %s is %s, want %s", f.Part, f.State, want)
		}
	}
	if !doctor.Healthy || doctor.Transport != "h2" || len(doctor.Findings) < 10 {
		t.Errorf("doctor says %+v", doctor)
	}
	tn.exactly(ids)
}

// TestLongWithdrawn takes everything out again: the search finds nothing.
func TestLongWithdrawn(t *testing.T) {
	tn := newTown(t)
	tn.startCollector()
	agent := tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	tn.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	tn.exactly(ids)
	tn.agent("withdraw", ids[0])
	agent.until("the shorter declaration", func() bool { return tn.outbox("declaration")["acknowledged"] == 2 })
	tn.exactly(ids[1:])
	tn.agent("withdraw", "-all")
	agent.until("the withdrawal", func() bool { return tn.outbox("withdrawal")["acknowledged"] == 1 })
	tn.exactly(nil)
}

// TestLongCodes types what people type wrong: each gets its own words, and the
// agent's directory stays without an identity.
func TestLongCodes(t *testing.T) {
	tn := newTown(t)
	collector := tn.startCollector()
	var invitation struct{ Code, Link string }
	mustJSON(t, &invitation, "anagrafe-collector", "invite", "-data", tn.collectorDir, "-site", "Bar di prova")
	other := filepath.Join(t.TempDir(), "other")
	refused := func(dir, want string, args ...string) {
		t.Helper()
		_, err := command(t, "anagrafe-agent", append(args, "-data", dir)...)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "exit status 1") {
			t.Errorf("%v: %v, want exit 1 and %q", args, err, want)
		}
	}
	typo := []byte(invitation.Code)
	typo[0], typo[1] = typo[1], typo[0]
	if typo[0] != typo[1] { // two letters swapped: the check character tells
		refused(tn.agentDir, "two are swapped", "enrol", string(typo), "-collector", "https://localhost:1")
	}
	refused(tn.agentDir, "whole enrolment link", "enrol", invitation.Code)
	refused(tn.agentDir, "pin", "enrol", invitation.Code, "-collector", "https://"+strings.Replace(tn.agents, "127.0.0.1", "localhost", 1))

	tn.agent("enrol", invitation.Link)
	tn.agent("enrol", invitation.Link) // the same host again: the answer may have been lost
	refused(other, "already been used", "enrol", invitation.Link)
	collector.kill()
	refused(other, "reach", "enrol", invitation.Link)
}

// TestLongDemo runs what README promises, beside recorded devices and without.
func TestLongDemo(t *testing.T) {
	shared := filepath.Join("..", "..", "shared")
	if s := os.Getenv("ANAGRAFE_SHARED"); s != "" {
		shared = s
	}
	for _, c := range []struct{ devices, shared string }{
		{"hand-written", t.TempDir()},
		{"recorded", shared},
	} {
		t.Run(c.devices, func(t *testing.T) {
			if _, err := os.Stat(c.shared); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("no recorded devices: %v", err)
				}
				t.Skipf("left out, no recorded devices beside the project: %v", err)
			}
			demo := exec.CommandContext(t.Context(), "go", "run", "./installer/demo", "-bin", "build", "-shared", absolute(t, c.shared))
			demo.Dir = ".."
			demo.Env = append(os.Environ(), "DEMO=once")
			var complaint strings.Builder
			demo.Stderr = &complaint
			out, err := demo.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, complaint.String())
			}
			var o struct {
				Devices              string `json:"devices"`
				DevicesFound         int    `json:"devices_found"`
				CamerasFound         int    `json:"cameras_found"`
				CamerasConfirmed     int    `json:"cameras_confirmed"`
				MessagesAcknowledged int    `json:"messages_acknowledged"`
				Transport            string `json:"transport"`
				SearchResults        int    `json:"search_results"`
				TrailEntries         int    `json:"trail_entries"`
				TrailVerified        bool   `json:"trail_verified"`
			}
			if err := json.Unmarshal(out, &o); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			t.Logf("%+v", o)
			if o.Devices != c.devices || o.DevicesFound < 8 || o.CamerasConfirmed != o.CamerasFound-2 || o.MessagesAcknowledged < 1 ||
				o.Transport != "h3" || o.SearchResults != o.CamerasConfirmed || o.TrailEntries < 1 || !o.TrailVerified {
				t.Errorf("not what was promised: %s", out)
			}
		})
	}
}

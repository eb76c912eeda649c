//go:build long || bench

package installer

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// town is one collector, one agent, and a small LAN between them.
type town struct {
	t                             *testing.T
	collectorDir, agentDir, creds string
	agents, public, ops, consult  string // host:port
	metrics, pages                string
	store                         string // "": the collector's own
	relay                         *relay
	devices                       int
}

func newTown(t *testing.T) *town {
	t.Helper()
	lan, err := cameratest.Town(cameratest.TownOptions{Cameras: filepath.Join("..", "testdata", "cameras"), NoAuth: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lan.Close() })
	dir := t.TempDir()
	tn := &town{t: t, collectorDir: filepath.Join(dir, "collector"), agentDir: filepath.Join(dir, "agent"),
		creds: filepath.Join(dir, "officer.json"), devices: len(lan.Devices)}
	for _, addr := range []*string{&tn.agents, &tn.public, &tn.ops, &tn.consult, &tn.metrics, &tn.pages} {
		*addr = freeAddr(t)
	}
	tn.relay = newRelay(t, tn.agents)
	return tn
}

func (tn *town) startCollector() *process {
	tn.t.Helper()
	p := launch(tn.t, "anagrafe-collector", "serve", "-data", tn.collectorDir, "-store", tn.store, "-public-url", "http://localhost",
		"-consult-url", "http://"+tn.consult, "-ops-url", "http://"+tn.ops,
		"-listen-agents", tn.agents, "-listen-public", tn.public, "-listen-ops", tn.ops, "-listen-consult", tn.consult, "-listen-metrics", tn.metrics)
	p.until("the collector's listeners", func() bool {
		for _, addr := range []string{tn.agents, tn.consult, tn.metrics} {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return false
			}
			_ = c.Close()
		}
		c, err := net.Dial("unix", filepath.Join(tn.collectorDir, "control.sock"))
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
	return p
}

func (tn *town) startAgent() *process {
	tn.t.Helper()
	p := launch(tn.t, "anagrafe-agent", "run", "-data", tn.agentDir, "-interface", "lo", "-listen-pages", tn.pages)
	p.until("the agent's control socket", func() bool {
		c, err := net.Dial("unix", filepath.Join(tn.agentDir, "control.sock"))
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
	return p
}

func (tn *town) agent(args ...string) {
	tn.t.Helper()
	if _, err := command(tn.t, "anagrafe-agent", append(args, "-data", tn.agentDir)...); err != nil {
		tn.t.Fatal(err)
	}
}

// enrol invites and redeems by way of the relay.
func (tn *town) enrol() {
	tn.t.Helper()
	var invitation struct{ Link string }
	mustJSON(tn.t, &invitation, "anagrafe-collector", "invite", "-data", tn.collectorDir, "-site", "Bar di prova", "-category", "bar-restaurant")
	_, port, err := net.SplitHostPort(tn.agents)
	if err != nil {
		tn.t.Fatal(err)
	}
	link := strings.Replace(invitation.Link, ":"+port+"/", ":"+tn.relay.port()+"/", 1)
	if link == invitation.Link {
		tn.t.Fatalf("the link %q does not name port %s", link, port)
	}
	tn.agent("enrol", link)
}

func (r *relay) port() string {
	_, port, _ := net.SplitHostPort(r.addr)
	return port
}

type seenCamera struct {
	ID, State string
}

func (tn *town) cameras() []seenCamera {
	tn.t.Helper()
	var list struct{ Cameras []seenCamera }
	mustJSON(tn.t, &list, "anagrafe-agent", "cameras", "-data", tn.agentDir)
	return list.Cameras
}

// answer waits until every device was asked and answers yes for each camera.
func (tn *town) answer(agent *process) []string {
	tn.t.Helper()
	agent.until("the agent's look at the network", func() bool { return len(tn.cameras()) >= tn.devices })
	tn.agent("contact", "-name", "Ada Bianchi", "-phone", "+39 02 5550 0100")
	var ids []string
	for i, cam := range tn.cameras() {
		tn.agent("set", cam.ID, "-outdoor-public", "yes", "-name", fmt.Sprintf("Ingresso %d", i+1), "-lon", fmt.Sprintf("9.19%02d", i), "-lat", "45.4641")
		ids = append(ids, cam.ID)
	}
	return ids
}

// outbox counts the messages of one kind by state.
func (tn *town) outbox(kind string) map[string]int {
	tn.t.Helper()
	var box struct {
		Messages []struct{ Kind, State string }
	}
	mustJSON(tn.t, &box, "anagrafe-agent", "outbox", "-data", tn.agentDir)
	states := map[string]int{}
	for _, m := range box.Messages {
		if m.Kind == kind {
			states[m.State]++
		}
	}
	return states
}

// registered is what a search of the whole neighbourhood finds: how often each
// camera stands in the register.
func (tn *town) registered() map[string]int {
	tn.t.Helper()
	if _, err := os.Stat(tn.creds); err != nil {
		for _, args := range anOfficer(tn.collectorDir, tn.creds) {
			if _, err := command(tn.t, "anagrafe-collector", args...); err != nil {
				tn.t.Fatal(err)
			}
		}
	}
	var answer struct {
		Results []struct {
			CameraID string `json:"camera_id"`
		}
	}
	mustJSON(tn.t, &answer, "anagrafe-collector", "search", "-credential", tn.creds, "-at", "9.195,45.4641", "-radius", "2000",
		"-time", time.Now().UTC().Format(time.RFC3339), "-case", "event112:prova", "-offence", "other", "-reason", "prova del percorso")
	count := map[string]int{}
	for _, r := range answer.Results {
		count[r.CameraID]++
	}
	return count
}

// metric reads one counter, summed over its labels that match.
func (tn *town) metric(name, labels string) int {
	tn.t.Helper()
	resp, err := http.Get("http://" + tn.metrics + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return 0
	}
	sum := 0.0
	for _, line := range regexp.MustCompile(`(?m)^`+name+`(\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(body.String(), -1) {
		if labels == "" || strings.Contains(line[1], labels) {
			v, _ := strconv.ParseFloat(line[2], 64)
			sum += v
		}
	}
	return int(sum)
}

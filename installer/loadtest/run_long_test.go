//go:build long

package main

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestLongRun plays everything with few agents, then looks at what the register
// holds: the figures are no figures if the work was not done.
func TestLongRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	bin, data := filepath.Join("..", "..", "build"), filepath.Join(t.TempDir(), "collector")
	const n = 50
	p := plan{agents: n, phases: measured, bin: bin, data: data, inflight: 16, sockets: 4, hold: time.Second}
	r, err := p.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r.Enrol.Done != n || r.Connect.Done != n || r.Deliver.Done != n || r.Return.Done != n || r.Storm.Done != n || len(r.Peers) != len(peerKinds) {
		t.Errorf("not everything was played: %+v", r)
	}
	if r.Enrol.CPU <= 0 || r.Held.Each <= 0 || r.Peers["quic"].Connect.CPU <= 0 || r.Peers["quic"].Held.Each <= 0 {
		t.Errorf("not everything was measured: %+v", r)
	}
	if err := r.summary(t.Output()); err != nil {
		t.Error(err)
	}

	out, err := exec.CommandContext(ctx, filepath.Join(bin, "anagrafe-collector"), "agents", "-data", data, "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Agents []struct {
			Sites []struct {
				ID         string
				DeclaredAt time.Time `json:"declared_at"`
			}
		}
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	heard := map[string]bool{}
	for _, a := range list.Agents {
		for _, site := range a.Sites {
			heard[site.ID] = !site.DeclaredAt.IsZero()
		}
	}
	for site, declared := range heard {
		if !declared {
			t.Errorf("%s has declared nothing", site)
		}
	}
	if len(list.Agents) != n || len(heard) != n {
		t.Errorf("the register has %d agents and %d sites", len(list.Agents), len(heard))
	}
}

//go:build long

package main

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
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
	p := plan{agents: n, phases: append(slices.Clone(measured), "day"), bin: bin, data: data, inflight: 16, sockets: 4, hold: time.Second, aDay: 20 * time.Second}
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
	if d := r.Day; d.Rebound == 0 || d.Parked == 0 || d.Shops == 0 || d.CPU <= 0 || d.Most <= 0 {
		t.Errorf("the day lacks something: %+v", d)
	}
	for _, kind := range []string{beat, change, visit, comeBack, search, page} {
		if r.Day.Did[kind].Done == 0 {
			t.Errorf("in a day was no %s: %+v", kind, r.Day.Did)
		}
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

// TestLongSweep comes to one point of a sweep, and finds everything measured.
func TestLongSweep(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	all := []target{{agents: 20, cameras: 700}}
	p := plan{agents: needs(all), sweep: all, bin: filepath.Join("..", "..", "build"), inflight: 16, sockets: 4, aDay: time.Second}
	r, err := p.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Sweep
	if len(s.Points) != 1 || s.Ended != "" || s.Machine.Cores == 0 || s.Machine.Memory == 0 {
		t.Fatalf("%+v", s)
	}
	at := s.Points[0]
	if at.Agents != 20 || at.Sites != 21 || at.Cameras != 20*cameras+crowd || at.Beats == 0 || at.Changes == 0 || at.Searches == 0 ||
		at.Most <= 0 || at.Disk <= 0 || at.Wire <= 0 || at.Held <= 0 || at.Connect == nil || len(at.Windows) != 3 || at.Windows[0].CPU <= 0 {
		t.Errorf("%+v", at)
	}
}

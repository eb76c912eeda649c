//go:build long || bench

package installer

import (
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// all does the same for each agent at once.
func all(agents []*remote, what func(*remote)) {
	var each sync.WaitGroup
	for _, r := range agents {
		each.Go(func() { what(r) })
	}
	each.Wait()
}

// collector starts one on a host.
func (c *country) collector(t *testing.T, host int, dir string) *process {
	t.Helper()
	p := c.hosts[host].launch(t, "anagrafe-collector", "serve", "-data", filepath.Join(dir, "collector"), "-public-url", "https://"+collectorName)
	p.until("the collector", func() bool { return answersAt(filepath.Join(dir, "collector", "control.sock")) })
	return p
}

func answersAt(socket string) bool {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// remote is an agent in a house.
type remote struct {
	t *testing.T
	trouble
	house
	dir        string
	invitation struct{ Link string }
	process    *process
	cameras    []string
}

// settle starts the agent beside its cameras, and enrols it.
func (r *remote) settle() {
	r.inside.start(r.t, "fleet", "1", "0s").next()
	if r.first != nil {
		r.first(r.t, r.house)
	}
	r.process = r.inside.launch(r.t, "anagrafe-agent", "run", "-data", r.dir, "-interface", "lo", "-target", "127.0.64.1")
	r.process.until("the agent's control socket", func() bool { return answersAt(filepath.Join(r.dir, "control.sock")) })
	r.do("enrol", r.invitation.Link)
	var list struct{ Cameras []seenCamera }
	r.process.until("the cameras", func() bool {
		mustJSON(r.t, &list, "anagrafe-agent", "cameras", "-data", r.dir)
		return len(list.Cameras) > 0
	})
	r.do("contact", "-name", "Ada Bianchi", "-phone", "+39 02 5550 0100")
	for _, camera := range list.Cameras {
		r.cameras = append(r.cameras, camera.ID)
	}
}

func (r *remote) do(args ...string) {
	r.t.Helper()
	if _, err := command(r.t, "anagrafe-agent", append(args, "-data", r.dir)...); err != nil {
		r.t.Errorf("%s: %v", r.trouble.name, err)
	}
}

// name gives the cameras another name, and confirms it.
func (r *remote) name(name string) {
	for i, id := range r.cameras {
		r.do("set", id, "-outdoor-public", "yes", "-name", fmt.Sprintf("%s %d", name, i), "-lon", fmt.Sprintf("9.19%02d", r.n), "-lat", "45.4641")
	}
	r.do("approve", "-all")
}

// delivered waits for the nth declaration's acknowledgement.
func (r *remote) delivered(n int) {
	r.t.Helper()
	r.process.until(fmt.Sprintf("declaration %d of the house with %s", n, r.trouble.name), func() bool {
		var box struct {
			Messages []struct{ Kind, State string }
		}
		mustJSON(r.t, &box, "anagrafe-agent", "outbox", "-data", r.dir)
		done := 0
		for _, m := range box.Messages {
			if m.State == "rejected" {
				r.t.Errorf("%s: a message was refused", r.trouble.name)
			}
			if m.Kind == "declaration" && m.State == "acknowledged" {
				done++
			}
		}
		return done == n
	})
}

// offline waits until the agent says that it has no line.
func (r *remote) offline() {
	r.t.Helper()
	r.process.until("the house with "+r.trouble.name+" to know that it has no line", func() bool {
		var status struct {
			Transport string
			LastError string `json:"last_error"`
		}
		mustJSON(r.t, &status, "anagrafe-agent", "status", "-data", r.dir)
		return status.Transport == "" && status.LastError != ""
	})
}

// onRoad looks at the road that the agent found.
func (r *remote) onRoad() {
	if r.road == "" {
		return
	}
	var status struct{ Transport string }
	mustJSON(r.t, &status, "anagrafe-agent", "status", "-data", r.dir)
	if status.Transport != r.road {
		r.t.Errorf("%s: the line is %q, want %q", r.trouble.name, status.Transport, r.road)
	}
}

//go:build long

package installer

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

// TestLongCluster: two collectors behind HAProxy on one PostgreSQL of two machines, kept
// by Patroni, under the load of 200 agents and beside two real ones, of which one has no
// UDP. The collectors are replaced one after the other by those of a later release, whose
// schema goes further. Whatever is then taken from them, what was acknowledged is in the
// register once, the trail verifies, and all agents are back.
func TestLongCluster(t *testing.T) {
	c := newCluster(t)
	now := later(t)
	c.serve(binary(t, "anagrafe-collector"))
	f := c.play(200, 4*time.Second)
	homes := c.homes()
	one, two := c.nodes[0], c.nodes[1]
	for _, fault := range []struct {
		name string
		do   func()
	}{
		{"a rolling upgrade", func() {
			for _, n := range c.nodes {
				n.collector.stop()
				c.collect(n, now)
				f.progress(100)
			}
		}},
		{"a collector is killed", func() {
			one.collector.kill()
			f.progress(100)
			c.collect(one, now)
		}},
		{"a collector is stopped", func() {
			two.collector.stop()
			f.progress(100)
			c.collect(two, now)
		}},
		{"a collector loses its database", func() {
			for i := range c.db {
				c.part(one.address, dbAddress(i))
			}
			c.until("the collector to say so", func() bool { return !one.ready() })
			f.progress(100)
			for i := range c.db {
				c.mend(one.address, dbAddress(i))
			}
			c.until("the collector to be ready again", one.ready)
		}},
		{"the standby is cut off", func() {
			c.part(dbAddress(0), dbAddress(1))
			c.until("the primary to leave it", func() bool { return !c.whole(2) })
			f.progress(100)
			c.mend(dbAddress(0), dbAddress(1))
			c.until("the standby to be synchronous", func() bool { return c.whole(2) })
		}},
		{"the primary is gone", func() {
			was := c.primary()
			c.powerOff(was)
			c.until("the standby to take over", func() bool { p := c.primary(); return p >= 0 && p != was })
			f.progress(100)
			c.powerOn(was)
			c.until("the standby to be synchronous", func() bool { return c.whole(2) })
		}},
	} {
		began := time.Now()
		fault.do()
		f.progress(100)
		f.connected()
		took, gap := time.Since(began).Round(time.Second), f.gap(began).Round(time.Millisecond)
		all(homes, func(r *remote) { r.name(fault.name) })
		r := f.compare()
		t.Logf("%s: %v, of them %v without an acknowledgement; %+v", fault.name, took, gap, r.Messages)
		if !r.OK {
			t.Errorf("after %s the register is not what was acknowledged: %q", fault.name, r.Findings)
		}
	}
	f.end()
	for _, r := range homes {
		r.delivered(6)
		r.onRoad()
	}
	if r := f.compare(); !r.OK || r.Messages.Acknowledged != r.Messages.Sent || r.Trail.Entries == 0 || r.Trail.Verified != r.Trail.Entries {
		t.Errorf("in the end: %+v", r)
	}
}

// homes are two real agents, of which one has no UDP: it goes through HAProxy.
func (c *cluster) homes() (homes []*remote) {
	c.t.Helper()
	for _, what := range troubles() {
		if what.name != "none" && what.name != "UDP is dropped" {
			continue
		}
		what.later, what.over = nil, nil
		r := &remote{t: c.t, trouble: what, dir: filepath.Join(c.dir, "home-"+what.road)}
		r.house = c.house(c.nodes[0].address, c.nodes[1].address)
		mustJSON(c.t, &r.invitation, "anagrafe-collector", "invite", "-data", c.nodes[0].dir, "-site", what.name, "-category", "shop")
		homes = append(homes, r)
	}
	all(homes, func(r *remote) { r.settle() })
	return homes
}

// later makes the collector of a later release: today's, whose schema goes one step
// further.
func later(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, engine := range []string{"sqlite", "postgres"} {
		file := filepath.Join(dir, engine+".sql")
		write(t, file, "-- +goose Up\nALTER TABLE versions ADD COLUMN later TEXT NOT NULL DEFAULT 'later';\n", 0o600)
		replace[absolute(t, filepath.Join("..", "collector", "registry", "schema", engine, "99999_later.sql"))] = file
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	write(t, overlay, string(raw), 0o600)
	return build(t, "./collector", "-overlay", overlay)
}

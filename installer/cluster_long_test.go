//go:build long

package installer

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLongCluster: two collectors behind HAProxy on one PostgreSQL of two machines, kept
// by Patroni, under the load of 200 agents and beside two real ones, of which one has no
// UDP. The collectors are of the previous release, and replaced one after the other.
// Whatever is then taken from them, what was acknowledged is in the register once, the
// trail verifies, and all agents are back.
func TestLongCluster(t *testing.T) {
	c := newCluster(t)
	now := binary(t, "anagrafe-collector")
	c.serve(previous(t))
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

// previous makes the collector of the previous release: that of before the schema last
// changed or, where that one did not know how to stand behind HAProxy, of the first that
// did. In a clone without history it is today's.
func previous(t *testing.T) string {
	t.Helper()
	git := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "git", args...).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	const file = "installer/cluster/haproxy.cfg"
	commit := git("rev-parse", "--verify", git("log", "-1", "--format=%H", "--", "../collector/registry/schema")+"^")
	if commit == "" || git("cat-file", "-t", commit+":"+file) == "" {
		commit = git("log", "-1", "--diff-filter=A", "--format=%H", "--", "../"+file)
	}
	if commit == "" {
		t.Log("NO HISTORY HERE: the previous release is today's")
		return binary(t, "anagrafe-collector")
	}
	t.Logf("the previous release is %s", git("log", "-1", "--format=%h %s", commit))
	tree := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	archive := exec.CommandContext(ctx, "sh", "-c", `git archive "$1" | tar -x -C "$2"`, "sh", commit, tree)
	archive.Dir = ".."
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return build(t, tree, "./collector")
}

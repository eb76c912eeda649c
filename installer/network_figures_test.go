//go:build bench

package installer

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// reachWithin is the time in which a confirmed change must have arrived.
const reachWithin = 60 * time.Second

// networkFigures counts the troubled networks out of which a confirmed change
// is acknowledged within a minute; where the trouble comes later, one is
// delivered before. As root.
func networkFigures(t *testing.T) []figure {
	c := newCountry(t)
	dir := t.TempDir()
	c.collector(t, 0, dir)
	var agents []*remote
	for _, what := range troubles() {
		if !what.counts {
			continue
		}
		r := &remote{t: t, trouble: what, dir: filepath.Join(dir, fmt.Sprintf("agent%d", len(agents))), house: c.house(known(what)...)}
		mustJSON(t, &r.invitation, "anagrafe-collector", "invite", "-data", filepath.Join(dir, "collector"), "-site", what.name, "-category", "shop")
		agents = append(agents, r)
	}
	all(agents, func(r *remote) { r.settle() })
	all(agents, func(r *remote) {
		if r.later != nil {
			r.name("Prima")
			r.delivered(1)
			r.later(t, r.house)
		}
	})
	var reached atomic.Int64
	all(agents, func(r *remote) {
		n := 1
		if r.later != nil {
			n = 2
		}
		r.name("Seconda")
		began := time.Now()
		r.delivered(n)
		took := time.Since(began)
		t.Logf("%s: %.1f s", r.trouble.name, took.Seconds())
		if took <= reachWithin {
			reached.Add(1)
		}
	})
	n, of := float64(reached.Load()), float64(len(agents))
	return []figure{{Value: n, Unit: fmt.Sprintf("of %g", of), Reach: of, Met: n == of, ID: "reach_network", Sign: ">=",
		What: "troubled networks out of which a change is acknowledged within 60 s"}}
}

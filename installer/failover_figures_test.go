//go:build bench

package installer

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// clusterTTL is Patroni's ttl in cluster/patroni.yml: after that time without a word
// a primary is replaced.
const clusterTTL = 20 * time.Second

// failoverFigures are failover and failover.lost: the machine of the primary is gone
// without a word, under the load of agents that declare. Counted is the longest time
// without an acknowledgement, by the agents' own ledger; 5 s are for the promotion, the
// collectors' new connections and the agents' next attempts.
func failoverFigures(t *testing.T) []figure {
	if os.Geteuid() != 0 {
		lacking(t, "a cluster is laid out in network namespaces, which only root can make")
	}
	c := newCluster(t)
	c.serve(binary(t, "anagrafe-collector"))
	f := c.play(200, 2*time.Second)
	f.progress(f.agents)
	began := time.Now()
	c.powerOff(c.primary())
	f.progress(2 * f.agents)
	gap := f.gap(began)
	f.end()
	r := f.compare()
	what := fmt.Sprintf("%d agents, %d declarations acknowledged", f.agents, r.Messages.Acknowledged)
	return []figure{
		bounded("failover", "PostgreSQL's primary is gone under load: time without an acknowledgement, of "+what+"; Patroni's ttl and 5 s", gap.Seconds(), "s", (clusterTTL + 5*time.Second).Seconds()),
		bounded("failover.lost", "acknowledged and lost, or recorded twice", float64(r.Messages.Lost+r.Messages.Doubled), "messages", 0),
	}
}

package registry

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

var (
	partsSeed  = flag.Uint64("parts.seed", 0, "seed of the steps of two agents (0: one of this day's)")
	partsWalks = flag.Int("parts.walks", 25, "walks of two agents")
)

// What two agents of a site say, in any order, against the rules of the package
// comment. A walk that fails is shortened and printed.
func TestPartsModel(t *testing.T) {
	seed := *partsSeed
	if seed == 0 {
		seed = uint64(time.Now().Unix() / 86400)
	}
	t.Logf("-parts.seed=%d", seed)
	for n := range *partsWalks {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		steps := make([]step, 30)
		for i := range steps {
			steps[i] = step{acts[rng.IntN(len(acts))], rng.IntN(2), rng.IntN(64)}
		}
		if err := walk(t, steps); err != nil {
			steps, err = shorten(t, steps, err)
			t.Fatalf("walk %d: %v\nafter %v", n, err, steps)
		}
	}
}

// step is one act of one of the two agents; n chooses what it acts on.
type step struct {
	act string
	who int
	n   int
}

var acts = []string{"enrol", "replace", "visit", "replace-later", "declare", "declare", "declare", "withdraw", "revoke", "anew", "day",
	"deliver", "deliver", "deliver", "deliver", "deliver"}

// shorten leaves out what the failure does not need.
func shorten(t *testing.T, steps []step, err error) ([]step, error) {
	for i := 0; i < len(steps); {
		shorter := slices.Delete(slices.Clone(steps), i, i+1)
		if e := walk(t, shorter); e != nil {
			steps, err = shorter, e
		} else {
			i++
		}
	}
	return steps, err
}

// The model: what the rules say, written without a look at the register.
type modelSite struct {
	grants  []modelGrant
	said    map[string]modelPart // by agent
	revoked map[string]bool      // agents
	count   int
}

type modelGrant struct {
	agent string
	epoch int64
	from  time.Time
	until time.Time // zero: open
}

type modelPart struct {
	epoch, revision int64
	number          int
	site            string
	recorders       map[string]string // what is said of each
	replacedBy      int64             // epoch
}

func (m *modelSite) grant(agent string, epoch int64) *modelGrant {
	for i := range m.grants {
		if g := &m.grants[i]; g.epoch == epoch && (agent == "" || g.agent == agent) {
			return g
		}
	}
	return nil
}

func (g *modelGrant) isOpen(at time.Time) bool { return g.until.IsZero() || g.until.After(at) }

// replaces: the others' grants end; their parts stay until the first
// declaration under this grant.
//
// With only, that one's alone: it is the same computer.
func (m *modelSite) replaces(agent string, epoch int64, at time.Time, only string) {
	for i := range m.grants {
		if g := &m.grants[i]; (only == "" || only == g.agent) && g.agent != agent && g.epoch < epoch && g.isOpen(at) {
			g.until = at
		}
	}
	for a, p := range m.said {
		if a != agent && (only == "" || only == a) && p.epoch < epoch {
			if g := m.grant("", p.replacedBy); g == nil || g.agent != agent {
				p.replacedBy = max(p.replacedBy, epoch)
			}
			m.said[a] = p
		}
	}
	if m.said[agent].epoch >= epoch {
		m.takePlaces(agent, m.said[agent].epoch)
	}
}

func (m *modelSite) takePlaces(agent string, epoch int64) {
	for a, p := range m.said {
		if m.takesPlaceOf(p, agent, epoch) {
			delete(m.said, a)
		}
	}
}

func (m *modelSite) takesPlaceOf(p modelPart, agent string, epoch int64) bool {
	return p.replacedBy > 0 && p.replacedBy <= epoch && m.grant(agent, p.replacedBy) != nil
}

// decidedLater tells whether a grant is of another agent and after a withdrawal,
// and good for something still, or somebody's word under it stands.
func (m *modelSite) decidedLater(g modelGrant, agent string, msg protocol.Message, at time.Time) bool {
	if g.agent == agent || !g.from.After(msg.MadeAt) {
		return false
	}
	p, said := m.said[g.agent]
	return g.isOpen(at) && !m.revoked[g.agent] || said && p.epoch == g.epoch && !m.takesPlaceOf(p, agent, msg.Epoch)
}

// deliver gives the refusal that a message meets.
func (m *modelSite) deliver(agent string, msg protocol.Message, at time.Time) (stays bool, err error) {
	if g := m.grant(agent, msg.Epoch); g == nil || !g.isOpen(at) {
		return false, ingest.ErrNotGranted
	}
	own := m.said[agent]
	switch body := msg.Body.(type) {
	case protocol.Declaration:
		if msg.Epoch < own.epoch || msg.Epoch == own.epoch && msg.Revision <= own.revision {
			return false, ingest.ErrStale
		}
		m.count++
		p := modelPart{msg.Epoch, msg.Revision, m.count, body.Site.Name, map[string]string{}, 0}
		for _, r := range body.Recorders {
			p.recorders[r.ID] = r.Name
		}
		m.takePlaces(agent, msg.Epoch)
		m.said[agent] = p
	case protocol.Withdrawal:
		if msg.Epoch < own.epoch {
			return false, ingest.ErrStale
		}
		stays = slices.ContainsFunc(m.grants, func(g modelGrant) bool { return m.decidedLater(g, agent, msg, at) })
		for i := range m.grants {
			g := &m.grants[i]
			if g.isOpen(at) && (g.agent == agent && g.epoch <= msg.Epoch || g.agent != agent && !stays) {
				g.until = at
			}
		}
		if stays {
			delete(m.said, agent)
			m.takePlaces(agent, msg.Epoch)
		} else {
			m.said = map[string]modelPart{}
		}
	}
	return stays, nil
}

// shows is what the register must show: its site's name, and of each recorder
// the later view.
func (m *modelSite) shows() string {
	latest, numbers, views := 0, map[string]int{}, map[string]string{}
	site := ""
	for _, p := range m.said {
		if p.number > latest {
			latest, site = p.number, p.site
		}
		for r, view := range p.recorders {
			if p.number > numbers[r] {
				numbers[r], views[r] = p.number, view
			}
		}
	}
	return shown(site, views)
}

func shown(site string, views map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", site)
	for _, r := range slices.Sorted(maps.Keys(views)) {
		fmt.Fprintf(&b, " %s=%s", strings.TrimLeft(r[len(r)-4:], "0"), views[r])
	}
	return b.String()
}

package registry

import (
	"context"
	"fmt"
	"time"
)

// AgentFilter selects agents; zero fields match all.
type AgentFilter struct {
	ID             string
	Version        string
	Revoked, Valid bool      // revoked alone; not revoked alone
	SilentSince    time.Time // not revoked, and no message of it was recorded since then
	// CertificateBefore: not revoked, and its certificate ends before then.
	CertificateBefore time.Time
}

// AgentOrder is a column that agents are listed by.
type AgentOrder string

// The orders of agents.
const (
	AgentsByEnrolment   AgentOrder = "enrolled"
	AgentsByContact     AgentOrder = "seen"
	AgentsByCertificate AgentOrder = "certificate"
)

var agentOrders = map[AgentOrder]string{
	AgentsByEnrolment: "a.enrolled_at", AgentsByContact: "a.seen_at", AgentsByCertificate: "a.certificate_until",
}

func (f AgentFilter) where(now time.Time) *where {
	w := newWhere(now)
	w.and(computer)
	if f.ID != "" {
		w.and("a.id = ?", f.ID)
	}
	if f.Version != "" {
		w.and("a.version = ?", f.Version)
	}
	if f.Revoked {
		w.and("a.revoked_at IS NOT NULL")
	}
	if f.Valid || !f.SilentSince.IsZero() || !f.CertificateBefore.IsZero() {
		w.and("a.revoked_at IS NULL")
	}
	if !f.SilentSince.IsZero() {
		w.and("coalesce(a.seen_at, 0) < ?", micros(f.SilentSince))
	}
	if !f.CertificateBefore.IsZero() {
		w.and("a.certificate_until < ?", micros(f.CertificateBefore))
	}
	return w
}

// CountAgents counts the agents of a filter.
func (r *Registry) CountAgents(ctx context.Context, f AgentFilter) (int, error) {
	return r.count(ctx, "agents a", f.where(r.now()))
}

// AgentRows returns a window of the filtered list of agents, with the sites of their
// open grants, by the names of the invitations.
func (r *Registry) AgentRows(ctx context.Context, f AgentFilter, by AgentOrder, in Window) ([]Agent, error) {
	at, ok := agentOrders[by]
	if !ok {
		return nil, fmt.Errorf("agents cannot be listed by %q", by)
	}
	w := f.where(r.now())
	var agents []Agent
	err := r.view(ctx, func(tx *tx) error {
		query, args := in.page("SELECT a.id FROM agents a", w, at, "a.id")
		page := "(" + query + ")"
		place := make(map[string]int)
		err := each(ctx, tx, func(scan func(...any) error) error {
			a, err := scanAgent(scan)
			place[a.ID] = len(agents)
			agents = append(agents, a)
			return err
		}, "SELECT "+agentColumns+" FROM agents a WHERE a.id IN "+page+" ORDER BY "+in.order(at, "a.id"), args...)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			agent, site, err := r.scanAgentSite(scan)
			if i, ok := place[agent]; ok {
				agents[i].Sites = append(agents[i].Sites, site)
			}
			return err
		}, agentSites+" AND g.agent_id IN "+page+agentSitesEnd, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return agents, nil
}

// EachAgent calls row for each agent of a window of the list.
func (r *Registry) EachAgent(ctx context.Context, f AgentFilter, by AgentOrder, in Window, row func(Agent) error) error {
	return inParts(ctx, in, func(in Window) ([]Agent, error) { return r.AgentRows(ctx, f, by, in) }, by.sortKey, row)
}

func (by AgentOrder) sortKey(a Agent) rowPlace {
	at := map[AgentOrder]time.Time{AgentsByEnrolment: a.EnrolledAt, AgentsByContact: a.SeenAt, AgentsByCertificate: a.CertificateUntil}
	return rowPlace{at[by], a.ID}
}

// AgentVersions counts the agents that may speak by the version that they run.
func (r *Registry) AgentVersions(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var version string
			var n int
			err := scan(&version, &n)
			counts[version] = n
			return err
		}, "SELECT version, count(*) FROM agents a WHERE "+computer+" AND revoked_at IS NULL GROUP BY version")
	})
	if err != nil {
		return nil, fmt.Errorf("count agents by version: %w", err)
	}
	return counts, nil
}

package ops

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// agent is a row of the list of agents.
type agent struct {
	ID               string      `json:"id"`
	Version          string      `json:"version"`
	EnrolledAt       time.Time   `json:"enrolled_at"`
	SeenAt           time.Time   `json:"seen_at,omitzero"`
	RevokedAt        time.Time   `json:"revoked_at,omitzero"`
	CertificateUntil time.Time   `json:"certificate_until,omitzero"`
	Sites            []agentSite `json:"sites"`
}

// agentSite is a site that an agent may speak for.
type agentSite struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`                 // as invited; "": not invited by name
	DeclaredAt time.Time `json:"declared_at,omitzero"` // the agent's newest declaration of it
	VisitUntil time.Time `json:"visit_until,omitzero"` // a visit's, which ends by itself
	Others     int       `json:"others"`               // other agents that may speak for it
}

// certificateSoon is how long before its end a certificate that was not renewed is
// worth a look: agents renew theirs when two thirds of it have passed.
const certificateSoon = 14 * 24 * time.Hour

// agents is the list of all agents.
func (o *Ops) agents() *list[agent] {
	return &list[agent]{
		path: "/agents", name: "agents",
		orders: []string{string(registry.AgentsByEnrolment), string(registry.AgentsByContact), string(registry.AgentsByCertificate)},
		filters: []filter{
			{key: "access", values: []string{"valid", "revoked"}},
			{key: "silent", values: []string{"yes"}},
			{key: "expiring", values: []string{"yes"}},
			{key: "version", more: o.agentVersions, label: func(_ *pages.Words, v string) string { return v }},
			{key: "id", kind: id},
		},
		columns: []column[agent]{
			{"sites", agentCell},
			{"version", versionCell},
			{"enrolled", func(w *pages.Words, a agent) cell { return cell{Text: w.Day(a.EnrolledAt)} }},
			{"seen", func(w *pages.Words, a agent) cell {
				if a.SeenAt.IsZero() {
					return cell{Text: w.T("agents.never")}
				}
				return cell{Since: a.SeenAt}
			}},
			{"certificate", func(w *pages.Words, a agent) cell {
				if a.CertificateUntil.IsZero() {
					return cell{Text: w.T("agents.uncertified")}
				}
				return cell{Text: w.Short(a.CertificateUntil)}
			}},
			{"access", accessCell},
		},
		fields: []field[agent]{
			{"id", func(_ *pages.Words, a agent) string { return a.ID }},
			{"sites", func(_ *pages.Words, a agent) string { return strings.Join(siteNames(a), ", ") }},
			{"version", func(_ *pages.Words, a agent) string { return a.Version }},
			{"enrolled", func(_ *pages.Words, a agent) string { return csvTime(a.EnrolledAt) }},
			{"seen", func(_ *pages.Words, a agent) string { return csvTime(a.SeenAt) }},
			{"certificate", func(_ *pages.Words, a agent) string { return csvTime(a.CertificateUntil) }},
			{"revoked", func(_ *pages.Words, a agent) string { return csvTime(a.RevokedAt) }},
		},
		count: func(ctx context.Context, q query) (int, error) {
			return o.Registry.CountAgents(ctx, o.agentFilter(q))
		},
		rows: func(ctx context.Context, q query, in registry.Window, row func(agent) error) error {
			return o.Registry.EachAgent(ctx, o.agentFilter(q), registry.AgentOrder(q.order), in, func(a registry.Agent) error {
				shown := agent{a.ID, a.Version, a.EnrolledAt, a.SeenAt, a.RevokedAt, a.CertificateUntil, []agentSite{}}
				for _, s := range a.Sites {
					shown.Sites = append(shown.Sites, agentSite{s.ID, s.Name, s.DeclaredAt, s.Until, s.Others})
				}
				return row(shown)
			})
		},
	}
}

func (o *Ops) agentFilter(q query) registry.AgentFilter {
	f := registry.AgentFilter{ID: q.get("id"), Version: q.get("version"), Revoked: q.get("access") == "revoked", Valid: q.get("access") == "valid"}
	if q.get("silent") != "" {
		f.SilentSince = o.Web.Now().Add(-staleAfter)
	}
	if q.get("expiring") != "" {
		f.CertificateBefore = o.Web.Now().Add(certificateSoon)
	}
	return f
}

// agentVersions are those that run, to choose from.
func (o *Ops) agentVersions(ctx context.Context) ([]string, error) {
	counts, err := o.Registry.AgentVersions(ctx)
	return slices.Sorted(maps.Keys(counts)), err
}

// siteNames are the names of an agent's sites, as invited, or else their ids.
func siteNames(a agent) []string {
	var names []string
	for _, s := range a.Sites {
		names = append(names, cmp.Or(s.Name, s.ID))
	}
	return names
}

func agentCell(w *pages.Words, a agent) cell {
	c := cell{Text: strings.Join(siteNames(a), ", "), Code: a.ID}
	if c.Text == "" {
		c.Text = w.T("agents.siteless")
	}
	for _, s := range a.Sites {
		if s.Others > 0 {
			c.Notes = append(c.Notes, w.N("agents.others", s.Others))
		}
		if !s.DeclaredAt.IsZero() {
			c.Notes = append(c.Notes, w.T("agents.declared", "at", w.Short(s.DeclaredAt)))
		}
		if !s.VisitUntil.IsZero() {
			c.Tags = append(c.Tags, tag{"info", w.T("agents.visit", "at", w.Short(s.VisitUntil))})
		}
	}
	return c
}

// versionCell says, too, from which version an agent went back, and why.
func versionCell(w *pages.Words, a agent) cell {
	runs, failed, why := protocol.ReadWentBack(a.Version)
	c := cell{Text: runs}
	if failed != "" {
		c.Tags = []tag{{"warn", w.T("agents.wentback", "version", failed)}}
		c.Notes = []string{w.T("agents.wentback." + string(why))}
	}
	return c
}

func accessCell(w *pages.Words, a agent) cell {
	if !a.RevokedAt.IsZero() {
		return cell{Tags: []tag{{"bad", w.T("agents.access.revoked")}}, Notes: []string{w.Short(a.RevokedAt)}}
	}
	return cell{Act: &rowAct{Path: "/agents/" + a.ID + "/revoke", Summary: w.T("agents.revoke"), Of: strings.Join(append(siteNames(a), a.ID), ", "),
		Lead: w.T("agents.revoke.lead"), Submit: w.T("agents.revoke.submit")}}
}

// revokeAgent shuts an agent out at once.
func (o *Ops) revokeAgent(rw http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), o.Web.Now().UTC()
	known, err := o.Registry.CountAgents(r.Context(), registry.AgentFilter{ID: id})
	switch {
	case err != nil:
		o.Web.Broken(rw, r, err)
		return
	case known == 0:
		o.missing(rw, r, "agents.unknown")
		return
	case !o.record(rw, r, act.AgentRevoke, map[string]string{"agent": id}):
		return
	}
	if err := o.Registry.Revoke(r.Context(), id, now); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	o.readQueue() // it has no line of this agent any more
	switch {
	case web.WantsJSON(r):
		web.WriteJSON(rw, http.StatusOK, struct {
			Agent     string    `json:"agent"`
			RevokedAt time.Time `json:"revoked_at"`
		}{id, now})
	default:
		http.Redirect(rw, r, "/agents", http.StatusSeeOther)
	}
}

// missing answers what is not there, with its own words and what to do.
func (o *Ops) missing(rw http.ResponseWriter, r *http.Request, key string) {
	words := o.pages.Words(pages.Language(r))
	o.Web.Fail(rw, r, http.StatusNotFound, web.Problem{Error: words.T(key), Field: "id", Hint: words.T(key + ".hint")})
}

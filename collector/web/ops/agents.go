package ops

import (
	"net/http"
	"slices"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

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
	Name       string    `json:"name"`
	DeclaredAt time.Time `json:"declared_at,omitzero"` // the agent's newest declaration of it
	VisitUntil time.Time `json:"visit_until,omitzero"` // a visit's, which ends by itself
	Others     int       `json:"others"`               // other agents that may speak for it
}

type agentsData struct {
	Agents []agent `json:"agents"`
}

func (o *Ops) agents(rw http.ResponseWriter, r *http.Request) {
	data := agentsData{Agents: []agent{}}
	known, err := o.Registry.Agents(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	sites, err := o.Registry.Sites(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	names := map[string]string{}
	for _, s := range sites {
		names[s.ID] = s.Name
	}
	for _, a := range known {
		shown := agent{a.ID, a.Version, a.EnrolledAt, a.SeenAt, a.RevokedAt, a.CertificateUntil, []agentSite{}}
		for _, s := range a.Sites {
			shown.Sites = append(shown.Sites, agentSite{s.ID, names[s.ID], s.DeclaredAt, s.Until, s.Others})
		}
		data.Agents = append(data.Agents, shown)
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, data)
		return
	}
	o.show(rw, r, pages.Page{Template: "agents.html", Title: "agents.title", Wide: true, Data: data})
}

// revokeAgent shuts an agent out at once.
func (o *Ops) revokeAgent(rw http.ResponseWriter, r *http.Request) {
	id, now := r.PathValue("id"), o.Web.Now().UTC()
	known, err := o.Registry.Agents(r.Context())
	switch {
	case err != nil:
		o.Web.Broken(rw, r, err)
		return
	case !slices.ContainsFunc(known, func(a registry.Agent) bool { return a.ID == id }):
		o.missing(rw, r, "agents.unknown")
		return
	case !o.record(rw, r, "agent-revoke", map[string]string{"agent": id}):
		return
	}
	if err := o.Registry.Revoke(r.Context(), id, now); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	o.OnRevoke(id)
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

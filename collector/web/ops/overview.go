package ops

import (
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// staleAfter is when a site that shares counts as silent: agents send a sign
// of life each day, so three days are three that were missed.
const staleAfter = 72 * time.Hour

type counts struct {
	Invited   int `json:"invited"`
	Enrolled  int `json:"enrolled"`
	Sharing   int `json:"sharing"`
	Suspended int `json:"suspended"`
	Withdrawn int `json:"withdrawn"`
	Cameras   int `json:"cameras"`
	Agents    int `json:"agents"`
	Revoked   int `json:"revoked"`
}

type site struct {
	ID          string            `json:"id"`
	State       registry.State    `json:"state"`
	Name        string            `json:"name,omitempty"`
	Category    protocol.Category `json:"category,omitempty"`
	Address     string            `json:"address,omitempty"`
	Cameras     int               `json:"cameras"`
	InvitedAt   time.Time         `json:"invited_at,omitzero"`
	CodeExpires time.Time         `json:"code_expires,omitzero"`
	AgentID     string            `json:"agent_id,omitempty"`
	DeclaredAt  time.Time         `json:"declared_at,omitzero"`
	HeardAt     time.Time         `json:"heard_at,omitzero"`
	SuspendedAt time.Time         `json:"suspended_at,omitzero"`
	WithdrawnAt time.Time         `json:"withdrawn_at,omitzero"`
	Stale       bool              `json:"stale"` // shares, but was not heard of for three days
}

type overviewData struct {
	Counts     counts              `json:"counts"`
	Sites      []site              `json:"sites"`
	Categories []protocol.Category `json:"-"`
	Invite     invitation          `json:"-"` // what was typed, when it could not be taken
	Wrong      wrong               `json:"-"`
}

func (o *Ops) overview(rw http.ResponseWriter, r *http.Request) {
	o.showOverview(rw, r, http.StatusOK, invitation{}, wrong{})
}

func (o *Ops) showOverview(rw http.ResponseWriter, r *http.Request, status int, typed invitation, bad wrong) {
	c, err := o.Registry.Counts(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	summaries, err := o.Registry.Sites(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := overviewData{
		Counts: counts{c.Invited, c.Enrolled, c.Sharing, c.Suspended, c.Withdrawn, c.Cameras, c.Agents, c.Revoked},
		Sites:  make([]site, 0, len(summaries)), Categories: protocol.Categories, Invite: typed, Wrong: bad,
	}
	now := o.Web.Now()
	for _, s := range summaries {
		data.Sites = append(data.Sites, site{s.ID, s.State, s.Name, s.Category, s.Address, s.Cameras, s.InvitedAt, s.CodeExpires,
			s.AgentID, s.DeclaredAt, s.HeardAt, s.SuspendedAt, s.WithdrawnAt, s.State == registry.Sharing && now.Sub(s.HeardAt) > staleAfter})
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	p := pages.Page{Template: "overview.html", Title: "overview.title", Wide: true, Status: status, Data: data}
	if bad.Key != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: bad.Key}}
	}
	o.show(rw, r, p)
}

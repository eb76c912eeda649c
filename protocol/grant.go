package protocol

import (
	"time"

	"anagrafe/protocol/wire"
)

// Grant is one agent's right to speak for one site.
type Grant struct {
	AgentID  string    `json:"agent_id,omitempty"` // who holds it; "" not known
	SiteID   string    `json:"site_id"`
	SiteName string    `json:"site_name"`
	Category string    `json:"category"`
	Address  string    `json:"address"`
	Epoch    int64     `json:"epoch"` // counts the site's enrolments, from 1
	From     time.Time `json:"from"`
	Until    time.Time `json:"until,omitzero"` // zero: it does not end by itself; a visit's lies ahead
	Others   int       `json:"others"`         // other agents that had a grant for the site when this was told
}

// GrantToWire converts a grant; its agent is sent beside it.
func GrantToWire(g Grant) *wire.Grant {
	return &wire.Grant{SiteId: g.SiteID, SiteName: g.SiteName, Category: g.Category, Address: g.Address,
		Epoch: g.Epoch, From: timeToWire(g.From), Until: timeToWire(g.Until), Others: int64(g.Others)}
}

// GrantFromWire reads the grant of an agent.
func GrantFromWire(agentID string, w *wire.Grant) Grant {
	return Grant{AgentID: agentID, SiteID: w.GetSiteId(), SiteName: w.GetSiteName(), Category: w.GetCategory(), Address: w.GetAddress(),
		Epoch: w.GetEpoch(), From: timeFromWire(w.GetFrom()), Until: timeFromWire(w.GetUntil()), Others: int(w.GetOthers())}
}

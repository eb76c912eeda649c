package review

import (
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// standing is what the page reads of Options.Status's JSON.
type standing struct {
	Version          string         `json:"version"`
	AgentID          string         `json:"agent_id"`
	Collector        string         `json:"collector"`
	Transport        string         `json:"transport"`
	ConnectedAt      time.Time      `json:"connected_at"`
	Connection       string         `json:"connection"` // "held", "parked"
	NextSlot         time.Time      `json:"next_slot"`
	LastAcknowledged time.Time      `json:"last_acknowledged"`
	LastError        string         `json:"last_error"`
	LastReason       string         `json:"last_reason"`     // the stable word for it
	ClockOffsetMs    int64          `json:"clock_offset_ms"` // this computer minus the collector
	ClockWrong       bool           `json:"clock_wrong"`
	Messages         map[string]int `json:"messages"` // by inventory.SentState
}

type statusView struct {
	standing
	Clock    string   // of this computer, where it is wrong
	Trouble  string   // key of what a person must do about the line; "": nothing
	Lost     bool     // of a site this computer is not recognised any more
	refused  []string // ids of sites: see View.NotGranted
	Sites    []inventory.Site
	Owner    []inventory.OwnerAccess
	Devices  []deviceState
	Browsers []openedView // in which the pages are open; the owner's to see
	Others   bool         // the owner asks, and may close others
	Open     int          // how many of Browsers are no links
	LANURL   string       // where they open from the network; "": nowhere
	Alerts   []alert      // of what the owner would want to know of his recorders
	Shared   bool         // something of a site is in the register
	Hidden   bool         // a site of these is suspended
}

// Calm says that there is nothing to do.
func (s statusView) Calm() bool {
	return s.Shared && !s.Lost && s.Trouble == "" && !s.ClockWrong && len(s.Alerts) == 0 && (s.Transport != "" || s.Connection == "parked")
}

// NeedsCode says that a site is held by an identity that this computer has no more,
// or by a grant that the register does not know any more.
func (s statusView) NeedsCode(g inventory.Site) bool {
	return g.AgentID != "" && g.AgentID != s.AgentID || slices.Contains(s.refused, g.SiteID)
}

type deviceState struct {
	inventory.Device
	Clock string
}

func (v *Review) status(r *http.Request) (answer, error) {
	full, err := v.Status(r.Context())
	if err != nil {
		return answer{}, err
	}
	if wantsJSON(r) {
		return answer{json: full}, nil
	}
	view, err := v.standing(r.Context(), v.words(r), full)
	if err != nil {
		return answer{}, err
	}
	if !may(r, "GET /keep") {
		view.Owner = nil // the code with which an entry is withdrawn
	} else {
		view.Browsers, view.Others = v.opened(r), true
		for _, b := range view.Browsers {
			if !b.Unused {
				view.Open++
			}
		}
	}
	if v.LAN != nil {
		view.LANURL = v.LAN.URL()
	}
	return page("status.html", "status.title", view), nil
}

func (v *Review) standing(ctx context.Context, w *pages.Words, full any) (view statusView, err error) {
	text, err := json.Marshal(full)
	if err != nil {
		return view, err
	}
	if err := json.Unmarshal(text, &view.standing); err != nil {
		return view, err
	}
	if key := "line." + view.LastReason; w.Has(key) {
		view.Trouble = key
	}
	if view.ClockWrong {
		view.Clock = clockWords(w, &protocol.Clock{OffsetMs: view.ClockOffsetMs})
	}
	known, err := v.Inventory.View(ctx)
	if err != nil {
		return view, err
	}
	view.Sites, view.refused = known.Sites, known.NotGranted
	view.Lost = slices.ContainsFunc(view.Sites, view.NeedsCode)
	if view.Owner, err = v.Inventory.OwnerAccess(ctx); err != nil {
		return view, err
	}
	for _, d := range known.Devices {
		view.Devices = append(view.Devices, deviceState{d, clockWords(w, d.Clock)})
	}
	view.Alerts = alertsOf(w, known.Devices, known.Cameras)
	view.Shared = slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool { return c.State == inventory.StateDeclared })
	view.Hidden = slices.ContainsFunc(view.Sites, func(g inventory.Site) bool { return g.State == protocol.SiteSuspended })
	return view, nil
}

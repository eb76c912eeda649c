package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
)

// standing is what `status -json` prints.
type standing struct {
	Running          bool             `json:"running"`
	Version          string           `json:"version"`
	AgentID          string           `json:"agent_id,omitempty"`
	Collector        string           `json:"collector,omitempty"`
	Transport        string           `json:"transport"` // "h3", "h2", "" when not connected
	ConnectedAt      time.Time        `json:"connected_at,omitzero"`
	Connection       string           `json:"connection"`         // "held", "parked": by the owner's choice or the collector's
	NextSlot         time.Time        `json:"next_slot,omitzero"` // of a parked one
	NewNotices       int              `json:"new_notices"`        // that nobody has opened yet
	LastAcknowledged time.Time        `json:"last_acknowledged,omitzero"`
	LastError        string           `json:"last_error,omitempty"`
	LastReason       uplink.Reason    `json:"last_reason,omitempty"` // of LastError
	CertificateUntil time.Time        `json:"certificate_until,omitzero"`
	ClockOffsetMs    *int64           `json:"clock_offset_ms,omitempty"` // this machine minus the collector; absent: not compared
	ClockWrong       bool             `json:"clock_wrong"`
	Sites            []inventory.Site `json:"sites"`
	Messages         map[string]int   `json:"messages"`      // by state: waiting, acknowledged, rejected
	Cameras          map[string]int   `json:"cameras"`       // by state
	LAN              string           `json:"lan,omitempty"` // where the pages open from the network; absent: nowhere
}

// status is asked by the pages and by the command line.
func (l *link) status(ctx context.Context) (any, error) {
	u := l.up.Status()
	st := standing{
		Running: l.running.Load(), Version: version(),
		AgentID: u.AgentID, Collector: u.Collector, Transport: u.Transport,
		ConnectedAt: u.ConnectedAt, LastAcknowledged: u.LastAcknowledged,
		Connection: held, NextSlot: u.NextSlot, LastError: u.LastError, LastReason: u.LastReason, CertificateUntil: u.CertificateUntil,
		Sites: []inventory.Site{}, Messages: map[string]int{}, Cameras: map[string]int{},
	}
	if !u.Clock.At.IsZero() {
		st.ClockOffsetMs, st.ClockWrong = new(u.Clock.Offset.Milliseconds()), u.Clock.Wrong()
	}
	if u.Parked {
		st.Connection = parked
	}
	known, err := l.inv.View(ctx)
	if err != nil {
		return nil, err
	}
	st.NewNotices, st.Sites = len(known.Unopened), append(st.Sites, known.Sites...)
	messages, err := l.inv.Counts(ctx)
	if err != nil {
		return nil, err
	}
	for state, n := range messages {
		st.Messages[string(state)] = n
	}
	for _, cam := range known.Cameras {
		st.Cameras[string(cam.State)]++
	}
	return st, nil
}

// cmdStatus says how the agent stands.
func cmdStatus(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var st standing
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/status", nil, &st)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(st)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("running", "%t", st.Running)
	switch {
	case len(st.Sites) == 0:
		row("enrolled", "no: run \"anagrafe-agent enrol CODE\" with the code from the Comune")
	case st.Transport == "" && st.Connection == parked:
		row("collector", "%s, parked until %s", st.Collector, st.NextSlot.Local().Format(time.DateTime))
	case st.Transport == "":
		row("collector", "%s, not connected", st.Collector)
	default:
		row("collector", "%s, connected by %s since %s", st.Collector, st.Transport, st.ConnectedAt.Local().Format(time.DateTime))
	}
	if st.LastError != "" {
		row("last error", "%s", st.LastError)
	}
	if st.ClockWrong {
		row("clock", "this computer is %v off the collector's time: set it right; measurements are corrected meanwhile",
			(time.Duration(*st.ClockOffsetMs) * time.Millisecond).Round(time.Second))
	}
	for _, site := range st.Sites {
		note := ""
		if site.State != "" {
			note = ", " + decidedElsewhere(site.State)
		}
		if site.AgentID != "" && site.AgentID != st.AgentID {
			note += ": needs a new code; ask the Comune for it, then confirm again what has not left yet"
		}
		row("site", "%s (%s)%s", site.SiteName, site.SiteID, note)
	}
	if st.NewNotices > 0 {
		row("notices", "%d new: run \"anagrafe-agent notices\"", st.NewNotices)
	}
	row("cameras", "%d shared, %d ready, %d incomplete, %d kept back, %d withdrawn", st.Cameras["declared"], st.Cameras["ready"],
		st.Cameras["found"], st.Cameras["refused"], st.Cameras["withdrawn"])
	if st.LAN != "" {
		row("network", "the pages are open to the network at %s, with the owner's password", st.LAN)
	}
	row("messages", "%d acknowledged, %d waiting, %d rejected", st.Messages["acknowledged"], st.Messages["waiting"], st.Messages["rejected"])
	return w.Flush()
}

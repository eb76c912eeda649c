package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"anagrafe/agent/inventory"
)

// cmdEnrol joins with a code or link.
func cmdEnrol(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	collector := f.String("collector", "", "https://HOST:PORT of the collector; a link carries it")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return misuse("which code? The Comune gives it, as a code or as a link")
	}
	in := map[string]string{"code": words[0], "collector": *collector}
	var grant inventory.Grant
	if err := c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/enrol", in, &grant)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(grant)
	}
	fmt.Fprintln(c.out, "Enrolled. Nothing leaves until you approve it: \"anagrafe-agent open\" or \"anagrafe-agent cameras\".")
	return nil
}

// cmdOpen prints a one-time link to the running agent's pages.
func cmdOpen(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		URL string `json:"url"`
	}
	cl := dial(c.dir)
	err := cl.do(ctx, http.MethodPost, "/link", nil, &answer)
	if _, refused := errors.AsType[refusal](err); err != nil && !refused {
		return errors.New("the pages are served by the running agent, and none runs here: start it with \"anagrafe-agent run\"")
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintln(c.out, answer.URL)
	return nil
}

// standing is what `status -json` prints.
type standing struct {
	Running          bool              `json:"running"`
	Version          string            `json:"version"`
	AgentID          string            `json:"agent_id,omitempty"`
	Collector        string            `json:"collector,omitempty"`
	Transport        string            `json:"transport"` // "h3", "h2", "" when not connected
	ConnectedAt      time.Time         `json:"connected_at,omitzero"`
	LastAcknowledged time.Time         `json:"last_acknowledged,omitzero"`
	LastError        string            `json:"last_error,omitempty"`
	CertificateUntil time.Time         `json:"certificate_until,omitzero"`
	Sites            []inventory.Grant `json:"sites"`
	Messages         map[string]int    `json:"messages"` // by state: waiting, acknowledged, rejected
	Cameras          map[string]int    `json:"cameras"`  // by state
}

// status is asked by the pages and by the command line.
func (d *delivery) status(ctx context.Context) (any, error) {
	u := d.up.Status()
	st := standing{
		Running: d.running.Load(), Version: version(),
		AgentID: u.AgentID, Collector: u.Collector, Transport: u.Transport,
		ConnectedAt: u.ConnectedAt, LastAcknowledged: u.LastAcknowledged,
		LastError: u.LastError, CertificateUntil: u.CertificateUntil,
		Sites: []inventory.Grant{}, Messages: map[string]int{}, Cameras: map[string]int{},
	}
	grants, err := d.inv.Grants(ctx)
	if err != nil {
		return nil, err
	}
	st.Sites = append(st.Sites, grants...)
	sent, err := d.inv.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range sent {
		st.Messages[string(m.State)]++
	}
	cameras, err := d.inv.Cameras(ctx)
	if err != nil {
		return nil, err
	}
	for _, cam := range cameras {
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
	if err := c.withSite(ctx, func(cl client) error {
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
	case st.Transport == "":
		row("collector", "%s, not connected", st.Collector)
	default:
		row("collector", "%s, connected by %s since %s", st.Collector, st.Transport, st.ConnectedAt.Local().Format(time.DateTime))
	}
	if st.LastError != "" {
		row("last error", "%s", st.LastError)
	}
	for _, site := range st.Sites {
		row("site", "%s (%s)", site.SiteName, site.SiteID)
	}
	row("cameras", "%d shared, %d ready, %d incomplete, %d kept back, %d withdrawn", st.Cameras["declared"], st.Cameras["ready"],
		st.Cameras["found"], st.Cameras["refused"], st.Cameras["withdrawn"])
	row("messages", "%d acknowledged, %d waiting, %d rejected", st.Messages["acknowledged"], st.Messages["waiting"], st.Messages["rejected"])
	return w.Flush()
}

// cmdOutbox shows every message, sent or waiting.
func cmdOutbox(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var raw json.RawMessage // -json prints the handlers' answer as it is
	if err := c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/outbox", nil, &raw)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(raw)
	}
	var answer struct {
		Messages []struct {
			Kind       string              `json:"kind"`
			MadeAt     time.Time           `json:"made_at"`
			State      inventory.SentState `json:"state"`
			RecordedAt time.Time           `json:"recorded_at"`
			Transport  string              `json:"transport"`
			Why        string              `json:"why"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "MADE\tKIND\tSTATE\tBY\tRECORDED\tWHY")
	for _, m := range answer.Messages {
		recorded := ""
		if !m.RecordedAt.IsZero() {
			recorded = m.RecordedAt.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", m.MadeAt.Local().Format(time.DateTime), m.Kind, m.State, m.Transport, recorded, m.Why)
	}
	return w.Flush()
}

// cmdVersion prints the version that the Go tool stamped.
func cmdVersion(_ context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	if c.json {
		return c.print(map[string]string{"version": version()})
	}
	fmt.Fprintln(c.out, "anagrafe-agent", version())
	return nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

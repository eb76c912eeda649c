package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// cmdSuspend hides a site from search, or shows it again, as its name says: of all
// sites, or of one.
func cmdSuspend(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		SiteID string `json:"site_id,omitempty"`
		Until  string `json:"until,omitempty"`
		By     string `json:"by"`
	}
	f.StringVar(&in.SiteID, "site", "", "the site; without it all that are shared")
	f.StringVar(&in.By, "by", "", "who decides (default: as for other decisions)")
	if c.name == "suspend" {
		f.StringVar(&in.Until, "until", "", "last day of it, like 2026-08-31; without it until \"resume\"")
	}
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	in.By = cmp.Or(in.By, c.person())
	var answer struct {
		Sites []struct {
			SiteID   string              `json:"site_id"`
			SiteName string              `json:"site_name"`
			State    protocol.SiteState  `json:"state,omitempty"`
			Until    time.Time           `json:"until,omitzero"`
			Sent     inventory.SentState `json:"sent,omitempty"`
		} `json:"sites"`
	}
	err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/"+c.name, in, &answer)
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	for _, s := range answer.Sites {
		state := "found by searches"
		switch {
		case s.State == protocol.SiteSuspended && s.Until.IsZero():
			state = "suspended, until \"anagrafe-agent resume\""
		case s.State == protocol.SiteSuspended:
			state = "suspended until " + s.Until.Local().Format(time.DateTime)
		}
		sent := ""
		if s.Sent == inventory.Waiting {
			sent = " (not recorded yet: it leaves as soon as the register answers)"
		}
		fmt.Fprintf(c.out, "%s %s: %s%s\n", s.SiteID, s.SiteName, state, sent)
	}
	return nil
}

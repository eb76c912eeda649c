package main

import (
	"context"
	"net/http"

	"anagrafe/protocol"
)

// cmdContact says whom to call for a site.
func cmdContact(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		SiteID string `json:"site_id,omitempty"`
		protocol.Contact
		Place *protocol.Site `json:"place,omitempty"`
	}
	place := protocol.Site{}
	f.StringVar(&in.SiteID, "site", "", "the site, where there are several")
	f.StringVar(&in.Name, "name", "", "name of the person or office")
	f.Func("role", "owner, referent or control-room (default owner)", func(s string) error { in.Role = protocol.Role(s); return nil })
	f.StringVar(&in.Phone, "phone", "", "telephone number")
	f.StringVar(&in.Email, "email", "", "e-mail address")
	f.StringVar(&in.PEC, "pec", "", "certified e-mail address")
	f.StringVar(&in.Hours, "hours", "", "when they answer, in words")
	f.BoolVar(&in.Alerts, "alerts", false, "tell them by e-mail when a recorder stops, its clock is wrong or images stay for less time")
	f.StringVar(&place.Name, "place", "", "what the place is called, where its code came from an association and named none")
	f.StringVar(&place.Address, "address", "", "its address, in words")
	f.Func("category", "what it is: shop, bank, pharmacy, condominium, ... (default other)", func(s string) error { place.Category = protocol.Category(s); return nil })
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if place != (protocol.Site{}) {
		in.Place = &place
	}
	if in.Role == "" {
		in.Role = protocol.RoleOwner
	}
	return c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/contact", in, nil)
	})
}

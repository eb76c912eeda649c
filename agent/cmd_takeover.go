package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"anagrafe/agent/inventory"
)

// cmdTakeover shows what the register already had of a site, beside what was
// found here. With -accept, what is surely the same is taken over, and what was
// not found is kept as the register has it; nothing is declared by it. A site
// with a camera that is only perhaps the same, or that was typed on a form, is left
// to a person.
func cmdTakeover(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	accept := f.Bool("accept", false, "take over what is surely the same, and keep what was not found as the register has it; nothing leaves by it")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	var answer struct {
		Sites []inventory.Takeover `json:"sites"`
	}
	left := 0
	err := c.withAgent(ctx, func(cl client) error {
		if err := cl.do(ctx, http.MethodGet, "/takeover", nil, &answer); err != nil || !*accept {
			return err
		}
		for _, t := range answer.Sites {
			if slices.ContainsFunc(t.Recorded, inventory.Recorded.Asks) {
				left++
				continue
			}
			if err := cl.do(ctx, http.MethodPost, "/takeover", accepted(t), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.json {
		err = c.print(answer)
	} else {
		err = c.takeovers(answer.Sites, *accept)
	}
	if err == nil && left > 0 {
		return partly{fmt.Errorf("%d of %d sites have cameras that are only perhaps the same, or that were typed on a form: \"anagrafe-agent open\" lets the owner choose", left, len(answer.Sites))}
	}
	return err
}

// acceptance is what POST /takeover takes.
type acceptance struct {
	SiteID  string             `json:"site_id"`
	Choices []inventory.Choice `json:"choices"`
}

func accepted(t inventory.Takeover) acceptance {
	a := acceptance{SiteID: t.SiteID}
	for _, r := range t.Recorded {
		a.Choices = append(a.Choices, inventory.Choice{ID: r.Camera.ID, Here: r.Here})
	}
	return a
}

func (c *call) takeovers(sites []inventory.Takeover, done bool) error {
	if len(sites) == 0 {
		fmt.Fprintln(c.out, "Nothing waits: what the register has of the sites of this computer is known here.")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SITE\tIN THE REGISTER\tRECORDER\tHERE")
	for _, t := range sites {
		for _, r := range t.Recorded {
			here := "not found"
			for _, f := range t.Found {
				if f.ID != r.Here {
					continue
				}
				here = f.Name + ", " + f.Recorder
				if !r.Sure {
					here += " (a guess)"
				}
			}
			for _, d := range t.Locked {
				if d.ID == r.On {
					here = "on " + d.Name + ", which asks for its password (a guess)"
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.SiteName, r.Camera.Name, strings.TrimSpace(r.Recorder.Vendor+" "+r.Recorder.Model), here)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if done {
		fmt.Fprintln(c.out, "Taken over what is not marked as a guess. Nothing has left: \"anagrafe-agent cameras\" lists what waits for a yes.")
	} else {
		fmt.Fprintln(c.out, "\"anagrafe-agent open\" lets the owner choose one by one; takeover -accept takes all over, if nothing is marked as a guess.")
	}
	return nil
}

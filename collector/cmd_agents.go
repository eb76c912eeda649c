package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
)

// listedAgent is an agent as the handler of /agents answers it.
type listedAgent struct {
	ID               string    `json:"id"`
	Version          string    `json:"version"`
	EnrolledAt       time.Time `json:"enrolled_at"`
	SeenAt           time.Time `json:"seen_at,omitzero"`
	RevokedAt        time.Time `json:"revoked_at,omitzero"`
	CertificateUntil time.Time `json:"certificate_until,omitzero"`
	Sites            []struct {
		ID         string    `json:"id"`
		Name       string    `json:"name"`
		DeclaredAt time.Time `json:"declared_at,omitzero"`
		VisitUntil time.Time `json:"visit_until,omitzero"`
		Others     int       `json:"others"`
	} `json:"sites"`
}

// cmdAgents lists the agents.
func cmdAgents(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Agents []listedAgent `json:"agents"`
	}
	answer.Agents = []listedAgent{} // none is an empty list
	if err := c.withCollector(ctx, func(cl client) error {
		for next := "/agents?size=500"; next != ""; {
			var page struct {
				Rows []listedAgent `json:"rows"`
				Next string        `json:"next"`
			}
			if err := cl.do(ctx, http.MethodGet, next, nil, &page); err != nil {
				return err
			}
			answer.Agents, next = append(answer.Agents, page.Rows...), page.Next
		}
		return nil
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSITES\tVERSION\tENROLLED\tSEEN\tCERTIFICATE UNTIL\tREVOKED")
	for _, a := range answer.Agents {
		var sites []string
		for _, s := range a.Sites {
			name := cmp.Or(s.Name, s.ID)
			if s.Others > 0 {
				name += fmt.Sprintf(" (one of %d agents)", s.Others+1)
			}
			if !s.VisitUntil.IsZero() {
				name += " (visit until " + day(s.VisitUntil) + ")"
			}
			sites = append(sites, name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, strings.Join(sites, ", "), a.Version, day(a.EnrolledAt), day(a.SeenAt), day(a.CertificateUntil), day(a.RevokedAt))
	}
	return w.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// cmdRevoke shuts an agent out.
func cmdRevoke(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	return c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/agents/"+url.PathEscape(words[0])+"/revoke", nil, nil)
	})
}

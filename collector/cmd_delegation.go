package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
)

// cmdDelegationAdd keeps what an organisation lets a technical referent do.
func cmdDelegationAdd(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		Organisation string    `json:"organisation"`
		Referent     string    `json:"referent"`
		Powers       []string  `json:"powers"`
		Sites        []string  `json:"sites,omitempty"`
		Rule         string    `json:"rule"`
		From         time.Time `json:"from,omitzero"`
		Until        time.Time `json:"until"`
	}
	f.StringVar(&in.Referent, "referent", "", "their name, as approvals will carry it")
	f.Var((*daemon.Repeated)(&in.Powers), "power", "what they may do: prepare, approve or answer; again for a further one")
	f.Var((*daemon.Repeated)(&in.Sites), "site", "the id of a site; again for a further one (default: all sites of the organisation, those to come too)")
	f.StringVar(&in.Rule, "rule", "", "by which act, in words, e.g. a contract")
	f.Func("from", "from which day, YYYY-MM-DD (default now)", theDay(&in.From))
	f.Func("until", "until which day, YYYY-MM-DD: it ends as that day begins", theDay(&in.Until))
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in.Organisation = words[0]
	switch {
	case in.Referent == "":
		return misuse("-referent NAME is missing")
	case len(in.Powers) == 0:
		return misuse("-power is missing: prepare, approve or answer")
	case in.Rule == "":
		return misuse("-rule TEXT is missing: the act by which they may")
	case in.Until.IsZero():
		return misuse("-until DAY is missing: every delegation ends")
	}
	var d protocol.Delegation
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/delegations", in, &d)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(d)
	}
	fmt.Fprintf(c.out, "%s  %s\n", d.ID, d.Referent)
	return nil
}

// cmdDelegationList lists what an organisation has delegated.
func cmdDelegationList(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	var answer struct {
		Delegations []protocol.Delegation `json:"delegations"`
	}
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/delegations/list", map[string]string{"organisation": words[0]}, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	writeDelegations(w, answer.Delegations)
	return w.Flush()
}

// writeDelegations writes them as lines of fields between tabs.
func writeDelegations(w io.Writer, all []protocol.Delegation) {
	fmt.Fprintln(w, "DELEGATION\tREFERENT\tMAY\tSITES\tRULE\tFROM\tUNTIL\tREVOKED")
	for _, d := range all {
		sites := "all"
		if len(d.Sites) > 0 {
			sites = fmt.Sprint(len(d.Sites))
		}
		var may []string
		for _, p := range d.Powers {
			may = append(may, string(p))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Referent, strings.Join(may, ","), sites, d.Rule, day(d.From), day(d.Until), day(d.RevokedAt))
	}
}

// cmdDelegationRevoke ends one at once.
func cmdDelegationRevoke(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	var answer map[string]string
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/delegations/revoke", map[string]string{"id": words[0]}, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintf(c.out, "delegation %s is revoked\n", answer["id"])
	return nil
}

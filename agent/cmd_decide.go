package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/user"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// cmdDecide approves, refuses or withdraws, as its name says.
func cmdDecide(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	all := new(bool)
	if c.name != "refuse" {
		all = f.Bool("all", false, "every camera")
	}
	in := decision{}
	if c.name == "approve" {
		f.StringVar(&in.Rule, "rule", "", "every camera with such a name, e.g. 'Ingresso*'; one that was not answered yes stays here")
		f.StringVar(&in.By, "by", "", "who decides (default: the name in the configuration, else the user of this machine)")
		f.StringVar(&in.Role, "role", "", "as what: owner, or referent with the owner's delegation (default owner)")
		f.BoolVar(&in.DryRun, "dry-run", false, "only say what would be done")
	}
	ids, err := c.parse(f, args, -1)
	if err != nil {
		return err
	}
	switch {
	case *all == (len(ids) > 0) && in.Rule == "":
		return misuse("name the cameras, or say -all; \"anagrafe-agent cameras\" lists them")
	case in.Rule != "" && (*all || len(ids) > 0):
		return misuse("give the cameras, -all or -rule, one of them")
	case in.Role != "" && in.Role != string(protocol.RoleOwner) && in.Role != string(protocol.RoleReferent):
		return misuse("-role is owner or referent")
	}
	in.IDs, in.All, in.By = ids, *all, cmp.Or(in.By, c.person())
	return c.decide(ctx, c.name, in)
}

// decision is what the handlers of the local pages are asked to do.
type decision struct {
	IDs    []string `json:"ids,omitempty"`
	All    bool     `json:"all,omitempty"`
	Rule   string   `json:"rule,omitempty"`
	By     string   `json:"by"`
	Role   string   `json:"role,omitempty"`
	DryRun bool     `json:"dry_run,omitempty"`
}

// decide has a decision (approve, refuse, withdraw) made and tells what became of it.
func (c *call) decide(ctx context.Context, do string, in decision) error {
	var answer struct {
		Results  []inventory.Result `json:"results"`
		Messages []json.RawMessage  `json:"messages,omitempty"` // of a dry run
	}
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/"+do, in, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		if err := c.print(answer); err != nil {
			return err
		}
	}
	if in.DryRun && !c.json {
		fmt.Fprintln(c.out, "Nothing was done. This is what would be:")
	}
	if in.Rule != "" && len(answer.Results) == 0 {
		return fmt.Errorf("no camera that waits for a yes has a name like %q (capitals count); \"anagrafe-agent cameras\" lists them", in.Rule)
	}
	return c.outcome(do, answer.Results)
}

// outcome reports what could not be done, camera by camera.
func (c *call) outcome(did string, results []inventory.Result) error {
	done, incomplete := 0, false
	for _, r := range results {
		switch {
		case len(r.Missing) > 0:
			incomplete = true
			fmt.Fprintf(c.err, "%s: not done, missing: %s\n", r.ID, strings.Join(r.Missing, ", "))
		case r.Error != "":
			fmt.Fprintf(c.err, "%s: not done: %s\n", r.ID, r.Error)
		default:
			done++
		}
	}
	if !c.json {
		fmt.Fprintf(c.out, "%s: %d of %d\n", did, done, len(results))
	}
	if done == len(results) {
		return nil
	}
	next := ""
	if incomplete {
		next = "; \"anagrafe-agent set ID\" and \"anagrafe-agent contact\" give what is missing"
	}
	if done == 0 {
		return errors.New("nothing was done" + next)
	}
	return partly{fmt.Errorf("%d of %d were left as they are%s", len(results)-done, len(results), next)}
}

// person is whose decisions the command line records: the name in the
// configuration, else the user of this machine.
func (c *call) person() string {
	if config, err := readConfig(c.dir, c.config); err == nil && config.Name != "" {
		return config.Name
	}
	if u, err := user.Current(); err == nil {
		if u.Name != "" {
			return u.Name
		}
		return u.Username
	}
	return "command line"
}

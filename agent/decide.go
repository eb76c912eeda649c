package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/user"
	"strings"

	"anagrafe/agent/inventory"
)

// cmdDecide approves, refuses or withdraws, as its name says.
func cmdDecide(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	all := new(bool)
	if c.name != "refuse" {
		all = f.Bool("all", false, "every camera")
	}
	ids, err := c.parse(f, args, -1)
	if err != nil {
		return err
	}
	if *all == (len(ids) > 0) {
		return misuse("name the cameras, or say -all; \"anagrafe-agent cameras\" lists them")
	}
	in := struct {
		IDs []string `json:"ids,omitempty"`
		All bool     `json:"all,omitempty"`
		By  string   `json:"by"`
	}{ids, *all, c.person()}
	var answer struct {
		Results []inventory.Result `json:"results"`
	}
	if err := c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/"+c.name, in, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		if err := c.print(answer); err != nil {
			return err
		}
	}
	return c.outcome(answer.Results)
}

// outcome tells what could not be done, camera by camera.
func (c *call) outcome(results []inventory.Result) error {
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
		fmt.Fprintf(c.out, "%s: %d of %d\n", c.name, done, len(results))
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

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// inRegister says, before the service goes, which entries stay in the register
// without it, and how they are taken out from any browser: an entry of which the
// withdrawal was not delivered is not out yet. What cannot be asked is no reason
// to keep the service.
func (c *call) inRegister(ctx context.Context) {
	if _, err := os.Stat(filepath.Join(c.dir, "inventory.db")); err != nil {
		return // this agent never ran
	}
	var answer struct {
		Sites []struct {
			Name    string `json:"site_name"`
			Link    string `json:"link"`
			Code    string `json:"code"`
			Leaving bool   `json:"leaving"`
		} `json:"sites"`
	}
	if err := c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/keep", nil, &answer)
	}); err != nil {
		fmt.Fprintf(c.err, "which entries stay in the register could not be found out: %v\n", err)
		return
	}
	for _, s := range answer.Sites {
		what := "%s stays in the register. To suspend or withdraw it later, from any browser:\n"
		if s.Leaving {
			what = "%s is not yet out of the register: its withdrawal has not reached the Comune. To withdraw it, from any browser:\n"
		}
		fmt.Fprintf(c.out, what+"  page  %s\n  code  %s\n", s.Name, s.Link, s.Code)
	}
}

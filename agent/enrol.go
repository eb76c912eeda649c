package main

import (
	"context"
	"fmt"
	"net/http"

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

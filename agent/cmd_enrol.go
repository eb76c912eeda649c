package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"

	"anagrafe/agent/inventory"
)

// cmdEnrol joins with a code or link; - reads it from stdin.
func cmdEnrol(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	replace := f.Bool("replace", false, "the other computers that speak for the site may do so no more; may be said later, with the same code")
	collector := f.String("collector", "", "https://HOST:PORT of the collector; a link carries it")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return misuse("which code? The Comune gives it, as a code or as a link")
	}
	code := words[0]
	if code == "-" { // an argument is seen by every user of the machine
		if code, err = c.secretLine(bufio.NewReader(io.LimitReader(c.in, maxSecret)), "Code: "); err != nil {
			return err
		}
	}
	in := map[string]any{"code": code, "collector": *collector, "replace": *replace}
	var grant struct {
		inventory.Site
		Recorded int `json:"recorded"`
	}
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/enrol", in, &grant)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(grant)
	}
	if grant.Recorded > 0 {
		fmt.Fprintf(c.out, "The register already has %d cameras of this site: \"anagrafe-agent takeover\" shows them beside those found here.\n", grant.Recorded)
	}
	if grant.Others > 0 {
		fmt.Fprintf(c.out, "%d other computers speak for it. If this one takes their place: anagrafe-agent enrol CODE -replace, with the same code.\n", grant.Others)
	}
	fmt.Fprintln(c.out, "Enrolled. No camera goes into the register until you approve it: \"anagrafe-agent open\" or \"anagrafe-agent cameras\".")
	return nil
}

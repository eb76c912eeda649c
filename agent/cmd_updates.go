package main

import (
	"anagrafe/agent/update"
	"context"
	"fmt"
	"net/http"
	"time"
)

// cmdUpdates shows how the versions stand, or says what to do with them.
func cmdUpdates(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	if len(words) == 1 && words[0] != "auto" && words[0] != "hold" && words[0] != "look" {
		return misuse(fmt.Sprintf("what is %q?", words[0]))
	}
	var st update.Standing
	if err := c.withAgent(ctx, func(cl client) error {
		if len(words) == 1 {
			if err := cl.do(ctx, http.MethodPost, "/updates", map[string]string{"do": words[0]}, nil); err != nil {
				return err
			}
		}
		return cl.do(ctx, http.MethodGet, "/updates", nil, &st)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(st)
	}
	fmt.Fprintf(c.out, "version  %s\n", st.Version)
	switch {
	case !st.Able:
		fmt.Fprintln(c.out, "updates  off here: the system's own packages, or who installed the program, look after it")
	case st.Held:
		fmt.Fprintln(c.out, "updates  held")
	default:
		fmt.Fprintln(c.out, "updates  come by themselves")
	}
	if st.Next != "" {
		fmt.Fprintf(c.out, "next     %s: %s\n", st.Next, st.NextNotes["en"])
	}
	for _, f := range st.Failed {
		fmt.Fprintf(c.out, "failed   %s (%s) on %s: the version before went on\n", f.Version, f.Why, f.At.Local().Format(time.DateTime))
	}
	if st.Wrong != "" {
		fmt.Fprintf(c.out, "last look failed: %s\n", st.Wrong)
	}
	return nil
}

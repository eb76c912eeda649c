package main

import (
	"context"
	"fmt"

	"anagrafe/protocol/daemon"
)

// release is the version that the packages' build has the linker set; empty in all
// other builds.
var release string

// cmdVersion prints the version of the release, or what the Go tool stamped.
func cmdVersion(_ context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	if c.json {
		return c.print(map[string]string{"version": version()})
	}
	fmt.Fprintln(c.out, "anagrafe-collector", version())
	return nil
}

func version() string {
	return daemon.Version(release)
}

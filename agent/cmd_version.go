package main

import (
	"context"
	"fmt"

	"anagrafe/protocol/daemon"
)

// release is set by the linker where a release is built (-ldflags "-X
// main.release=v1.2.3"): a program that is to be updated must know which it is.
var release string

// cmdVersion prints the version of the release, or what the Go tool stamped.
func cmdVersion(_ context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	if c.json {
		return c.print(map[string]string{"version": version()})
	}
	fmt.Fprintln(c.out, "anagrafe-agent", version())
	return nil
}

func version() string {
	return daemon.Version(release)
}

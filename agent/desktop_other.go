//go:build !linux && !windows

package main

import (
	"context"
	"os/exec"
)

// browse opens a link in this person's browser, as macOS does.
func browse(ctx context.Context, link string) (bool, error) {
	return true, exec.CommandContext(ctx, "open", link).Run()
}

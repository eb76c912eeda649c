//go:build !linux

package main

import (
	"context"
	"os/exec"
	"runtime"
)

// browse opens a link in this person's browser. It stands in the program's arguments,
// which on Windows other users cannot read.
func browse(ctx context.Context, link string) (bool, error) {
	if runtime.GOOS == "windows" {
		return true, exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", link).Run()
	}
	return true, exec.CommandContext(ctx, "open", link).Run()
}

//go:build !linux && !windows

package main

import "context"

// desktopMessage does nothing where no way to a desktop is known.
func desktopMessage(context.Context, string, string) error { return nil }

//go:build !linux

package main

import "context"

// packaged tells whether a package has installed the service, and will remove it; the
// MSI registers it by this program.
func packaged() bool { return false }

// prepare has nothing to do: the service manager has an account for services.
func (c *call) prepare(context.Context) error { return nil }

// removeUser has nothing to do either.
func removeUser(context.Context) error { return nil }

//go:build !linux

package main

import "context"

// prepare has nothing to do: the service manager has an account for services.
func (c *call) prepare(context.Context) error { return nil }

//go:build !linux && !windows

package main

// packaged reports whether a package has installed the service: there is none here.
func packaged() bool { return false }

//go:build !linux && !windows

package main

// packaged tells whether a package has installed the service: there is none here.
func packaged() bool { return false }

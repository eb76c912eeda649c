//go:build !windows

package main

// elevate does nothing here: sudo asks at the terminal, if the caller uses it.
func elevate() bool { return false }

// showWindow does nothing: what goes wrong is on the terminal.
func showWindow(string) {}

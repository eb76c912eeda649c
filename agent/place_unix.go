//go:build !windows

package main

const defaultDir = "/var/lib/anagrafe-agent"

//go:build !windows

package main

const defaultDir = "/var/lib/anagrafe-agent"

// systemCommands are what this system alone wants: nothing.
var systemCommands []command

// serviceUser is for the unit to say.
const serviceUser = ""

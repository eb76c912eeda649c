package main

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// systemCommands are what this system alone wants.
var systemCommands = []command{
	{"firewall", "add | remove", "let the answers of cameras through Windows Firewall, or no longer", cmdFirewall},
}

// defaultDir is below the folder for data of all users, which the service and the
// administrators share. The installer makes it, and closes it to everybody else.
var defaultDir = filepath.Join(programData(), "Anagrafe Telecamere")

func programData() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return `C:\ProgramData`
	}
	return dir
}

// serviceUser is the service's own account, which Windows makes with it: it has no
// password, and of this machine no more than any user, but for the agent's folder.
const serviceUser = `NT SERVICE\` + serviceName

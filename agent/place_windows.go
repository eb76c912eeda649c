package main

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

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

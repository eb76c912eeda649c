package main

import (
	"errors"
	"io/fs"
)

// closedToOthers demands a file, no more: who may read it is for the access list of its
// folder, which the installer's is closed by.
func closedToOthers(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it must be a file")
	}
	return nil
}

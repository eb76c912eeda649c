//go:build !windows

package main

import (
	"fmt"
	"io/fs"
)

// closedToOthers refuses a file that other users of this machine can read.
func closedToOthers(info fs.FileInfo) error {
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("it must be a file that nobody else can read, and its mode is %v: chmod 600 %s", info.Mode(), info.Name())
	}
	return nil
}

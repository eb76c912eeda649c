// Package control is the way by which the command line reaches the running agent.
// It hides how each system keeps that way to the agent's own account and the
// administrators: on Unix a socket in the agent's directory with mode 0600; on
// Windows, where sockets in the file system came late and no access list is sure
// to hold for them, TLS on loopback, for which both sides need a key that the agent
// makes at each start and keeps in its directory (control_windows.go).
//
// The main package calls it. It is no stage of the data's path.
package control

import (
	"errors"
	"io/fs"
)

// None tells whether an error of Dial means that no agent runs on the directory,
// or that it has not yet opened its door.
func None(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, refused)
}

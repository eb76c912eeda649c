// Package control connects the command line to the running agent. It hides how each
// system restricts that connection to the agent's own account and the administrators:
// on Unix a socket of mode 0600 in the agent's directory; on Windows, where no access
// list is sure to protect a socket file, TLS on loopback with a key that the agent
// makes at each start and keeps in its directory (control_windows.go).
//
// The main package calls it.
package control

import (
	"errors"
	"io/fs"
)

// None reports whether an error of Dial means that no agent runs on the directory,
// or that it has not yet opened its door.
func None(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, refused)
}

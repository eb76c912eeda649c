package main

import (
	"errors"
	"io/fs"
)

// The command line reaches the running agent over a connection that each system restricts
// to the agent's own account and the administrators: on Unix a socket of mode 0600 in the
// agent's directory; on Windows, where no access list is sure to protect a socket file, TLS
// on loopback with a key that the agent makes at each start and keeps in its directory
// (control_windows.go).

// noneAnswers reports whether an error of dialControl means that no agent runs on the
// directory, or that it has not yet opened its door.
func noneAnswers(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotListening)
}

//go:build !windows

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// ListenControl opens the socket of a program's own command line, for its user alone. The
// caller holds the lock of the directory: a socket that is there was left by a killed
// process.
func ListenControl(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// Made with its mode: whoever connects before a chmod would stay connected.
	mask := syscall.Umask(0o177)
	listener, err := net.Listen("unix", path)
	syscall.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w (a path of over 100 bytes is too long: give another directory with -data DIR)", err)
	}
	return listener, nil
}

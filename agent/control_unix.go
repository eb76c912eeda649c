//go:build !windows

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

const errNotListening = syscall.ECONNREFUSED

func socket(dir string) string { return filepath.Join(dir, "control.sock") }

// listenControl opens dir/control.sock. The caller holds dir/lock: a socket that is there
// was left by a killed process.
func listenControl(dir string) (net.Listener, error) {
	path := socket(dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w (a path of over 100 bytes is too long: give another directory with -data DIR)", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// dialControl reaches the agent that runs on dir.
func dialControl(ctx context.Context, dir string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", socket(dir))
}

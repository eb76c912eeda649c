//go:build !windows

package main

import (
	"context"
	"net"
	"path/filepath"
	"syscall"

	"anagrafe/protocol/daemon"
)

const errNotListening = syscall.ECONNREFUSED

func socket(dir string) string { return filepath.Join(dir, "control.sock") }

// listenControl opens dir/control.sock. The caller holds dir/lock.
func listenControl(dir string) (net.Listener, error) { return daemon.ListenControl(socket(dir)) }

// dialControl reaches the agent that runs on dir.
func dialControl(ctx context.Context, dir string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", socket(dir))
}

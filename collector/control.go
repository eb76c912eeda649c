package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
)

// listenControl opens DIR/control.sock, for the command line.
func (o *office) listenControl() (net.Listener, error) {
	path := socket(o.dir)
	// The lock is ours, so a socket that is there was left by a killed process.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
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

// serveControl answers the command line until ctx ends.
func (o *office) serveControl(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("/audit/", o.audit.Control())
	mux.Handle("/authority", o.authorityControl())
	mux.Handle("/authority/", o.authorityControl())
	mux.HandleFunc("POST /key/rotate", o.rotateKey)
	for _, path := range []string{"/import", "/export", "/organisations", "/organisations/", "/owner", "/delegations", "/delegations/"} {
		mux.Handle(path, o.join.Control())
	}
	mux.Handle("/backup", o.backupControl())
	mux.Handle("/backup-keys", o.backupControl())
	mux.HandleFunc("POST /erase", o.erase)
	mux.HandleFunc("POST /addresses", o.importPlaces)
	mux.HandleFunc("POST /districts", o.importPlaces)
	mux.Handle("/", o.ops.Control())
	return o.opsWeb.Serve(ctx, mux, listener)
}

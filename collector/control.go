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
func (o *collector) listenControl() (net.Listener, error) {
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
func (o *collector) serveControl(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	for pattern, h := range o.controlRoutes() {
		mux.Handle(pattern, h)
	}
	return o.opsWeb.Serve(ctx, mux, listener)
}

// controlRoutes are what the control socket answers, by pattern of http.ServeMux. Who
// may open the socket is the operating system's answer: nobody is asked who they are.
func (o *collector) controlRoutes() map[string]http.Handler {
	all := map[string]http.Handler{
		"/audit/":          o.audit.Control(),
		"/authority":       o.authorityControl(),
		"/authority/":      o.authorityControl(),
		"POST /key/rotate": http.HandlerFunc(o.rotateKey),
		"/backup":          o.backupControl(),
		"/backup-keys":     o.backupControl(),
		"POST /erase":      http.HandlerFunc(o.erase),
		"POST /addresses":  http.HandlerFunc(o.importPlaces),
		"POST /districts":  http.HandlerFunc(o.importPlaces),
		"/notice":          http.HandlerFunc(o.privacyDocument),
		"POST /waves/file": http.HandlerFunc(o.ops.InviteMany),
		"POST /bounce":     http.HandlerFunc(o.bounced),
		"/":                o.ops.Control(),
	}
	for _, path := range []string{"/import", "/export", "/organisations", "/organisations/", "/owner", "/delegations", "/delegations/"} {
		all[path] = o.join.Control()
	}
	return all
}

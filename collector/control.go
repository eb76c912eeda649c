package main

import (
	"context"
	"net"
	"net/http"

	"anagrafe/protocol/daemon"
)

// listenControl opens DIR/control.sock, for the command line; the lock is ours.
func (o *collector) listenControl() (net.Listener, error) { return daemon.ListenControl(socket(o.dir)) }

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

//go:build long

package main

import (
	"context"
	"fmt"
	"net"
	"testing"

	"anagrafe/protocol/pages/pagestest"
)

// The public pages reach what the issue asks of them by Lighthouse, as a telephone on
// a slow line sees them.
func TestLongLighthouse(t *testing.T) {
	o := opened(t, t.TempDir(), func(c *Config) {
		c.Controller, c.ControllerContact, c.DPOContact = "Comune di Prova", "telecamere@comune.example.it", "dpo@comune.example.it"
	})
	h, err := o.publicWeb.Handler(o.publicRoutes...)
	if err != nil {
		t.Fatal(err)
	}
	l, err := o.publicWeb.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- o.publicWeb.Serve(ctx, h, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	there := map[string]bool{}
	for _, face := range o.publicRoutes {
		for _, r := range face {
			there[r.Pattern] = true
		}
	}
	origin := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	for _, path := range []string{"/", "/aderisci", "/site", "/faq", "/privacy", "/accessibility", "/statistiche"} {
		if path != "/" && path != "/privacy" && !there["GET "+path] {
			continue
		}
		pagestest.Lighthouse(t, origin+path)
	}
}

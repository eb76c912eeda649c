package discover

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// TestListen hears a camera that is switched on and off, by real multicast on
// loopback.
func TestListen(t *testing.T) {
	c, err := cameratest.LoadDir(filepath.Join("..", "..", "testdata", "cameras", "videofavola-cubo"))
	if err != nil {
		t.Fatal(err)
	}
	const endpoint = "urn:uuid:5e471e15-0057-4000-8000-000000000001"
	d, err := cameratest.Start(c, cameratest.Options{Host: "127.0.57.1", Interface: "lo", Endpoint: endpoint,
		Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsFE80First}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	heard, gone, ended := make(chan Sighting, 8), make(chan string, 8), make(chan error, 1)
	go func() {
		ended <- Listen(ctx, Options{Interfaces: []string{"lo"}, Log: slog.New(slog.NewTextHandler(t.Output(), nil))},
			func(s Sighting) {
				if s.Endpoint == endpoint {
					heard <- s
				}
			}, func(e string) {
				if e == endpoint {
					gone <- e
				}
			})
	}()
	again := time.NewTicker(20 * time.Millisecond) // it cannot be seen from here when the socket is open
	defer again.Stop()
	hellos := 0
	for waiting := true; waiting; {
		select {
		case s := <-heard:
			if waiting = false; s.Address != d.Address() || s.Service().String() != d.URL() {
				t.Errorf("heard %+v", s)
			}
		case <-again.C:
			if hellos++; hellos > 1000 {
				t.Fatal("a thousand hellos were not heard")
			}
			if err := d.Hello(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Bye(); err != nil {
		t.Fatal(err)
	}
	<-gone
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := Listen(t.Context(), Options{Interfaces: []string{"no-such-0"}}, nil, nil); err == nil {
		t.Error("no error for an interface that is not there")
	}
}

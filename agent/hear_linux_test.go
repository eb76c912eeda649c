package main

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/inventory"
)

// The running agent looks at a device that says Hello, on the real network stack
// and without waiting for its next look; a Bye, and a Hello of nobody, change nothing.
// It is long because it is one way, step by step.
func TestHello(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	written, err := cameratest.LoadDirs(filepath.Join("..", "testdata", "cameras"))
	if err != nil || len(written) == 0 {
		t.Fatalf("%d cameras: %v", len(written), err)
	}
	// Silent to probes: it is found by its Hello or not at all.
	camera, err := cameratest.Start(written[0], cameratest.Options{Host: "127.0.0.91", Interface: "lo", Auth: cameratest.AuthNone, AnswerTo: []string{"nothing"}})
	if err != nil {
		t.Fatal(err)
	}
	defer camera.Close()
	config := defaults()
	config.Interfaces = []string{"lo"}
	s, err := openAgent(t.Context(), filepath.Join(t.TempDir(), "agent"), config, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running errgroup.Group
	var heard atomic.Int32
	fake := make(chan func(hello func(discover.Sighting), bye func(string)))
	running.Go(func() error {
		return s.hear(ctx, func(ctx context.Context, o discover.Options, hello func(discover.Sighting), bye func(string)) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error {
				return discover.Listen(ctx, o, func(s discover.Sighting) { heard.Add(1); hello(s) }, bye)
			})
			group.Go(func() error {
				for {
					select {
					case say := <-fake:
						say(hello, bye)
					case <-ctx.Done():
						return nil
					}
				}
			})
			return group.Wait()
		})
	})
	t.Cleanup(func() {
		stop()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
		_ = s.Close()
	})
	wait(t, "a Hello to be heard", func() bool { // the agent may not listen yet
		if err := camera.Hello(); err != nil {
			t.Fatal(err)
		}
		return heard.Load() > 0
	})
	var found []inventory.Device
	wait(t, "the device to be looked at", func() bool {
		found = known(t, s.inv).Devices
		return len(found) > 0
	})
	if len(found) != 1 || found[0].Address != camera.Address().String() || !found[0].Reachable || found[0].FoundBy[0] != string(discover.MethodHello) {
		t.Fatalf("found %+v", found)
	}

	// Nobody is at that address, but it claims to be the camera; and the camera
	// is said to have gone. A second camera says Hello after both.
	second, err := cameratest.Start(written[0], cameratest.Options{Host: "127.0.0.92", Auth: cameratest.AuthNone})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	fake <- func(hello func(discover.Sighting), bye func(string)) {
		bye(camera.Options().Endpoint)
		forged := discover.Sighting{Endpoint: camera.Options().Endpoint, Address: netip.MustParseAddrPort("127.0.0.93:9"), Methods: []discover.Method{discover.MethodHello}}
		hello(forged)
		hello(discover.Sighting{Endpoint: "urn:uuid:2f5a69c2-e0ae-504f-829b-00000000aaaa", Address: second.Address(), Methods: []discover.Method{discover.MethodHello}})
	}
	wait(t, "the second device", func() bool {
		found = known(t, s.inv).Devices
		return len(second.Requests()) > 0 && (len(found) > 1 || found[0].Address == second.Address().String())
	})
	for _, d := range found {
		if d.Address == "127.0.0.93:9" || !d.Reachable {
			t.Errorf("a claim was taken for a fact: %+v", d)
		}
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
)

// TestCommandsAtOnce: commands that start together wait for each other's lock,
// instead of taking the other one for a running agent.
func TestCommandsAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "agent")
	var group errgroup.Group
	for range 6 {
		group.Go(func() error {
			var log strings.Builder
			if code := run(t.Context(), console{strings.NewReader(""), io.Discard, &log}, []string{"status", "-data", dir}); code != exitDone {
				return errors.New(log.String())
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestServeEndsBesideIdleConnections: a connection on which nothing was asked
// does not turn the end of the agent into a failure.
func TestServeEndsBesideIdleConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, http.NotFoundHandler()) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestLooksFollowEachOther: two looks that are asked for at once try a wrong
// password once.
func TestLooksFollowEachOther(t *testing.T) {
	c, err := cameratest.LoadDir(filepath.Join("..", "testdata", "cameras", "fintovista-dome"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := cameratest.Start(c, cameratest.Options{Host: freshHost(), Interface: "lo", Endpoint: "urn:uuid:" + uuid.NewString(),
		Auth: cameratest.AuthDigest, User: "utente", Password: "giusta", Quirks: cameratest.Quirks{Slow: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	config := defaults()
	config.Interfaces = []string{"lo"}
	s := siteFor(t, config)
	if err := s.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range known(t, s.inv).Devices {
		if k.Address == d.Address().String() {
			if err := s.inv.SetCredential(t.Context(), k.ID, interrogate.Credential{User: "utente", Password: "sbagliata"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var group errgroup.Group
	for range 2 {
		group.Go(func() error { return s.look(t.Context()) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := d.WrongAttempts(); n != 1 {
		t.Errorf("the wrong password was tried %d times", n)
	}
}

package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/collector/registry"
)

// opened is an office in a new directory, on ports that the system chooses.
func opened(t *testing.T, dir string, change func(*Config)) *collector {
	t.Helper()
	c := defaults()
	c.ListenAgents, c.ListenPublic, c.ListenOps, c.ListenConsult, c.ListenMetrics = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "off"
	change(&c)
	o, err := openCollector(t.Context(), dir, c, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// A port that is taken ends the start before anything has begun: no other port
// stays open, no socket is left, and the only link of the first administrator
// is not spent on a collector that nobody can reach.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	for name, change := range map[string]func(*Config){
		"agents":       func(c *Config) { c.ListenAgents = at },
		"public":       func(c *Config) { c.ListenPublic = at },
		"ops":          func(c *Config) { c.ListenOps = at },
		"consultation": func(c *Config) { c.ListenConsult = at },
		"metrics":      func(c *Config) { c.ListenMetrics = at },
	} {
		t.Run(name, func(t *testing.T) {
			free, err := net.Listen("tcp", "127.83.41.7:0") // where no other test listens meanwhile
			if err != nil {
				t.Fatal(err)
			}
			other := free.Addr().String()
			if err := free.Close(); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			o := opened(t, dir, func(c *Config) {
				c.ListenOps = other
				change(c)
			})
			var out bytes.Buffer
			if err := o.serve(t.Context(), &out); err == nil || !strings.Contains(err.Error(), "address already in use") {
				t.Errorf("serve with a taken port: %v", err)
			}
			if out.Len() > 0 {
				t.Errorf("printed %q", out.String())
			}
			if users, err := o.reg.Users(t.Context()); err != nil || len(users) != 0 {
				t.Errorf("users: %v, %v", users, err)
			}
			if _, err := os.Stat(socket(dir)); err == nil {
				t.Error("the control socket is still there")
			}
			if name != "ops" {
				again, err := net.Listen("tcp", other)
				if err != nil {
					t.Fatalf("another port stayed open: %v", err)
				}
				again.Close()
			}
		})
	}
}

// What a killed collector leaves does not keep the next one from starting.
func TestStaleSocket(t *testing.T) {
	dir := t.TempDir()
	left, err := net.Listen("unix", socket(dir))
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "root.secret.new-1") // cut short while it was written
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := opened(t, dir, func(*Config) {})
	ctx, stop := context.WithCancel(t.Context())
	listener, err := o.listenControl()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(socket(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("control socket: %v, %v", info.Mode(), err)
	}
	served := make(chan error, 1)
	go func() { served <- o.serveControl(ctx, listener) }()
	c := &call{console: console{out: io.Discard, err: io.Discard}, dir: dir, log: o.log}
	var answer struct {
		Users []registry.User `json:"users"`
	}
	if err := c.withCollector(t.Context(), func(cl client) error { return cl.do(t.Context(), "GET", "/users", nil, &answer) }); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

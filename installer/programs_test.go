package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait; it fails a test that hangs and times nothing.
const patience = 3 * time.Minute

// process is one of the real programs, running.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

func launch(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return network("").launch(t, name, args...)
}

// launch starts one of the programs in the network.
func (n network) launch(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: n.command(context.Background(), binary(t, name), args...), log: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.log)
		}
	})
	return p
}

// kill is kill -9: nothing is flushed, nothing is closed.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// until polls ready; a process that ends meanwhile fails the test.
func (p *process) until(what string, ready func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-p.done:
			p.t.Fatalf("waiting for %s: the process ended; its log:\n%s", what, p.log)
		case <-ctx.Done():
			p.t.Fatalf("waited %v for %s", patience, what)
		case <-tick.C:
		}
	}
}

// command runs a command to its end.
func command(t *testing.T, name string, args ...string) ([]byte, error) {
	t.Helper()
	return network("").program(t, name, args...)
}

// program runs a command of one of the programs in the network to its end.
func (n network) program(t *testing.T, name string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := n.command(ctx, binary(t, name), args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, complaint.Bytes())
	}
	return out.Bytes(), nil
}

func mustJSON(t *testing.T, into any, name string, args ...string) {
	t.Helper()
	out, err := command(t, name, append(args, "-json")...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s %v: %v in %s", name, args, err, out)
	}
}

// given are the addresses that freeAddr has given.
var given sync.Map

// freeAddr is an address on loopback whose port is free for TCP and UDP, and that it gives
// once. It lies below those that Linux gives to who asks for any: no connection made
// meanwhile can take it.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if _, twice := given.LoadOrStore(addr, nil); twice {
			continue
		}
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		udp, err := net.ListenPacket("udp", addr)
		if err == nil {
			err = udp.Close()
		}
		if err := errors.Join(err, tcp.Close()); err == nil {
			return addr
		}
	}
	t.Fatal("no port between 10000 and 30000 is free on loopback")
	return ""
}

// network is a network namespace; "" is the one the test itself is in.
type network string

// command is a command to be run in the network.
func (n network) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if n == "" {
		return exec.CommandContext(ctx, name, args...)
	}
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", string(n), name}, args...)...)
}

package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestControlReached: who has the agent's directory reaches it, also after it was killed
// and started again; where none runs, noneAnswers says so.
func TestControlReached(t *testing.T) {
	dir := t.TempDir()
	if _, err := dialControl(t.Context(), dir); !noneAnswers(err) {
		t.Errorf("before any agent: %v", err)
	}
	for range 2 {
		listener := answering(t, dir)
		if line := answered(t, dir); line != "hello\n" {
			t.Errorf("it answered %q", line)
		}
		kept := keep(t, dir)
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		if _, err := dialControl(t.Context(), dir); !noneAnswers(err) {
			t.Errorf("after it stopped: %v", err)
		}
		kept() // as a killed process leaves it
		if _, err := dialControl(t.Context(), dir); !noneAnswers(err) {
			t.Errorf("after it was killed: %v", err)
		}
	}
}

func answering(t *testing.T, dir string) net.Listener {
	listener, err := listenControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello\n")
			_ = conn.Close()
		}
	}()
	return listener
}

func answered(t *testing.T, dir string) string {
	conn, err := dialControl(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	return line
}

// keep remembers what the agent's directory holds, and gives what puts it back.
// A socket is nothing to be put back.
func keep(t *testing.T, dir string) func() {
	held := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		held[e.Name()] = b
	}
	return func() {
		for name, b := range held {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

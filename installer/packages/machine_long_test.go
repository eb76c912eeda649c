//go:build long

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; it fails a test that hangs and times nothing.
const patience = 3 * time.Minute

// machine is a Debian that systemd has started, in a container with no network but
// loopback, on a copy of the root that the Makefile keeps.
type machine struct {
	t      *testing.T
	root   string
	leader string // the process that is systemd there
}

// copyRoot gives a root of its own, not started.
func copyRoot(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test starts containers and so needs root: sudo make test-long")
	}
	root := filepath.Join(t.TempDir(), "root")
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", "--reflink=auto", "../../build/root", root).CombinedOutput(); err != nil {
		t.Fatalf("copying the root that \"make package-root\" makes: %v: %s", err, out)
	}
	return root
}

func boot(t *testing.T, root string) *machine {
	t.Helper()
	name := fmt.Sprintf("anagrafe-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6)
	log, err := os.Create(filepath.Join(filepath.Dir(root), "console"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
		"--machine", name, "--hostname", "shop", "--directory", root, "--boot", "--console=pipe")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	m := &machine{t: t, root: root}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		if m.leader = strings.TrimSpace(string(children)); m.leader != "" {
			if out, _ := m.try("systemctl", "is-system-running", "--wait"); strings.TrimSpace(out) == "running" {
				return m
			}
		}
		select {
		case <-tick.C:
		case <-ended:
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("the container ended: %s", said)
		case <-ctx.Done():
			failed, _ := m.try("systemctl", "--failed", "--no-legend", "--plain")
			t.Fatalf("systemd was not ready after %v; failed: %s", patience, failed)
		}
	}
}

// try runs a command in the machine and gives all that it said.
func (m *machine) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", m.leader, "--mount", "--pid", "--ipc", "--net", "--uts", "--cgroup", "--root", "--wd=/", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "HOME=/root"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		journal, _ := m.try("journalctl", "--no-pager", "--lines=30")
		m.t.Fatalf("%s: %v: %s\n%s", strings.Join(args, " "), err, out, journal)
	}
	return out
}

// unit gives one property of a unit, as systemd sees it.
func (m *machine) unit(name, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--value", "--property", property, name))
}

// active tells whether the service runs, as its own user and not another.
func (m *machine) active(name string) bool {
	m.t.Helper()
	if m.unit(name, "ActiveState") != "active" {
		return false
	}
	if who := strings.TrimSpace(m.run("ps", "-o", "user:32=", "-p", m.unit(name, "MainPID"))); who != name {
		m.t.Errorf("%s runs as %q", name, who)
	}
	return true
}

// has tells whether a path is there.
func (m *machine) has(path string) bool {
	_, err := os.Lstat(filepath.Join(m.root, path))
	return err == nil
}

// put copies a file into the machine's root, and gives its path there.
func put(t *testing.T, root, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, filepath.Base(file)), content, 0o644); err != nil {
		t.Fatal(err)
	}
	return "/" + filepath.Base(file)
}

// user gives the numbers of one of the machine's users.
func (m *machine) user(name string) (uid, gid int) {
	m.t.Helper()
	numbers := [2]int{}
	for i, flag := range []string{"-u", "-g"} {
		n, err := strconv.Atoi(strings.TrimSpace(m.run("id", flag, name)))
		if err != nil {
			m.t.Fatal(err)
		}
		numbers[i] = n
	}
	return numbers[0], numbers[1]
}

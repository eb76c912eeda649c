// Package pgtest runs a PostgreSQL for tests: Debian's own server in a private directory, reached
// through a Unix socket there, gone with the test binary. It hides how one is set up, also as root,
// under which PostgreSQL refuses to run. The tests of package registry and of those above it call
// it; no program does.
package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	Dir string // its data directory, for tests of its files

	root    string // holds Dir, the socket and the log
	options []string
	cmd     *exec.Cmd
	as      *syscall.Credential // nil: as who we are
	mu      sync.Mutex
}

// Start makes a server and waits until it answers. options are settings
// ("fsync=on"); without any it trusts the machine not to lose power.
func Start(ctx context.Context, options ...string) (_ *Server, err error) {
	s := &Server{options: options}
	if s.root, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	s.Dir = filepath.Join(s.root, "data")
	if os.Geteuid() == 0 {
		if s.as, err = unprivileged(); err != nil {
			return nil, err
		}
		if err := os.Chown(s.root, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb, err := s.command(ctx, "initdb", "-D", s.Dir, "-U", "anagrafe", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync")
	if err != nil {
		return nil, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.Run(ctx)
}

// Run starts the server on its directory, after Kill too.
func (s *Server) Run(ctx context.Context) error {
	args := []string{"-D", s.Dir, "-k", s.root, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"}
	for _, o := range s.options {
		args = append(args, "-c", o)
	}
	cmd, err := s.command(context.WithoutCancel(ctx), "postgres", args...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.root, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	return s.ready(ctx)
}

// ready waits until the server takes connections.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.root, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, log)
		case <-again.C:
		}
	}
}

// URL names a database of the server.
func (s *Server) URL(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("anagrafe"), Path: "/" + database,
		RawQuery: url.Values{"host": {s.root}}.Encode()}).String()
}

// Kill ends the server as a power cut would end its processes.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	// Each of its processes leads a group of its own, and one that works would go
	// on without the first, also commit. That one is held, so that it makes no
	// other, and ends none of them in its own way.
	pid := s.cmd.Process.Pid
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	served := children(pid)
	for _, child := range served {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
	for _, child := range served {
		waitGone(child, s.Dir)
	}
}

// children are the processes that a process has started.
func children(pid int) (all []int) {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	for _, f := range strings.Fields(string(raw)) {
		if child, err := strconv.Atoi(f); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// waitGone waits until a killed process that worked in dir holds nothing any
// more: the next server refuses to start beside it.
func waitGone(pid int, dir string) {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		if at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || at != dir {
			return
		}
		<-again.C
	}
}

// Stop ends the server and removes all that it kept.
func (s *Server) Stop() {
	s.Kill()
	_ = os.RemoveAll(s.root)
}

// command is one of PostgreSQL's programs, in a process group of its own.
func (s *Server) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/%s): run make deps", name)
	}
	version := func(path string) int { n, _ := strconv.Atoi(strings.Split(path, "/")[4]); return n }
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	cmd := exec.CommandContext(ctx, found[len(found)-1], args...)
	cmd.Dir = s.root
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.as}
	return cmd, nil
}

// unprivileged is who the server runs as when we are root: Debian's postgres.
func unprivileged() (*syscall.Credential, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and %w: run make deps", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("the user postgres has no number")
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

var (
	shared  *Server
	startMu sync.Mutex
)

// Main runs a package's tests and then stops the server that they share.
func Main(m *testing.M) int {
	code := m.Run()
	startMu.Lock()
	defer startMu.Unlock()
	if shared != nil {
		shared.Stop()
	}
	return code
}

// Database returns the URL of a database of the server that the package's tests
// share: the same name is the same database, and a new one is empty. The
// package's TestMain calls Main.
func Database(t testing.TB, name string) string {
	t.Helper()
	startMu.Lock()
	defer startMu.Unlock()
	if shared == nil {
		s, err := Start(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		shared = s
	}
	sum := sha256.Sum256([]byte(name))
	id := "t" + hex.EncodeToString(sum[:12])
	c, err := pgx.Connect(context.Background(), shared.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	var there bool
	if err := c.QueryRow(context.Background(), "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", id).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if !there {
		if _, err := c.Exec(context.Background(), "CREATE DATABASE "+id); err != nil {
			t.Fatal(err)
		}
	}
	return shared.URL(id)
}

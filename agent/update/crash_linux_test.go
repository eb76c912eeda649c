package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

// In these tests a program is a script that calls this very test as what envRole says.
const (
	envRole = "UPDATE_TEST_ROLE" // "agent", or how a new version behaves
	envDir  = "UPDATE_TEST_DIR"
	envURL  = "UPDATE_TEST_URL"
	envKill = "UPDATE_TEST_KILL" // the step before which the agent kills itself
	envHold = "UPDATE_TEST_HOLD" // it has been held meanwhile
	// How long a trial may last: a moment where the version never gets healthy.
	envBound = "UPDATE_TEST_BOUND"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(envRole); role {
	case "":
		os.Exit(m.Run())
	case "agent":
		fmt.Println(agentRole())
	default:
		os.Exit(versionRole(role))
	}
}

// agentRole is an agent of v1.0.0 that goes on until it has nothing to update; it
// says what runs then.
func agentRole() string {
	dir := os.Getenv(envDir)
	root, err := os.ReadFile(filepath.Join(dir, "root.json"))
	if err != nil {
		return err.Error()
	}
	bound, err := time.ParseDuration(os.Getenv(envBound))
	if err != nil {
		return err.Error()
	}
	u := New(Options{Dir: filepath.Join(dir, "updates"), Mode: Auto, Root: root, Version: "v1.0.0", Installed: "/nowhere", Bound: bound,
		AgentID: func() string { return "a" }, Transport: toServer{os.Getenv(envURL)}, Inventory: fileInventory{dir}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	u.at = func(step string) {
		if step == os.Getenv(envKill) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it has come
		}
	}
	if os.Getenv(envHold) != "" {
		if err := u.SetHold(true); err != nil {
			return err.Error()
		}
	}
	for {
		plan, err := u.Next(context.Background())
		if err != nil {
			return err.Error()
		}
		switch {
		case plan.Trial:
			err = u.Try(context.Background(), plan)
		case !plan.Own:
			return "runs " + plan.Version
		default:
			var ready bool
			if ready, err = u.Look(context.Background()); err == nil && !ready {
				return "runs v1.0.0"
			}
		}
		if err != nil && !errors.Is(err, ErrAgain) {
			return err.Error()
		}
	}
}

// versionRole is a new version: it migrates the inventory first.
func versionRole(role string) int {
	ctx, parent := FromParent(context.Background())
	inv := fileInventory{os.Getenv(envDir)}
	if err := inv.append(" migrated"); err != nil {
		return 1
	}
	switch role {
	case "crash":
		return 3
	case "silent":
		<-ctx.Done()
		return 0
	}
	if err := parent.Healthy(ctx); err != nil || ctx.Err() != nil {
		return 1
	}
	return ExitAgain // so that the agent asks what runs
}

type toServer struct{ url string }

func (s toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	own, err := http.NewRequestWithContext(r.Context(), r.Method, s.url+r.URL.Path, nil)
	if err != nil {
		return nil, err
	}
	own.Header = r.Header
	return http.DefaultTransport.RoundTrip(own)
}

// fileInventory is one file, and its copy.
type fileInventory struct{ dir string }

func (f fileInventory) file() string { return filepath.Join(f.dir, "inventory") }
func (f fileInventory) copy() string { return filepath.Join(f.dir, "inventory.before") }

func (f fileInventory) append(text string) error {
	raw, err := os.ReadFile(f.file())
	if err != nil || strings.HasSuffix(string(raw), text) {
		return err
	}
	return os.WriteFile(f.file(), append(raw, text...), 0o600)
}

func (f fileInventory) Copy(context.Context) error {
	raw, err := os.ReadFile(f.file())
	if err != nil {
		return err
	}
	return wholefile.Write(f.copy(), raw, 0o600)
}

func (f fileInventory) Restore() error {
	raw, err := os.ReadFile(f.copy())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(err, wholefile.Write(f.file(), raw, 0o600))
}

func (f fileInventory) Drop() error {
	if err := os.Remove(f.copy()); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (f fileInventory) Schema(context.Context) (int64, error) { return 16, nil }

// script is a program that behaves like this.
func script(t *testing.T, role string) []byte {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []byte("#!/bin/sh\n# " + strings.Repeat("x", 3*protocol.MaxChannelPart/2) + "\n" + envRole + "=" + role + " exec '" + self + "'\n")
}

// killed is a directory of an agent, which can be run and killed at a step.
type killed struct {
	t               *testing.T
	dir, url, bound string
}

func scene(t *testing.T, role string) killed {
	t.Helper()
	r := newRepository(t)
	r.release("v1.1.0", script(t, role))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		resp, err := r.RoundTrip(req)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	k := killed{t, t.TempDir(), server.URL, "1m"}
	if role == "silent" {
		k.bound = "200ms"
	}
	for name, content := range map[string][]byte{"root.json": r.files["1.root.json"], "inventory": []byte("before")} {
		if err := os.WriteFile(filepath.Join(k.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// run runs the agent until it, and all that it started, has ended.
func (k killed) run(kill string, more ...string) string {
	k.t.Helper()
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	cmd := exec.CommandContext(k.t.Context(), self)
	cmd.Env = append(os.Environ(), append(more, envRole+"=agent", envDir+"="+k.dir, envURL+"="+k.url, envKill+"="+kill, envBound+"="+k.bound)...)
	var log strings.Builder
	cmd.Stderr = &log // a pipe, which its children hold, too
	out, err := cmd.Output()
	if kill == "" && err != nil {
		k.t.Fatalf("%v: %s", err, log.String())
	}
	if kill != "" && (cmd.ProcessState == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
		k.t.Fatalf("it never came to %q: %v, %s%s", kill, err, out, log.String())
	}
	return strings.TrimSpace(string(out))
}

func (k killed) inventory() string {
	k.t.Helper()
	raw, err := os.ReadFile(filepath.Join(k.dir, "inventory"))
	if err != nil {
		k.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(k.dir, "inventory.before")); !errors.Is(err, os.ErrNotExist) {
		k.t.Errorf("a copy of the inventory is left: %v", err)
	}
	return string(raw)
}

// What a new version may be, and what is there in the end.
var ends = map[string]struct{ runs, inventory string }{
	"good":   {"runs v1.1.0", "before migrated"},
	"crash":  {"runs v1.0.0", "before"},
	"silent": {"runs v1.0.0", "before"},
}

func TestVerdicts(t *testing.T) {
	for role, want := range ends {
		t.Run(role, func(t *testing.T) {
			k := scene(t, role)
			for range 2 { // it is not tried again, nor is the good one given up
				if got, inv := k.run(""), k.inventory(); got != want.runs || inv != want.inventory {
					t.Fatalf("%q with %q", got, inv)
				}
			}
		})
	}
}

// TestKilledAtEachStep: kill -9 at any step, and after that all is as if nothing had
// been: the good version runs, from the bad one it has gone back, and no copy of the
// inventory is left.
func TestKilledAtEachStep(t *testing.T) {
	for role, steps := range map[string][]string{ // up to its start, versions are all the same
		"good":   {"part", "downloaded", "in place", "staged", "chosen", "copied", "started", "healthy", "kept"},
		"crash":  {"started", "restored", "gave up"},
		"silent": {"started", "restored"},
	} {
		for _, step := range steps {
			t.Run(role+"/"+step, func(t *testing.T) {
				k := scene(t, role)
				k.run(step)
				if got, inv := k.run(""), k.inventory(); got != ends[role].runs || inv != ends[role].inventory {
					t.Fatalf("%q with %q", got, inv)
				}
			})
		}
	}
}

// Who holds updates after a trial was cut off gets the inventory of before, too: the
// version of before is to read it.
func TestHeldAfterACut(t *testing.T) {
	k := scene(t, "good")
	k.run("healthy")
	if got, inv := k.run("", envHold+"=1"), k.inventory(); got != "runs v1.0.0" || inv != "before" {
		t.Fatalf("%q with %q", got, inv)
	}
}

// A power cut at each start of a trial is the version's fault in the end.
func TestCutAtEachStart(t *testing.T) {
	k := scene(t, "good")
	for range maxStarts {
		k.run("started")
	}
	if got, inv := k.run(""), k.inventory(); got != "runs v1.0.0" || inv != "before" {
		t.Fatalf("%q with %q", got, inv)
	}
}
